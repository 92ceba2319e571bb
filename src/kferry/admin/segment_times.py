"""Offsets by time where records carry none: by the times at which segment files were last written.

Owns ListOffsets in its first version, all that brokers before 0.10.1 know. Later ones, up to 3.9,
still answer it; it is the only way to ask about topics whose message format has no timestamps.
"""

from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import Any

from kafka.protocol.consumer import ListOffsetsRequest, ListOffsetsResponse

from kferry.names import BrokerId, PartitionId, TopicName, TopicPartition
from kferry.wire import BrokerError, Cluster, Outcomes, WireError, at_leaders

_CONSUMER = -1


async def segments_before(
    cluster: Cluster, partitions: Iterable[TopicPartition], ms: int
) -> Outcomes[TopicPartition, int | None]:
    """Return where the newest segment begins that was last written at `ms` or before.

    What was written at `ms` is not before it, but may be up to a segment behind. None: every
    segment was written later. Only -1 and -2 mean what they mean elsewhere, end and start.
    """

    async def ask(
        broker: BrokerId, own: list[TopicPartition]
    ) -> Mapping[TopicPartition, int | WireError | None]:
        topic = ListOffsetsRequest.ListOffsetsTopic
        request = ListOffsetsRequest(
            replica_id=_CONSUMER,
            topics=[
                topic(
                    name=name,
                    partitions=[
                        topic.ListOffsetsPartition(
                            partition_index=one.partition, timestamp=ms, max_num_offsets=1
                        )
                        for one in group
                    ],
                )
                for name, group in groupby(sorted(own), key=lambda one: one.topic)
            ],
        )
        answer = await cluster.at_broker(broker, request, ListOffsetsResponse, most=0)
        return {
            TopicPartition(TopicName(found.name), PartitionId(one.partition_index)): _first(one)
            for found in answer.topics
            for one in found.partitions
        }

    return await at_leaders(cluster, partitions, ask)


def _first(answer: Any) -> int | WireError | None:
    if answer.error_code:
        return BrokerError(answer.error_code, f"partition {answer.partition_index}")
    return next(iter(answer.old_style_offsets), None)
