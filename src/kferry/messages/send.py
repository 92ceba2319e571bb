"""Sending a few records, acknowledged by all replicas.

Owns which partition a record goes to, and what is tried again: only what was surely not written. It
is no producer for load, and makes no promise across a lost connection but to say so.
"""

import random
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from kferry.errors import ExitCode, KferryError
from kferry.messages.partitioner import partition_of_key
from kferry.messages.places import NotThere
from kferry.names import BrokerId, PartitionId, TopicName, TopicPartition
from kferry.records import Codec, Header, Record, Stamp, encode
from kferry.wire import BrokerError, Cluster, WireError
from kferry.wire.fastpath import send_produce
from kferry.wire.produce import Batch
from kferry.wire.retry import Pauses

_NOBODY = Stamp(-1, -1, -1)
_NOT_WRITTEN = frozenset({3, 5, 6, 19})
"""The topic was made a moment ago; nobody leads, another one leads; too few replicas."""


class NotSent(KferryError):
    """A record was not acknowledged."""

    code = "K275"
    exit_code = ExitCode.FAILED


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A record to be sent."""

    key: bytes | None = None
    value: bytes | None = None
    headers: Sequence[Header] = ()
    partition: PartitionId | None = None
    timestamp: int | None = None
    """None: now."""


class Sent(NamedTuple):
    """Where a record lies now."""

    partition: PartitionId
    offset: int


@dataclass(slots=True, kw_only=True)
class Sender:
    """Sends to one topic. Records of one partition keep their order."""

    cluster: Cluster
    topic: TopicName
    partitions: int
    sent: int = 0
    _keyless: int = field(default_factory=lambda: random.getrandbits(31))

    async def send(self, drafts: Sequence[Draft]) -> list[Sent]:
        """Send, a batch for each partition; return where each record lies, in their order."""
        own: dict[PartitionId, list[int]] = defaultdict(list)
        for number, draft in enumerate(drafts):
            own[self._partition(draft)].append(number)
        places: dict[int, Sent] = {}
        for partition, numbers in own.items():
            now = time.time_ns() // 1_000_000
            records = [_record(drafts[number], now) for number in numbers]
            base = await self._produce(TopicPartition(self.topic, partition), records)
            self.sent += len(records)
            for index, number in enumerate(numbers):
                places[number] = Sent(partition, base + index)
        self._keyless += 1
        return [places[number] for number in range(len(drafts))]

    def check(self, draft: Draft) -> None:
        """Refuse what could not be sent."""
        self._partition(draft)

    def _partition(self, draft: Draft) -> PartitionId:
        if draft.partition is not None:
            if draft.partition >= self.partitions:
                raise NotThere(
                    f"{self.topic} has no partition {draft.partition}",
                    f"its partitions are 0 to {self.partitions - 1}",
                    hint="without --partition the key decides",
                )
            return draft.partition
        if draft.key is not None:
            return PartitionId(partition_of_key(draft.key, self.partitions))
        return PartitionId(self._keyless % self.partitions)

    async def _produce(self, partition: TopicPartition, records: list[Record]) -> int:
        pauses = Pauses(self.cluster.limits)
        while True:
            leader = self.cluster.metadata.leader(partition)
            if leader is not None:
                code, base = await self._once(leader, partition, records)
                if not code:
                    return base
                if code not in _NOT_WRITTEN or pauses.over:
                    raise self._not_sent(BrokerError(code, str(partition)), unknown=False)
            elif pauses.over:
                raise self._not_sent(BrokerError(5, str(partition)), unknown=False)
            await pauses.pause()
            await self.cluster.refresh({self.topic})

    async def _once(
        self, leader: BrokerId, partition: TopicPartition, records: list[Record]
    ) -> tuple[int, int]:
        connection = await self.cluster.connection(leader)
        batch = Batch(partition, [encode(records, Codec.NONE, _NOBODY)])
        try:
            answer = await send_produce(
                connection, [batch], seconds=self.cluster.limits.request, timeout_ms=20_000
            )
        except WireError as error:
            raise self._not_sent(error, unknown=error.retriable) from error
        (produced,) = answer.partitions
        if produced.error_code and produced.error_code not in _NOT_WRITTEN:
            refusal = BrokerError(produced.error_code, str(partition), produced.error_message)
            raise self._not_sent(refusal, unknown=refusal.may_pass)
        return produced.error_code, produced.base_offset

    def _not_sent(self, error: WireError, *, unknown: bool) -> NotSent:
        before = f"{self.sent:,} records before it were sent and acknowledged."
        doubt = "Whether it was written, nobody knows." if unknown else "It was not written."
        return NotSent(
            "a record was not acknowledged",
            str(error),
            hint=error.hint or "look at the newest ones with `kferry messages query --last 10`",
            changed=f"{doubt} {before}",
        )


def _record(draft: Draft, now: int) -> Record:
    timestamp = now if draft.timestamp is None else draft.timestamp
    return Record(-1, timestamp, draft.key, draft.value, tuple(draft.headers))
