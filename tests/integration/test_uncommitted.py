"""Partitions for which a group at work never committed: it goes on exactly, or somebody says."""

import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from confluent_kafka import Consumer, Message, Producer
from copying import Ended, ended, kferry, sides
from judge import PATIENCE_S, client_config
from machine import eventually
from switching import Walk
from topic_making import make

from kferry.names import TopicName
from kferry.sandbox import Cluster, Sandbox


def write(cluster: Cluster, topic: str, records: dict[int, int]) -> None:
    """Write so many records to each partition, numbered."""
    producer = Producer(dict(client_config(cluster.properties)))
    for partition, count in records.items():
        for number in range(count):
            producer.produce(topic, b"%d" % number, partition=partition)
    assert producer.flush(PATIENCE_S) == 0


@contextmanager
def at_work(cluster: Cluster, group: str, topic: str, reset: str) -> Iterator[list[Message]]:
    """Consume in the background, committing nothing; yields what it reads, once it may."""
    settings = {"group.id": group, "auto.offset.reset": reset, "enable.auto.commit": False}
    consumer = Consumer({**client_config(cluster.properties), **settings})
    stop, assigned, seen = threading.Event(), threading.Event(), list[Message]()
    consumer.subscribe([topic], on_assign=lambda *_: assigned.set())

    def work() -> None:
        while not stop.is_set():
            found = consumer.poll(0.1)
            if found is not None:
                seen.append(found)
        consumer.close()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        assert assigned.wait(PATIENCE_S)
        yield seen
    finally:
        stop.set()
        thread.join()


def gate(done: Ended, name: str) -> dict[str, object]:
    (found,) = [one for one in done.result["gates"] if one["gate"] == name]
    return dict(found)


def test_a_group_that_never_committed_goes_on_exactly_where_it_waited(
    plain: Sandbox, tmp_path: Path
) -> None:
    topic = TopicName(f"unset-{uuid.uuid4().hex[:8]}")
    make(plain.source, topic, partitions=3)
    write(plain.source, topic, {0: 100, 1: 50})
    told = [*sides(plain), "-m", topic, "--topic", topic, "--scheme", "mirror", "--json"]
    walks = [*told, "--yes", "--silence", "1s", "--producers-stopped", "--patience", "60s"]
    with at_work(plain.source, topic, topic, "latest") as seen:
        dry = ended(kferry("cutover", *told, "--dry-run", cwd=tmp_path))
        found = gate(dry, "never committed")
        assert not found["passed"]
        assert f"{topic}, {topic}-1: 50 records" in str(found["why"])
        assert "--uncommitted end" in str(found["why"])
        assert f"{topic}-2" not in str(found["why"]), "nothing was ever to be read there"
        refused = ended(kferry("cutover", *walks, cwd=tmp_path))
        assert refused.code == 5, refused.said
        assert "never committed" in refused.said
        walk = Walk(kferry("cutover", *walks, "--uncommitted", "end", cwd=tmp_path))
        walk.until("hand", "consumers-stop")
        assert seen == []
    walk.until("hand", "hand-over")
    # A consumer without a position would fail: each has one, and reads what comes, no more.
    with at_work(plain.target, topic, topic, "error") as seen:
        write(plain.target, topic, {0: 1, 1: 2, 2: 3})
        eventually(lambda: len(seen) >= 6)
        done = walk.ended()
        assert done.code == 0, done.said
        assert sorted((one.partition(), one.value()) for one in seen) == [
            (0, b"0"), (1, b"0"), (1, b"1"), (2, b"0"), (2, b"1"), (2, b"2"),
        ]  # fmt: skip
