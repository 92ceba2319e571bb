"""What groups have committed, and where share groups begin.

Owns OffsetFetch in all its versions and DescribeShareGroupOffsets. A position that a transaction
is about to change is an error of its own, never the value before it.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kafka.protocol.consumer import OffsetFetchRequest, OffsetFetchResponse

from kferry.admin.group_homes import at_homes
from kferry.names import BrokerId, GroupId, PartitionId, TopicName, TopicPartition
from kferry.wire import BrokerError, Cluster, Outcomes, UnsupportedApi, WireError
from kferry.wire.messages import (
    DescribeShareGroupOffsetsRequest,
    DescribeShareGroupOffsetsResponse,
)

_ALL_TOPICS_SINCE = 2  # Kafka 0.10.2
_MANY_GROUPS_SINCE = 8
_NAMES_UNTIL = 9  # from 10 on topics are told by id, and a deleted one has no name
_AT_ONCE = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Committed:
    """One position. `lag` is what the broker tells of a share group, if it does."""

    offset: int
    leader_epoch: int | None
    metadata: str
    lag: int | None = None


Positions = Outcomes[TopicPartition, Committed]


async def committed_offsets(
    cluster: Cluster, homes: Mapping[GroupId, BrokerId]
) -> Outcomes[GroupId, Positions]:
    """Ask the coordinators for all positions of many groups."""

    async def ask(broker: BrokerId, own: list[GroupId]) -> Outcomes[GroupId, Positions]:
        connection = await cluster.connection(broker)
        if connection.versions.supports(OffsetFetchRequest, _MANY_GROUPS_SINCE):
            return await _many(cluster, broker, own)
        if not connection.versions.supports(OffsetFetchRequest, _ALL_TOPICS_SINCE):
            raise UnsupportedApi(connection.where, "OffsetFetch", "for all topics of a group")
        return await _one_by_one(cluster, broker, own)

    return await at_homes(cluster, homes, ask)


async def share_group_starts(
    cluster: Cluster, homes: Mapping[GroupId, BrokerId]
) -> Outcomes[GroupId, Positions]:
    """Ask the coordinators of share groups for the first offset that is not settled yet."""

    async def ask(broker: BrokerId, own: list[GroupId]) -> Outcomes[GroupId, Positions]:
        group = DescribeShareGroupOffsetsRequest.DescribeShareGroupOffsetsRequestGroup
        request = DescribeShareGroupOffsetsRequest(
            groups=[group(group_id=one, topics=None) for one in own]
        )
        answer = await cluster.at_broker(broker, request, DescribeShareGroupOffsetsResponse)
        return {
            GroupId(found.group_id): BrokerError(found.error_code, found.group_id)
            if found.error_code
            else _share_positions(found)
            for found in answer.groups
        }

    return await at_homes(cluster, homes, ask)


async def _many(
    cluster: Cluster, broker: BrokerId, groups: list[GroupId]
) -> Outcomes[GroupId, Positions]:
    group = OffsetFetchRequest.OffsetFetchRequestGroup
    request = OffsetFetchRequest(
        groups=[
            group(group_id=one, member_id=None, member_epoch=-1, topics=None) for one in groups
        ],
        require_stable=True,
    )
    answer = await cluster.at_broker(broker, request, OffsetFetchResponse, most=_NAMES_UNTIL)
    return {GroupId(found.group_id): _positions(found.group_id, found) for found in answer.groups}


async def _one_by_one(
    cluster: Cluster, broker: BrokerId, groups: list[GroupId]
) -> Outcomes[GroupId, Positions]:
    async def one(group: GroupId) -> Positions | WireError:
        request = OffsetFetchRequest(group_id=group, topics=None, require_stable=True)
        try:
            answer = await cluster.at_broker(
                broker, request, OffsetFetchResponse, most=_MANY_GROUPS_SINCE - 1
            )
        except WireError as error:
            return error
        return _positions(group, answer)

    outcomes: Outcomes[GroupId, Positions] = {}
    for start in range(0, len(groups), _AT_ONCE):
        some = groups[start : start + _AT_ONCE]
        outcomes.update(zip(some, await asyncio.gather(*map(one, some)), strict=True))
    return outcomes


def _positions(group: str, answer: Any) -> Positions | WireError:
    if answer.error_code:
        return BrokerError(answer.error_code, group)
    positions: Positions = {}
    for topic in answer.topics:
        for one in topic.partitions:
            partition = TopicPartition(TopicName(topic.name), PartitionId(one.partition_index))
            if one.error_code:
                positions[partition] = BrokerError(one.error_code, str(partition))
            elif one.committed_offset >= 0:  # -1: nothing committed
                epoch = one.committed_leader_epoch
                positions[partition] = Committed(
                    offset=one.committed_offset,
                    leader_epoch=epoch if epoch is not None and epoch >= 0 else None,
                    metadata=one.metadata or "",
                )
    return positions


def _share_positions(found: Any) -> Positions:
    positions: Positions = {}
    for topic in found.topics:
        for one in topic.partitions:
            partition = TopicPartition(
                TopicName(topic.topic_name), PartitionId(one.partition_index)
            )
            if one.error_code:
                positions[partition] = BrokerError(one.error_code, str(partition))
            elif one.start_offset >= 0:
                positions[partition] = Committed(
                    offset=one.start_offset,
                    leader_epoch=None,
                    metadata="",
                    lag=one.lag if one.lag is not None and one.lag >= 0 else None,
                )
    return positions
