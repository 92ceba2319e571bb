"""Questions about the cluster as a whole.

Owns what we may do with it, and the controller's clock.
"""

from kafka.protocol.admin import (
    DescribeClusterRequest,
    DescribeClusterResponse,
    DescribeQuorumRequest,
    DescribeQuorumResponse,
)

from kferry.wire import BrokerError, Cluster
from kferry.wire.errors import raise_for
from kferry.wire.metadata import Operations, told

_METADATA_LOG = "__cluster_metadata"


async def cluster_operations(cluster: Cluster) -> Operations | None:
    """Return what we may do with the cluster; None where the broker cannot tell (before 2.3)."""
    connection = await cluster.any_connection()
    if connection.versions.supports(DescribeClusterRequest):
        answer = await cluster.request(
            DescribeClusterRequest(include_cluster_authorized_operations=True),
            DescribeClusterResponse,
        )
        raise_for(answer.error_code, "DescribeCluster", answer.error_message)
        return told(answer.authorized_operations)
    return (await cluster.refresh((), operations=True)).operations


async def controller_clock(cluster: Cluster) -> float | None:
    """Return the active controller's time in seconds since 1970; None where it does not tell.

    The leader of the metadata quorum reports itself as caught up "now" (KRaft, 3.3 and later).
    """
    connection = await cluster.any_connection()
    if not connection.versions.supports(DescribeQuorumRequest, 1):
        return None
    topic = DescribeQuorumRequest.TopicData
    partition = topic.PartitionData(partition_index=0)
    answer = await cluster.request(
        DescribeQuorumRequest(topics=[topic(topic_name=_METADATA_LOG, partitions=[partition])]),
        DescribeQuorumResponse,
    )
    raise_for(answer.error_code, "DescribeQuorum")
    quorum = answer.topics[0].partitions[0]
    if quorum.error_code:
        raise BrokerError(quorum.error_code, "DescribeQuorum")
    leader = next((v for v in quorum.current_voters if v.replica_id == quorum.leader_id), None)
    if leader is None or leader.last_caught_up_timestamp <= 0:
        return None
    return float(leader.last_caught_up_timestamp) / 1000
