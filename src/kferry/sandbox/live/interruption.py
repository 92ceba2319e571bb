"""How long nothing went on: from the times at which a client wrote, or a group read.

Pure: times in, the longest silences out.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

Moment = tuple[int, str]
"""When, in microseconds, and on which side."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interruption:
    """The longest silences, in milliseconds."""

    moving: int = 0
    """Between the last sign of life on one side and the first on the other."""
    overall: int = 0


def interruption(moments: Iterable[Moment]) -> Interruption:
    """Measure one client, or one group."""
    ordered = sorted(moments)
    gaps = [(after[0] - before[0], before[1] != after[1]) for before, after in pairwise(ordered)]
    return Interruption(
        moving=max((gap for gap, moved in gaps if moved), default=0) // 1_000,
        overall=max((gap for gap, _ in gaps), default=0) // 1_000,
    )


def longest(found: Sequence[Interruption]) -> Interruption:
    """Return the worst of several."""
    return Interruption(
        moving=max((one.moving for one in found), default=0),
        overall=max((one.overall for one in found), default=0),
    )
