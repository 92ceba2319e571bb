"""A partition compared chunk by chunk: the quick answer first, the closer look where it must be.

Owns what is known so far, which only changes when nothing waits for a counterpart: so a comparison
may be left at any moment and be taken up again at `source_to`. Pure; reads nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from kferry.verify.alignment import Alignment, Difference
from kferry.verify.compare import Places, Standards, Tally, compare
from kferry.verify.pieces import Piece
from kferry.verify.ranges import Chunk

MOST_DIFFERENCES = 10
"""So many of a partition are kept; the counts are of all."""


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
    """The first ones."""
    suspects: list[Suspect] = field(default_factory=list)
    """Behind the map's end, by nobody known."""
    ours: set[int] = field(default_factory=set)
    """The producers that wrote what was copied."""
    bytes: int = 0
    done: bool = False

    def note(self, differences: Sequence[Difference]) -> None:
        """Keep the first ones."""
        self.differences += differences[: MOST_DIFFERENCES - len(self.differences)]


class Comparison:
    """Compares the chunks of one partition in their order."""

    def __init__(self, standards: Standards, found: Found, *, producers_moved: bool) -> None:
        self.found = found
        self._standards = standards
        self._producers_moved = producers_moved
        self._alignment = Alignment(standards)
        self._behind: dict[int, int] = {}

    @property
    def waiting(self) -> bool:
        """Whether records of either side have yet to find their counterpart."""
        return self._alignment.waiting

    def target_starts(self, offset: int) -> None:
        """Say where the target's log starts now."""
        if offset > self._standards.target_start_now:
            self._standards = replace(self._standards, target_start_now=offset)
            self._alignment.standards = self._standards

    def take(self, chunk: Chunk, here: Sequence[Piece], there: Sequence[Piece]) -> None:
        """Compare the next chunk."""
        there, foreign = self._without_foreign(chunk, there)
        if not self.waiting:
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
        self._settle(chunk.source[1])

    def take_behind(self, begin: int, end: int, pieces: Sequence[Piece]) -> None:
        """Take what lies on the target behind the last record that was copied.

        What was shifted by a record too many ends there; the rest is for others to judge.
        """
        if not self.waiting:
            self.found.suspects += [
                Suspect(max(piece.first, begin), len(piece.rows(begin, end)), piece.producer_id)
                for piece in pieces
            ]
            return
        rows = [(piece, row) for piece in pieces for row in piece.rows(begin, end)]
        self._behind |= {row.offset: piece.producer_id for piece, row in rows}
        self._alignment.feed_behind(row for _, row in rows)

    def finish(self, source_end: int, target_end: int) -> None:
        """Come to an end: what still waits has no counterpart."""
        alignment = self._alignment
        alignment.finish(target_end)
        found = [Suspect(offset, 1, self._behind[offset]) for offset in alignment.behind]
        self.found.suspects = sorted([*self.found.suspects, *found])
        self._settle(source_end)

    def _settle(self, source_to: int) -> None:
        """Take over what the closer look found, as soon as nothing waits any more."""
        if self.waiting:
            return
        self.found.tally.add(self._alignment.tally)
        self.found.note(self._alignment.differences)
        self.found.source_to = source_to
        self._alignment = Alignment(self._standards)

    def _without_foreign(self, chunk: Chunk, there: Sequence[Piece]) -> tuple[Sequence[Piece], int]:
        """Learn who we are; where others may write, leave out what they wrote between ours."""
        places = Places(chunk)
        left, foreign = [], 0
        for piece in there:
            mapped = places.source_of(max(piece.first, chunk.target[0])) is not None
            if mapped and piece.producer_id >= 0:
                self.found.ours.add(piece.producer_id)
            if mapped or not self._producers_moved or piece.producer_id in self.found.ours:
                left.append(piece)
            else:
                foreign += len(piece.rows(*chunk.target))
        return left, foreign
