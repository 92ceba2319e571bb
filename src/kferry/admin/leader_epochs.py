"""Where the log ends that each leader left behind.

Owns OffsetForLeaderEpoch (KIP-101, KIP-320), which came with 0.11. Before 2.3 it takes a right that
brokers have: ClusterAction.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from kafka.protocol.consumer import OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse

from kferry.names import BrokerId, PartitionId, TopicName, TopicPartition
from kferry.wire import BrokerError, Cluster, Outcomes, WireError, at_leaders

_CONSUMER = -1  # -2, the default, would be shown offsets beyond the high watermark


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochEnd:
    """The newest epoch up to the one asked for, and the offset after its last record.

    Both are -1 where the log knows no such epoch; before 2.0 the epoch always is.
    """

    epoch: int
    end_offset: int


async def ends_of_epochs(
    cluster: Cluster, epochs: Mapping[TopicPartition, int]
) -> Outcomes[TopicPartition, EpochEnd]:
    """Ask each leader where the given epoch of its partitions ended."""
    topic = OffsetForLeaderEpochRequest.OffsetForLeaderTopic

    async def ask(
        broker: BrokerId, own: list[TopicPartition]
    ) -> Mapping[TopicPartition, EpochEnd | WireError]:
        request = OffsetForLeaderEpochRequest(
            replica_id=_CONSUMER,
            topics=[
                topic(
                    topic=name,
                    partitions=[
                        topic.OffsetForLeaderPartition(
                            partition=one.partition,
                            current_leader_epoch=-1,
                            leader_epoch=epochs[one],
                        )
                        for one in group
                    ],
                )
                for name, group in groupby(sorted(own), key=lambda one: one.topic)
            ],
        )
        answer = await cluster.at_broker(broker, request, OffsetForLeaderEpochResponse)
        ends: dict[TopicPartition, EpochEnd | WireError] = {}
        for found in answer.topics:
            for one in found.partitions:
                partition = TopicPartition(TopicName(found.topic), PartitionId(one.partition))
                ends[partition] = _end(partition, one)
        return ends

    return await at_leaders(cluster, epochs, ask)


def _end(partition: TopicPartition, answer: Any) -> EpochEnd | WireError:
    if answer.error_code:
        return BrokerError(answer.error_code, str(partition))
    return EpochEnd(epoch=answer.leader_epoch, end_offset=answer.end_offset)
