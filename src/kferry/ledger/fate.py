"""What became of a batch whose sequence the broker does not accept.

Owns the verdict, from the headers that are in the log. Pure.
"""

from collections.abc import Iterable
from enum import Enum, auto
from typing import NamedTuple


class SentBatch(NamedTuple):
    """A batch by where it lies and whom it is from."""

    offset: int
    producer_id: int
    epoch: int
    sequence: int


class Fate(Enum):
    """There; not there while all before it is; or not even what was there before."""

    THERE = auto()
    NOT_YET = auto()
    LOST = auto()


def fate_of(
    batch: SentBatch, found: Iterable[SentBatch], *, after: SentBatch
) -> tuple[Fate, int | None]:
    """Judge a batch by those found in the log from `after`, its predecessor, on."""
    whole = False
    for one in found:
        whole = whole or one == after
        if one[1:] == batch[1:] and one.offset > after.offset:
            return Fate.THERE, one.offset
    return (Fate.NOT_YET if whole else Fate.LOST), None
