"""The verbs of `groups`: where every group stands and goes on, and taking it there.

Owns the order. Positions are read on the source before the maps, and the maps before the target's
logs: what was committed meanwhile can only be "not yet", never wrong. The source is only read.
"""

from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

from kferry.admin.group_commit import ACTIVE, NewPosition, Results, commit_offsets, positions_of
from kferry.admin.group_offsets import Committed, Positions
from kferry.admin.view import Gap, view_of
from kferry.config import ClusterSettings, TopicSelection
from kferry.groups import (
    Destination,
    GroupFacts,
    Log,
    Move,
    Standing,
    Step,
    There,
    decide,
    logs_of,
    look_there,
    stand,
    take_groups,
)
from kferry.ledger import LedgerTopic
from kferry.migration.book import TopicEntry
from kferry.migration.group_images import Setting, remember
from kferry.migration.maps import Documents, Maps, read_documents
from kferry.migration.status import find
from kferry.names import GroupId, TopicName, TopicPartition
from kferry.wire import BrokerError, Cluster, Outcomes, Topic, WireError, open_cluster


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupsRequest:
    """Which groups of which migration."""

    source: ClusterSettings
    target: ClusterSettings
    migration: str | None
    selection: TopicSelection
    groups: tuple[str, ...] = ()
    """Names or globs; none means all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """Every position and what would be, or was, done about it."""

    migration: str
    moves: tuple[Move, ...]
    gaps: tuple[Gap, ...]
    """What could not be seen on the source."""
    states: dict[GroupId, tuple[GroupFacts, There]]
    agreed: bool = True


Agree = Callable[[str, Sequence[Move]], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Picture:
    groups: tuple[GroupFacts, ...]
    standings: list[Standing]
    gaps: tuple[Gap, ...]
    documents: Documents
    there: dict[GroupId, There]

    def shown(self, migration: str, moves: Sequence[Move], *, agreed: bool = True) -> Shown:
        return Shown(
            migration=migration,
            moves=tuple(moves),
            gaps=self.gaps,
            states={group.id: (group, self.there[group.id]) for group in self.groups},
            agreed=agreed,
        )


async def show(request: GroupsRequest) -> Shown:
    """Say where every group stands, and where it would go on. Writes nothing anywhere."""
    async with _both(request) as (source, target, ledger):
        picture = await _look(source, target, ledger, request, to_write=False)
        moves = [decide(one, picture.there[one.group]) for one in picture.standings]
        return picture.shown(ledger.migration, moves)


async def sync(request: GroupsRequest, *, agree: Agree, force: bool = False) -> Shown:
    """Commit on the target where every inactive group goes on, and read it back."""
    async with _both(request) as (source, target, ledger):
        picture = await _look(source, target, ledger, request, to_write=True)
        moves = [decide(one, picture.there[one.group], force=force) for one in picture.standings]
        if not any(move.step is Step.SET for move in moves):
            return picture.shown(ledger.migration, moves)
        if not agree(ledger.migration, moves):
            return picture.shown(ledger.migration, moves, agreed=False)
        # Whoever was asked may have taken their time.
        groups = [group.id for group in picture.groups]
        picture = replace(picture, there=await look_there(target, groups, to_write=True))
        moves = [decide(one, picture.there[one.group], force=force) for one in picture.standings]
        done = await _commit(target, ledger, picture, moves)
        return picture.shown(ledger.migration, done)


@asynccontextmanager
async def _both(
    request: GroupsRequest,
) -> AsyncIterator[tuple[Cluster, Cluster, LedgerTopic]]:
    async with open_cluster(request.source) as source, open_cluster(request.target) as target:
        ledger = await find(target, migration=request.migration, source=request.source)
        yield source, target, ledger


def chosen(group: GroupId, patterns: Collection[str]) -> bool:
    """Whether a group is meant."""
    return not patterns or any(
        group == pattern or fnmatchcase(group, pattern) for pattern in patterns
    )


async def _look(
    source: Cluster, target: Cluster, ledger: LedgerTopic, request: GroupsRequest, *, to_write: bool
) -> _Picture:
    found = await take_groups(source, request.selection)
    groups = tuple(group for group in found.groups if chosen(group.id, request.groups))
    documents = await read_documents(target, ledger, source=source)
    maps = Maps.of(documents)
    positions = [(group, one) for group in groups for one in group.positions or ()]
    partitions = {TopicPartition(one.topic, one.partition) for _, one in positions}
    destinations = await _destinations(source, target, maps, partitions)
    return _Picture(
        groups=groups,
        standings=[
            stand(group, one, destinations.get(TopicPartition(one.topic, one.partition)))
            for group, one in positions
        ],
        gaps=found.gaps,
        documents=documents,
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


async def _commit(
    target: Cluster, ledger: LedgerTopic, picture: _Picture, moves: Sequence[Move]
) -> list[Move]:
    wanted: dict[GroupId, dict[TopicPartition, NewPosition]] = {}
    settings = []
    for move in moves:
        standing, place = move.standing, move.place
        if move.step is not Step.SET or place is None or standing.target_offset is None:
            continue
        before = picture.there[standing.group].committed.get(place)
        settings.append(
            Setting(
                group=standing.group,
                place=place,
                offset=standing.target_offset,
                before=None if before is None else before[0],
                metadata="" if before is None else before[1],
            )
        )
        wanted.setdefault(standing.group, {})[place] = NewPosition(
            offset=standing.target_offset, metadata=standing.metadata
        )
    if not wanted:
        return list(moves)
    await remember(target, ledger, picture.documents, settings)
    results = await commit_offsets(target, wanted)
    read = await positions_of(target, wanted)
    return [_done(move, results, read) if move.step is Step.SET else move for move in moves]


def _done(
    move: Move,
    results: Outcomes[GroupId, Results],
    read: Outcomes[GroupId, Positions],
) -> Move:
    """Say how a commit ended: what was answered, and what is read back, must agree."""
    group, place = move.standing.group, move.place
    if place is None:
        return move
    if (refusal := refused(results[group], place)) is not None:
        if isinstance(refusal, BrokerError) and refusal.error_code in ACTIVE:
            return replace(
                move, step=Step.ACTIVE, reason="the group became active on the target: not moved"
            )
        return move.failed(str(refusal))
    there = committed_at(read[group], place)
    if isinstance(there, Committed) and there.offset == move.standing.target_offset:
        return move
    found = "nothing" if there is None else str(getattr(there, "offset", there))
    return move.failed(f"read back: {found} in place of {move.standing.target_offset:,}")


def refused(results: Results | WireError, place: TopicPartition) -> WireError | None:
    """Return what speaks against a change, if something does."""
    return results if isinstance(results, WireError) else results[place]


def committed_at(
    positions: Positions | WireError, place: TopicPartition
) -> Committed | WireError | None:
    """Return what was read back."""
    return positions if isinstance(positions, WireError) else positions.get(place)
