"""Records as they come: one look at all partitions after the other.

Owns the positions, and how reading goes on over moved leaders and new partitions. What cannot be
read just now is told and tried again; nothing is skipped silently.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from heapq import merge

from kferry.admin.offsets import Place, offsets_at
from kferry.messages.filters import Filters
from kferry.messages.message import Chunk, Message, State, chunk_of
from kferry.messages.places import may_not_read, partitions_of
from kferry.names import BrokerId, PartitionId, TopicName, TopicPartition
from kferry.records import CorruptBatch, Sieve, Unreadable
from kferry.wire import Cluster, WireError, error_name
from kferry.wire.fastpath import send_fetch
from kferry.wire.fetch import READ_COMMITTED, READ_UNCOMMITTED, Fetched, FetchFrom, FetchQuestion

_WAIT_MS = 300
_OF_ONE, _OF_ALL = 256 * 1024, 4 << 20
_PAUSE_S = 0.3
_NEW_PARTITIONS_EVERY = 30
_OUT_OF_RANGE = 1
_DENIED = 29


@dataclass(slots=True, kw_only=True)
class Follower:
    """Follows one topic of one cluster. `troubles` are what keeps it from some partitions."""

    cluster: Cluster
    topic: TopicName
    partitions: tuple[PartitionId, ...] = ()
    filters: Filters = field(default_factory=Filters)
    uncommitted: bool = False
    positions: dict[TopicPartition, int] = field(default_factory=dict)
    troubles: dict[str, str] = field(default_factory=dict)
    _rounds: int = 0

    async def begin(self) -> None:
        """Take the ends as they are now for the beginning."""
        partitions = await partitions_of(self.cluster, self.topic, self.partitions)
        self.positions = await offsets_at(
            self.cluster, partitions, Place.END, committed=not self.uncommitted
        )

    async def round(self) -> list[Message]:
        """Wait a moment for what comes next; in the order of time between partitions."""
        self._rounds += 1
        try:
            if self._rounds % _NEW_PARTITIONS_EVERY == 0:
                await self._meet_new_ones()
            found = await self._round()
        except WireError as error:
            await self._bear(self.topic, str(error))
            return []
        if found is None:
            await asyncio.sleep(_PAUSE_S)
            return []
        return list(merge(*found, key=lambda one: one.timestamp))

    async def _round(self) -> list[list[Message]] | None:
        by_leader: dict[BrokerId, list[TopicPartition]] = defaultdict(list)
        for one in self.positions:
            leader = self.cluster.metadata.leader(one)
            if leader is None:
                await self.cluster.refresh({self.topic})
                leader = self.cluster.metadata.leader(one)
            if leader is None:
                self.troubles[str(one)] = "nobody leads it just now"
            else:
                by_leader[leader].append(one)
        answers = await asyncio.gather(
            *(self._fetch(leader, own) for leader, own in by_leader.items())
        )
        fetched = [one for answer in answers for one in answer]
        if not fetched:
            return None
        return [messages for one in fetched if (messages := await self._take(one))]

    async def _fetch(self, leader: BrokerId, own: list[TopicPartition]) -> tuple[Fetched, ...]:
        # An answer has room for the first ones only: everybody has to be first at some time.
        first = self._rounds % len(own)
        question = FetchQuestion(
            partitions=[
                FetchFrom(partition=one, offset=self.positions[one], max_bytes=_OF_ONE)
                for one in (*own[first:], *own[:first])
            ],
            max_wait_ms=_WAIT_MS,
            min_bytes=1,
            max_bytes=_OF_ALL,
            isolation=READ_UNCOMMITTED if self.uncommitted else READ_COMMITTED,
        )
        try:
            connection = await self.cluster.connection(leader)
            await asyncio.sleep(connection.muted_for)
            answer = await send_fetch(connection, question, seconds=self.cluster.limits.request)
        except WireError as error:
            await self._bear(f"broker {leader}", str(error))
            return ()
        self.troubles.pop(f"broker {leader}", None)
        return answer.partitions

    async def _take(self, fetched: Fetched) -> list[Message]:
        one = fetched.partition
        if fetched.error_code:
            await self._failed(one, fetched.error_code)
            return []
        self.troubles.pop(str(one), None)
        sieve = Sieve(position=self.positions[one], aborted=fetched.aborted)
        found: list[Message] = []
        try:
            for kept in sieve.keep(fetched.records):
                start = self.positions[one]
                chunk = _open(chunk_of(kept, unstable=self.uncommitted))
                found += (
                    chunk.message(one, row)
                    for row in chunk.rows
                    if row.offset >= start and self.filters.match(row)
                )
        except CorruptBatch as error:
            raise Unreadable(sieve.position, str(error)) from error
        self.positions[one] = sieve.position
        return found

    async def _failed(self, one: TopicPartition, code: int) -> None:
        if code == _DENIED:
            raise may_not_read(self.topic)
        if code == _OUT_OF_RANGE:
            start = (await offsets_at(self.cluster, [one], Place.START))[one]
            lost = f"offsets {self.positions[one]:,} to {start - 1:,} are gone; going on behind"
            self.troubles[str(one)] = lost if start > self.positions[one] else "it was cut back"
            self.positions[one] = start
            return
        await self._bear(str(one), error_name(code))

    async def _bear(self, where: str, what: str) -> None:
        self.troubles[where] = what
        await asyncio.sleep(_PAUSE_S)
        try:
            await self.cluster.refresh({self.topic})
        except WireError as error:
            self.troubles[self.topic] = str(error)

    async def _meet_new_ones(self) -> None:
        self.troubles.pop(self.topic, None)
        if not self.partitions:
            there: Iterable[TopicPartition] = await partitions_of(self.cluster, self.topic, ())
            for one in there:
                self.positions.setdefault(one, 0)


def _open(chunk: Chunk) -> Chunk:
    """Of what is not in a transaction nobody waits to see whether it is taken back."""
    return chunk._replace(state=State.COMMITTED) if chunk.state is State.BEHIND_OPEN else chunk
