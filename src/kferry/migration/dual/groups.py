"""Positions of groups, by what map files and both logs tell.

Owns which partitions are looked at, and from where on.
"""

from collections.abc import Callable, Collection, Mapping

from kferry.admin.view import view_of
from kferry.groups import GroupFacts, Log, PositionFacts, Standing, logs_of
from kferry.migration.dual.looking import look_until_settled
from kferry.migration.dual.standing import stand_by_maps
from kferry.migration.dual.told import Files
from kferry.names import TopicName, TopicPartition
from kferry.wire import Cluster

ReadFiles = Callable[[], Files]
"""Reads the map files anew: they grow."""
Positions = Collection[tuple[GroupFacts, PositionFacts]]


async def stand_by_files(
    source: Cluster, target: Cluster, read: ReadFiles, positions: Positions
) -> list[Standing]:
    """Say of each position where its group goes on. The positions were asked for before."""
    low = lowest(positions, read().topics)
    _, found = await look_until_settled(source, target, read, low)
    there = {one: TopicPartition(joined.target, one.partition) for one, joined in found.items()}
    logs = await logs_of(target, await view_of(target), set(there.values()))
    standings = []
    for group, one in positions:
        place = TopicPartition(one.topic, one.partition)
        log = logs[there[place]] if place in there else Log()
        standings.append(stand_by_maps(group, one, found.get(place), log))
    return standings


def lowest(
    positions: Positions, topics: Mapping[TopicName, TopicName]
) -> dict[TopicPartition, int | None]:
    """Return from where on records matter, in each partition where some group stands."""
    found: dict[TopicPartition, int | None] = {}
    for _, one in positions:
        if one.topic not in topics:
            continue
        place = TopicPartition(one.topic, one.partition)
        if one.offset is not None:
            before = found.get(place)
            found[place] = one.offset if before is None else min(before, one.offset)
        else:
            found.setdefault(place, None)
    return found
