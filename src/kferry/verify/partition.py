"""One partition compared from one place to another, chunk by chunk.

Owns the order: the quick answer first, the closer look where it is not enough, and what lies behind
the last record that was copied. Reads both logs and writes nowhere. Knows no ledger.
"""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from kferry.names import TopicPartition
from kferry.offsets import OffsetMap
from kferry.verify.alignment import Alignment, Difference
from kferry.verify.compare import Places, Standards, Tally, compare
from kferry.verify.pieces import Piece
from kferry.verify.ranges import Chunk, Chunks
from kferry.verify.reading import Log, Refresh, Spend
from kferry.wire import Cluster

_MOST_RECORDS = 64 * 1024
_FIRST_RECORDS = 4096
_CHUNK_BYTES = 4 << 20
"""About as much is held of each side at a time."""
MOST_DIFFERENCES = 10
"""So many of a partition are kept; the counts are of all."""


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
    producers_moved: bool = False
    """Others may write to the target: their records are no damage."""
    copied_clean: bool = False
    """Nobody copies, and nothing was left in doubt: behind the map's end nothing is ours."""


class Suspect(NamedTuple):
    """Records on the target that may not be ours."""

    offset: int
    records: int
    producer_id: int


@dataclass(slots=True, kw_only=True)
class Found:
    """What is known of a partition so far."""

    source_to: int
    """How far its records were compared; what waits for a counterpart is not."""
    tally: Tally = field(default_factory=Tally)
    differences: list[Difference] = field(default_factory=list)
    suspects: list[Suspect] = field(default_factory=list)
    """Behind the map's end, by nobody known."""
    ours: set[int] = field(default_factory=set)
    """The producers that wrote what was copied."""
    bytes: int = 0
    done: bool = False

    def note(self, differences: Sequence[Difference]) -> None:
        """Keep the first ones."""
        self.differences += differences[: MOST_DIFFERENCES - len(self.differences)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sides:
    """Both clusters, on connections that nothing else uses."""

    source: Cluster
    target: Cluster
    refresh_source: Refresh
    refresh_target: Refresh


class Check:
    """Compares one partition; `found` says how far it is after each step."""

    def __init__(self, task: Task, sides: Sides, found: Found, *, spend: Spend) -> None:
        self.task, self.found = task, found
        self._chunks = Chunks(task.offsets, source=found.source_to)
        self._source = Log(
            sides.source,
            task.source,
            self._chunks.source,
            committed=True,
            spend=spend,
            refresh=sides.refresh_source,
        )
        self._target = Log(
            sides.target,
            task.target,
            self._chunks.target,
            committed=False,
            spend=spend,
            refresh=sides.refresh_target,
        )
        self._standards = Standards(
            timestamps=task.timestamps,
            source_end=task.source_end,
            target_start=task.target_start,
            target_start_now=task.target_start,
            bytes_suffice=task.bytes_suffice,
        )
        self._alignment = Alignment(self._standards)
        self._compared = 0

    async def steps(self) -> AsyncGenerator[None, None]:
        """Compare; after each step `found` is whole, and the check may be left and resumed."""
        try:
            while not self._chunks.done:
                await self._chunk()
                yield
            await self._behind()
            self.found.done = True
            yield
        finally:
            await self._source.close()
            await self._target.close()

    async def _chunk(self) -> None:
        chunks, offsets = self._chunks, self.task.offsets
        end = chunks.after(self._size())
        here = await self._source.read(chunks.source, end, until=offsets.copied_to)
        # Up to the end of a batch, so that the next one is whole.
        chunk = chunks.next(max(end, here[-1].last + 1) if here else end)
        fetched = await self._target.read(*chunk.target, until=offsets.target_end)
        there, foreign = self._without_foreign(chunk, fetched)
        self._compared += chunk.mapped
        self._trimmed()
        if not self._alignment.waiting:
            compared = compare(chunk, here, there, self._standards)
            if compared.clear:
                compared.tally.foreign = foreign
                self.found.tally.add(compared.tally)
                self.found.source_to = chunk.source[1]
                return
        self._alignment.tally.foreign += foreign
        self._alignment.feed(
            chunk,
            (row for piece in here for row in piece.rows(*chunk.source)),
            (row for piece in there for row in piece.rows(*chunk.target)),
        )
        self._settle()

    def _settle(self) -> None:
        """Take over what the closer look found, as soon as nothing waits any more."""
        if self._alignment.waiting:
            return
        self.found.tally.add(self._alignment.tally)
        self.found.note(self._alignment.differences)
        self.found.source_to = self._chunks.source
        self._alignment = Alignment(self._standards)

    def _size(self) -> int:
        """Return how many records to take next, so that both sides fit into memory."""
        size = max(self._source.bytes, self._target.bytes)
        self.found.bytes = self._source.bytes + self._target.bytes
        if not self._compared or not size:
            return _FIRST_RECORDS
        return max(1, min(_MOST_RECORDS, _CHUNK_BYTES * self._compared // size))

    def _trimmed(self) -> None:
        if self._target.start > self._standards.target_start_now:
            self._standards = replace(self._standards, target_start_now=self._target.start)
            self._alignment.standards = self._standards

    def _without_foreign(self, chunk: Chunk, there: Sequence[Piece]) -> tuple[Sequence[Piece], int]:
        """Learn who we are; where others may write, leave out what they wrote between ours."""
        places = Places(chunk)
        left, foreign = [], 0
        for piece in there:
            mapped = places.source_of(max(piece.first, chunk.target[0])) is not None
            if mapped and piece.producer_id >= 0:
                self.found.ours.add(piece.producer_id)
            if mapped or not self.task.producers_moved or piece.producer_id in self.found.ours:
                left.append(piece)
            else:
                foreign += len(piece.rows(*chunk.target))
        return left, foreign

    async def _behind(self) -> None:
        """Look at what lies behind the last record that was copied, and come to an end.

        What was shifted by a record too many ends there.
        """
        task, alignment = self.task, self._alignment
        begin, suspects = int(task.offsets.target_end), list[Suspect]()
        behind: dict[int, int] = {}
        while begin < task.target_end and (alignment.waiting or not task.producers_moved):
            end = min(begin + _FIRST_RECORDS, task.target_end)
            pieces = await self._target.read(begin, end, until=task.target_end)
            pieces = [one for one in pieces if not self._in_flight(one)]
            if alignment.waiting:
                rows = [(piece, row) for piece in pieces for row in piece.rows(begin, end)]
                behind |= {row.offset: piece.producer_id for piece, row in rows}
                alignment.feed_behind(row for _, row in rows)
            else:
                suspects += [
                    Suspect(max(piece.first, begin), len(piece.rows(begin, end)), piece.producer_id)
                    for piece in pieces
                ]
            begin = end
        alignment.finish(int(task.offsets.target_end))
        suspects += [Suspect(offset, 1, behind[offset]) for offset in alignment.behind]
        self._settle()
        self.found.suspects = sorted(suspects)

    def _in_flight(self, piece: Piece) -> bool:
        """Whether a copy at work wrote it, and has yet to say so."""
        if self.task.producers_moved and piece.producer_id not in self.found.ours:
            return True  # nor is what others write any of our business
        return piece.producer_id in self.found.ours and not self.task.copied_clean
