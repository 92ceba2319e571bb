"""Changes to topics: create them, give them more partitions, set their configs.

Owns CreateTopics, CreatePartitions and the two ways of altering configs. One topic that is refused
never holds up the others: its error is its outcome. A lost connection is raised, and what was asked
may have happened; all of these calls may be made again.
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kafka.protocol.admin import (
    AlterConfigsRequest,
    AlterConfigsResponse,
    CreatePartitionsRequest,
    CreatePartitionsResponse,
    CreateTopicsRequest,
    CreateTopicsResponse,
    IncrementalAlterConfigsRequest,
    IncrementalAlterConfigsResponse,
)

from kferry.admin.configs import Origin, topic_configs
from kferry.names import TopicName
from kferry.wire import BrokerError, Cluster
from kferry.wire.retry import Pauses

_TOPIC = 2
_SET, _DELETE = 0, 1
_THROTTLED = 89  # KIP-599: a quota on creating and growing topics; the answer says how long to wait
_NOTHING_SAID = -1  # UNKNOWN_SERVER_ERROR
_RECORDS_PER_CALL = 4000
"""A KRaft controller refuses calls that make more than 10,000 records of metadata."""
_TOPICS_PER_CALL = 500

Refusals = dict[TopicName, BrokerError | None]
"""Why each topic was refused; None where it was not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTopic:
    """A topic to be. `replication` -1 is the broker's default (2.4 and later)."""

    name: TopicName
    partitions: int
    replication: int
    configs: Mapping[str, str] = field(default_factory=dict)


async def create_topics(
    cluster: Cluster, topics: Sequence[NewTopic], *, validate_only: bool = False
) -> Refusals:
    """Create topics, or only ask whether they could be; returns before all have leaders."""

    async def ask(names: list[TopicName]) -> Refusals:
        topic = CreateTopicsRequest.CreatableTopic
        request = CreateTopicsRequest(
            topics=[
                topic(
                    name=one.name,
                    num_partitions=one.partitions,
                    replication_factor=one.replication,
                    assignments=[],
                    configs=[
                        topic.CreatableTopicConfig(name=name, value=value)
                        for name, value in sorted(one.configs.items())
                    ],
                )
                for one in map(wanted.__getitem__, names)
            ],
            timeout_ms=_broker_waits_ms(cluster),
            validate_only=validate_only,
        )
        answer = await cluster.at_controller(
            request,
            CreateTopicsResponse,
            codes=lambda answer: (one.error_code for one in answer.topics),
        )
        return _refusals(names, answer.topics)

    wanted = {one.name: one for one in topics}
    sizes = {one.name: 1 + one.partitions + len(one.configs) for one in topics}
    return await _in_chunks(cluster, sizes, ask)


async def create_partitions(cluster: Cluster, counts: Mapping[TopicName, int]) -> Refusals:
    """Give topics so many partitions in all (Kafka 1.0 and later)."""

    async def ask(names: list[TopicName]) -> Refusals:
        request = CreatePartitionsRequest(
            topics=[
                CreatePartitionsRequest.CreatePartitionsTopic(
                    name=name, count=counts[name], assignments=None
                )
                for name in names
            ],
            timeout_ms=_broker_waits_ms(cluster),
            validate_only=False,
        )
        answer = await cluster.at_controller(
            request,
            CreatePartitionsResponse,
            codes=lambda answer: (one.error_code for one in answer.results),
        )
        return _refusals(names, answer.results)

    return await _in_chunks(cluster, dict(counts), ask)


async def alter_topic_configs(
    cluster: Cluster, changes: Mapping[TopicName, Mapping[str, str | None]]
) -> Refusals:
    """Change some configs of topics; None takes a config back to its default."""

    async def ask(names: list[TopicName]) -> Refusals:
        own = {name: changes[name] for name in names}
        connection = await cluster.any_connection()
        if connection.versions.supports(IncrementalAlterConfigsRequest):
            return await _alter_incrementally(cluster, own)
        return await _replace(cluster, own)

    unchanged: Refusals = {name: None for name, own in changes.items() if not own}
    sizes = {name: len(own) for name, own in changes.items() if own}
    return unchanged | await _in_chunks(cluster, sizes, ask)


