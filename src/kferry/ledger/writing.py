"""Documents onto a slot: by its owner, whom a newer one shuts out, or by anybody.

Owns the sequence numbers of a slot's writer and the meaning of what brokers answer to it. One batch
is in flight at a time, and what was sent once is sent again byte for byte until its fate is known.
"""

import asyncio
import time
from collections import deque
from collections.abc import Sequence

from kferry.admin.offsets import Place, offsets_at
from kferry.admin.operations import Operation, Resource, grant
from kferry.admin.producer_ids import ProducerIdentity
from kferry.errors import KferryError
from kferry.ledger.documents import Entry
from kferry.ledger.errors import LedgerDoubt, LedgerLost, LedgerRefused
from kferry.ledger.fate import Fate, SentBatch, fate_of
from kferry.ledger.leader import at_leader
from kferry.ledger.packing import pack
from kferry.ledger.reading import read_ledger, sent_since
from kferry.ledger.topic import LedgerTopic
from kferry.names import TopicPartition
from kferry.records import Codec, Record, Stamp
from kferry.records import encode as encode_batch
from kferry.wire import BrokerError, Cluster, Connection, ProtocolViolation
from kferry.wire.connection import Buffer
from kferry.wire.errors import raise_for
from kferry.wire.fastpath import send_produce
from kferry.wire.produce import Batch
from kferry.wire.retry import may_pass

_ANYBODY = Stamp(-1, -1, -1)
_SEQUENCES = 1 << 31  # then they begin again

_TOO_LARGE = 10
_NOT_ALLOWED = 29
_ALREADY_THERE = 46
_FENCED = frozenset({47, 90})
_OUT_OF_SEQUENCE = frozenset({45, 59})


async def append(
    cluster: Cluster, ledger: LedgerTopic, slot: int, documents: Sequence[Entry]
) -> None:
    """Write as anybody: wishes, and what comes before there is an owner.

    Documents of one call may be torn apart, and come twice where an answer was lost.
    """
    partition = ledger.partition(slot)
    for records in pack(([document] for document in documents), _now()):
        batch = encode_batch(records, Codec.NONE, _ANYBODY)
        try:
            await _send(cluster, partition, batch)
        except BrokerError as error:
            raise _refused(cluster, partition, error) from error


