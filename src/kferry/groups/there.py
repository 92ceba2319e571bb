"""What a cluster knows of groups just now: their members and what they have committed.

Owns the questions. A group that may not be asked for is in trouble, never taken for absent: its
position would be set over one that nobody saw.
"""

import asyncio
from collections.abc import Collection

from kferry.admin.group_commit import positions_of
from kferry.admin.group_members import DESCRIBABLE, GroupType, Membership, describe_groups
from kferry.admin.group_offsets import Committed, Positions, committed_offsets
from kferry.admin.groups import ListedGroup, list_groups
from kferry.groups.inventory import type_of
from kferry.groups.moves import There
from kferry.names import BrokerId, GroupId
from kferry.wire import Cluster, Outcomes, WireError

OTHER_KINDS = {GroupType.SHARE: "a share group"}


async def look_there(
    cluster: Cluster, wanted: Collection[GroupId], *, to_write: bool, side: str = "target"
) -> dict[GroupId, There]:
    """Look at these groups; `to_write`: also at those that no broker lists, which costs more."""
    meant = frozenset(wanted)
    listed = {
        group.id: (group, broker)
        for broker, found in (await list_groups(cluster)).items()
        if not isinstance(found, WireError)
        for group in found
        if group.id in meant
    }
    homes = {
        group: broker for group, (one, broker) in listed.items() if type_of(one) not in OTHER_KINDS
    }
    unlisted = [group for group in wanted if group not in listed] if to_write else []
    memberships, known, others = await asyncio.gather(
        _memberships(cluster, listed),
        committed_offsets(cluster, homes),
        positions_of(cluster, unlisted),
    )
    positions = known | others
    return {
        group: There(trouble=f"on the {side} this is {OTHER_KINDS[type_of(listed[group][0])]}")
        if group in listed and type_of(listed[group][0]) in OTHER_KINDS
        else _there(
            listed[group][0] if group in listed else None,
            memberships.get(group),
            positions.get(group, {}),
            side,
        )
        for group in wanted
    }


async def _memberships(
    cluster: Cluster, listed: dict[GroupId, tuple[ListedGroup, BrokerId]]
) -> Outcomes[GroupId, Membership]:
    found = await asyncio.gather(
        *(
            describe_groups(
                cluster,
                kind,
                {id_: broker for id_, (one, broker) in listed.items() if type_of(one) is kind},
            )
            for kind in DESCRIBABLE - set(OTHER_KINDS)
        )
    )
    return {group: outcome for outcomes in found for group, outcome in outcomes.items()}


def _there(
    listed: ListedGroup | None,
    membership: Membership | WireError | None,
    positions: Positions | WireError,
    side: str,
) -> There:
    state = "" if listed is None else listed.state
    if isinstance(positions, WireError):
        return There(trouble=f"on the {side}: {positions}")
    if isinstance(membership, WireError):
        return There(trouble=f"on the {side}: {membership}")
    unclear = [outcome for outcome in positions.values() if isinstance(outcome, WireError)]
    if unclear:
        return There(trouble=f"on the {side}: {unclear[0]}")
    return There(
        state=state if membership is None else membership.state,
        members=()
        if membership is None
        else tuple(sorted({f"{one.client_id} at {one.host}" for one in membership.members})),
        started=listed is not None and bool(listed.protocol_type),
        committed={
            partition: (one.offset, one.metadata)
            for partition, one in positions.items()
            if isinstance(one, Committed)
        },
    )
