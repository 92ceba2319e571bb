"""Positions translated: where will a consumer go on, after the move?

Owns the rules. A position is the offset of the next record to read. It is never clamped: one beyond
what was copied is "not yet", because any number would be a guess.
"""

from dataclasses import dataclass
from enum import StrEnum

from kferry.names import SourceOffset, TargetOffset
from kferry.offsets.runs import Runs


class Place(StrEnum):
    """What lies at a position."""

    RECORD = "record"
    """The very record."""
    HOLE = "hole"
    """A marker, or a record that compaction took: the next one that is left is meant."""
    END = "end"
    """Everything copied was read; the next record to come is meant."""
    BEFORE_START = "before-start"
    """Already gone when the copy began: the first one copied is meant."""


@dataclass(frozen=True, slots=True)
class Translated:
    """A position on the other side."""

    offset: int
    place: Place

    @property
    def exact(self) -> bool:
        """Whether the consumer reads neither more nor less than it would have read here."""
        return self.place is not Place.BEFORE_START


@dataclass(frozen=True, slots=True)
class NotYet:
    """The position lies beyond what has been copied: wait until `copied_to` has passed it."""

    copied_to: SourceOffset


@dataclass(frozen=True, slots=True, kw_only=True)
class OffsetMap:
    """One partition of both sides.

    `begins` is the source's log start when the copy began; `copied_to` the source offset up to
    which everything is settled, holes included; `target_end` the target offset that the next
    copied record will get.
    """

    runs: Runs
    begins: SourceOffset
    copied_to: SourceOffset
    target_end: TargetOffset

    def to_target(self, position: SourceOffset) -> Translated | NotYet:
        """Translate a position of the source."""
        if position > self.copied_to:
            return NotYet(self.copied_to)
        if position < self.begins:
            return Translated(self._from_run(0), Place.BEFORE_START)
        index = self.runs.last_from_source(position)
        if index >= 0:
            run = self.runs[index]
            ahead = position - run.source
            if ahead < run.length:
                return Translated(run.target + ahead, Place.RECORD)
        if position == self.copied_to or index + 1 == len(self.runs):
            return Translated(self.target_end, Place.END)
        return Translated(self._from_run(index + 1), Place.HOLE)

    def to_source(self, position: TargetOffset) -> Translated:
        """Translate a position of the target, as far as its records are ours."""
        index = self.runs.last_from_target(position)
        if index >= 0:
            run = self.runs[index]
            ahead = position - run.target
            if ahead < run.length:
                return Translated(run.source + ahead, Place.RECORD)
        if index + 1 == len(self.runs):
            return Translated(self.copied_to, Place.END)
        return Translated(self.runs[index + 1].source, Place.HOLE)

    def _from_run(self, index: int) -> int:
        return self.runs[index].target if index < len(self.runs) else self.target_end
