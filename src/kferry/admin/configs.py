"""Configurations of brokers and topics, with where each value comes from.

Owns DescribeConfigs in all its versions. Changes nothing.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from kafka.protocol.admin import DescribeConfigsRequest, DescribeConfigsResponse

from kferry.names import BrokerId, TopicName
from kferry.wire import BrokerError, Cluster
from kferry.wire.errors import raise_for

_TOPIC, _BROKER = 2, 4
_CHUNK = 1000


class Origin(IntEnum):
    """Where a value comes from; the numbers are Kafka's."""

    UNKNOWN = 0
    TOPIC = 1
    BROKER_DYNAMIC = 2
    CLUSTER_DYNAMIC = 3
    BROKER_STATIC = 4
    DEFAULT = 5
    OTHER = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigValue:
    """One value; None where it is secret or unset."""

    value: str | None
    origin: Origin


Configs = Mapping[str, ConfigValue]


async def broker_configs(cluster: Cluster, broker: BrokerId) -> Configs:
    """Ask one broker for its own configuration."""
    request = DescribeConfigsRequest(
        resources=[
            DescribeConfigsRequest.DescribeConfigsResource(
                resource_type=_BROKER, resource_name=str(broker), configuration_keys=None
            )
        ]
    )
    answer = await cluster.at_broker(broker, request, DescribeConfigsResponse)
    return _configs(answer.results[0], f"configs of broker {broker}")


async def topic_configs(
    cluster: Cluster, topics: Iterable[TopicName]
) -> dict[TopicName, Configs | BrokerError]:
    """Ask for the configurations of many topics, in a few calls."""
    wanted = sorted(topics)
    found: dict[TopicName, Configs | BrokerError] = {}
    for start in range(0, len(wanted), _CHUNK):
        request = DescribeConfigsRequest(
            resources=[
                DescribeConfigsRequest.DescribeConfigsResource(
                    resource_type=_TOPIC, resource_name=name, configuration_keys=None
                )
                for name in wanted[start : start + _CHUNK]
            ]
        )
        answer = await cluster.request(request, DescribeConfigsResponse)
        for result in answer.results:
            name = TopicName(result.resource_name)
            try:
                found[name] = _configs(result, f"configs of {name}")
            except BrokerError as error:
                found[name] = error
    return found


def _configs(result: Any, subject: str) -> Configs:
    raise_for(result.error_code, subject, result.error_message)
    return {
        entry.name: ConfigValue(value=entry.value, origin=_origin(entry))
        for entry in result.configs
    }


def _origin(entry: Any) -> Origin:
    if entry.config_source < 0:  # before 1.1 a broker says only whether a value is its default
        return Origin.DEFAULT if entry.is_default else Origin.UNKNOWN
    known = entry.config_source in Origin.__members__.values()
    return Origin(entry.config_source) if known else Origin.OTHER
