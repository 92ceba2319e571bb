"""The verb `offsets translate`: offsets of the source, said in offsets of the target, or back.

Owns finding the maps. Needs the target alone, where the ledger is.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from kferry.config import ClusterSettings, TopicSelection
from kferry.migration.maps import Maps, read_documents
from kferry.migration.status import find
from kferry.names import PartitionId, SourceOffset, TargetOffset, TopicPartition
from kferry.offsets import ExportedMap, NotYet, OffsetMap, Place
from kferry.wire import open_cluster

_REASONS = {
    Place.RECORD: "the very record",
    Place.HOLE: "the next record: there is none at this offset",
    Place.END: "the next record to come",
    Place.BEFORE_START: "the first record copied: this offset is before the copy's beginning",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """An offset of both sides. The one that was not asked for may be unknown."""

    partition: TopicPartition
    """By its name on the source."""
    target_topic: str | None
    source_offset: int | None
    target_offset: int | None
    exact: bool
    reason: str


async def translate(
    target: ClusterSettings,
    *,
    migration: str | None,
    source: ClusterSettings | None,
    asked: Iterable[tuple[TopicPartition, int]],
    to_source: bool = False,
) -> list[Pair]:
    """Translate offsets, in the order they were given; topics go by their names on the source."""
    async with open_cluster(target) as cluster:
        ledger = await find(cluster, migration=migration, source=source)
        maps = Maps.of(await read_documents(cluster, ledger))
    return [_pair(maps, partition, offset, to_source=to_source) for partition, offset in asked]


async def export(
    target: ClusterSettings,
    *,
    migration: str | None,
    source: ClusterSettings | None,
    selection: TopicSelection,
) -> list[ExportedMap]:
    """Read the maps of all partitions of some topics, as far as their copy has begun."""
    async with open_cluster(target) as cluster:
        ledger = await find(cluster, migration=migration, source=source)
        maps = Maps.of(await read_documents(cluster, ledger))
    return [
        ExportedMap(partition=partition, target_topic=entry.target, offsets=offsets)
        for name, entry in sorted(maps.topics.items())
        if selection == TopicSelection() or selection.matches(name, internal=name.startswith("__"))
        for number in range(entry.partitions)
        if (offsets := maps.map_of(partition := TopicPartition(name, PartitionId(number))))
        is not None
    ]


def _pair(maps: Maps, partition: TopicPartition, offset: int, *, to_source: bool) -> Pair:
    goal, offsets = maps.target_of(partition), maps.map_of(partition)
    there = None if offsets is None else found(offsets, offset, to_source=to_source)
    if there is not None:
        other, exact, reason = there
    else:
        copied = "the copy of this partition has not begun"
        absent = "this topic is not part of the migration"
        other, exact, reason = None, False, absent if goal is None else f"not yet: {copied}"
    return Pair(
        partition=partition,
        target_topic=None if goal is None else goal.topic,
        source_offset=other if to_source else offset,
        target_offset=offset if to_source else other,
        exact=exact,
        reason=reason,
    )


def found(offsets: OffsetMap, offset: int, *, to_source: bool) -> tuple[int | None, bool, str]:
    """Look an offset up in one map: the other one, whether it is exact, and what lies there."""
    if to_source:
        if offset > offsets.target_end:
            return None, False, f"not yet: what is copied ends at {offsets.target_end:,}"
        here = offsets.to_source(TargetOffset(offset))
        return here.offset, here.exact, _REASONS[here.place]
    there = offsets.to_target(SourceOffset(offset))
    if isinstance(there, NotYet):
        return None, False, f"not yet: copied to {there.copied_to:,}"
    return there.offset, there.exact, _REASONS[there.place]
