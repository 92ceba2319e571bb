"""`inspect topics` and `inspect producers`, judged by the official tools and confluent-kafka."""

import json
import re
import threading
import uuid
from typing import Any

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # its stubs export too little
    ConfigResource,
    ConfigSource,
)
from confluent_kafka.cimpl import NewTopic
from inspecting import admin_of, gaps, inspect, seen
from judge import PATIENCE_S, client_config
from machine import eventually

from kferry.sandbox import Cluster, Sandbox, run_tool

TOPICS = "org.apache.kafka.tools.TopicCommand"
NOW = 0
"""The client puts its own time in place of it."""
LOG_DIRS = "org.apache.kafka.tools.LogDirsCommand"


def unique(name: str) -> str:
    return f"inspect-{name}-{uuid.uuid4().hex[:8]}"


def make(
    cluster: Cluster, name: str, *, partitions: int = 1, configs: dict[str, str] | None = None
) -> str:
    topic = unique(name)
    admin = admin_of(cluster)
    wanted = NewTopic(topic, partitions, 1, config=configs or {})
    admin.create_topics([wanted])[topic].result(PATIENCE_S)
    return topic


def fill(cluster: Cluster, topic: str, partition: int, timestamps: list[int]) -> None:
    producer = Producer(client_config(cluster.properties))
    for number, timestamp in enumerate(timestamps):
        producer.produce(
            topic, b"x" * 100, str(number).encode(), partition=partition, timestamp=timestamp
        )
    assert producer.flush(PATIENCE_S) == 0


def official(cluster: Cluster, main_class: str, *arguments: str) -> str:
    server = ("--bootstrap-server", cluster.bootstrap)
    done = run_tool(cluster, main_class, *server, *arguments, timeout_s=PATIENCE_S)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def orders(plain: Sandbox) -> str:
    """Three partitions: trimmed, with timestamps out of order, and empty."""
    configs = {"cleanup.policy": "compact,delete", "retention.ms": "-1", "segment.ms": "600000"}
    topic = make(plain.source, "orders", partitions=3, configs=configs)
    fill(plain.source, topic, 0, [1_700_000_000_000] * 50)
    fill(plain.source, topic, 1, [1_700_000_000_000, 1_700_000_900_000, 1_700_000_100_000])
    admin = admin_of(plain.source)
    trimmed = TopicPartition(topic, 0, 20)
    admin.delete_records([trimmed])[trimmed].result(PATIENCE_S)
    return topic


def one(answer: dict[str, Any]) -> dict[str, Any]:
    (topic,) = answer["topics"]
    found: dict[str, Any] = topic
    return found


def test_a_topic_is_what_the_official_tools_say(plain: Sandbox, orders: str) -> None:
    topic = one(inspect("topics", plain.source, "--topic", orders))
    described = official(plain.source, TOPICS, "--describe", "--topic", orders)
    partitions = re.findall(
        r"Partition: (\d+)\tLeader: (\d+)\tReplicas: (\S+)\tIsr: (\S+)", described
    )
    assert [
        (
            str(p["partition"]),
            str(p["leader"]),
            ",".join(map(str, p["replicas"])),
            ",".join(map(str, p["in_sync"])),
        )
        for p in topic["partitions"]
    ] == partitions
    assert topic["replication"] == 1
    assert topic["cleanup_policy"] == "compact,delete"
    sizes = json.loads(
        official(plain.source, LOG_DIRS, "--describe", "--topic-list", orders).splitlines()[-1]
    )
    told = {
        found["partition"]: found["size"]
        for found in sizes["brokers"][0]["logDirs"][0]["partitions"]
    }
    assert {f"{orders}-{p['partition']}": p["bytes"] for p in topic["partitions"]} == told
    assert topic["bytes"] == sum(told.values()) > 0


def test_only_what_was_set_on_the_topic_is_shown_as_set(plain: Sandbox, orders: str) -> None:
    """4.x has `min.insync.replicas` as a dynamic default of all brokers: not the topic's own."""
    topic = one(inspect("topics", plain.source, "--topic", orders))
    admin = admin_of(plain.source)
    resource = ConfigResource(ConfigResource.Type.TOPIC, orders)
    configs = admin.describe_configs([resource])[resource].result(PATIENCE_S)
    own = ConfigSource.DYNAMIC_TOPIC_CONFIG.value
    assert topic["set_configs"] == {
        key: entry.value for key, entry in configs.items() if entry.source == own
    }
    assert topic["set_configs"].keys() == {"cleanup.policy", "retention.ms", "segment.ms"}
    listed = official(plain.source, TOPICS, "--describe", "--topic", orders)
    assert "min.insync.replicas" in listed