class SlotWriter:
    """Writes a slot as its owner. What one call could not deliver goes first in the next.

    `patience` is for how many seconds a batch is tried again before the call fails with what was in
    the way; by default the cluster's limit.
    """

    def __init__(
        self,
        cluster: Cluster,
        ledger: LedgerTopic,
        slot: int,
        transactional_id: str,
        identity: ProducerIdentity,
        *,
        patience: float | None = None,
    ) -> None:
        self._cluster = cluster
        self._ledger, self._slot = ledger, slot
        self._partition = ledger.partition(slot)
        self._transactional_id = transactional_id
        self._identity = identity
        self._patience = patience
        self._one_at_a_time = asyncio.Lock()
        self._waiting: deque[list[Record]] = deque()
        self._head: bytearray | None = None
        """The first of those that wait, as it was sent."""
        self._sequence = 0
        self._last: SentBatch | None = None
        """The last batch that was acknowledged with its offset."""
        self._ended: KferryError | None = None

    async def write(self, documents: Sequence[Sequence[Entry]]) -> None:
        """Write groups of documents, in order; each group is there as a whole or not at all."""
        batches = pack(documents, _now())
        async with self._one_at_a_time:
            if self._ended is not None:
                raise self._ended
            self._waiting.extend(batches)
            try:
                while self._waiting:
                    await self._deliver()
            except (LedgerLost, LedgerDoubt) as error:
                self._ended = error
                raise
            except LedgerRefused:
                self._waiting.clear()
                self._head = None
                raise

    async def insist(self, key: str, field: str, ours: object) -> None:
        """Raise unless this field of a document is ours: for one who was away for long.

        Brokers forget after a day who was shut out. What stands in the ledger stays.
        """
        found = (await read_ledger(self._cluster, self._ledger, [self._slot]))[self._slot].get(key)
        if found is None or found.value is None or found.value.get(field) != ours:
            self._ended = self._lost()
            raise self._ended

    async def _deliver(self) -> None:
        """Get the first of those that wait into the log."""
        began_again = False
        while True:
            self._head = self._head or self._encoded(self._waiting[0])
            try:
                offset = await _send(self._cluster, self._partition, self._head, self._patience)
                break
            except BrokerError as error:
                if error.error_code in _FENCED:
                    raise self._lost() from error
                if error.error_code not in _OUT_OF_SEQUENCE:
                    raise _refused(self._cluster, self._partition, error) from error
                fate, offset = await self._look_back()
                if fate is Fate.THERE:
                    break
                if fate is Fate.LOST or began_again:
                    raise self._doubt() from error
                # The log is whole and the broker has forgotten us: it takes us for new.
                began_again, self._sequence, self._head = True, 0, None
        if offset is not None:
            self._last = self._sent(offset)
        self._sequence = (self._sequence + len(self._waiting.popleft())) % _SEQUENCES
        self._head = None

    def _encoded(self, records: list[Record]) -> bytearray:
        stamp = Stamp(self._identity.id, self._identity.epoch, self._sequence)
        return encode_batch(records, Codec.NONE, stamp)

    def _sent(self, offset: int) -> SentBatch:
        return SentBatch(offset, self._identity.id, self._identity.epoch, self._sequence)

    async def _look_back(self) -> tuple[Fate, int | None]:
        """Find out in the log itself what became of a batch that the broker takes for misplaced."""
        if self._last is None:
            return Fate.LOST, None
        (start,) = (await offsets_at(self._cluster, [self._partition], Place.START)).values()
        found = await sent_since(self._cluster, self._partition, max(start, self._last.offset))
        return fate_of(self._sent(-1), found, after=self._last)

    def _lost(self) -> LedgerLost:
        return LedgerLost(
            f"{self._transactional_id} is held by another process now",
            f"it came after us, with epoch {self._identity.epoch}, to {self._partition}",
            changed="What this process had written stays, and is continued there.",
            hint="kferry status shows who goes on; to take it back, start kferry copy again",
        )

    def _doubt(self) -> LedgerDoubt:
        return LedgerDoubt(
            f"{self._partition} does not hold what was written to it before",
            "the cluster may have lost acknowledged records, by an unclean election or a disk",
            changed="Nothing more was written after it was noticed.",
            hint="run kferry copy again: it reads what is there and goes on from it",
        )


async def _send(
    cluster: Cluster, partition: TopicPartition, batch: Buffer, patience: float | None = None
) -> int | None:
    """Send until it is answered; None: it had been there before, nobody knows where."""

    async def ask(connection: Connection) -> int | None:
        answer = await send_produce(
            connection,
            [Batch(partition, [batch])],
            seconds=cluster.limits.request,
            timeout_ms=int(cluster.limits.request * 800),  # it shall answer before we give up
        )
        if len(answer.partitions) != 1 or answer.partitions[0].partition != partition:
            raise ProtocolViolation(connection.where, f"nothing was answered about {partition}")
        (produced,) = answer.partitions
        if produced.error_code == _ALREADY_THERE:
            return None
        raise_for(produced.error_code, str(partition), produced.error_message)
        return produced.base_offset if produced.base_offset >= 0 else None

    return await at_leader(cluster, partition, ask, patience=patience)


def _refused(cluster: Cluster, partition: TopicPartition, error: BrokerError) -> KferryError:
    if may_pass(error):
        return error
    sasl = cluster.settings.sasl
    hints = {
        _TOO_LARGE: f"kafka-configs --alter --entity-type topics --entity-name {partition.topic} "
        "--add-config max.message.bytes=1048588",
        _NOT_ALLOWED: grant(
            f"User:{sasl.username}" if sasl else "User:<you>",
            Operation.WRITE,
            Resource.TOPIC,
            partition.topic,
        ),
    }
    return LedgerRefused(
        f"the ledger {partition} was not written: {error.name}",
        error.detail,
        hint=hints.get(error.error_code, "kferry check"),
    )


def _now() -> int:
    return int(time.time() * 1000)
