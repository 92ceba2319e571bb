"""One chunk of both logs, compared where the offset map says records lie.

Owns the quick answer: all is well, in so many records, or a closer look is needed. Pure. Batches of
equal bytes are not opened; what is left of both sides is compared record by record.

What the source no longer has is no difference: retention, a deletion or its cleaner took it after
it was copied. What the target no longer has is one, unless it may clean up as well.
"""

from bisect import bisect_right
from collections.abc import Container, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from kferry.records import Row
from kferry.verify.pieces import Piece, content_of, same_bytes
from kferry.verify.ranges import Chunk


@dataclass(frozen=True, slots=True, kw_only=True)
class Standards:
    """What counts as the same, for one partition."""

    timestamps: bool = True
    """False where the target gives records its own."""
    source_end: int
    """The end of the source; what was copied from behind it was not taken by retention."""
    target_start: int
    """The target's log start when the check began: what is missing below it counts."""
    target_start_now: int
    """Its log start now: what is missing between the two expired meanwhile."""
    bytes_suffice: bool = True
    """False: every record is looked at, whatever the bytes say."""
    source_compacts: bool = False
    target_compacts: bool = False


@dataclass(slots=True, kw_only=True)
class Tally:
    """Records, by what became of them."""

    same: int = 0
    differ: int = 0
    only_source: int = 0
    only_target: int = 0
    expired_source: int = 0
    expired_target: int = 0
    foreign: int = 0

    @property
    def clean(self) -> bool:
        """Whether nothing differs."""
        return not (self.differ or self.only_source or self.only_target)

    def add(self, other: "Tally") -> None:
        """Add another one's numbers."""
        for name in self.__slots__:
            setattr(self, name, getattr(self, name) + getattr(other, name))


class Difference(NamedTuple):
    """A place where the logs are not the same."""

    source_offset: int | None
    target_offset: int | None
    """Where a missing record should lie, if the map knows; None: nowhere."""
    what: str

    def __str__(self) -> str:
        here = "" if self.source_offset is None else f"source {self.source_offset:,}"
        there = "" if self.target_offset is None else f"target {self.target_offset:,}"
        return f"{' · '.join(filter(None, (here, there)))}: {self.what}"


GONE = "gone from the target: below its log start"


class Places:
    """From source offsets to where the map puts them, within one chunk."""

    def __init__(self, chunk: Chunk) -> None:
        self._runs = chunk.runs
        self._sources = [run[0] for run in chunk.runs]
        self._targets = [run[1] for run in chunk.runs]
        self._before: list[int] = []
        passed = 0
        for run in chunk.runs:
            self._before.append(passed)
            passed += run[2]

    def target_of(self, source: int) -> int | None:
        """Return where a record should lie; None: the map does not know it."""
        index = bisect_right(self._sources, source) - 1
        if index >= 0:
            start, target, length = self._runs[index]
            if source < start + length:
                return target + source - start
        return None

    def run_of(self, source: int, count: int) -> int | None:
        """Return where `count` records in a row should lie, if they should lie in a row."""
        index = bisect_right(self._sources, source) - 1
        if index >= 0:
            start, target, length = self._runs[index]
            if source + count <= start + length:
                return target + source - start
        return None

    def source_of(self, target: int) -> int | None:
        """Return which record should lie at an offset of the target; None: none of ours."""
        index = bisect_right(self._targets, target) - 1
        if index >= 0:
            source, start, length = self._runs[index]
            if target < start + length:
                return source + target - start
        return None

    def overlap(self, first: int, last: int) -> bool:
        """Whether any record of ours should lie between two offsets of the target."""
        index = bisect_right(self._targets, last) - 1
        return index >= 0 and first < self._runs[index][1] + self._runs[index][2]

    def rank_of(self, source: int) -> int:
        """Return how many records of the map lie before a source offset."""
        index = bisect_right(self._sources, source) - 1
        if index < 0:
            return 0
        start, _, length = self._runs[index]
        return self._before[index] + min(source - start, length)


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """The quick answer; `tally` counts only where `clear`."""

    clear: bool
    tally: Tally = field(default_factory=Tally)
    first: Difference | None = None
    missing: tuple[tuple[Row, int], ...] = ()
    """Records, and where they should lie, that the target's cleaner may have taken."""
    old: tuple[Row, ...] = ()
    """Records of the target that the source no longer has."""


_UNCLEAR = Compared(clear=False)


def settled(chunk: Chunk, pieces: Sequence[Piece], ours: Container[int]) -> frozenset[int]:
    """Return where the target holds records of ours that the source had lost before it was mapped.

    As many as the source has offsets for.
    """
    found: set[int] = set()
    for begin, end, room in chunk.gaps:
        offsets = [
            row.offset
            for piece in pieces
            if piece.first < end and piece.last >= begin and piece.producer_id in ours
            for row in piece.rows(begin, end)
        ]
        found.update(offsets[:room])
    return frozenset(found)


def compare(
    chunk: Chunk,
    source: Sequence[Piece],
    target: Sequence[Piece],
    standards: Standards,
) -> Compared:
    """Compare a chunk by places; unclear as soon as anything is not where it should be."""
    places = Places(chunk)
    whole, source, target = _whole(places, source, target, chunk, standards)
    here = [row for piece in source for row in piece.rows(*chunk.source)]
    there = {row.offset: row for piece in target for row in piece.rows(*chunk.target)}
    timestamps = standards.timestamps
    tally, first = Tally(same=whole), None
    missing: list[tuple[Row, int]] = []
    for row in here:
        place = places.target_of(row.offset)
        if place is None:
            return _UNCLEAR
        found = there.pop(place, None)
        if found is None:
            if place >= standards.target_start_now:
                if not standards.target_compacts:
                    return _UNCLEAR
                missing.append((row, place))
            elif place < standards.target_start:
                tally.only_source += 1
                first = first or Difference(row.offset, place, GONE)
            else:
                tally.expired_target += 1
        elif content_of(found, timestamps=timestamps) == content_of(row, timestamps=timestamps):
            tally.same += 1
        else:
            return _UNCLEAR
    for place in there:
        origin = places.source_of(place)
        if origin is None or origin >= standards.source_end:
            return _UNCLEAR
    tally.expired_source = chunk.mapped - whole - len(here)
    return Compared(
        clear=True, tally=tally, first=first, missing=tuple(missing), old=tuple(there.values())
    )


def _whole(
    places: Places,
    source: Sequence[Piece],
    target: Sequence[Piece],
    chunk: Chunk,
    standards: Standards,
) -> tuple[int, list[Piece], list[Piece]]:
    """Match whole batches by their bytes; return how many records, and what is left."""
    by_key = standards.source_compacts or standards.target_compacts
    if by_key or not standards.bytes_suffice or not standards.timestamps:
        return 0, [*source], [*target]
    there = {piece.first: piece for piece in target}
    same, left = 0, []
    begin, end = chunk.source
    for piece in source:
        if piece.header is not None and begin <= piece.first and piece.last < end:
            place = places.run_of(piece.first, piece.header.count)
            other = None if place is None else there.get(place)
            if other is not None and same_bytes(piece, other):
                same += piece.header.count
                del there[other.first]
                continue
        left.append(piece)
    return same, left, list(there.values())
