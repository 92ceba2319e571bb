"""What may happen to a topic behind everybody's back: made anew, or shortened.

Owns both. Clients that do not look closely notice neither: the name stays the same.
"""

import asyncio
import time

from kferry.config import load_properties
from kferry.names import TopicName
from kferry.sandbox.cluster import Cluster
from kferry.sandbox.faults.errors import CannotBreakError, NotBackError
from kferry.sandbox.load.confluent import (
    AdminClient,
    ConfigResource,
    KafkaError,
    KafkaException,
    NewTopic,
    ResourceType,
    TopicPartition,
    client_settings,
)
from kferry.sandbox.waiting import came_true
from kferry.wire import Cluster as Wire
from kferry.wire import open_cluster
from kferry.wire.metadata import ask_metadata

_PATIENCE_S = 60.0
_TICK_S = 0.05
_OF_THE_TOPIC = 1  # where a value comes from, in Kafka's numbers


async def recreate(cluster: Cluster, topic: str) -> None:
    """Delete a topic and create it again, empty, with the same partitions and settings.

    Returns when every broker knows the new one: until then they tell of the old one, or of none.
    """
    await asyncio.to_thread(_recreate, cluster, topic)
    name = TopicName(topic)
    deadline = time.monotonic() + _PATIENCE_S
    async with open_cluster(load_properties(cluster.properties)) as wire:
        while not await _known_everywhere(wire, name):
            if time.monotonic() > deadline:
                raise NotBackError(
                    f"not every broker knows the new {topic} after {_PATIENCE_S:.0f} s",
                    hint="kferry sandbox status shows which brokers run",
                    changed="The topic was deleted and created again.",
                )
            await asyncio.sleep(_TICK_S)


async def _known_everywhere(wire: Wire, topic: TopicName) -> bool:
    ids = set()
    for broker in wire.metadata.brokers:
        connection = await wire.connection(broker)
        found = (await ask_metadata(connection, [topic], seconds=_PATIENCE_S)).topics.get(topic)
        if found is None or not found.partitions:
            return False
        if any(partition.leader is None for partition in found.partitions):
            return False
        ids.add(found.id)
    return len(ids) == 1


def _recreate(cluster: Cluster, topic: str) -> None:
    admin = AdminClient(client_settings(cluster))
    try:
        fresh = _copy_of(admin, topic)
        admin.delete_topics([topic], operation_timeout=_PATIENCE_S)[topic].result(_PATIENCE_S)
    except KafkaException as error:
        raise CannotBreakError(
            f"{topic} cannot be made anew",
            str(error.args[0].str()),
            hint="before Kafka 0.11 a broker does not tell a topic's settings",
        ) from error
    # The name is free only when every broker has let go of the old one.
    if not came_true(lambda: _created(admin, fresh), _PATIENCE_S):
        raise NotBackError(
            f"{topic} was deleted and could not be created again",
            f"its name was still taken after {_PATIENCE_S:.0f} s",
            hint="kferry sandbox status shows which brokers run",
            changed="The topic is marked for deletion.",
        )


def trim(cluster: Cluster, topic: str, partition: int, *, before: int) -> int:
    """Delete all records before an offset (-1: all there are); return where the log starts now."""
    admin = AdminClient(client_settings(cluster))
    place = TopicPartition(topic, partition, before)
    try:
        (future,) = admin.delete_records([place]).values()
        return int(future.result(_PATIENCE_S).low_watermark)
    except KafkaException as error:
        raise CannotBreakError(
            f"{topic}-{partition} cannot be trimmed to {before}",
            str(error.args[0].str()),
            hint="a version before 0.11 or a topic that is only compacted cannot be; an offset "
            "must not lie behind the end",
        ) from error


def _copy_of(admin: AdminClient, topic: str) -> NewTopic:
    found = admin.list_topics(timeout=_PATIENCE_S).topics.get(topic)
    if found is None:
        raise CannotBreakError(
            f"there is no topic {topic}", hint="kferry inspect topics lists what is there"
        )
    resource = ConfigResource(ResourceType.TOPIC, topic)
    (future,) = admin.describe_configs([resource]).values()
    configs = {
        name: entry.value
        for name, entry in future.result(_PATIENCE_S).items()
        if entry.source == _OF_THE_TOPIC and entry.value is not None
    }
    return NewTopic(
        topic,
        num_partitions=len(found.partitions),
        replication_factor=len(found.partitions[0].replicas),
        config=configs,
    )


def _created(admin: AdminClient, fresh: NewTopic) -> bool:
    try:
        admin.create_topics([fresh])[fresh.topic].result(_PATIENCE_S)
    except KafkaException as error:
        if error.args[0].code() == KafkaError.TOPIC_ALREADY_EXISTS:
            return False
        raise
    return True
