"""Positions on brokers and topics from before records had times: coarse, and that is said."""

import time
import uuid
from contextlib import closing
from pathlib import Path

from confluent_kafka import Consumer, Producer, TopicPartition
from judge import PATIENCE_S, client_config
from machine import eventually
from positions_matrix import asked, committed, official
from topic_making import make

from kferry.names import TopicName
from kferry.sandbox import Cluster, Sandbox

GET_OFFSETS = "kafka.tools.GetOffsetShell"


def write(cluster: Cluster, topic: str, records: int, timestamp: int = 0) -> None:
    # One record a batch, so that segments can end between any two.
    producer = Producer({**client_config(cluster.properties), "batch.num.messages": 1})
    for _ in range(records):
        producer.produce(topic, b"x" * 100, partition=0, timestamp=timestamp)
    assert producer.flush(PATIENCE_S) == 0


def now_ms() -> int:
    return int(time.time() * 1000)


def a_moment() -> int:
    """A time after all that is written, and before all that comes."""
    at = now_ms() + 1
    eventually(lambda: now_ms() > at + 1)
    return at


def test_without_times_of_records_it_is_a_segments_start_and_that_is_said(old: Sandbox) -> None:
    """Both the topic's message format and Kafka's tool of that age know segment files alone."""
    cluster = old.source
    topic = TopicName(f"coarse-{uuid.uuid4().hex[:8]}")
    configs = {"message.format.version": "0.9.0", "segment.bytes": "1000"}
    make(cluster, topic, configs=configs)
    early = a_moment()
    write(cluster, topic, 50)
    amid = a_moment()
    write(cluster, topic, 50)
    whens = [str(amid), "-1", "-2"]
    calls = [("--broker-list", cluster.bootstrap, "--topic", topic, "--time", one) for one in whens]
    told = [one.splitlines() for one in official(cluster, GET_OFFSETS, calls)]
    found = [asked("offsets", "get", *call) for call in calls]
    assert [one.lines for one in found] == told
    assert "early by up to a segment" in found[0].said
    assert "segment" not in found[1].said
    assert 0 < int(found[0].lines[0].rpartition(":")[2]) <= 50

    server = ("--source", cluster.bootstrap)
    before_all = asked("offsets", "get", *server, "--topic", topic, "--time", str(early))
    assert before_all.lines == [f"{topic}:0:0"]
    group = f"{topic}-group"
    scope = ("--group", group, "--topic", topic, "--to-datetime", str(amid), "--execute")
    done = asked("groups", "reset", *server, *scope)
    assert done.code == 0, done.said
    assert "early by up to a segment" in done.out
    at = int(found[0].lines[0].rpartition(":")[2])
    assert committed(cluster, group, [(topic, 0)]) == {(topic, 0): at}


def test_old_brokers_reset_export_and_import(old: Sandbox, tmp_path: Path) -> None:
    for cluster in (old.source, old.target):
        topic = TopicName(f"aged-{uuid.uuid4().hex[:8]}")
        group, server = f"{topic}-group", ("--source", cluster.bootstrap)
        make(cluster, topic, configs={"retention.ms": "-1"})
        write(cluster, topic, 5, timestamp=1_600_000_000_000)
        write(cluster, topic, 5, timestamp=1_600_000_060_000)
        late = asked("offsets", "get", *server, "--topic", topic, "--time", "1600000000001")
        assert late.lines == [f"{topic}:0:5"]
        with closing(Consumer({**client_config(cluster.properties), "group.id": group})) as one:
            one.commit(offsets=[TopicPartition(topic, 0, 7)], asynchronous=False)
        file = str(tmp_path / f"{topic}.json")
        assert asked("groups", "export", file, *server, "--group", group).code == 0
        reset = ("groups", "reset", *server, "--group", group, "--all-topics")
        assert asked(*reset, "--shift-by", "-2", "--execute").code == 0
        assert committed(cluster, group, [(topic, 0)]) == {(topic, 0): 5}
        assert asked("groups", "import", file, *server, "--execute").code == 0
        assert committed(cluster, group, [(topic, 0)]) == {(topic, 0): 7}


def test_what_an_old_broker_cannot_be_asked_is_said_and_fails(old: Sandbox) -> None:
    topic = TopicName(f"newest-{uuid.uuid4().hex[:8]}")
    make(old.source, topic)
    server = ("--source", old.source.bootstrap)
    done = asked("offsets", "get", *server, "--topic", topic, "--time", "max-timestamp")
    assert (done.code, done.out) == (1, "")
    assert "cannot be asked ListOffsets" in done.said
