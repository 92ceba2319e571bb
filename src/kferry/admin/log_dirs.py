"""How much lies on the brokers' disks, and how much still fits.

Owns DescribeLogDirs. Sizes are those of the leaders' copies: what there is to copy, once.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from kafka.protocol.admin import DescribeLogDirsRequest, DescribeLogDirsResponse

from kferry.names import BrokerId, PartitionId, TopicName, TopicPartition
from kferry.wire import Cluster, Outcomes, at_every_broker
from kferry.wire.errors import raise_for

_CLUSTER_DENIED = 31


@dataclass(frozen=True, slots=True, kw_only=True)
class Disk:
    """One log directory of one broker. Bytes are None where it does not tell (before 3.3)."""

    broker: BrokerId
    path: str
    error_code: int
    total: int | None
    usable: int | None
    sizes: Mapping[TopicPartition, int]


async def disks(cluster: Cluster) -> Outcomes[BrokerId, list[Disk]]:
    """Ask every broker at once."""

    async def ask(broker: BrokerId) -> list[Disk]:
        return await _disks_of(cluster, broker)

    return await at_every_broker(cluster, ask)


async def _disks_of(cluster: Cluster, broker: BrokerId) -> list[Disk]:
    answer = await cluster.at_broker(
        broker, DescribeLogDirsRequest(topics=None), DescribeLogDirsResponse
    )
    # Before 2.6 the answer to one without Describe on the cluster is an empty list, not an error.
    denied = 0 if answer.results else _CLUSTER_DENIED
    raise_for(answer.error_code or denied, f"log directories of broker {broker}")
    return [
        Disk(
            broker=broker,
            path=found.log_dir,
            error_code=found.error_code,
            total=_known(found.total_bytes),
            usable=_known(found.usable_bytes),
            sizes={
                TopicPartition(
                    TopicName(topic.name), PartitionId(one.partition_index)
                ): one.partition_size
                for topic in found.topics
                for one in topic.partitions
                if not one.is_future_key  # a copy on its way to another disk counts once
            },
        )
        for found in answer.results
    ]


def _known(size: int) -> int | None:
    return size if size >= 0 else None
