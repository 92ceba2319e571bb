"""Where an unconsumed copy starts: groups and logs asked, and whether both stand still.

Owns the questions, and what speaks against believing the answers: members, logs that grow, groups
that cannot be seen. Whether to start all the same is its caller's decision.
"""

import asyncio
from collections.abc import Collection, Iterable, Mapping

from kferry.admin.group_members import GroupType
from kferry.admin.offsets import ListedOffset, Place, list_offsets
from kferry.admin.view import Gap, view_of
from kferry.config import TopicSelection
from kferry.groups.facts import GroupFacts, Log
from kferry.groups.inventory import GROUPS, POSITIONS, take_groups
from kferry.groups.logs import logs_of
from kferry.groups.unconsumed_facts import (
    Obstacle,
    Unconsumed,
    UnconsumedPartition,
    partitions_of,
    rows_of,
)
from kferry.names import TopicName, TopicPartition
from kferry.units import many
from kferry.wire import Cluster

SECONDS_BETWEEN_LOOKS = 1.5
_AT_REST = {"empty", "dead"}
_NAMED = 3
_Ends = Mapping[TopicPartition, int]


async def take_unconsumed(
    cluster: Cluster,
    partitions: Collection[TopicPartition],
    *,
    seconds: float = SECONDS_BETWEEN_LOOKS,
) -> Unconsumed:
    """Find the start of every partition; watch for `seconds` whether anybody still writes."""
    if not partitions:
        return Unconsumed(partitions=(), rows=())
    view = await view_of(cluster)
    seen = await logs_of(cluster, view, partitions)
    readable = [one for one, log in seen.items() if not log.trouble]
    clock = asyncio.get_running_loop().time
    before, since = await _ends(cluster, readable), clock()
    # All groups: one whose members have not committed yet is found by its members alone. And not
    # beside the looks: each asks for the metadata of its own topics.
    found, _ = await asyncio.gather(take_groups(cluster, TopicSelection()), asyncio.sleep(seconds))
    apart = clock() - since
    after = await _ends(cluster, readable)
    logs = seen | await logs_of(cluster, view, readable)
    standing = [
        one
        for one in found.groups
        if any(TopicPartition(p.topic, p.partition) in logs for p in one.positions or ())
    ]
    measured = partitions_of(standing, logs)
    return Unconsumed(
        partitions=measured,
        rows=rows_of(standing, logs),
        obstacles=(
            *_members(standing),
            *_pending(standing, logs),
            *_moving(before, after, apart),
            *_hidden(found.gaps, measured),
        ),
        warnings=(
            *(f"{one.topic}-{one.partition}: {one.warning}" for one in measured if one.warning),
            *_open_transactions(logs, after),
            *_without_positions(found.groups),
            *(f"{gap.subject}: {gap.reason}" for gap in found.gaps if not _essential(gap)),
        ),
    )


async def _ends(cluster: Cluster, partitions: list[TopicPartition]) -> _Ends:
    """Ask for the high watermarks: they grow with what a transaction writes, too."""
    listed = await list_offsets(cluster, partitions, Place.END)
    return {one: end.offset for one, end in listed.items() if isinstance(end, ListedOffset)}


def _members(groups: Iterable[GroupFacts]) -> list[Obstacle]:
    obstacles = []
    for group in groups:
        if group.members:
            hosts = [f"{one.client_id} at {one.host}" for one in group.members]
            static = any(one.instance_id is not None for one in group.members)
            obstacles.append(
                Obstacle(
                    kind="members",
                    subject=f"group {group.id}",
                    message=f"it has {many(len(hosts), 'member')}: {_some(hosts)}",
                    hint="stop its consumers; a static member counts until its session times out"
                    if static
                    else "stop its consumers",
                )
            )
        elif group.members is None and group.state.lower() not in _AT_REST:
            state = f"its state is {group.state}" if group.state else "its state is not known"
            obstacles.append(
                Obstacle(
                    kind="members",
                    subject=f"group {group.id}",
                    message=f"its members cannot be asked for, and {state}",
                    hint="stop its consumers",
                )
            )
    return obstacles


def _pending(groups: Iterable[GroupFacts], logs: Mapping[TopicPartition, Log]) -> list[Obstacle]:
    """Name positions that exist and could not be read: they may be the smallest."""
    return [
        Obstacle(
            kind="moving",
            subject=f"group {group.id}",
            message=f"{one.topic}-{one.partition}: {one.trouble}",
            hint="end the transaction of its consumer, or wait until it times out",
        )
        for group in groups
        if group.type is not GroupType.SHARE
        for one in group.positions or ()
        if one.offset is None and TopicPartition(one.topic, one.partition) in logs
    ]


def _moving(before: _Ends, after: _Ends, seconds: float) -> list[Obstacle]:
    moved: dict[TopicName, list[TopicPartition]] = {}
    for one in sorted(before.keys() & after.keys()):
        if before[one] != after[one]:
            moved.setdefault(one.topic, []).append(one)
    return [
        Obstacle(
            kind="moving",
            subject=f"topic {topic}",
            message=f"its end moved by {sum(after[one] - before[one] for one in ones):,} within "
            f"{seconds:.1f} s, in {many(len(ones), 'partition')}: "
            + _some([f"{one.partition} from {before[one]:,} to {after[one]:,}" for one in ones]),
            hint="stop its producers",
        )
        for topic, ones in moved.items()
    ]


def _hidden(gaps: Iterable[Gap], partitions: Iterable[UnconsumedPartition]) -> list[Obstacle]:
    """Name what exists and could not be asked: it may hold the smallest position, or records."""
    return [
        *(
            Obstacle(kind="hidden", subject=gap.subject, message=gap.reason, hint=gap.hint)
            for gap in gaps
            if _essential(gap)
        ),
        *(
            Obstacle(
                kind="hidden", subject=f"partition {one.topic}-{one.partition}", message=one.skip
            )
            for one in partitions
            if one.start is None
        ),
    ]


def _essential(gap: Gap) -> bool:
    """Whether groups are known to be there whose positions are not."""
    return bool(gap.concerns) and gap.subject in {GROUPS.subject, POSITIONS.subject}


def _open_transactions(logs: Mapping[TopicPartition, Log], ends: _Ends) -> list[str]:
    return [
        f"{one}: {ends[one] - log.end:,} offsets lie behind an open transaction, and are not copied"
        for one, log in sorted(logs.items())
        if log.end is not None and ends.get(one, 0) > log.end
    ]


def _without_positions(groups: Iterable[GroupFacts]) -> list[str]:
    """Name groups that may be reading the topics: what members subscribe to is not known here."""
    return [
        f"group {group.id} has {many(len(group.members), 'member')} and no position anywhere: "
        "what it reads cannot be told"
        for group in groups
        if group.members and group.protocol == "consumer" and group.positions == ()
    ]


def _some(names: list[str]) -> str:
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more:,} more" if more > 0 else "")
