"""From the primary's answer to the secondary: what was acknowledged there goes on, in that order.

Owns the way of a record after the primary has it. The secondary gets it with the partition and the
timestamp it has on the primary; so each of its partitions holds a part of the primary's, in the
same order, and never a record that the primary refused. What does not fit is left out.
"""

import logging
import threading
import time
from collections import deque
from enum import StrEnum
from functools import partial
from types import ModuleType
from typing import TYPE_CHECKING

from kferry.dualwrite.book import Book
from kferry.dualwrite.client import Room
from kferry.dualwrite.counts import Counts, Stats
from kferry.dualwrite.outbox import Outbox
from kferry.dualwrite.record import DualReport, Record, State

if TYPE_CHECKING:
    from confluent_kafka import KafkaError, Message, Producer

_LOG = logging.getLogger("kferry.dualwrite")
QUEUE_FULL = "the secondary's queue was full"
SAME_LOG = "primary and secondary are one cluster, and the topic has one name"


class Policy(StrEnum):
    """When a record counts as delivered."""

    PRIMARY_DECIDES = "primary-decides"
    """When the primary has it; a failing secondary is counted and told, and fails nothing."""
    BOTH_OR_ERROR = "both-or-error"
    """When both have it."""


class Relay:
    """Records between the two sides. Its calls come from the threads of both."""

    def __init__(
        self,
        client: ModuleType,
        *,
        policy: Policy,
        room: Room,
        report_wait: float,
        outbox: Outbox,
        book: Book | None,
    ) -> None:
        self.counts = Counts()
        self.secondary: Producer | None = None
        self._client = client
        self._strict = policy is Policy.BOTH_OR_ERROR
        self._room = room
        self._report_wait = report_wait
        self._outbox = outbox
        self._book = book
        self._lock = threading.RLock()
        self._settled = threading.Condition(self._lock)
        self._held: deque[Record] = deque()
        self._unreported: deque[Record] = deque()
        self._waiting = 0
        self._octets = 0
        self._behind = False
        self._open = False
        self._one_cluster = False
        self._refusal = ""
        self._fatal = ""

    def stats(self) -> Stats:
        """Return the counts as they are."""
        failure = None if self._book is None else self._book.failure
        with self._lock:
            return self.counts.frozen(
                waiting=self._waiting,
                behind=self._behind,
                map_error="" if failure is None else str(failure),
            )

    def open(self, *, refusal: str = "", one_cluster: bool = False) -> None:
        """Let records through, now that it is known who answers; or none, for a reason."""
        with self._lock:
            self._refusal = refusal
            self._one_cluster = one_cluster
            self._open = True
            if refusal:
                _LOG.error("nothing is written to the secondary: %s", refusal)
                self._give_up_held(refusal)
            self._send_held()

    def primary_answered(
        self, record: Record, error: "KafkaError | None", message: "Message"
    ) -> None:
        """Take the primary's answer; send the record on if it has it."""
        with self._lock:
            record.message = message
            if error is not None:
                self.counts.primary_failed += 1
                record.primary_error = error
                record.reason = "the primary does not have it"
                self._release(record)
                return
            self.counts.primary += 1
            record.acknowledged_at = time.monotonic()
            record.partition, record.primary_offset = _place(message)
            if self._book is not None:
                self._book.acknowledged(
                    record.topic, record.second_topic, record.partition, record.primary_offset
                )
            self._pass_on(record)
            if not (self._strict or record.released):
                if self._behind or not self._report_wait:
                    self._release(record)
                else:
                    self._unreported.append(record)

    def secondary_answered(
        self, record: Record, error: "KafkaError | None", message: "Message"
    ) -> None:
        """Take the secondary's answer."""
        with self._lock:
            if error is not None:
                self._fail(record, error)
                return
            self._leave(record)
            self.counts.both += 1
            record.second, record.second_state = message, State.DELIVERED
            if self._book is not None:
                self._book.paired(
                    record.topic, record.partition, record.primary_offset, _place(message)[1]
                )
            if self._behind and time.monotonic() - record.acknowledged_at < self._report_wait:
                self._behind = False
                _LOG.warning("the secondary keeps up again")
            self._release(record)

    def said(self, error: "KafkaError") -> None:
        """Remember what the secondary complains about."""
        self.counts.secondary_error = error.str()
        if error.fatal():
            self._fatal = error.name()

    def failed(self, error: Exception) -> None:
        """Remember what the secondary's client failed with; records that it fails are counted."""
        if isinstance(error, self._client.KafkaException):
            self.said(error.args[0])
        else:
            self.counts.secondary_error = repr(error)
        _LOG.error("the secondary's client failed: %s", self.counts.secondary_error)

    def serve(self) -> None:
        """Send what had to wait, and report what has waited long enough."""
        with self._lock:
            self._send_held()
            oldest = self._unreported[0] if self._unreported else None
            if oldest and time.monotonic() - oldest.acknowledged_at > self._report_wait:
                self._fall_behind()

    def wait_until_answered(self, timeout: float) -> bool:
        """Wait until the secondary has answered for everything that was sent on."""
        with self._settled:
            return self._settled.wait_for(lambda: not self._waiting, timeout)

    def give_up(self, reason: str) -> None:
        """Count what was never handed to the secondary's client as missing."""
        with self._lock:
            self._refusal = self._refusal or reason
            self._give_up_held(reason)

    def _pass_on(self, record: Record) -> None:
        self._waiting += 1
        self._octets += record.octets
        record.second_state = State.WAITING
        if self._refusal:
            self._miss(record, self._refusal)
        elif not self._strict and (
            self._waiting > self._room.records or self._octets > self._room.octets
        ):
            self._miss(record, QUEUE_FULL)
        else:
            self._held.append(record)
            self._send_held()

    def _send_held(self) -> None:
        while self._held and self._open and self.secondary is not None:
            record = self._held[0]
            if self._one_cluster and record.topic == record.second_topic:
                self._held.popleft()
                self._miss(record, SAME_LOG)
                continue
            try:
                self.secondary.produce(
                    record.second_topic,
                    value=record.value,
                    key=record.key,
                    partition=record.partition,
                    on_delivery=partial(self.secondary_answered, record),
                    timestamp=record.timestamp,
                    headers=record.headers,
                )
            except BufferError:  # its own queue is full: as soon as it has answered for some
                return
            except self._client.KafkaException as error:
                self._held.popleft()
                self._fail(record, error.args[0])
            else:
                self._held.popleft()

    def _give_up_held(self, reason: str) -> None:
        while self._held:
            self._miss(self._held.popleft(), reason)

    def _fail(self, record: Record, error: "KafkaError") -> None:
        codes = self._client.KafkaError
        purged = error.code() in {codes._PURGE_QUEUE, codes._PURGE_INFLIGHT}  # noqa: SLF001  # public names there
        if error.code() == codes._FATAL or (purged and self._fatal):  # noqa: SLF001  # as above
            # The client gave up some time ago, and says no more than that from then on.
            self._miss(record, self._fatal or error.name(), error)
            return
        self.said(error)
        self._miss(record, error.name(), error)

    def _miss(self, record: Record, reason: str, error: "KafkaError | None" = None) -> None:
        self._leave(record)
        if not self.counts.missing:
            _LOG.warning("the secondary misses records from now on: %s", reason)
        self.counts.missed(record.topic, record.partition, record.primary_offset, reason)
        record.second_state = State.NOT_SENT if error is None else State.FAILED
        record.second_error, record.reason = error, reason
        if self._book is not None:
            self._book.missed(record.topic, record.partition, record.primary_offset, reason)
        self._release(record)

    def _leave(self, record: Record) -> None:
        self._waiting -= 1
        self._octets -= record.octets
        if not self._waiting:
            self._settled.notify_all()

    def _fall_behind(self) -> None:
        if not self._behind:
            said = self.counts.secondary_error
            _LOG.warning("the secondary does not keep up%s", f": {said}" if said else "")
        self._behind = True
        while self._unreported:
            self._release(self._unreported.popleft())

    def _release(self, record: Record) -> None:
        """Report a record, once."""
        while self._unreported and self._unreported[0].released:
            self._unreported.popleft()
        if record.released:
            return
        record.released = True
        if record.callback is None:
            self._outbox.leave(record.octets)
            return
        error = record.primary_error
        if self._strict and error is None and record.second_state is not State.DELIVERED:
            error = record.second_error or self._client.KafkaError(
                self._client.KafkaError._FAIL,  # noqa: SLF001  # librdkafka names its own codes so
                f"the secondary does not have it: {record.reason}",
            )
        self._outbox.report(record.callback, (error, DualReport(record)), record.octets)


def _place(message: "Message") -> tuple[int, int]:
    partition, offset = message.partition(), message.offset()
    return -1 if partition is None else partition, -1 if offset is None else offset