async def _alter_incrementally(
    cluster: Cluster, changes: Mapping[TopicName, Mapping[str, str | None]]
) -> Refusals:
    resource = IncrementalAlterConfigsRequest.AlterConfigsResource
    request = IncrementalAlterConfigsRequest(
        resources=[
            resource(
                resource_type=_TOPIC,
                resource_name=topic,
                configs=[
                    resource.AlterableConfig(
                        name=name, config_operation=_DELETE if value is None else _SET, value=value
                    )
                    for name, value in sorted(own.items())
                ],
            )
            for topic, own in changes.items()
        ],
        validate_only=False,
    )
    answer = await cluster.request(request, IncrementalAlterConfigsResponse)
    return _refusals(changes, answer.responses, lambda one: one.resource_name)


async def _replace(
    cluster: Cluster, changes: Mapping[TopicName, Mapping[str, str | None]]
) -> Refusals:
    """Do the same with what there was before 2.3, which resets whatever it is not given.

    Who changes a config between our look and our call loses that change: the protocol has no way
    out.
    """
    refusals: Refusals = {}
    resources = []
    resource = AlterConfigsRequest.AlterConfigsResource
    for topic, configs in (await topic_configs(cluster, changes)).items():
        if isinstance(configs, BrokerError):
            refusals[topic] = configs
            continue
        # Kafka 0.11 and 1.0 tell only what is no default, and mean just what was set on the topic.
        own = {
            name: one.value
            for name, one in configs.items()
            if one.origin in {Origin.TOPIC, Origin.UNKNOWN}
        }
        merged = {**own, **changes[topic]}
        resources.append(
            resource(
                resource_type=_TOPIC,
                resource_name=topic,
                configs=[
                    resource.AlterableConfig(name=name, value=value)
                    for name, value in sorted(merged.items())
                    if value is not None
                ],
            )
        )
    if not resources:
        return refusals
    answer = await cluster.request(
        AlterConfigsRequest(resources=resources, validate_only=False), AlterConfigsResponse
    )
    left = [topic for topic in changes if topic not in refusals]
    return refusals | _refusals(left, answer.responses, lambda one: one.resource_name)


async def _in_chunks(
    cluster: Cluster,
    sizes: Mapping[TopicName, int],
    ask: Callable[[list[TopicName]], Awaitable[Refusals]],
) -> Refusals:
    outcomes: Refusals = {}
    for chunk in _chunks(sizes):
        outcomes |= await _unthrottled(cluster, chunk, ask)
    return {name: outcomes[name] for name in sizes}


async def _unthrottled(
    cluster: Cluster,
    names: list[TopicName],
    ask: Callable[[list[TopicName]], Awaitable[Refusals]],
) -> Refusals:
    """Ask again for those that a quota held back, for as long as some get through.

    The connection itself obeys the pause that the broker asks for.
    """
    outcomes: Refusals = {}
    pauses = Pauses(cluster.limits)
    while True:
        outcomes |= await ask(names)
        held = [name for name in names if _is_throttled(outcomes[name])]
        if not held or (len(held) == len(names) and pauses.over):
            return outcomes
        if len(held) < len(names):
            pauses = Pauses(cluster.limits)
        names = held
        await pauses.pause()


def _is_throttled(refusal: BrokerError | None) -> bool:
    return refusal is not None and refusal.error_code == _THROTTLED


def _chunks(sizes: Mapping[TopicName, int]) -> Iterator[list[TopicName]]:
    chunk: list[TopicName] = []
    filled = 0
    for name, size in sizes.items():
        if chunk and (filled + size > _RECORDS_PER_CALL or len(chunk) == _TOPICS_PER_CALL):
            yield chunk
            chunk, filled = [], 0
        chunk.append(name)
        filled += size
    if chunk:
        yield chunk


def _broker_waits_ms(cluster: Cluster) -> int:
    """How long a broker may wait for the topics to be there: it shall answer before we give up."""
    return int(cluster.limits.request * 800)


def _refusals(
    names: Sequence[TopicName] | Mapping[TopicName, object],
    answers: Sequence[Any],
    name_of: Callable[[Any], str] = lambda one: str(one.name),
) -> Refusals:
    said = {TopicName(name_of(one)): one for one in answers}
    return {name: _refusal(name, said.get(name)) for name in names}


def _refusal(name: TopicName, answer: Any | None) -> BrokerError | None:
    if answer is None:
        return BrokerError(_NOTHING_SAID, f"topic {name}", "the broker said nothing about it")
    if not answer.error_code:
        return None
    return BrokerError(answer.error_code, f"topic {name}", answer.error_message)
