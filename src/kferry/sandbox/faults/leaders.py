"""Moving the leader of a partition to another of its replicas, as an administrator would.

Owns AlterPartitionReassignments and ElectLeaders, which brokers from Kafka 2.4 on know. The
replicas stay the same; another one comes first and is then elected as the preferred one.
"""

import asyncio
from typing import Any

from kafka.protocol.admin import (
    AlterPartitionReassignmentsRequest,
    AlterPartitionReassignmentsResponse,
    ElectLeadersRequest,
    ElectLeadersResponse,
)

from kferry.config import load_properties
from kferry.names import BrokerId, TopicPartition
from kferry.sandbox.cluster import Cluster
from kferry.sandbox.faults.errors import CannotBreakError, NotBackError
from kferry.wire import Cluster as Wire
from kferry.wire import Partition, open_cluster
from kferry.wire.errors import raise_for

_PREFERRED = 0
_ALREADY_SO = 84  # ELECTION_NOT_NEEDED
_TIMEOUT_MS = 30_000
_TICK_S = 0.05


async def move_leader(
    cluster: Cluster, partition: TopicPartition, *, to: int | None = None
) -> tuple[BrokerId, BrokerId]:
    """Make another replica lead, any or this one; return who led and who leads."""
    async with open_cluster(load_properties(cluster.properties)) as wire:
        found = await _look(wire, partition)
        former = found.leader
        if former is None:
            raise CannotBreakError(f"{partition} has no leader just now", hint=_hint(cluster))
        following = _choose(found, former, to, partition, cluster)
        rest = [one for one in found.replicas if one != following]
        await _reorder(wire, partition, [following, *rest])
        await _elect(wire, partition)
        await _until_led(wire, partition, following)
        return former, following


def _choose(
    found: Partition, former: BrokerId, to: int | None, partition: TopicPartition, cluster: Cluster
) -> BrokerId:
    able = [one for one in found.in_sync if one != former and to in (None, one)]
    if not able:
        wanted = "another broker" if to is None else f"broker {to}"
        raise CannotBreakError(
            f"{partition} cannot be led by {wanted}",
            f"broker {former} leads it; in sync are {', '.join(map(str, found.in_sync))}",
            hint=_hint(cluster),
        )
    return able[0]


def _hint(cluster: Cluster) -> str:
    if len(cluster.brokers) == 1:
        return "there is one broker only: kferry sandbox up --brokers 3"
    return "kferry sandbox status shows which brokers run"


async def _look(wire: Wire, partition: TopicPartition) -> Partition:
    metadata = await wire.refresh({partition.topic})
    topic = metadata.topics.get(partition.topic)
    for one in topic.partitions if topic else ():
        if one.id == partition.partition:
            return one
    raise CannotBreakError(
        f"there is no partition {partition}", hint="kferry inspect topics lists what is there"
    )


async def _until_led(wire: Wire, partition: TopicPartition, leader: BrokerId) -> None:
    clock = asyncio.get_running_loop()
    deadline = clock.time() + _TIMEOUT_MS / 1000
    while (await _look(wire, partition)).leader != leader:
        if clock.time() > deadline:
            raise NotBackError(
                f"broker {leader} was elected and does not lead {partition}",
                hint="kferry sandbox status shows which brokers run",
                changed="The order of the replicas was changed.",
            )
        await asyncio.sleep(_TICK_S)


async def _reorder(wire: Wire, partition: TopicPartition, replicas: list[BrokerId]) -> None:
    topic = AlterPartitionReassignmentsRequest.ReassignableTopic
    wanted = topic.ReassignablePartition(partition_index=partition.partition, replicas=replicas)
    request = AlterPartitionReassignmentsRequest(
        timeout_ms=_TIMEOUT_MS, topics=[topic(name=partition.topic, partitions=[wanted])]
    )

    def codes(answer: Any) -> list[int]:
        return [one.error_code for found in answer.responses for one in found.partitions]

    answer = await wire.at_controller(
        request,
        AlterPartitionReassignmentsResponse,
        codes=lambda found: [found.error_code, *codes(found)],
    )
    for code in (answer.error_code, *codes(answer)):
        raise_for(code, f"reassignment of {partition}", answer.error_message)


async def _elect(wire: Wire, partition: TopicPartition) -> None:
    topic = ElectLeadersRequest.TopicPartitions
    request = ElectLeadersRequest(
        election_type=_PREFERRED,
        topic_partitions=[topic(topic=partition.topic, partitions=[partition.partition])],
        timeout_ms=_TIMEOUT_MS,
    )

    def codes(answer: Any) -> list[int]:
        results = answer.replica_election_results
        return [one.error_code for found in results for one in found.partition_result]

    answer = await wire.at_controller(
        request, ElectLeadersResponse, codes=lambda found: [found.error_code, *codes(found)]
    )
    for code in (answer.error_code, *codes(answer)):
        raise_for(0 if code == _ALREADY_SO else code, f"election in {partition}")
