"""Topics made and looked at with clients that share no code with kferry."""

import time
import uuid
from collections.abc import Mapping, Sequence

from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # its stubs export too little
    ConfigResource,
    ConfigSource,
)
from confluent_kafka.cimpl import NewTopic
from inspecting import admin_of
from judge import PATIENCE_S, client_config
from machine import eventually

from kferry.config import TopicSelection
from kferry.names import TopicName
from kferry.sandbox import Cluster as SandboxCluster
from kferry.sandbox import run_tool
from kferry.topics import TopicFacts, TopicPair, take_topics
from kferry.wire import Cluster

DAY_MS = 86_400_000
FOREVER = str(2**63 - 1)


def unique(name: str) -> TopicName:
    return TopicName(f"topics-{name}-{uuid.uuid4().hex[:8]}")


def ago(milliseconds: int) -> int:
    return int(time.time() * 1000) - milliseconds


def make(
    cluster: SandboxCluster,
    topic: TopicName,
    *,
    partitions: int = 1,
    configs: Mapping[str, str] | None = None,
    replicas: int = 1,
) -> TopicName:
    admin = admin_of(cluster)
    wanted = NewTopic(topic, partitions, replicas, config=dict(configs or {}))
    admin.create_topics([wanted])[topic].result(PATIENCE_S)

    def is_there() -> bool:
        # The controller has answered; the broker may not have heard of the topic yet.
        found = admin.list_topics(timeout=PATIENCE_S).topics.get(topic)
        led = [] if found is None else [one.leader for one in found.partitions.values()]
        return len(led) == partitions and min(led) >= 0

    eventually(is_there)
    return topic


def delete(cluster: SandboxCluster, topic: str) -> None:
    """Delete a topic; return when no broker names it any more."""
    admin = admin_of(cluster)
    admin.delete_topics([topic])[topic].result(PATIENCE_S)
    eventually(lambda: topic not in admin.list_topics(timeout=PATIENCE_S).topics)


def fill(
    cluster: SandboxCluster, topic: str, timestamps: Sequence[int], *, size: int = 100
) -> None:
    """Write a record of each timestamp into partition 0."""
    failures: list[object] = []
    producer = Producer({**client_config(cluster.properties), "message.max.bytes": 10_000_000})
    for number, timestamp in enumerate(timestamps):
        producer.produce(
            topic,
            b"x" * size,
            str(number).encode(),
            partition=0,
            timestamp=timestamp,
            on_delivery=lambda error, _: failures.append(error) if error else None,
        )
    assert producer.flush(PATIENCE_S) == 0
    assert not failures


async def facts_of(cluster: Cluster, *topics: TopicName) -> list[TopicFacts]:
    found = await take_topics(cluster, TopicSelection.parse(topics), rate_seconds=0)
    by_name = {one.name: one for one in found.topics}
    return [by_name[topic] for topic in topics]


async def paired(cluster: Cluster, *topics: TopicName) -> list[TopicPair]:
    return [TopicPair(source=one, target=one.name) for one in await facts_of(cluster, *topics)]


def watermarks(cluster: SandboxCluster, topic: str) -> tuple[int, int]:
    """Return start and end of partition 0."""
    consumer = Consumer({**client_config(cluster.properties), "group.id": "judge"})
    try:
        found: tuple[int, int] = consumer.get_watermark_offsets(
            TopicPartition(topic, 0), timeout=PATIENCE_S
        )
    finally:
        consumer.close()
    return found


def own_configs(cluster: SandboxCluster, topic: str) -> dict[str, str]:
    """Return what is set on the topic itself."""
    admin = admin_of(cluster)
    resource = ConfigResource(ConfigResource.Type.TOPIC, topic)
    configs = admin.describe_configs([resource])[resource].result(PATIENCE_S)
    own = ConfigSource.DYNAMIC_TOPIC_CONFIG.value
    return {key: str(entry.value) for key, entry in configs.items() if entry.source == own}


def official(cluster: SandboxCluster, main_class: str, *arguments: str) -> str:
    done = run_tool(
        cluster,
        main_class,
        *("--bootstrap-server", cluster.bootstrap),
        *arguments,
        timeout_s=PATIENCE_S,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
