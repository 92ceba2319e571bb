"""What groups there are and where they stand, gathered in a few calls for all of them.

Owns the questions and what each takes. What could not be asked is a gap beside the picture, never a
failure of the whole; a topic that may not be seen is not called absent.
"""

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping

from kferry.admin.group_members import DESCRIBABLE, GroupType, Membership, describe_groups
from kferry.admin.group_offsets import Positions, committed_offsets, share_group_starts
from kferry.admin.groups import ListedGroup, list_groups
from kferry.admin.operations import Operation, Resource
from kferry.admin.view import Question, View, view_of
from kferry.admin.visibility import left_out
from kferry.config import TopicSelection
from kferry.groups.facts import GroupFacts, Groups, Log, PositionFacts, position
from kferry.groups.logs import logs_of
from kferry.names import BrokerId, GroupId, TopicPartition
from kferry.wire import BrokerError, Cluster, Outcomes, WireError

GROUPS = Question(subject="groups", since="0.9", right=Operation.DESCRIBE, on=Resource.CLUSTER)
MEMBERS = Question(subject="members", since="0.9", right=Operation.DESCRIBE, on=Resource.GROUP)
POSITIONS = Question(
    subject="positions", since="0.10.2", right=Operation.DESCRIBE, on=Resource.GROUP
)
_UNSTABLE = 88
"""UNSTABLE_OFFSET_COMMIT"""

_Listed = Mapping[GroupId, tuple[ListedGroup, BrokerId]]


async def take_groups(
    cluster: Cluster,
    selection: TopicSelection,
    meant: Callable[[GroupId], bool] = lambda _: True,
    *,
    measured: Collection[str] | None = None,
) -> Groups:
    """Look at the groups that are meant; of these, where they stand in the topics selected.

    `measured`: the topics whose logs are asked, where that is not worth it for all.
    """
    view = await view_of(cluster)
    answers = await list_groups(cluster)
    listed = {group: found for group, found in _by_id(answers).items() if meant(group)}
    gaps = view.gaps(GROUPS, answers, lambda broker: f"broker {broker}")
    gaps = gaps or await left_out(cluster, view, Resource.GROUP)
    # Positions in topics that may not be seen are left out of a group without a word.
    gaps += await left_out(cluster, view, Resource.TOPIC)
    # Without a group nobody is asked for anything more: see `group_homes`.
    memberships, positions = await asyncio.gather(
        _memberships(cluster, listed), _positions(cluster, listed)
    )
    gaps += view.gaps(MEMBERS, memberships) + view.gaps(POSITIONS, positions)
    standing = await _measured(cluster, view, positions, selection, measured)
    facts = (
        _facts(*listed[group], memberships.get(group), standing.get(group))
        for group in sorted(listed)
    )
    return Groups(
        groups=tuple(one for one in facts if selection == TopicSelection() or one.positions),
        gaps=tuple(gaps),
    )


async def glance(
    cluster: Cluster, meant: Callable[[GroupId], bool]
) -> Outcomes[GroupId, Positions]:
    """Ask only what the groups that are meant have committed: two calls to each broker."""
    listed = _by_id(await list_groups(cluster))
    return await _positions(
        cluster, {group: found for group, found in listed.items() if meant(group)}
    )


def _by_id(answers: Outcomes[BrokerId, list[ListedGroup]]) -> _Listed:
    return {
        group.id: (group, broker)
        for broker, found in answers.items()
        if not isinstance(found, WireError)
        for group in found
    }


def type_of(group: ListedGroup) -> GroupType:
    """Return a group's type; brokers before 3.8 do not tell, and have classic ones only."""
    known = group.type.lower() in GroupType.__members__.values()
    return GroupType(group.type.lower()) if known else GroupType.CLASSIC


def _homes(listed: _Listed, kinds: Iterable[GroupType]) -> dict[GroupId, BrokerId]:
    wanted = frozenset(kinds)
    return {id_: broker for id_, (group, broker) in listed.items() if type_of(group) in wanted}


async def _memberships(cluster: Cluster, listed: _Listed) -> Outcomes[GroupId, Membership]:
    found = await asyncio.gather(
        *(describe_groups(cluster, kind, _homes(listed, {kind})) for kind in DESCRIBABLE)
    )
    return {group: outcome for outcomes in found for group, outcome in outcomes.items()}


async def _positions(cluster: Cluster, listed: _Listed) -> Outcomes[GroupId, Positions]:
    consuming, sharing = await asyncio.gather(
        committed_offsets(cluster, _homes(listed, set(GroupType) - {GroupType.SHARE})),
        share_group_starts(cluster, _homes(listed, {GroupType.SHARE})),
    )
    return consuming | sharing


async def _measured(
    cluster: Cluster,
    view: View,
    positions: Outcomes[GroupId, Positions],
    selection: TopicSelection,
    measured: Collection[str] | None,
) -> dict[GroupId, tuple[PositionFacts, ...]]:
    wanted = {
        group: {
            partition: outcome
            for partition, outcome in sorted(found.items(), key=lambda item: item[0])
            if selection == TopicSelection()
            or selection.matches(partition.topic, internal=partition.topic.startswith("__"))
        }
        for group, found in positions.items()
        if not isinstance(found, WireError)
    }
    places = {one for found in wanted.values() for one in found}
    asked = {one for one in places if measured is None or one.topic in measured}
    logs = dict.fromkeys(places, Log()) | await logs_of(cluster, view, asked)
    return {
        group: tuple(
            _unknown(partition, outcome)
            if isinstance(outcome, WireError)
            else position(partition, outcome, logs[partition])
            for partition, outcome in found.items()
        )
        for group, found in wanted.items()
    }


def _unknown(partition: TopicPartition, error: WireError) -> PositionFacts:
    unstable = isinstance(error, BrokerError) and error.error_code == _UNSTABLE
    return PositionFacts(
        topic=partition.topic,
        partition=partition.partition,
        offset=None,
        trouble="an open transaction is about to commit here" if unstable else str(error),
    )


def _facts(
    group: ListedGroup,
    coordinator: BrokerId,
    membership: Membership | WireError | None,
    positions: tuple[PositionFacts, ...] | None,
) -> GroupFacts:
    known = membership if isinstance(membership, Membership) else None
    return GroupFacts(
        id=group.id,
        type=type_of(group),
        protocol=group.protocol_type,
        # Asked later than the list, and told by brokers before 2.6, too.
        state=known.state if known is not None else group.state,
        coordinator=coordinator,
        members=None if known is None else known.members,
        positions=positions,
    )
