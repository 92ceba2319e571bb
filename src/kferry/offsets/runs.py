"""Runs: stretches of the source's log that lie on the target without a gap.

Owns their compact keeping, three numbers each, and their growth while records are copied. A log
without holes is one run however long it is.
"""

from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from kferry.names import SourceOffset, TargetOffset


class Run(NamedTuple):
    """`length` records from `source` on lie, in the same order, from `target` on."""

    source: SourceOffset
    target: TargetOffset
    length: int


class Runs:
    """Runs in the order of the log: both offsets only grow."""

    __slots__ = ("_lengths", "_sources", "_targets")

    def __init__(self, runs: Iterable[Run] = ()) -> None:
        self._sources = array("q")
        self._targets = array("q")
        self._lengths = array("q")
        for run in runs:
            self.append(run.source, run.target, run.length)

    def append(self, source: int, target: int, length: int) -> None:
        """Add records at the end; what continues the last run lengthens it."""
        if length <= 0:
            raise ValueError(f"a run of {length} records")
        if self._sources:
            source_end = self._sources[-1] + self._lengths[-1]
            target_end = self._targets[-1] + self._lengths[-1]
            if source < source_end or target < target_end:
                raise ValueError(
                    f"{source:,} → {target:,} does not come after {source_end:,} → {target_end:,}"
                )
            if (source, target) == (source_end, target_end):
                self._lengths[-1] += length
                return
        self._sources.append(source)
        self._targets.append(target)
        self._lengths.append(length)

    def __len__(self) -> int:
        return len(self._sources)

    def __iter__(self) -> Iterator[Run]:
        for source, target, length in zip(self._sources, self._targets, self._lengths, strict=True):
            yield Run(SourceOffset(source), TargetOffset(target), length)

    def __getitem__(self, index: int) -> Run:
        return Run(
            SourceOffset(self._sources[index]),
            TargetOffset(self._targets[index]),
            self._lengths[index],
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Runs) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]  # it grows

    @property
    def records(self) -> int:
        """How many records all runs hold."""
        return sum(self._lengths)

    def last_from_source(self, offset: int) -> int:
        """Return the index of the last run that begins at or before a source offset, or -1."""
        return bisect_right(self._sources, offset) - 1

    def last_from_target(self, offset: int) -> int:
        """Return the index of the last run that begins at or before a target offset, or -1."""
        return bisect_right(self._targets, offset) - 1
