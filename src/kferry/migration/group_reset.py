"""The verb `groups reset`: positions of groups on one named cluster, by every way there is.

Owns which groups and partitions are meant, and the order: everything is looked at and decided
before anything is committed, and every commit is read back. Writes only when told to.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase

from kferry.admin.group_commit import ACTIVE, NewPosition, Results, commit_offsets, positions_of
from kferry.admin.group_offsets import Committed, Positions
from kferry.admin.groups import ListedGroup, list_groups
from kferry.admin.view import view_of
from kferry.config import ClusterSettings
from kferry.errors import ExitCode, KferryError
from kferry.groups import Step, There, logs_of, look_there
from kferry.groups.by_time import Timed, offsets_by_time
from kferry.groups.inventory import type_of
from kferry.groups.reset import Place, Reset, ToFile, ToSwitch, ToTime, Way, decide_reset
from kferry.groups.there import OTHER_KINDS
from kferry.migration.chosen import NoSuchTopic
from kferry.migration.group_sync import committed_at, refused
from kferry.migration.one_cluster import topics_of
from kferry.migration.topic_choice import TopicChoice, partitions_of
from kferry.names import ClusterId, GroupId, TopicName, TopicPartition
from kferry.units import some
from kferry.wire import BrokerError, Cluster, Outcomes, Topic, WireError, open_cluster

_CONSUMERS = frozenset({"", "consumer"})
_MADE_ANEW = "the topic was made anew since: these are offsets of other records"


class NoSuchGroup(KferryError):
    """A group was named that has nothing to be reset."""

    code = "K221"
    exit_code = ExitCode.USAGE


class OtherCluster(KferryError):
    """A file of positions is about another cluster."""

    code = "K222"
    exit_code = ExitCode.REFUSED


@dataclass(frozen=True, slots=True, kw_only=True)
class ResetRequest:
    """Which groups and partitions of which cluster, and where they go."""

    settings: ClusterSettings
    side: str
    """`source` or `target`, as it was named."""
    way: Way
    groups: tuple[str, ...] = ()
    all_groups: bool = False
    topics: tuple[TopicChoice, ...] = ()
    """None: the partitions in which each group stands, or those of the file."""
    exact_groups: bool = False
    """Groups are names, never globs."""
    every_place: bool = True
    """A file that names what is not there is refused; otherwise that is left out and said."""
    cluster_id: str | None = None
    """The cluster that the file is about; another one is refused."""
    topic_ids: Mapping[TopicName, str] = field(default_factory=dict)
    """The topics that the file is about, as far as their ids are known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResetDone:
    """Every position and what would be, or was, done about it."""

    cluster_id: ClusterId
    executed: bool
    resets: tuple[Reset, ...]
    states: Mapping[GroupId, There]


async def reset_groups(request: ResetRequest, *, execute: bool) -> ResetDone:
    """Say where every position would go; with `execute`, take it there and read it back."""
    async with open_cluster(request.settings) as cluster:
        cluster_id = cluster.metadata.cluster_id or ClusterId("")
        _insist_on_cluster(request, cluster_id)
        groups = await _groups(cluster, request)
        there = await look_there(cluster, groups, to_write=execute, side=request.side)
        places = await _places(cluster, request, there)
        now = await _now(cluster, request, {one for own in places.values() for one in own})
        resets = [
            decide_reset(request.way, group, place, there[group], now[place])
            for group in groups
            for place in places[group]
        ]
        if execute:
            resets = await _commit(cluster, resets)
        return ResetDone(
            cluster_id=cluster_id, executed=execute, resets=tuple(resets), states=there
        )


def _insist_on_cluster(request: ResetRequest, cluster_id: ClusterId) -> None:
    if request.cluster_id is None or request.cluster_id == cluster_id:
        return
    raise OtherCluster(
        "the file holds positions of another cluster",
        f"It was taken from {request.cluster_id}, and the {request.side} is "
        f"{cluster_id or 'without an id'}. The same offsets are other records there.",
        hint="`kferry groups sync` translates positions to another cluster; --other-cluster takes "
        "them as they are, where both logs have the same offsets",
    )


async def _groups(cluster: Cluster, request: ResetRequest) -> list[GroupId]:
    if request.exact_groups or not (request.all_groups or any(map(_is_glob, request.groups))):
        return sorted({GroupId(one) for one in request.groups})
    listed: dict[GroupId, ListedGroup] = {}
    for outcome in (await list_groups(cluster)).values():
        if isinstance(outcome, WireError):
            raise outcome  # not all groups would be all that answered
        listed.update((group.id, group) for group in outcome)
    if request.all_groups:
        found = [
            group.id
            for group in listed.values()
            if group.protocol_type in _CONSUMERS and type_of(group) not in OTHER_KINDS
        ]
        if not found:
            raise NoSuchGroup(
                f"there is no consumer group on the {request.side}",
                hint="kferry inspect groups shows what there is",
            )
        return sorted(found)
    return _matching(request, listed)


