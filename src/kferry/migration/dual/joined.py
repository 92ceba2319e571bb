"""One partition of both sides: which record of one is which of the other, and what only one has.

Owns the arithmetic: where to go on, over there, so that nothing is left out, and how many records
are read twice for it. Several writers may have put their records in another order on the other
side. Pure.
"""

from collections import defaultdict, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import NamedTuple

from kferry.dualwrite.written import Stretch, without
from kferry.migration.dual.told import Told
from kferry.names import SourceOffset, TargetOffset, TopicName
from kferry.offsets import Run


class Seen(NamedTuple):
    """A record as it was read, where no map tells of it."""

    offset: int
    content: object
    producer: int = -1


class Why(StrEnum):
    """What is known of records that the target does not have."""

    MISSING = "missing"
    """A map file says so."""
    UNKNOWN = "unknown"
    """Their writer was killed before it wrote them there."""
    WAITING = "waiting"
    """Their writer has sent them there, and has no answer yet."""
    BEFORE = "before"
    """They are older than everything that was written to both sides."""
    UNTOLD = "untold"
    """No map file knows them: somebody writes to the source alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lack:
    """Records of the source that the target does not have, of one kind."""

    start: int
    end: int
    why: Why
    producers: tuple[int, ...] = ()

    @property
    def records(self) -> int:
        """How many; where too many were left to be read, how many offsets."""
        return self.end - self.start


@dataclass(frozen=True, slots=True, kw_only=True)
class Joined:
    """What is known of one partition, as of one look."""

    target: TopicName
    runs: tuple[Run, ...]
    """What lies on both sides."""
    start: int
    """Where the source's log begins."""
    end: int
    """Up to here the source was looked at."""
    settled_to: int
    """What the source has before it had time enough to arrive; newer records may be on the way."""
    target_end: int
    back: tuple[Stretch, ...] = ()
    lacks: tuple[Lack, ...] = ()
    """Only on the source, from the lowest position on that was asked for; in the log's order."""
    strangers: int = 0
    """Records of the target that the source does not have, where both were written to."""
    stranger: int = -1
    """The first of them."""
    trouble: str = ""
    """Why it could not be looked at."""

    def lacking(self, position: int) -> list[Lack]:
        """Return what from a position on is not on the target, and had time to arrive."""
        return [
            replace(one, start=max(one.start, position))
            for one in self.lacks
            if one.end > position and one.start < self.settled_to
        ]

    def forth(self, position: int) -> tuple[int, int]:
        """Return where to go on, on the target, so that nothing on both sides is left out.

        And how many records a reader who goes on there gets that it has read before.
        """
        least = self.target_end
        for run in self.runs:
            inside = max(0, position - run.source)
            if inside < run.length:
                least = min(least, run.target + inside)
        again = 0
        for run in self.runs:
            end = run.target + min(run.length, max(0, position - run.source))
            again += max(0, end - max(run.target, least))
        return least, again

    def home(self, position: int, at: int) -> tuple[int, int]:
        """Return where to go on, on the source, who left it at `position` and read on over there.

        `at` is where it stands on the target; and how many records it gets again.
        """
        least = self.end
        for one in self.lacks:
            if one.end > position:
                least = min(least, max(one.start, position))
        for run in self.runs:
            read = min(run.length, max(0, at - run.target))
            left = max(run.source + read, position)
            if left < run.source + run.length:
                least = min(least, left)
        again = 0
        for run in self.runs:
            end = run.source + min(run.length, max(0, at - run.target))
            again += max(0, end - max(run.source, least))
        return least, again


def unpaired(told: Told, start: int, end: int) -> list[Stretch]:
    """Return offsets of the source of which no file says where they lie on the target."""
    paired = [(run.source, run.source + run.length) for run in told.runs]
    return without([(start, end)], paired)


def unclaimed(told: Told, start: int, end: int) -> list[Stretch]:
    """Return offsets of the target of which no file says where they come from."""
    paired = [(run.target, run.target + run.length) for run in told.runs]
    return without([(start, end)], paired)


def matched(
    told: Told, here: Iterable[Seen], there: Iterable[Seen]
) -> tuple[tuple[Run, ...], list[Seen], list[int]]:
    """Pair what no file pairs by its content; return all runs, and what is left on each side.

    Equal records are paired in their order: nobody who reads them could tell them apart.
    """
    by_content: dict[object, deque[Seen]] = defaultdict(deque)
    for seen in sorted(here):
        by_content[seen.content].append(seen)
    found: list[Run] = []
    strangers: list[int] = []
    for seen in sorted(there):
        if own := by_content.get(seen.content):
            found.append(Run(SourceOffset(own.popleft().offset), TargetOffset(seen.offset), 1))
        else:
            strangers.append(seen.offset)
    left = sorted(one for own in by_content.values() for one in own)
    return _joined([*told.runs, *found]), left, strangers


def _joined(runs: Iterable[Run]) -> tuple[Run, ...]:
    out: list[Run] = []
    for run in sorted(runs):
        last = out[-1] if out else None
        if last and (last.source + last.length, last.target + last.length) == run[:2]:
            out[-1] = last._replace(length=last.length + run.length)
        else:
            out.append(run)
    return tuple(out)


def lacks_of(told: Told, left: Sequence[Seen], runs: Sequence[Run], *, since: int) -> list[Lack]:
    """Say of records that only the source has, from `since` on, what is known of them."""
    first = min((run.source for run in told.runs), default=None)
    if first is None and runs:
        first = runs[0].source
    out: list[Lack] = []
    for seen in left:
        if seen.offset < since:
            continue
        one = Lack(
            start=seen.offset,
            end=seen.offset + 1,
            why=_why(told, seen.offset, first),
            producers=() if seen.producer < 0 else (seen.producer,),
        )
        last = out[-1] if out else None
        if last and last.why is one.why and last.end == one.start:
            producers = tuple(sorted({*last.producers, *one.producers}))
            out[-1] = replace(last, end=one.end, producers=producers)
        else:
            out.append(one)
    return out


def _why(told: Told, offset: int, first: int | None) -> Why:
    kinds = (Why.MISSING, told.missing), (Why.UNKNOWN, told.unknown), (Why.WAITING, told.waiting)
    for why, stretches in kinds:
        if any(start <= offset < end for start, end in stretches):
            return why
    return Why.BEFORE if first is None or offset < first else Why.UNTOLD
