"""Positions of groups, set from outside as a consumer without a group would.

Owns OffsetCommit and OffsetDelete. The coordinator refuses both while a group has members, so an
active group cannot be moved by mistake. A leader epoch is never sent: one of another cluster keeps
a consumer from reading (measured).
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any, TypeVar

from kafka.protocol.consumer import (
    OffsetCommitRequest,
    OffsetCommitResponse,
    OffsetDeleteRequest,
    OffsetDeleteResponse,
)

from kferry.admin.group_offsets import Positions, committed_offsets
from kferry.names import BrokerId, GroupId, PartitionId, TopicName, TopicPartition
from kferry.wire import BrokerError, Cluster, Kind, Outcomes, WireError, at_coordinators

_T = TypeVar("_T")
_NAMES_UNTIL = 9  # from 10 on topics are told by id
_NOT_IN_A_GROUP = -1
_AT_ONCE = 50
_ELSEWHERE = frozenset({14, 15, 16})
"""COORDINATOR_LOAD_IN_PROGRESS, COORDINATOR_NOT_AVAILABLE, NOT_COORDINATOR: of all partitions."""
ACTIVE = frozenset({22, 25, 68, 86})
"""ILLEGAL_GENERATION, UNKNOWN_MEMBER_ID, NON_EMPTY_GROUP, GROUP_SUBSCRIBED_TO_TOPIC."""
_UNKNOWN_GROUP = 69
"""GROUP_ID_NOT_FOUND"""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPosition:
    """Where a group shall go on, and what it had written beside its position."""

    offset: int
    metadata: str = ""


Results = dict[TopicPartition, WireError | None]
"""None: done."""


async def commit_offsets(
    cluster: Cluster, positions: Mapping[GroupId, Mapping[TopicPartition, NewPosition]]
) -> Outcomes[GroupId, Results]:
    """Commit all positions of each group in one request; a lost answer is asked for again."""

    async def one(broker: BrokerId, group: GroupId) -> Results:
        topic = OffsetCommitRequest.OffsetCommitRequestTopic
        request = OffsetCommitRequest(
            group_id=group,
            generation_id_or_member_epoch=_NOT_IN_A_GROUP,
            member_id="",
            topics=[
                topic(
                    name=name,
                    partitions=[
                        topic.OffsetCommitRequestPartition(
                            partition_index=partition.partition,
                            committed_offset=position.offset,
                            committed_leader_epoch=-1,
                            committed_metadata=position.metadata,
                        )
                        for partition, position in own
                    ],
                )
                for name, own in groupby(
                    sorted(positions[group].items(), key=lambda item: item[0]),
                    key=lambda item: item[0].topic,
                )
            ],
        )
        answer = await cluster.at_broker(broker, request, OffsetCommitResponse, most=_NAMES_UNTIL)
        return _results(
            positions[group], ((found.name, found.partitions) for found in answer.topics)
        )

    return await _each(cluster, positions, one)


async def delete_offsets(
    cluster: Cluster, partitions: Mapping[GroupId, Collection[TopicPartition]]
) -> Outcomes[GroupId, Results]:
    """Take positions away (KIP-496, Kafka 2.4); those of a group that is gone are gone."""

    async def one(broker: BrokerId, group: GroupId) -> Results:
        topic = OffsetDeleteRequest.OffsetDeleteRequestTopic
        request = OffsetDeleteRequest(
            group_id=group,
            topics=[
                topic(
                    name=name,
                    partitions=[
                        topic.OffsetDeleteRequestPartition(partition_index=partition.partition)
                        for partition in own
                    ],
                )
                for name, own in groupby(sorted(partitions[group]), key=lambda one: one.topic)
            ],
        )
        answer = await cluster.at_broker(broker, request, OffsetDeleteResponse)
        if answer.error_code == _UNKNOWN_GROUP:
            return dict.fromkeys(partitions[group])
        if answer.error_code:
            raise BrokerError(answer.error_code, group)
        return _results(
            partitions[group], ((found.name, found.partitions) for found in answer.topics)
        )

    return await _each(cluster, partitions, one)


async def positions_of(
    cluster: Cluster, groups: Collection[GroupId]
) -> Outcomes[GroupId, Positions]:
    """Read what these groups have committed, wherever they are coordinated.

    Unlike `committed_offsets` it looks for the coordinators, which makes a fresh cluster create
    `__consumer_offsets`: only for those who are about to write there.
    """

    async def ask(broker: BrokerId, own: list[str]) -> Outcomes[str, Positions]:
        homes = {GroupId(group): broker for group in own}
        found = await committed_offsets(cluster, homes)
        return {str(group): outcome for group, outcome in found.items()}

    found = await at_coordinators(cluster, Kind.GROUP, map(str, groups), ask)
    return {GroupId(group): outcome for group, outcome in found.items()}


async def _each(
    cluster: Cluster,
    wanted: Mapping[GroupId, _T],
    one: Callable[[BrokerId, GroupId], Awaitable[Results]],
) -> Outcomes[GroupId, Results]:
    room = asyncio.Semaphore(_AT_ONCE)

    async def guarded(broker: BrokerId, group: GroupId) -> Results | WireError:
        async with room:
            try:
                results = await one(broker, group)
            except WireError as error:
                return error
        elsewhere = (
            refusal
            for refusal in results.values()
            if isinstance(refusal, BrokerError) and refusal.error_code in _ELSEWHERE
        )
        return next(elsewhere, results)

    async def ask(broker: BrokerId, own: list[str]) -> Outcomes[str, Results]:
        answers = await asyncio.gather(*(guarded(broker, GroupId(group)) for group in own))
        return dict(zip(own, answers, strict=True))

    found = await at_coordinators(cluster, Kind.GROUP, map(str, wanted), ask)
    return {GroupId(group): outcome for group, outcome in found.items()}


def _results(wanted: Collection[TopicPartition], topics: Any) -> Results:
    results: Results = {
        partition: BrokerError(-1, str(partition), "nothing was answered about it")
        for partition in wanted
    }
    for name, partitions in topics:
        for one in partitions:
            partition = TopicPartition(TopicName(name), PartitionId(one.partition_index))
            error = BrokerError(one.error_code, str(partition)) if one.error_code else None
            results[partition] = error
    return results