def test_offsets_records_and_newest_timestamp(plain: Sandbox, orders: str) -> None:
    topic = one(inspect("topics", plain.source, "--topic", orders))
    consumer = Consumer({**client_config(plain.source.properties), "group.id": unique("judge")})
    for partition in topic["partitions"]:
        watermarks = consumer.get_watermark_offsets(
            TopicPartition(orders, partition["partition"]), timeout=PATIENCE_S
        )
        assert (partition["start"], partition["end"]) == watermarks
    consumer.close()
    assert topic["records_at_most"] == 30 + 3
    assert [p["newest_ms"] for p in topic["partitions"]] == [
        1_700_000_000_000,
        1_700_000_900_000,
        None,
    ]
    assert topic["newest_ms"] == 1_700_000_900_000


def test_records_coming_in_show_as_a_rate(plain: Sandbox) -> None:
    topic = make(plain.source, "busy")
    ended = threading.Event()

    def write() -> None:
        producer = Producer(client_config(plain.source.properties))
        while not ended.wait(0.01):
            producer.produce(topic, b"x")
            producer.flush(PATIENCE_S)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        found = one(inspect("topics", plain.source, "--topic", topic, "--rate-seconds", "0.5"))
        assert found["records_per_second"] > 0
    finally:
        ended.set()
        writer.join()
    still = one(inspect("topics", plain.source, "--topic", topic, "--rate-seconds", "0"))
    assert still["records_per_second"] is None


def test_selection_and_what_is_not_there(plain: Sandbox, orders: str) -> None:
    answer = inspect("topics", plain.source, "--topic", "inspect-*")
    assert orders in {topic["name"] for topic in answer["topics"]}
    assert not any(topic["internal"] for topic in answer["topics"])
    nobodys = unique("nobodys")
    answer = inspect("topics", plain.source, "--topic", nobodys)
    assert (answer["topics"], gaps(answer)) == ([], {f"topic {nobodys}": "does not exist"})


def test_people_see_a_table_and_the_next_command(plain: Sandbox, orders: str) -> None:
    shown = seen("topics", plain.source, "--topic", orders)
    assert re.search(
        rf"{orders} +3 +1  compact,delete +[\d.]+ KiB +≤ 33 +0  2023-11-14 22:28", shown
    )
    assert "retention.ms=-1  segment.ms=600000" in shown
    assert "next: kferry inspect groups --source-config" in shown.splitlines()[-1]


def test_an_open_transaction_is_named_until_it_ends(plain: Sandbox) -> None:
    topic, name = make(plain.source, "paid", partitions=2), unique("tx")
    config = client_config(plain.source.properties)
    producer = Producer({**config, "transactional.id": name})
    producer.init_transactions(PATIENCE_S)
    producer.begin_transaction()
    producer.produce(topic, b"1", partition=1)
    producer.flush(PATIENCE_S)
    answer = inspect("producers", plain.source, "--topic", topic)
    (open_,) = answer["open"]
    assert (open_["transactional_id"], open_["state"], open_["hanging"]) == (name, "Ongoing", False)
    assert open_["partitions"] == [{"topic": topic, "partition": 1}]
    assert open_["open_since"] == [[{"topic": topic, "partition": 1}, 0]]
    described = official(
        plain.source,
        "org.apache.kafka.tools.TransactionsCommand",
        "describe",
        "--transactional-id",
        name,
    )
    told = dict(zip(*(line.split("\t") for line in described.splitlines()[:2]), strict=True))
    told = {key.strip(): value.strip() for key, value in told.items()}
    assert told["ProducerId"] == str(open_["producer_id"])
    assert told["ProducerEpoch"] == str(open_["epoch"])
    assert name in seen("producers", plain.source, "--topic", topic)
    producer.commit_transaction(PATIENCE_S)

    def ended() -> bool:
        return not inspect("producers", plain.source, "--topic", topic)["open"]

    eventually(ended)
    (active,) = inspect("producers", plain.source, "--topic", topic)["active"]
    assert active["transactional_id"] == name


def test_a_plain_idempotent_producer_is_remembered(plain: Sandbox) -> None:
    topic = make(plain.source, "plain")
    producer = Producer({**client_config(plain.source.properties), "enable.idempotence": True})
    producer.produce(topic, b"1")
    assert producer.flush(PATIENCE_S) == 0
    answer = inspect("producers", plain.source, "--topic", topic)
    (active,) = answer["active"]
    assert (answer["open"], active["transactional_id"]) == ([], None)
    assert active["partitions"] == [{"topic": topic, "partition": 0}]
