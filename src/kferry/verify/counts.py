"""What offsets alone can tell: how many records should be there, and where logs begin and end.

Owns that count. Pure. It cannot tell whether a record is the one that was sent, nor see a hole.
"""

from kferry.offsets import OffsetMap
from kferry.verify.compare import Tally


def count(offsets: OffsetMap, *, source_start: int, target_start: int, target_end: int) -> Tally:
    """Count the records of a map by which part of both logs they lie in."""
    tally = Tally()
    for source, target, length in offsets.runs:
        expired = min(length, max(0, source_start - source))
        below = max(expired, min(length, max(0, target_start - target)))
        there = max(below, min(length, max(0, target_end - target)))
        tally.expired_source += expired
        tally.same += there - below
        tally.only_source += length - expired - (there - below)
    return tally
