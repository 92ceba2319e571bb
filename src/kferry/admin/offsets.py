"""Offsets of partitions by place or time, asked of the leaders.

Owns ListOffsets. Brokers before 0.10.1 do not know the form used here.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from itertools import groupby
from typing import Any

from kafka.protocol.consumer import ListOffsetsRequest, ListOffsetsResponse

from kferry.names import BrokerId, PartitionId, TopicName, TopicPartition
from kferry.wire import BrokerError, Cluster, Outcomes, UnsupportedApi, WireError, at_leaders

_CONSUMER = -1
_SINCE = {-3: 7, -4: 8, -5: 9, -6: 11}
"""Which version brought a place: KIP-734, Kafka 3.0; KIP-405, 3.6; KIP-1005, 3.9; KIP-1023, 4.2."""


class Place(IntEnum):
    """Places that ListOffsets knows by name; any other number is a timestamp in milliseconds."""

    END = -1
    START = -2
    NEWEST_TIMESTAMP = -3
    LOCAL_START = -4
    """Where the part begins that is not only in remote storage; the start, if nothing is there."""
    TIERED_END = -5
    """The last offset in remote storage."""
    PENDING_UPLOAD = -6
    """The first offset that is not in remote storage yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedOffset:
    """An offset, and the timestamp that led to it; -1 each where there is none."""

    offset: int
    timestamp: int
    leader_epoch: int


async def list_offsets(
    cluster: Cluster, partitions: Iterable[TopicPartition], at: int, *, committed: bool = False
) -> Outcomes[TopicPartition, ListedOffset]:
    """Ask each leader about its partitions; `committed`: the end is the last stable offset."""

    async def ask(
        broker: BrokerId, own: list[TopicPartition]
    ) -> Mapping[TopicPartition, ListedOffset | WireError]:
        await _insist(cluster, broker, at)
        topic = ListOffsetsRequest.ListOffsetsTopic
        request = ListOffsetsRequest(
            replica_id=_CONSUMER,
            isolation_level=int(committed),
            # Left at 0, a broker that must look into remote storage gives up at once.
            timeout_ms=int(cluster.limits.request * 1000),
            topics=[
                topic(
                    name=name,
                    partitions=[
                        topic.ListOffsetsPartition(partition_index=one.partition, timestamp=int(at))
                        for one in group
                    ],
                )
                for name, group in groupby(sorted(own), key=lambda one: one.topic)
            ],
        )
        answer = await cluster.at_broker(broker, request, ListOffsetsResponse)
        listed: dict[TopicPartition, ListedOffset | WireError] = {}
        for found in answer.topics:
            for one in found.partitions:
                partition = TopicPartition(TopicName(found.name), PartitionId(one.partition_index))
                listed[partition] = _listed(partition, one)
        return listed

    return await at_leaders(cluster, partitions, ask)


async def offsets_at(
    cluster: Cluster, partitions: Iterable[TopicPartition], at: int, *, committed: bool = False
) -> dict[TopicPartition, int]:
    """Do the same where every partition must tell: the first that does not is raised."""
    outcomes = await list_offsets(cluster, partitions, at, committed=committed)
    offsets: dict[TopicPartition, int] = {}
    for partition, outcome in outcomes.items():
        if not isinstance(outcome, ListedOffset):
            raise outcome
        offsets[partition] = outcome.offset
    return offsets


async def _insist(cluster: Cluster, broker: BrokerId, at: int) -> None:
    """Refuse what an older broker would take for a time just before 1970, and answer."""
    if (since := _SINCE.get(at)) is not None:
        connection = await cluster.connection(broker)
        if not connection.versions.supports(ListOffsetsRequest, since):
            place = Place(at).name.lower().replace("_", " ")
            raise UnsupportedApi(connection.where, "ListOffsets", f"by {place}")


def _listed(partition: TopicPartition, answer: Any) -> ListedOffset | WireError:
    if answer.error_code:
        return BrokerError(answer.error_code, str(partition))
    return ListedOffset(
        offset=answer.offset, timestamp=answer.timestamp, leader_epoch=answer.leader_epoch
    )
