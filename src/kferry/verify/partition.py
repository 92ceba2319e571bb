"""One partition read on both sides and compared, from one place to another.

Owns how much is read at a time, and where reading ends. Writes nowhere. Knows no ledger.
"""

import time
from collections import deque
from collections.abc import AsyncGenerator
from dataclasses import dataclass

from kferry.names import TopicPartition
from kferry.offsets import OffsetMap
from kferry.records import Digested
from kferry.verify.compare import Standards
from kferry.verify.comparison import Comparison, Found, folded
from kferry.verify.pieces import Piece
from kferry.verify.ranges import Chunks
from kferry.verify.reading import Log, Refresh
from kferry.verify.throttle import Throttle
from kferry.wire import Cluster

_MOST_RECORDS = 64 * 1024
_FIRST_RECORDS = 256
_BEHIND_RECORDS = 4096
_PAGE_BYTES = 1 << 20
_PARTS = 4
"""In so many parts a stretch with a digest is read: it may hold 16 MiB."""
_CHUNK_BYTES = 4 << 20
"""About as much is held of each side at a time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One partition, and what it is held to."""

    source: TopicPartition
    target: TopicPartition
    offsets: OffsetMap
    source_end: int
    target_start: int
    target_end: int
    """The target's end when the check began; what lies behind the map's end is looked at, too."""
    timestamps: bool = True
    bytes_suffice: bool = True
    source_compacts: bool = False
    target_compacts: bool = False
    source_start: int = 0
    digests: tuple[Digested, ...] = ()
    """Taken while copying, in the order of the log; where they fit, the source is not read."""
    producers_moved: bool = False
    """Others may write to the target: their records are no damage."""
    copied_clean: bool = False
    """Nobody copies, and nothing was left in doubt: behind the map's end nothing is ours."""
    since: int = 0
    """Where comparing begins, on the source: what lies before is vouched for elsewhere."""

    @property
    def begins(self) -> int:
        """The source offset of the first record to compare."""
        return max(self.offsets.begins, self.since)

    @property
    def standards(self) -> Standards:
        """What counts as the same."""
        return Standards(
            timestamps=self.timestamps,
            source_end=self.source_end,
            target_start=self.target_start,
            target_start_now=self.target_start,
            bytes_suffice=self.bytes_suffice,
            source_compacts=self.source_compacts,
            target_compacts=self.target_compacts,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Sides:
    """Both clusters, on connections that nothing else uses."""

    source: Cluster
    target: Cluster
    refresh_source: Refresh
    refresh_target: Refresh


class Check:
    """Compares one partition; `found` says how far it is after each step."""

    def __init__(self, task: Task, sides: Sides, found: Found, *, throttle: Throttle) -> None:
        self.task, self.found = task, found
        self._chunks = Chunks(task.offsets, source=found.source_to)
        self._source = Log(
            sides.source,
            task.source,
            self._chunks.source,
            committed=True,
            spend=throttle.spend,
            refresh=sides.refresh_source,
            page_bytes=throttle.share(_PAGE_BYTES),
        )
        self._sides, self._throttle = sides, throttle
        self._target = self._open_target(self._chunks.target)
        self._digests = deque(task.digests if self._digests_tell else ())
        self._comparison = Comparison(task.standards, found, producers_moved=task.producers_moved)
        self._compared = 0
        self._chunk_bytes = throttle.share(_CHUNK_BYTES)
        self._bytes_before = found.bytes

    def _open_target(self, offset: int) -> Log:
        return Log(
            self._sides.target,
            self.task.target,
            offset,
            committed=False,
            spend=self._throttle.spend,
            refresh=self._sides.refresh_target,
            page_bytes=self._throttle.share(_PAGE_BYTES),
        )

    @property
    def _digests_tell(self) -> bool:
        """Whether the target's batches are still as they were written, unless there is damage."""
        task = self.task
        compacts = task.source_compacts or task.target_compacts
        return task.timestamps and task.bytes_suffice and not compacts

    async def steps(self) -> AsyncGenerator[None, None]:
        """Compare; after each step `found` is whole, and the check may be left and resumed."""
        try:
            while not self._chunks.done:
                if (digested := self._next_digested()) is None:
                    await self._chunk()
                else:
                    await self._digested(digested)
                yield
            self.found.suspects.clear()
            await self._behind()
            self._comparison.finish()
            self.found.done_at = time.time()
            yield
        finally:
            await self._source.close()
            await self._target.close()

    def _next_digested(self) -> Digested | None:
        """Return the digest that begins here, if there is one that can be used."""
        while self._digests and self._digests[0].end <= self._chunks.target:
            self._digests.popleft()
        if not self._digests or self._comparison.waiting:
            return None
        first = self._digests[0]
        usable = first.begin >= max(self.task.target_start, self._target.start)
        if usable and self._chunks.covered_by(first.begin, first.end) is not None:
            return first
        return None

    async def _digested(self, expected: Digested) -> None:
        """Compare what the target holds with what was written to it; the source is not read.

        Where that is not the same, both sides say what differs.
        """
        self._digests.popleft()
        until, digest = self.task.offsets.target_end, 0
        begin, writers = max(expected.begin, self._chunks.target), set[int]()
        step = max(1, (expected.end - begin) // _PARTS)
        while begin < expected.end:
            end = min(begin + step, expected.end)
            pieces = await self._target.read(begin, end, until=until)
            digest = folded(begin, end, pieces, digest)
            writers.update(one.producer_id for one in pieces if one.producer_id >= 0)
            begin = end
        self._count_bytes()
        source_end = self._chunks.covered_by(expected.begin, expected.end)
        if digest != expected.digest or source_end is None:
            self._bytes_before += self._target.bytes
            await self._target.close()
            self._target = self._open_target(self._chunks.target)
            return
        self.found.ours |= writers
        chunk = self._chunks.next(source_end)
        self._compared += chunk.mapped
        self._comparison.take_digested(chunk, digest, source_start=self.task.source_start)

    def _count_bytes(self) -> None:
        self.found.bytes = self._bytes_before + self._source.bytes + self._target.bytes

    async def _chunk(self) -> None:
        chunks, offsets = self._chunks, self.task.offsets
        end = chunks.after(self._size())
        here = await self._source.read(chunks.source, end, until=offsets.copied_to)
        # Up to the end of a batch, so that the next one is whole.
        chunk = chunks.next(max(end, here[-1].last + 1) if here else end)
        there = await self._target.read(*chunk.target, until=offsets.target_end)
        self._comparison.target_starts(self._target.start)
        self._comparison.take(chunk, here, there)
        self._compared += chunk.mapped
        self._count_bytes()

    def _size(self) -> int:
        """Return how many records to take next, so that both sides fit into memory."""
        size = max(self._source.bytes, self._target.bytes)
        if not self._compared or not size:
            return _FIRST_RECORDS
        return max(1, min(_MOST_RECORDS, self._chunk_bytes * self._compared // size))

    async def _behind(self) -> None:
        """Read what lies behind the last record that was copied."""
        task, begin = self.task, int(self.task.offsets.target_end)
        comparison = self._comparison
        while begin < task.target_end and (
            comparison.waiting or comparison.keys_open or not task.producers_moved
        ):
            end = min(begin + _BEHIND_RECORDS, task.target_end)
            pieces = await self._target.read(begin, end, until=task.target_end)
            comparison.take_keys_behind(begin, end, pieces)
            pieces = [piece for piece in pieces if not self._in_flight(piece)]
            comparison.take_behind(begin, end, pieces)
            begin = end
        comparison.close(task.offsets.copied_to, task.offsets.target_end)
        begin = int(task.offsets.copied_to)
        while begin < task.source_end and comparison.old_open:
            end = min(begin + _BEHIND_RECORDS, task.source_end)
            pieces = await self._source.read(begin, end, until=task.source_end)
            comparison.take_source_behind(begin, end, pieces)
            begin = end

    def _in_flight(self, piece: Piece) -> bool:
        """Whether a copy at work wrote it, and has yet to say so."""
        if self.task.producers_moved and piece.producer_id not in self.found.ours:
            return True  # nor is what others write any of our business
        return piece.producer_id in self.found.ours and not self.task.copied_clean
