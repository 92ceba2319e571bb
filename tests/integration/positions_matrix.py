"""Topics and groups in every odd position, for judging what is said about them.

Owns a matrix of logs (empty, one record, trimmed, an open transaction, compacted, times out of
order) and of groups on them, the same for the same seed. Knows nothing of who asks.
"""

import contextlib
import io
import json
import os
import random
import subprocess
import time
import uuid
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from judge import PATIENCE_S, client_config
from machine import eventually
from mixing import KINDS, Mix
from topic_making import make

from kferry.cli import main as command_line
from kferry.names import TopicName
from kferry.sandbox import Cluster
from kferry.sandbox.tools import tool_command

GET_OFFSETS = "org.apache.kafka.tools.GetOffsetShell"
CONSUMER_GROUPS = "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand"
SEED = 20_261_121
_JAVA_S = 90.0
HOUR_MS = 3_600_000
GROUPS = ("at-start", "behind", "beyond", "in-some", "middle")
Committed = dict[tuple[str, int], int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Matrix:
    """Topics and groups of one prefix on one cluster."""

    cluster: Cluster
    prefix: str
    times: Sequence[int]
    """A time before, amid and after the records."""
    logs: Mapping[tuple[str, int], tuple[int, int]]
    """Where each partition starts and ends."""
    transaction: Producer
    """Holds one open."""

    @property
    def topics(self) -> list[str]:
        return sorted({topic for topic, _ in self.logs})

    def topic(self, name: str) -> str:
        return f"{self.prefix}-{name}"

    def group(self, name: str) -> str:
        return f"{self.prefix}-{name}"


def matrix(cluster: Cluster, name: str) -> Matrix:
    """Make it."""
    prefix = f"{name}-{uuid.uuid4().hex[:8]}"
    dice = random.Random(SEED)
    amid = int(time.time() * 1000) - 24 * HOUR_MS
    counts = {
        "empty": {0: 0, 1: 0},
        "one": {0: 1},
        "trimmed": {0: 50, 1: 50},
        "times": {0: 40, 1: 5, 2: 0},
        "open": {0: 10},
    }
    for topic, by_partition in counts.items():
        make(cluster, TopicName(f"{prefix}-{topic}"), partitions=len(by_partition))
    producer = Producer(dict(client_config(cluster.properties)))
    for topic, by_partition in counts.items():
        for partition, records in by_partition.items():
            for _ in range(records):
                at = amid + dice.randrange(-HOUR_MS, HOUR_MS)
                producer.produce(f"{prefix}-{topic}", b"x", partition=partition, timestamp=at)
    assert producer.flush(PATIENCE_S) == 0
    _trim(cluster, TopicPartition(f"{prefix}-trimmed", 0, 20))
    mix = Mix(cluster=cluster, prefix=prefix, seed=SEED, kinds={"compacted": KINDS["compacted"]})
    mix.create()
    mix.write(400)
    mix.clean()
    transaction = _open_transaction(cluster, f"{prefix}-open")
    logs = _logs(cluster, prefix)
    _commit(cluster, prefix, logs, dice)
    return Matrix(
        cluster=cluster,
        prefix=prefix,
        times=(amid - 2 * HOUR_MS, amid, amid + 30 * 24 * HOUR_MS),
        logs=logs,
        transaction=transaction,
    )


def committed(cluster: Cluster, group: str, places: Sequence[tuple[str, int]]) -> Committed:
    """What a group has committed, as an independent client reads it."""
    config = {**client_config(cluster.properties), "group.id": group}
    with closing(Consumer(config)) as consumer:
        found = consumer.committed(
            [TopicPartition(topic, partition) for topic, partition in places], timeout=PATIENCE_S
        )
    assert all(one.leader_epoch in {None, -1} for one in found), "epochs are never committed"
    return {(one.topic, one.partition): one.offset for one in found if one.offset >= 0}


def official(cluster: Cluster, main_class: str, calls: Sequence[Sequence[str]]) -> list[str]:
    """Run an official tool once for each of these arguments, two at a time; return what it says."""

    # They live for a second: not worth an optimising compiler.
    environment = {**os.environ, "KAFKA_OPTS": "-XX:TieredStopAtLevel=1"}

    def run(arguments: Sequence[str]) -> str:
        server = () if "--broker-list" in arguments else ("--bootstrap-server", cluster.bootstrap)
        command = tool_command(cluster, main_class, *server, *arguments, environment=environment)
        done = subprocess.run(command, capture_output=True, text=True, timeout=_JAVA_S, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(run, calls))


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What a command answered, and how it ended."""

    code: int
    out: str
    said: str

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The rows of an answer in JSON."""
        rows: list[dict[str, Any]] = json.loads(self.out)["rows"]
        return rows


def asked(*arguments: str) -> Answered:
    """Run a command line in this process: these tests run many."""
    out, said = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(said):
        code = command_line.run(arguments)
    return Answered(code=code, out=out.getvalue(), said=said.getvalue())


def _trim(cluster: Cluster, upto: TopicPartition) -> None:
    admin = AdminClient(dict(client_config(cluster.properties)))  # kept: its futures die with it
    (done,) = admin.delete_records([upto]).values()
    done.result(PATIENCE_S)


def _open_transaction(cluster: Cluster, topic: str) -> Producer:
    config = {
        **client_config(cluster.properties),
        "transactional.id": topic,
        "transaction.timeout.ms": 600_000,
    }
    producer = Producer(config)
    producer.init_transactions(PATIENCE_S)
    producer.begin_transaction()
    for _ in range(5):
        producer.produce(topic, b"never committed", partition=0)
    assert producer.flush(PATIENCE_S) == 0
    return producer


def _logs(cluster: Cluster, prefix: str) -> dict[tuple[str, int], tuple[int, int]]:
    config = {
        **client_config(cluster.properties),
        "group.id": "judge",
        "isolation.level": "read_uncommitted",
    }
    with closing(Consumer(config)) as consumer:
        topics = consumer.list_topics(timeout=PATIENCE_S).topics
        return {
            (name, partition): consumer.get_watermark_offsets(
                TopicPartition(name, partition), timeout=PATIENCE_S
            )
            for name in sorted(topics)
            if name.startswith(prefix)
            for partition in sorted(topics[name].partitions)
        }


def _commit(
    cluster: Cluster,
    prefix: str,
    logs: Mapping[tuple[str, int], tuple[int, int]],
    dice: random.Random,
) -> None:
    for name in GROUPS:
        places = [
            TopicPartition(topic, partition, _position(name, start, end, dice))
            for (topic, partition), (start, end) in logs.items()
            if name != "in-some" or topic.endswith(("times", "open"))
        ]
        config = {**client_config(cluster.properties), "group.id": f"{prefix}-{name}"}
        with closing(Consumer(config)) as consumer:
            consumer.commit(offsets=places, asynchronous=False)
        eventually(lambda: committed(cluster, f"{prefix}-{name}", list(logs)))  # noqa: B023 now


def _position(name: str, start: int, end: int, dice: random.Random) -> int:
    return {"at-start": start, "behind": 0, "beyond": end + 1000}.get(
        name, dice.randint(start, end)
    )
