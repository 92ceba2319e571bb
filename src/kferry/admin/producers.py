"""Who writes into partitions just now, as the partitions' leaders remember it.

Owns DescribeProducers (KIP-664). A leader knows producer ids, not the names behind them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from kafka.protocol.admin import DescribeProducersRequest, DescribeProducersResponse

from kferry.names import BrokerId, PartitionId, TopicName, TopicPartition
from kferry.wire import BrokerError, Cluster, Outcomes, WireError, at_leaders


@dataclass(frozen=True, slots=True, kw_only=True)
class PartitionProducer:
    """An idempotent or transactional producer; `open_since` is where its open transaction began."""

    producer_id: int
    epoch: int
    last_sequence: int
    last_timestamp: int
    open_since: int | None


async def partition_producers(
    cluster: Cluster, partitions: Iterable[TopicPartition]
) -> Outcomes[TopicPartition, tuple[PartitionProducer, ...]]:
    """Ask each leader about its partitions. Takes Read on the topics."""

    async def ask(
        broker: BrokerId, own: list[TopicPartition]
    ) -> Mapping[TopicPartition, tuple[PartitionProducer, ...] | WireError]:
        request = DescribeProducersRequest(
            topics=[
                DescribeProducersRequest.TopicRequest(
                    name=name, partition_indexes=[one.partition for one in group]
                )
                for name, group in groupby(sorted(own), key=lambda one: one.topic)
            ]
        )
        answer = await cluster.at_broker(broker, request, DescribeProducersResponse)
        return {
            TopicPartition(TopicName(topic.name), PartitionId(one.partition_index)): _producers(one)
            for topic in answer.topics
            for one in topic.partitions
        }

    return await at_leaders(cluster, partitions, ask)


def _producers(partition: Any) -> tuple[PartitionProducer, ...] | WireError:
    if partition.error_code:
        return BrokerError(
            partition.error_code,
            f"producers of {partition.partition_index}",
            partition.error_message,
        )
    return tuple(
        PartitionProducer(
            producer_id=one.producer_id,
            epoch=one.producer_epoch,
            last_sequence=one.last_sequence,
            last_timestamp=one.last_timestamp,
            open_since=one.current_txn_start_offset if one.current_txn_start_offset >= 0 else None,
        )
        for one in partition.active_producers
    )
