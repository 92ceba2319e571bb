"""May we? — asked without doing.

Owns questions that a broker refuses for lack of rights before it looks at anything else, put so
that with the rights they change nothing either: they name what does not exist, or carry nothing.
A broker that knows no authorized-operations bits, or a topic that does not exist yet, can be asked
no other way. All were tried on real brokers with and without the rights.
"""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any

from kafka.protocol.admin import (
    AlterConfigsRequest,
    AlterConfigsResponse,
    CreateTopicsRequest,
    CreateTopicsResponse,
    DeleteRecordsRequest,
    DeleteRecordsResponse,
    DescribeConfigsRequest,
    DescribeConfigsResponse,
    DescribeGroupsRequest,
    DescribeGroupsResponse,
    IncrementalAlterConfigsRequest,
    IncrementalAlterConfigsResponse,
)
from kafka.protocol.consumer import (
    HeartbeatRequest,
    HeartbeatResponse,
    OffsetDeleteRequest,
    OffsetDeleteResponse,
)
from kafka.protocol.producer import (
    EndTxnRequest,
    EndTxnResponse,
    ProduceRequest,
    ProduceResponse,
)

from kferry.names import GroupId, PartitionId, TopicName, TopicPartition
from kferry.records.header import HEADER
from kferry.wire import Cluster, Connection
from kferry.wire.fastpath import send_fetch
from kferry.wire.fetch import FetchFrom, FetchQuestion

TOPIC_DENIED, GROUP_DENIED, CLUSTER_DENIED, TRANSACTION_DENIED = 29, 30, 31, 53
_TOPIC = 2
_ACKS_ALL = -1
# One record without key and value, laid out as brokers of all ages can parse, and a checksum of 0.
# (An empty batch would do since 2.x; older brokers hang up on it.)
_NEVER_APPENDED = HEADER.pack(0, 56, -1, 2, 0, 0, 0, 0, 0, -1, -1, -1, 1) + bytes(
    (12, 0, 0, 0, 1, 1, 0)
)
_NO_PRODUCER = -1


async def topics_denied_write(cluster: Cluster, topics: Sequence[TopicName]) -> set[TopicName]:
    """Produce a batch whose checksum is wrong: no broker of any age ever appends one."""
    topic = ProduceRequest.TopicProduceData
    part = topic.PartitionProduceData(index=0, records=_NEVER_APPENDED)
    request = ProduceRequest(
        transactional_id=None,
        acks=_ACKS_ALL,
        timeout_ms=1000,
        topic_data=[topic(name=name, partition_data=[part]) for name in topics],
    )
    answer = await cluster.request(request, ProduceResponse, most=8)
    return {
        TopicName(topic.name)
        for topic in answer.responses
        for one in topic.partition_responses
        if one.error_code == TOPIC_DENIED
    }


async def topics_denied_read(cluster: Cluster, topics: Sequence[TopicName]) -> set[TopicName]:
    """Fetch one byte at most, from partition 0, without waiting."""
    connection = await cluster.any_connection()
    question = FetchQuestion(
        partitions=[
            FetchFrom(partition=TopicPartition(name, PartitionId(0)), offset=0, max_bytes=1)
            for name in topics
        ],
        max_wait_ms=0,
        min_bytes=0,
        max_bytes=1,
    )
    answer = await send_fetch(connection, question, seconds=cluster.limits.request)
    return {one.partition.topic for one in answer.partitions if one.error_code == TOPIC_DENIED}


async def topics_denied_configs(cluster: Cluster, topics: Sequence[TopicName]) -> set[TopicName]:
    """Describe one key."""
    request = DescribeConfigsRequest(
        resources=[
            DescribeConfigsRequest.DescribeConfigsResource(
                resource_type=_TOPIC, resource_name=name, configuration_keys=["cleanup.policy"]
            )
            for name in topics
        ]
    )
    answer = await cluster.request(request, DescribeConfigsResponse)
    return _denied(answer.results)


