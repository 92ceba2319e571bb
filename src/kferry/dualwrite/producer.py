"""`DualProducer`: confluent-kafka's Producer, for two clusters.

Owns the interface. What happens to a record after it was handed over is in `relay`.
"""

import atexit
import contextlib
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, NoReturn, Self

from kferry.dualwrite import client
from kferry.dualwrite.book import Book
from kferry.dualwrite.client import Callback, Room
from kferry.dualwrite.counts import Stats
from kferry.dualwrite.errors import (
    NOTHING_SENT,
    DualSettingsError,
    NotOnTwoClustersError,
)
from kferry.dualwrite.frames import ClusterIds
from kferry.dualwrite.outbox import Outbox
from kferry.dualwrite.record import Record
from kferry.dualwrite.relay import Policy, Relay
from kferry.dualwrite.side import Side

if TYPE_CHECKING:
    from confluent_kafka import KafkaError

_WRITE_EVERY_S = 1.0
_PURGED_S = 5.0
"""The client answers for what it gives up as soon as its thread comes to it."""
_AT_CLOSE = "the producer was closed before the secondary had answered"

Topics = Mapping[str, str] | Callable[[str], str]


class DualProducer:
    """Writes each record to a primary and a secondary cluster.

        producer = DualProducer(
            {"bootstrap.servers": "old:9092"},
            secondary={"bootstrap.servers": "new:9092"},
            map_file="orders.map",
        )

    `topics` names topics on the secondary that are called otherwise there. `policy` says when a
    record counts as delivered. `map_file` takes down which offset of one side is which of the
    other. `report_wait` is how many seconds a delivery report waits for the secondary under
    `primary-decides`, `close_wait` how many `close()` does; `secondary_queue_records` and
    `secondary_queue_bytes` bound what may wait for it.
    """

    def __init__(
        self,
        config: Mapping[str, Any] | None = None,
        /,
        *,
        secondary: Mapping[str, Any],
        policy: Policy | str = Policy.PRIMARY_DECIDES,
        topics: Topics | None = None,
        map_file: str | Path | None = None,
        report_wait: float = 1.0,
        close_wait: float = 10.0,
        secondary_queue_records: int = 100_000,
        secondary_queue_bytes: int = 64 << 20,
        **more: Any,
    ) -> None:
        kafka = client.load()
        policy = _policy(policy)
        own = client.primary({**(config or {}), **more})
        room = Room(records=secondary_queue_records, octets=secondary_queue_bytes)
        strict = policy is Policy.BOTH_OR_ERROR
        other = client.secondary(secondary, own.room if strict else room, patient=not strict)
        self._close_wait = close_wait
        self._other_name = _naming(topics)
        self._default_callback = own.on_delivery
        self._only_errors = own.only_errors
        self._outbox = Outbox(own.room)
        client.forward(own.settings, self._outbox.tell)
        client.forward(other, self._outbox.tell)
        self._book = None if map_file is None else Book(Path(map_file))
        self._relay = Relay(
            kafka,
            policy=policy,
            room=room,
            report_wait=report_wait,
            outbox=self._outbox,
            book=self._book,
        )
        self._remember_errors(other)
        self._closed = False
        self._written_at = time.monotonic()
        try:
            self._primary = Side(
                "primary",
                kafka,
                own.settings,
                met=self._met,
                tick=_nothing,
                # As the client does: a fatal error comes out of the application's poll().
                failed=lambda error: self._outbox.tell(_raise, (error,)),
            )
            self._secondary = Side(
                "secondary",
                kafka,
                other,
                met=self._met,
                tick=self._tick,
                failed=self._relay.failed,
            )
        except BaseException:
            self._close_book(in_order=True)
            raise
        self._relay.secondary = self._secondary.producer
        self._primary.start()
        self._secondary.start()
        atexit.register(self._at_exit)

    def produce(  # noqa: PLR0917  # confluent-kafka's own
        self,
        topic: str,
        value: str | bytes | None = None,
        key: str | bytes | None = None,
        partition: int = -1,
        callback: Callback | None = None,
        on_delivery: Callback | None = None,
        timestamp: int = 0,
        headers: Any = None,
    ) -> None:
        """Send a record to the primary, and on to the secondary once the primary has it."""
        self._insist_on_open()
        record = Record(
            topic=topic,
            value=value,
            key=key,
            timestamp=timestamp or time.time_ns() // 1_000_000,  # the same on both sides
            headers=headers.copy() if isinstance(headers, dict | list) else headers,
            callback=self._callback(on_delivery or callback),
            second_topic=self._other_name(topic),
        )
        self._outbox.enter(record.octets)
        try:
            self._primary.producer.produce(
                topic,
                value=value,
                key=key,
                partition=partition,
                on_delivery=partial(self._relay.primary_answered, record),
                timestamp=record.timestamp,
                headers=record.headers,
            )
        except BaseException:
            self._outbox.leave(record.octets)
            raise
        self._relay.counts.produced += 1

    def produce_batch(
        self,
        topic: str,
        messages: list[dict[str, Any]],
        partition: int = -1,
        callback: Callback | None = None,
        on_delivery: Callback | None = None,
    ) -> int:
        """Send records one after the other; return how many were taken."""
        kafka = client.load()
        taken = 0
        for message in messages:
            own = message.get("on_delivery") or message.get("callback")
            try:
                self.produce(
                    topic,
                    value=message.get("value"),
                    key=message.get("key"),
                    partition=message.get("partition", partition),
                    on_delivery=own or on_delivery or callback,
                    timestamp=message.get("timestamp", 0),
                    headers=message.get("headers"),
                )
            except BufferError:
                message["_error"] = kafka.KafkaError(kafka.KafkaError._QUEUE_FULL)  # noqa: SLF001
            except kafka.KafkaException as error:
                message["_error"] = error.args[0]
            else:
                taken += 1
        return taken

    def poll(self, timeout: float | None = -1) -> int:
        """Serve delivery reports and other callbacks; return how many."""
        self._insist_on_open()
        return self._outbox.poll(timeout)

    def flush(self, timeout: float | None = -1) -> int:
        """Wait until every record is reported, and have the map file on the disk.

        Under `primary-decides` a secondary that does not keep up is not waited for.
        """
        self._insist_on_open()
        return self._flush(timeout)

    def purge(self, in_queue: bool = True, in_flight: bool = True, blocking: bool = True) -> None:  # noqa: FBT001, FBT002  # confluent-kafka's own
        """Give up what has not been acknowledged yet, on both sides."""
        self._insist_on_open()
        for side in (self._primary, self._secondary):
            side.producer.purge(in_queue=in_queue, in_flight=in_flight, blocking=blocking)

    def list_topics(self, topic: str | None = None, timeout: float = -1) -> Any:
        """Ask the primary for its topics."""
        if topic is None:
            return self._primary.producer.list_topics(timeout=timeout)
        return self._primary.producer.list_topics(topic, timeout)

    def cluster_id(self, timeout: float = -1) -> str:
        """Ask the primary for its id."""
        return self._primary.producer.cluster_id(timeout)

    def set_sasl_credentials(self, username: str, password: str) -> None:
        """Change the credentials at the primary."""
        self._primary.producer.set_sasl_credentials(username, password)

    def set_secondary_sasl_credentials(self, username: str, password: str) -> None:
        """Change the credentials at the secondary."""
        self._secondary.producer.set_sasl_credentials(username, password)

    def stats(self) -> Stats:
        """Return how many records went where, and why some did not."""
        return self._relay.stats()

    def init_transactions(self, timeout: float = -1) -> NoReturn:  # noqa: ARG002  # as below
        """Refused: there are no transactions over two clusters."""
        raise NotOnTwoClustersError("init_transactions()")

    def begin_transaction(self) -> NoReturn:
        """Refused: there are no transactions over two clusters."""
        raise NotOnTwoClustersError("begin_transaction()")

    def commit_transaction(self, timeout: float = -1) -> NoReturn:  # noqa: ARG002  # as below
        """Refused: there are no transactions over two clusters."""
        raise NotOnTwoClustersError("commit_transaction()")

    def abort_transaction(self, timeout: float = -1) -> NoReturn:  # noqa: ARG002  # as below
        """Refused: there are no transactions over two clusters."""
        raise NotOnTwoClustersError("abort_transaction()")

    def send_offsets_to_transaction(self, *_: Any, **__: Any) -> NoReturn:
        """Refused: there are no transactions over two clusters."""
        raise NotOnTwoClustersError("send_offsets_to_transaction()")

    def close(self) -> bool:
        """Send what is left, give the secondary a last while, and let go of everything."""
        if self._closed:
            return False
        try:
            self._flush(-1)
            self._end_secondary(self._close_wait)
            self._flush(0)
        finally:
            self._end()
        return True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __len__(self) -> int:
        return len(self._outbox)

    def __bool__(self) -> bool:
        return True

    def _flush(self, timeout: float | None) -> int:
        with self._primary.hurry(), self._secondary.hurry():
            left = self._outbox.flush(timeout)
        if self._book is not None:
            self._book.write(sync=True)
        return left

    def _callback(self, wished: Callback | None) -> Callback | None:
        callback = wished or self._default_callback
        if callback is None or not self._only_errors:
            return callback
        told = callback
        return lambda error, report: None if error is None else told(error, report)

    def _remember_errors(self, settings: dict[str, Any]) -> None:
        told = settings.get("error_cb")

        def heard(error: "KafkaError") -> None:
            self._relay.said(error)
            if told is not None:
                told(error)

        settings["error_cb"] = heard

    def _met(self) -> None:
        """One side has said who it is; when both have, records may go on."""
        one, other = self._primary.cluster_id, self._secondary.cluster_id
        if one is None or other is None:
            return
        ids = ClusterIds(primary=one, secondary=other)
        known = None if self._book is None else self._book.clusters
        if known not in {None, ids}:
            self._relay.open(refusal=f"the map file is about {known}, and {ids} answer")
            return
        if self._book is not None:
            self._book.about(ids)
        self._relay.open(one_cluster=one == other)

    def _tick(self) -> None:
        self._relay.serve()
        now = time.monotonic()
        if self._book is not None and now - self._written_at >= _WRITE_EVERY_S:
            self._written_at = now
            self._book.write()

    def _at_exit(self) -> None:
        """Nobody called close(): what the primary has acknowledged still goes to the secondary."""
        try:
            self._end_secondary(0 if self._relay.stats().behind else self._close_wait)
        finally:
            self._end()

    def _end_secondary(self, wait: float) -> None:
        """Give it a last while; what it has not acknowledged then is missing, and named so."""
        with self._secondary.hurry():
            self._relay.wait_until_answered(wait)
        self._relay.give_up(_AT_CLOSE)
        self._secondary.producer.purge()
        self._relay.wait_until_answered(_PURGED_S)

    def _end(self) -> None:
        """End the threads and write down what is known."""
        if self._closed:
            return
        self._closed = True
        atexit.unregister(self._at_exit)
        self._primary.stop()
        self._secondary.stop()
        self._close_book(in_order=not self._relay.stats().waiting)

    def _close_book(self, *, in_order: bool) -> None:
        if self._book is not None:
            with contextlib.suppress(OSError):  # told in stats() and the log
                self._book.close(in_order=in_order)

    def _insist_on_open(self) -> None:
        if self._closed:
            raise RuntimeError("the producer has been closed")


def _policy(wished: Policy | str) -> Policy:
    try:
        return Policy(wished)
    except ValueError:
        raise DualSettingsError(
            f"policy {wished!r} is unknown",
            f"there are: {', '.join(Policy)}",
            hint="DualProducer(..., policy='primary-decides')",
            changed=NOTHING_SENT,
        ) from None


def _naming(topics: Topics | None) -> Callable[[str], str]:
    if topics is None:
        return lambda topic: topic
    if isinstance(topics, Mapping):
        names = dict(topics)
        return lambda topic: names.get(topic, topic)
    return topics


def _raise(error: Exception) -> NoReturn:
    raise error


def _nothing() -> None:
    """Do nothing: the primary's thread has its answers alone."""