def _matching(request: ResetRequest, listed: Collection[GroupId]) -> list[GroupId]:
    wanted: set[GroupId] = set()
    for pattern in request.groups:
        # A group may well be called so.
        if not _is_glob(pattern) or pattern in listed:
            wanted.add(GroupId(pattern))
            continue
        matching = {group for group in listed if fnmatchcase(group, pattern)}
        if not matching:
            raise NoSuchGroup(
                f"no group on the {request.side} matches {pattern}",
                hint="kferry inspect groups shows what there is",
            )
        wanted |= matching
    return sorted(wanted)


def _is_glob(text: str) -> bool:
    return any(sign in text for sign in "*?[")


async def _places(
    cluster: Cluster, request: ResetRequest, there: Mapping[GroupId, There]
) -> dict[GroupId, list[TopicPartition]]:
    if isinstance(request.way, ToFile):
        by_group: dict[GroupId, list[TopicPartition]] = {group: [] for group in there}
        for group, place in sorted(request.way.positions):
            by_group[group].append(place)
        if request.every_place:
            await _insist_on_places(cluster, {one for own in by_group.values() for one in own})
        return by_group
    places = await _chosen(cluster, request, there)
    if isinstance(request.way, ToSwitch):
        switched = request.way.offsets
        places = {group: [one for one in own if one in switched] for group, own in places.items()}
        if not any(places.values()):
            raise NoSuchTopic(
                "no partition that is meant was switched over",
                hint="kferry status shows which topics were",
            )
    return places


async def _chosen(
    cluster: Cluster, request: ResetRequest, there: Mapping[GroupId, There]
) -> dict[GroupId, list[TopicPartition]]:
    if request.topics:
        selection = TopicChoice.selection(request.topics)
        chosen = partitions_of(await topics_of(cluster, selection, request.side), request.topics)
        return dict.fromkeys(there, chosen)
    empty = [group for group, found in there.items() if not found.committed and not found.trouble]
    if empty and not request.all_groups:
        raise NoSuchGroup(
            f"no position anywhere on the {request.side}: {some(empty)}",
            hint="--topic NAME sets positions there; kferry inspect groups shows what there is",
        )
    return {group: sorted(found.committed) for group, found in there.items()}


async def _insist_on_places(cluster: Cluster, places: Collection[TopicPartition]) -> None:
    topics = (await cluster.refresh({place.topic for place in places})).topics
    absent = [
        str(place)
        for place in places
        if (topic := topics.get(place.topic)) is None or topic.partition(place.partition) is None
    ]
    if absent:
        raise NoSuchTopic(
            f"the file names what is not there: {some(absent, 5)}",
            hint="mend the file, or ask `kferry inspect topics`",
        )


async def _now(
    cluster: Cluster, request: ResetRequest, places: Collection[TopicPartition]
) -> dict[TopicPartition, Place]:
    logs = await logs_of(cluster, await view_of(cluster), places, committed=False)
    if request.topic_ids and places:
        found = (await cluster.refresh({place.topic for place in places})).topics
        logs = {
            place: replace(log, trouble=_MADE_ANEW) if _anew(request, place, found) else log
            for place, log in logs.items()
        }
    if not isinstance(request.way, ToTime):
        return {place: Place(log=log) for place, log in logs.items()}
    asked = [place for place, log in logs.items() if not log.trouble]
    timed = await offsets_by_time(cluster, asked, request.way.ms)
    return {place: _timed(Place(log=log), timed.get(place)) for place, log in logs.items()}


def _anew(request: ResetRequest, place: TopicPartition, found: Mapping[TopicName, Topic]) -> bool:
    known, topic = request.topic_ids.get(place.topic), found.get(place.topic)
    return (
        known is not None
        and topic is not None
        and topic.id is not None
        and (str(topic.id) != known)
    )


def _timed(place: Place, timed: Timed | WireError | None) -> Place:
    if isinstance(timed, WireError):
        return replace(place, log=replace(place.log, trouble=str(timed)))
    return replace(place, timed=timed)


async def _commit(cluster: Cluster, resets: Sequence[Reset]) -> list[Reset]:
    wanted: dict[GroupId, dict[TopicPartition, NewPosition]] = {}
    for one in resets:
        # What stands there already is committed again: the broker forgets old commits in time.
        if one.step in {Step.SET, Step.SAME} and one.offset is not None:
            position = NewPosition(offset=one.offset, metadata=one.metadata)
            wanted.setdefault(one.group, {})[one.place] = position
    if not wanted:
        return list(resets)
    results = await commit_offsets(cluster, wanted)
    read = await positions_of(cluster, wanted)
    return [
        _done(one, results, read) if one.place in wanted.get(one.group, {}) else one
        for one in resets
    ]


def _done(
    one: Reset, results: Outcomes[GroupId, Results], read: Outcomes[GroupId, Positions]
) -> Reset:
    if (refusal := refused(results[one.group], one.place)) is not None:
        if isinstance(refusal, BrokerError) and refusal.error_code in ACTIVE:
            return replace(one, step=Step.ACTIVE, reason="the group became active: not moved")
        return replace(one, step=Step.FAILED, reason=str(refusal))
    there = committed_at(read[one.group], one.place)
    if isinstance(there, Committed) and there.offset == one.offset:
        return one
    found = "nothing" if there is None else str(getattr(there, "offset", there))
    return replace(one, step=Step.FAILED, reason=f"read back: {found} in place of {one.offset:,}")
