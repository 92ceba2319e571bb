"""Where a group would stand at a time, and how exact that is.

Owns the three cases in which a broker has no record to name: none is so late, the records carry no
timestamps, or the broker or the topic's message format is too old to look into records at all.
"""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from kferry.admin.offsets import ListedOffset, Place, list_offsets
from kferry.admin.segment_times import segments_before
from kferry.names import TopicPartition
from kferry.wire import BrokerError, Cluster, Outcomes, UnsupportedApi, WireError

_NO_TIMES_IN_FORMAT = 43
"""UNSUPPORTED_FOR_MESSAGE_FORMAT"""


class Exactness(StrEnum):
    """What stands at the offset that was found."""

    RECORD = "record"
    """The first record at or after the time."""
    END = "end"
    """No record is so late: the next one to come."""
    NO_TIMES = "no-times"
    """The records carry no timestamps. The offset is the end, as nothing can be found."""
    SEGMENT = "segment"
    """The start of a segment file: before the time, by up to a segment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timed:
    """An offset found by time; `timestamp` is the record's, where there is one."""

    offset: int
    exactness: Exactness
    timestamp: int | None = None


async def offsets_by_time(
    cluster: Cluster, partitions: Collection[TopicPartition], ms: int
) -> Outcomes[TopicPartition, Timed]:
    """Find the first record at or after a time in each partition, or the next best answer."""
    listed = await list_offsets(cluster, partitions, ms)
    found: Outcomes[TopicPartition, Timed] = {}
    later, coarse = [], []
    for partition, outcome in listed.items():
        if isinstance(outcome, ListedOffset) and outcome.offset >= 0:
            found[partition] = Timed(
                offset=outcome.offset, exactness=Exactness.RECORD, timestamp=outcome.timestamp
            )
        elif isinstance(outcome, ListedOffset):
            later.append(partition)
        elif _too_old(outcome):
            coarse.append(partition)
        else:
            found[partition] = outcome
    found |= await _ends(cluster, later)
    found |= await _segments(cluster, coarse, ms)
    return {partition: found[partition] for partition in partitions}


def _too_old(error: WireError) -> bool:
    if isinstance(error, BrokerError):
        return error.error_code == _NO_TIMES_IN_FORMAT
    return isinstance(error, UnsupportedApi)


async def _ends(
    cluster: Cluster, partitions: Collection[TopicPartition]
) -> Outcomes[TopicPartition, Timed]:
    if not partitions:
        return {}
    starts = await list_offsets(cluster, partitions, Place.START)
    ends = await list_offsets(cluster, partitions, Place.END)
    # Whoever has a record of any time at all has one after 1970.
    times = await list_offsets(cluster, partitions, 0)
    found: Outcomes[TopicPartition, Timed] = {}
    for partition in partitions:
        start, end, first = starts[partition], ends[partition], times[partition]
        if not isinstance(end, ListedOffset):
            found[partition] = end
            continue
        filled = isinstance(start, ListedOffset) and start.offset < end.offset
        timeless = filled and isinstance(first, ListedOffset) and first.offset < 0
        found[partition] = Timed(
            offset=end.offset, exactness=Exactness.NO_TIMES if timeless else Exactness.END
        )
    return found


async def _segments(
    cluster: Cluster, partitions: Collection[TopicPartition], ms: int
) -> Outcomes[TopicPartition, Timed]:
    if not partitions:
        return {}
    segments = await segments_before(cluster, partitions, ms)
    none = [one for one, segment in segments.items() if segment is None]
    starts = await segments_before(cluster, none, Place.START) if none else {}
    found: Outcomes[TopicPartition, Timed] = {}
    for partition, segment in (segments | starts).items():
        if isinstance(segment, WireError):
            found[partition] = segment
        else:
            found[partition] = Timed(offset=segment or 0, exactness=Exactness.SEGMENT)
    return found
