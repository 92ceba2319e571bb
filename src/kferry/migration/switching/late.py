"""Records that came to the source after it was taken for silent.

Owns finding them and naming who wrote them, as far as the cluster can tell.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from kferry.admin.offsets import ListedOffset, Place, list_offsets
from kferry.admin.producers import partition_producers
from kferry.names import TopicPartition
from kferry.wire import Cluster, WireError


@dataclass(frozen=True, slots=True, kw_only=True)
class Late:
    """What one partition got too late."""

    partition: TopicPartition
    first: int
    end: int
    producers: tuple[int, ...]
    """Ids of those that wrote last; empty where it cannot be told."""


async def late_writes(source: Cluster, ends: Mapping[TopicPartition, int]) -> list[Late]:
    """Compare the logs' ends with where they were."""
    now = await list_offsets(source, list(ends), Place.END)
    grown = {
        partition: found.offset
        for partition, end in ends.items()
        if isinstance(found := now[partition], ListedOffset) and found.offset > end
    }
    if not grown:
        return []
    known = await partition_producers(source, grown)
    late = []
    for partition, end in sorted(grown.items()):
        writers = known.get(partition)
        told = () if writers is None or isinstance(writers, WireError) else writers
        newest = sorted(told, key=lambda one: -one.last_timestamp)
        late.append(
            Late(
                partition=partition,
                first=ends[partition],
                end=end,
                producers=tuple(one.producer_id for one in newest[:3]),
            )
        )
    return late
