"""The logs that positions are measured against.

Owns finding out of each partition where it starts and ends, or why that cannot be told.
"""

import asyncio
from collections.abc import Collection

from kferry.admin.offsets import ListedOffset, Place, list_offsets
from kferry.admin.view import DENIED, View
from kferry.groups.facts import Log
from kferry.names import TopicPartition
from kferry.wire import BrokerError, Cluster, Metadata, Outcomes

_GONE = "the topic does not exist any more"
_GONE_OR_HIDDEN = "the topic does not exist any more, or may not be seen"
_HIDDEN = "Describe on the topic is missing"
_NO_PARTITION = "the topic has no such partition any more"
_LEADERLESS = "nobody leads the partition just now"
GONE = frozenset({_GONE, _GONE_OR_HIDDEN, _NO_PARTITION})
"""Troubles of what is not there any more."""


async def logs_of(
    cluster: Cluster,
    view: View,
    partitions: Collection[TopicPartition],
    *,
    committed: bool = True,
) -> dict[TopicPartition, Log]:
    """Ask the leaders of all partitions that have one; `committed`: the end is the stable one."""
    if not partitions:
        return {}
    metadata = await cluster.refresh({partition.topic for partition in partitions})
    logs = {partition: Log(trouble=_trouble(metadata, view, partition)) for partition in partitions}
    asked = [partition for partition, log in logs.items() if not log.trouble]
    starts, ends = await asyncio.gather(
        list_offsets(cluster, asked, Place.START),
        list_offsets(cluster, asked, Place.END, committed=committed),
    )
    return logs | {one: _log(one, starts, ends) for one in asked}


def _trouble(metadata: Metadata, view: View, partition: TopicPartition) -> str:
    topic = metadata.topics.get(partition.topic)
    if topic is not None and topic.error_code in DENIED:
        return _HIDDEN
    if topic is None or topic.error_code:
        # Before 0.11 no topic is asked for by name: the question would create it.
        return _GONE if view.tells_hidden_from_absent else _GONE_OR_HIDDEN
    found = next((one for one in topic.partitions if one.id == partition.partition), None)
    if found is None:
        return _NO_PARTITION
    return _LEADERLESS if found.leader is None else ""


def _log(
    partition: TopicPartition,
    starts: Outcomes[TopicPartition, ListedOffset],
    ends: Outcomes[TopicPartition, ListedOffset],
) -> Log:
    start, end = starts[partition], ends[partition]
    if isinstance(start, ListedOffset) and isinstance(end, ListedOffset):
        return Log(start=start.offset, end=end.offset)
    error = end if isinstance(start, ListedOffset) else start
    if isinstance(error, BrokerError):
        return Log(trouble=_HIDDEN if error.error_code in DENIED else error.name)
    return Log(trouble=str(error))
