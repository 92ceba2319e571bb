"""Groups taken away, with all positions they have committed.

Owns DeleteGroups (KIP-229, Kafka 1.1). The coordinator refuses while a group has members. Which
groups may go is decided by whoever asks.
"""

from collections.abc import Collection

from kafka.protocol.admin import DeleteGroupsRequest, DeleteGroupsResponse

from kferry.names import BrokerId, GroupId
from kferry.wire import BrokerError, Cluster, Kind, Outcomes, WireError, at_coordinators

_NOT_THERE = 69
"""GROUP_ID_NOT_FOUND"""


async def can_delete_groups(cluster: Cluster) -> bool:
    """Whether these brokers know how to."""
    connection = await cluster.any_connection()
    return connection.versions.supports(DeleteGroupsRequest)


async def delete_groups(
    cluster: Cluster, groups: Collection[GroupId]
) -> dict[GroupId, WireError | None]:
    """Delete groups; None: it is gone, or was."""

    async def ask(broker: BrokerId, own: list[str]) -> Outcomes[str, bool]:
        answer = await cluster.at_broker(
            broker, DeleteGroupsRequest(groups_names=own), DeleteGroupsResponse
        )
        return {
            one.group_id: BrokerError(one.error_code, one.group_id)
            if one.error_code not in {0, _NOT_THERE}
            else True
            for one in answer.results
        }

    found = await at_coordinators(cluster, Kind.GROUP, map(str, groups), ask)
    return {
        GroupId(group): outcome if isinstance(outcome, WireError) else None
        for group, outcome in found.items()
    }
