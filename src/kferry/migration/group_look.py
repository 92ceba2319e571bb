"""Where groups stand on both sides, and where each will go on.

Owns the order of the questions. Positions are read on the source before the maps, and the maps
before the target's logs: what was committed meanwhile can only be "not yet", never wrong. Writes
nothing.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from kferry.admin.view import Gap, view_of
from kferry.config import TopicSelection
from kferry.groups import (
    Destination,
    GroupFacts,
    Groups,
    Log,
    Move,
    PositionFacts,
    Standing,
    There,
    Uncopied,
    decide,
    logs_of,
    look_there,
    ruled_offsets,
    stand,
    stand_by_rule,
    take_groups,
)
from kferry.ledger import LedgerTopic
from kferry.migration.book import TopicEntry
from kferry.migration.dual.groups import ReadFiles, stand_by_files
from kferry.migration.group_renewal import NOTHING, Renewed
from kferry.migration.maps import Maps, read_documents
from kferry.names import GroupId, PartitionId, TopicName, TopicPartition
from kferry.wire import Cluster, Topic

Meant = Callable[[GroupId], bool]
"""Whether a group is one of those that are meant."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupSides:
    """Both clusters and the ledger, as whoever syncs has them open."""

    source: Cluster
    target: Cluster
    ledger: LedgerTopic
    make: Callable[[], Awaitable[LedgerTopic]] | None = None
    """Makes the ledger, where there may be none until something is to be written down."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """Every position and what would be, or was, done about it."""

    migration: str
    moves: tuple[Move, ...]
    gaps: tuple[Gap, ...]
    """What could not be seen on the source."""
    states: dict[GroupId, tuple[GroupFacts, There]]
    agreed: bool = True
    renewed: Renewed = NOTHING


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """Everything that a decision about groups rests on."""

    groups: tuple[GroupFacts, ...]
    standings: list[Standing]
    gaps: tuple[Gap, ...]
    maps: Maps
    there: dict[GroupId, There]

    def moves(self, *, force: bool = False) -> list[Move]:
        """Decide about every position."""
        return [decide(one, self.there[one.group], force=force) for one in self.standings]

    def shown(self, migration: str, moves: Sequence[Move], *, agreed: bool = True) -> Shown:
        """Put together what becomes of all."""
        return Shown(
            migration=migration,
            moves=tuple(moves),
            gaps=self.gaps,
            states={group.id: (group, self.there[group.id]) for group in self.groups},
            agreed=agreed,
        )


def named(patterns: Collection[str]) -> Meant:
    """Mean the groups of these names or globs; without any, all."""

    def meant(group: GroupId) -> bool:
        return not patterns or any(
            group == pattern or fnmatchcase(group, pattern) for pattern in patterns
        )

    return meant


async def look(
    sides: GroupSides,
    selection: TopicSelection,
    meant: Meant,
    *,
    to_write: bool,
    maps: Maps | None = None,
    uncopied: Uncopied | None = None,
    files: ReadFiles | None = None,
    found: Groups | None = None,
) -> Picture:
    """Look at both sides of the groups that are meant. Writes nothing.

    `files`: map files of applications that write both sides, in place of the ledger's maps.
    `found`: what was seen on the source before, where positions shall stay those of that moment.
    """
    source, target = sides.source, sides.target
    if found is None:
        found = await take_groups(source, selection, meant)
    groups = found.groups
    if maps is None:
        maps = Maps.of(await read_documents(target, sides.ledger, source=source))
    positions = [(group, one) for group in groups for one in group.positions or ()]
    partitions = {TopicPartition(one.topic, one.partition) for _, one in positions}
    if files is not None:
        standings = await stand_by_files(source, target, files, positions)
    else:
        destinations = await _destinations(source, target, maps, partitions)
        standings = [
            stand(group, one, destinations.get(TopicPartition(one.topic, one.partition)))
            for group, one in positions
        ]
        if uncopied is not None:
            ruled = await _by_rule(target, uncopied, positions, destinations)
            standings = [ruled.get((one.group, one.topic, one.partition), one) for one in standings]
    return Picture(
        groups=groups,
        standings=standings,
        gaps=found.gaps,
        maps=maps,
        there=await look_there(target, [group.id for group in groups], to_write=to_write),
    )


async def _destinations(
    source: Cluster, target: Cluster, maps: Maps, partitions: Collection[TopicPartition]
) -> dict[TopicPartition, Destination]:
    goals = {one: goal for one in partitions if (goal := maps.target_of(one)) is not None}
    entries = [maps.topics[topic] for topic in {one.topic for one in goals}]
    anew = await _made_anew(source, target, entries) if entries else set()
    logs = await logs_of(target, await view_of(target), set(goals.values()))
    return {
        one: Destination(
            topic=goal.topic,
            offsets=maps.map_of(one),
            log=logs.get(goal, Log()),
            made_anew=one.topic in anew,
        )
        for one, goal in goals.items()
    }


async def _by_rule(
    target: Cluster,
    rule: Uncopied,
    positions: Collection[tuple[GroupFacts, PositionFacts]],
    destinations: Mapping[TopicPartition, Destination],
) -> dict[tuple[GroupId, TopicName, PartitionId], Standing]:
    """Stand by the rule where no map leads from."""
    goals: dict[TopicPartition, TopicPartition] = {}
    for _, one in positions:
        partition = TopicPartition(one.topic, one.partition)
        known = destinations.get(partition)
        if known is None:
            goals[partition] = rule.target_of(partition)
        elif known.offsets is None and not known.made_anew:
            goals[partition] = TopicPartition(known.topic, one.partition)
    logs = await logs_of(target, await view_of(target), set(goals.values()))
    offsets = await ruled_offsets(target, rule, logs)
    return {
        (group.id, one.topic, one.partition): stand_by_rule(
            group, one, goal, rule=rule, log=logs[goal], offsets=offsets
        )
        for group, one in positions
        if (goal := goals.get(TopicPartition(one.topic, one.partition))) is not None
    }


async def _made_anew(
    source: Cluster, target: Cluster, entries: Sequence[TopicEntry]
) -> set[TopicName]:
    """Find the topics that are others than those that were copied; old brokers tell no ids."""
    here = (await source.refresh({one.source for one in entries})).topics
    there = (await target.refresh({one.target for one in entries})).topics

    return {
        one.source
        for one in entries
        if _another(one.source_id, here.get(one.source))
        or _another(one.target_id, there.get(one.target))
    }


def _another(known: str | None, topic: Topic | None) -> bool:
    found = None if topic is None else topic.id
    return found is not None and known not in {None, "none", str(found)}
