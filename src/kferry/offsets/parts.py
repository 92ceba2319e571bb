"""The next records of a map: which they are, and how many of each partition make a sample.

Owns the choice. Pure: where records lie is the map's word, so markers and compacted places are
never taken for records.
"""

from collections.abc import Mapping
from typing import TypeVar

from kferry.names import SourceOffset, TargetOffset
from kferry.offsets.map import OffsetMap
from kferry.offsets.runs import Run, Runs

_K = TypeVar("_K")


def next_records(offsets: OffsetMap, position: int, most: int) -> OffsetMap:
    """Return the part of a map that holds the next records from a source position on."""
    runs: list[Run] = []
    left = most
    index = max(0, offsets.runs.last_from_source(SourceOffset(position)))
    while left > 0 and index < len(offsets.runs):
        source, target, length = offsets.runs[index]
        passed = max(0, position - source)
        taken = min(length - passed, left)
        if taken > 0:
            runs.append(Run(SourceOffset(source + passed), TargetOffset(target + passed), taken))
            left -= taken
        index += 1
    last = runs[-1] if runs else Run(SourceOffset(position), offsets.target_end, 0)
    return OffsetMap(
        runs=Runs(runs),
        begins=SourceOffset(max(position, offsets.begins)),
        copied_to=SourceOffset(last.source + last.length),
        target_end=TargetOffset(last.target + last.length),
    )


def shares(available: Mapping[_K, int], most: int) -> dict[_K, int]:
    """Spread so many records over partitions: as evenly as what each of them has allows."""
    taken = dict.fromkeys(available, 0)
    left = most
    # The smallest first: what they cannot give is shared among those that are left.
    for number, (key, there) in enumerate(sorted(available.items(), key=lambda one: one[1])):
        taken[key] = min(there, -(-left // (len(available) - number)))
        left -= taken[key]
    return taken
