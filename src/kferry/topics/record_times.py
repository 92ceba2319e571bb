"""How old and how new the records are that will be copied.

Owns the look-ups by time on the source, for all topics at once. A log need not be in order of time:
the oldest is the first record that has a time, the newest is the newest indeed.
"""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from kferry.admin.offsets import ListedOffset, Place, list_offsets
from kferry.names import PartitionId, TopicName, TopicPartition
from kferry.topics.facts import TopicFacts
from kferry.wire import Cluster, Outcomes, WireError


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordTime:
    """Where a record is, and its timestamp in milliseconds since 1970."""

    partition: TopicPartition
    timestamp: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicTimes:
    """The oldest and the newest record of a topic; None: there is none, or it has no time."""

    oldest: RecordTime | None
    newest: RecordTime | None
    unknown: WireError | None = None
    """Why the oldest of some partition could not be asked."""


async def record_times(
    source: Cluster, topics: Iterable[TopicFacts], *, since_ms: int = 0
) -> dict[TopicName, TopicTimes]:
    """Ask for the times of the records that came at `since_ms` or later."""
    wanted = list(topics)
    partitions = [
        TopicPartition(topic.name, PartitionId(one.partition))
        for topic in wanted
        for one in topic.partitions
        if one.leader is not None and (one.end is None or one.start != one.end)
    ]
    oldest, newest = await asyncio.gather(
        list_offsets(source, partitions, max(since_ms, 0)),
        list_offsets(source, partitions, Place.NEWEST_TIMESTAMP),
    )
    by_topic: dict[TopicName, list[TopicPartition]] = {one.name: [] for one in wanted}
    for partition in partitions:
        by_topic[partition.topic].append(partition)
    return {name: _times(own, oldest, newest) for name, own in by_topic.items()}


async def first_at_or_after(
    source: Cluster, times: Mapping[TopicName, int], topics: Iterable[TopicFacts]
) -> dict[TopicName, RecordTime]:
    """Find one record of each topic that is as new as that, where there is one.

    Before 3.0 nobody can be asked for the newest. There is a call for each of the times, of which
    there are as many as the target's topics have different limits: one as a rule.
    """
    by_time: dict[int, list[TopicPartition]] = {}
    for topic in topics:
        if topic.name in times:
            by_time.setdefault(times[topic.name], []).extend(
                TopicPartition(topic.name, PartitionId(one.partition))
                for one in topic.partitions
                if one.leader is not None
            )
    answers = await asyncio.gather(*(list_offsets(source, by_time[at], at) for at in by_time))
    found: dict[TopicName, RecordTime] = {}
    for answer in answers:
        for partition, outcome in answer.items():
            if (time := _time(partition, outcome)) is not None:
                found.setdefault(partition.topic, time)
    return found


def _times(
    partitions: list[TopicPartition],
    oldest: Outcomes[TopicPartition, ListedOffset],
    newest: Outcomes[TopicPartition, ListedOffset],
) -> TopicTimes:
    first = [time for one in partitions if (time := _time(one, oldest[one])) is not None]
    last = [time for one in partitions if (time := _time(one, newest[one])) is not None]
    failures = (oldest[one] for one in partitions)
    return TopicTimes(
        oldest=min(first, key=lambda one: one.timestamp, default=None),
        newest=max(last, key=lambda one: one.timestamp, default=None),
        unknown=next((one for one in failures if isinstance(one, WireError)), None),
    )


def _time(partition: TopicPartition, outcome: ListedOffset | WireError) -> RecordTime | None:
    if isinstance(outcome, WireError) or outcome.timestamp < 0:
        return None
    return RecordTime(partition=partition, timestamp=outcome.timestamp)