async def topics_denied_alter(cluster: Cluster, topics: Sequence[TopicName]) -> set[TopicName]:
    """Validate an alteration of nothing."""
    connection = await cluster.any_connection()
    incremental = connection.versions.supports(IncrementalAlterConfigsRequest)  # 2.3 and later
    kind, response = (
        (IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse)
        if incremental
        else (AlterConfigsRequest, AlterConfigsResponse)
    )
    resources = [
        kind.AlterConfigsResource(resource_type=_TOPIC, resource_name=name, configs=[])
        for name in topics
    ]
    answer = await cluster.request(kind(resources=resources, validate_only=True), response)
    return _denied(answer.responses)


async def topics_denied_delete(cluster: Cluster, topics: Sequence[TopicName]) -> set[TopicName]:
    """Delete the records before offset 0: there are none."""
    topic = DeleteRecordsRequest.DeleteRecordsTopic
    request = DeleteRecordsRequest(
        topics=[
            topic(
                name=name,
                partitions=[topic.DeleteRecordsPartition(partition_index=0, offset=0)],
            )
            for name in topics
        ],
        timeout_ms=1000,
    )
    answer = await cluster.request(request, DeleteRecordsResponse)
    return {
        TopicName(found.name)
        for found in answer.topics
        for one in found.partitions
        if one.error_code == TOPIC_DENIED
    }


async def topics_denied_create(cluster: Cluster, topics: Sequence[TopicName]) -> set[TopicName]:
    """Let the creation be validated, no more. The right may be given per topic since 2.0."""
    request = CreateTopicsRequest(
        topics=[
            CreateTopicsRequest.CreatableTopic(
                name=name, num_partitions=1, replication_factor=1, assignments=[], configs=[]
            )
            for name in topics
        ],
        timeout_ms=10_000,
        validate_only=True,
    )
    answer = await cluster.at_controller(
        request, CreateTopicsResponse, codes=lambda found: (one.error_code for one in found.topics)
    )
    refusals = {TOPIC_DENIED, CLUSTER_DENIED}
    return {TopicName(one.name) for one in answer.topics if one.error_code in refusals}


async def groups_denied_describe(cluster: Cluster, groups: Sequence[GroupId]) -> set[GroupId]:
    """Describe groups at any broker: one that does not coordinate them says so, or "denied"."""
    answer = await cluster.request(
        DescribeGroupsRequest(groups=list(groups)), DescribeGroupsResponse, most=5
    )
    return {GroupId(one.group_id) for one in answer.groups if one.error_code == GROUP_DENIED}


async def groups_denied_commit(cluster: Cluster, groups: Sequence[GroupId]) -> set[GroupId]:
    """Send heartbeats of a member that no group has; committing needs the same right."""
    connection = await cluster.any_connection()
    answers = await asyncio.gather(
        *(
            _ask(
                cluster,
                connection,
                HeartbeatRequest(group_id=group, generation_id=-1, member_id="kferry-check"),
                HeartbeatResponse,
            )
            for group in groups
        )
    )
    return {
        group
        for group, answer in zip(groups, answers, strict=True)
        if answer.error_code == GROUP_DENIED
    }


async def groups_denied_delete(cluster: Cluster, groups: Sequence[GroupId]) -> set[GroupId]:
    """Delete no position at all (KIP-496, Kafka 2.4): the right is asked for first."""
    connection = await cluster.any_connection()
    answers = await asyncio.gather(
        *(
            _ask(
                cluster,
                connection,
                OffsetDeleteRequest(group_id=group, topics=[]),
                OffsetDeleteResponse,
            )
            for group in groups
        )
    )
    return {
        group
        for group, answer in zip(groups, answers, strict=True)
        if answer.error_code == GROUP_DENIED
    }


async def transactional_id_denied(cluster: Cluster, transactional_id: str) -> bool:
    """End a transaction of a producer that does not exist."""
    connection = await cluster.any_connection()
    request = EndTxnRequest(
        transactional_id=transactional_id,
        producer_id=_NO_PRODUCER,
        producer_epoch=_NO_PRODUCER,
        committed=False,
    )
    answer = await _ask(cluster, connection, request, EndTxnResponse)
    return bool(answer.error_code == TRANSACTION_DENIED)


async def _ask(cluster: Cluster, connection: Connection, request: Any, response: Any) -> Any:
    return await connection.request(request, response, seconds=cluster.limits.request)


def _denied(results: Iterable[Any]) -> set[TopicName]:
    return {TopicName(one.resource_name) for one in results if one.error_code == TOPIC_DENIED}
