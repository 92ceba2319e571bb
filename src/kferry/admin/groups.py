"""Which groups there are, of which kind and in which state.

Owns ListGroups, asked of every broker: each knows the groups it coordinates.
"""

from dataclasses import dataclass

from kafka.protocol.admin import ListGroupsRequest, ListGroupsResponse

from kferry.names import BrokerId, GroupId
from kferry.wire import Cluster, Outcomes, at_every_broker
from kferry.wire.errors import raise_for


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedGroup:
    """A group as the list shows it. State (2.6) and type (3.8) are empty where not told."""

    id: GroupId
    protocol_type: str
    state: str
    type: str


async def list_groups(cluster: Cluster) -> Outcomes[BrokerId, list[ListedGroup]]:
    """Ask every broker at once. Without DESCRIBE on the cluster only visible groups are listed."""

    async def ask(broker: BrokerId) -> list[ListedGroup]:
        return await _groups_of(cluster, broker)

    return await at_every_broker(cluster, ask)


async def _groups_of(cluster: Cluster, broker: BrokerId) -> list[ListedGroup]:
    answer = await cluster.at_broker(broker, ListGroupsRequest(), ListGroupsResponse)
    raise_for(answer.error_code, f"groups of broker {broker}")
    return [
        ListedGroup(
            id=GroupId(one.group_id),
            protocol_type=one.protocol_type,
            state=one.group_state or "",
            type=one.group_type or "",
        )
        for one in answer.groups
    ]
