"""What topics there are and what is in them, gathered in a few calls for all of them.

Owns the questions and what each takes. What could not be asked is a gap beside the picture, never
a failure of the whole.
"""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from kferry.admin.configs import Configs, ConfigValue, Origin, topic_configs
from kferry.admin.log_dirs import Disk, disks
from kferry.admin.offsets import ListedOffset, Place, list_offsets
from kferry.admin.operations import Operation, Resource
from kferry.admin.view import Question, view_of
from kferry.config import TopicSelection
from kferry.names import BrokerId, TopicName, TopicPartition
from kferry.topics.facts import PartitionFacts, TopicFacts, Topics
from kferry.topics.selected import selected_topics
from kferry.wire import Cluster, Outcomes, Partition, Topic, WireError

OFFSETS = Question(subject="offsets", since="0.10.1", right=Operation.DESCRIBE, on=Resource.TOPIC)
CONFIGS = Question(
    subject="topic configs", since="0.11", right=Operation.DESCRIBE_CONFIGS, on=Resource.TOPIC
)
SIZES = Question(
    subject="sizes on disk", since="1.0", right=Operation.DESCRIBE, on=Resource.CLUSTER
)
NEWEST = Question(
    subject="newest records", since="3.0", right=Operation.DESCRIBE, on=Resource.TOPIC
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answers:
    """What the brokers said about all selected partitions."""

    starts: Outcomes[TopicPartition, ListedOffset]
    ends: Outcomes[TopicPartition, ListedOffset]
    newest: Outcomes[TopicPartition, ListedOffset]
    growth: Mapping[TopicPartition, float]
    configs: Outcomes[TopicName, Configs]
    disks: Outcomes[BrokerId, list[Disk]]


async def take_topics(
    cluster: Cluster, selection: TopicSelection, *, rate_seconds: float
) -> Topics:
    """Look at the selected topics; `rate_seconds` lie between two looks at the ends, if not 0."""
    view = await view_of(cluster)
    topics, gaps = await selected_topics(cluster, selection, view)
    if not topics:
        return Topics(topics=(), gaps=tuple(gaps))
    answers = await _ask(cluster, topics, rate_seconds)
    gaps += view.gaps(OFFSETS, answers.starts | answers.ends)
    gaps += view.gaps(CONFIGS, answers.configs)
    gaps += view.gaps(SIZES, answers.disks, lambda broker: f"broker {broker}")
    gaps += view.gaps(NEWEST, answers.newest)
    return Topics(
        topics=tuple(_topic(topic, answers) for topic in topics.values()), gaps=tuple(gaps)
    )


async def _ask(cluster: Cluster, topics: Mapping[TopicName, Topic], seconds: float) -> _Answers:
    partitions = [
        TopicPartition(topic.name, partition.id)
        for topic in topics.values()
        for partition in topic.partitions
        # Whoever waits for a leader to be elected waits long; its absence is shown instead.
        if partition.leader is not None
    ]
    (ends, growth), starts, newest, configs, sizes = await asyncio.gather(
        _ends_and_growth(cluster, partitions, seconds),
        list_offsets(cluster, partitions, Place.START),
        list_offsets(cluster, partitions, Place.NEWEST_TIMESTAMP),
        _configs(cluster, topics),
        disks(cluster),
    )
    return _Answers(
        starts=starts, ends=ends, newest=newest, growth=growth, configs=configs, disks=sizes
    )


async def _configs(cluster: Cluster, topics: Iterable[TopicName]) -> Outcomes[TopicName, Configs]:
    try:
        return {**await topic_configs(cluster, topics)}
    except WireError as error:
        return dict.fromkeys(topics, error)


async def _ends_and_growth(
    cluster: Cluster, partitions: list[TopicPartition], seconds: float
) -> tuple[Outcomes[TopicPartition, ListedOffset], dict[TopicPartition, float]]:
    loop = asyncio.get_running_loop()
    first, asked = await list_offsets(cluster, partitions, Place.END), loop.time()
    if seconds <= 0:
        return first, {}
    await asyncio.sleep(seconds)
    answered = [one for one in partitions if isinstance(first[one], ListedOffset)]
    second = await list_offsets(cluster, answered, Place.END)
    elapsed = loop.time() - asked
    growth = {
        one: (after.offset - before.offset) / elapsed
        for one in answered
        if isinstance(before := first[one], ListedOffset)
        and isinstance(after := second[one], ListedOffset)
    }
    # Where the second look failed, the first is still true.
    return {**first, **{one: second[one] for one in growth}}, growth


def _topic(topic: Topic, answers: _Answers) -> TopicFacts:
    configs = answers.configs.get(topic.name)
    known = None if configs is None or isinstance(configs, WireError) else configs
    policy = None if known is None else known.get("cleanup.policy")
    return TopicFacts(
        name=topic.name,
        id=None if topic.id is None else str(topic.id),
        internal=topic.internal,
        cleanup_policy=None if policy is None else policy.value,
        set_configs=None if known is None else set_on_topic(known),
        partitions=tuple(_partition(topic.name, one, answers) for one in topic.partitions),
    )


def set_on_topic(configs: Configs) -> dict[str, str | None]:
    """Leave only what was set on the topic itself, not what it takes over from its broker."""
    return {name: one.value for name, one in sorted(configs.items()) if _is_own(one)}


def _is_own(value: ConfigValue) -> bool:
    # Kafka 0.11 and 1.0 only say that a topic's value is no default, and mean just this.
    return value.origin in {Origin.TOPIC, Origin.UNKNOWN}


def _partition(topic: TopicName, partition: Partition, answers: _Answers) -> PartitionFacts:
    key = TopicPartition(topic, partition.id)
    start, end, newest = (
        _listed(outcomes.get(key)) for outcomes in (answers.starts, answers.ends, answers.newest)
    )
    return PartitionFacts(
        partition=partition.id,
        leader=partition.leader,
        replicas=tuple(partition.replicas),
        in_sync=tuple(partition.in_sync),
        start=None if start is None else start.offset,
        end=None if end is None else end.offset,
        bytes=_size(key, partition.leader, answers.disks),
        records_per_second=answers.growth.get(key),
        newest_ms=newest.timestamp if newest is not None and newest.timestamp >= 0 else None,
    )


def _listed(outcome: ListedOffset | WireError | None) -> ListedOffset | None:
    return outcome if isinstance(outcome, ListedOffset) else None


def _size(
    partition: TopicPartition, leader: BrokerId | None, found: Outcomes[BrokerId, list[Disk]]
) -> int | None:
    own = None if leader is None else found.get(leader)
    if not isinstance(own, list):
        return None
    return next((disk.sizes[partition] for disk in own if partition in disk.sizes), None)
