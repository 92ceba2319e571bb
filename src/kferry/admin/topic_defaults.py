"""What a topic would be if it were created now: the target's defaults, without creating anything.

Owns the one question that tells which configs a cluster knows before there is any topic on it
(KIP-525: the answer to CreateTopics holds them, also if it is only to be validated).
"""

from dataclasses import dataclass, replace

from kafka.protocol.admin import CreateTopicsRequest, CreateTopicsResponse

from kferry.names import TopicName
from kferry.wire import BrokerError, Cluster
from kferry.wire.errors import raise_for

_TELLS_CONFIGS = 5
_DEFAULT = -1
_TOO_MANY_REPLICAS = 38
_PATIENCE_MS = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicDefaults:
    """What a new topic has by itself."""

    configs: dict[str, str | None]
    replication: int | None
    """None where the default is more than there are brokers."""


async def topic_defaults(cluster: Cluster, name: TopicName) -> TopicDefaults | None:
    """Ask what a topic of this name, which must not exist, would be; None before Kafka 2.4.

    It takes the right to create it, and DescribeConfigs on it.
    """
    connection = await cluster.any_connection()
    if not connection.versions.supports(CreateTopicsRequest, _TELLS_CONFIGS):
        return None
    try:
        return await _ask(cluster, name, replication=_DEFAULT)
    except BrokerError as error:
        if error.error_code != _TOO_MANY_REPLICAS:
            raise
    return replace(await _ask(cluster, name, replication=1), replication=None)


async def _ask(cluster: Cluster, name: TopicName, *, replication: int) -> TopicDefaults:
    topic = CreateTopicsRequest.CreatableTopic(
        name=name,
        num_partitions=_DEFAULT,
        replication_factor=replication,
        assignments=[],
        configs=[],
    )
    answer = await cluster.at_controller(
        CreateTopicsRequest(topics=[topic], timeout_ms=_PATIENCE_MS, validate_only=True),
        CreateTopicsResponse,
        codes=lambda answer: (one.error_code for one in answer.topics),
    )
    found = answer.topics[0]
    raise_for(found.error_code, f"topic {name}", found.error_message)
    raise_for(found.topic_config_error_code, f"configs of {name}")
    return TopicDefaults(
        configs={one.name: one.value for one in found.configs or ()},
        replication=found.replication_factor,
    )
