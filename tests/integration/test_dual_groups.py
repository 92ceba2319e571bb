"""Groups whose topics applications write to both sides: after `groups sync --map` they read on.

What a group reads on the target is compared with what it had left to read on the source.
"""

import os
import signal
import subprocess
import sys
import threading
import uuid
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer, TopicPartition
from copying import Ended, ended, kferry, sides
from dual_writing import to
from inspecting import admin_of
from judge import PATIENCE_S
from judging import Seen, read_all
from machine import eventually
from test_groups_sync import committed, read_on
from test_inspect_groups import commit as commit_all
from topic_making import make

from kferry import DualProducer
from kferry.dualwrite import read_map
from kferry.dualwrite.frames import ClusterIds, Pairs
from kferry.dualwrite.map_file import MapFile
from kferry.names import TopicName
from kferry.sandbox import Cluster, Sandbox

CHILD = Path(__file__).with_name("dual_child.py")
Content = tuple[bytes | None, bytes | None]


def fresh(name: str) -> TopicName:
    return TopicName(f"dualgroups-{name}-{uuid.uuid4().hex[:8]}")


def on_both(sandbox: Sandbox, name: str, partitions: int = 1) -> TopicName:
    topic = make(sandbox.source, fresh(name), partitions=partitions)
    return make(sandbox.target, topic, partitions=partitions)


def groups(
    sandbox: Sandbox, verb: str, topic: str, *arguments: str, maps: tuple[Path, ...] = ()
) -> Ended:
    named = [word for path in maps for word in ("--map", str(path))]
    if verb == "sync":
        named.append("--yes")
    # Other tests have topics of their own on these brokers: only this one is meant.
    return ended(
        kferry(
            "groups", verb, *sides(sandbox), "-m", topic, "--json", "--topic", topic, *named,
            *arguments,
        )
    )  # fmt: skip


def commit(cluster: Cluster, group: str, topic: str, partition: int, offset: int) -> None:
    commit_all(cluster, group, [TopicPartition(topic, partition, offset)])


def row(done: Ended, group: str, partition: int = 0) -> dict[str, Any]:
    rows: list[dict[str, Any]] = done.result["rows"]
    (found,) = [one for one in rows if (one["group"], one["partition"]) == (group, partition)]
    return found


def contents(records: list[Seen], start: int = 0) -> list[Content]:
    return [(one.key, one.value) for one in records if one.offset >= start]


def write(producer: Any, topic: str, count: int, partition: int, mark: str = "r") -> None:
    for number in range(count):
        producer.produce(topic, f"{mark}{number}".encode(), b"k", partition=partition)
    assert producer.flush(PATIENCE_S) == 0


def test_a_group_reads_on_exactly_where_one_application_wrote_both_sides(
    plain: Sandbox, tmp_path: Path
) -> None:
    topic = on_both(plain, "one", partitions=3)
    write(Producer(to(plain.source)), topic, 17, 0, "before")
    path = tmp_path / "maps" / "one.map"
    path.parent.mkdir()
    with DualProducer(to(plain.source), secondary=to(plain.target), map_file=path) as producer:
        write(producer, topic, 50, 0)
        write(producer, topic, 30, 1)
        for group, places in {"mid": (40, 30, 0), "old": (5, 0, 0)}.items():
            for partition, offset in enumerate(places):
                commit(plain.source, f"{topic}-{group}", topic, partition, offset)
        looked = groups(plain, "show", topic, maps=(path.parent,))
        assert looked.code == 0, looked.said
        assert f"__kferry.{topic}" not in admin_of(plain.target).list_topics(timeout=9).topics
        done = groups(plain, "sync", topic, maps=(path.parent,))
    assert done.code == 5, done.said
    here = read_all(plain.source, topic)
    for partition, offset in enumerate((40, 30, 0)):
        told = row(done, f"{topic}-mid", partition)
        assert told["step"] == "set"
        assert told["exact"]
        assert read_on(plain.target, f"{topic}-mid", topic, partition) == contents(
            here[partition], offset
        )
    old = row(done, f"{topic}-old")
    assert old["step"] == "refused"
    assert "12 records" in old["reason"]
    assert "older than what was written to both sides" in old["reason"]
    assert row(done, f"{topic}-old", 1)["target_offset"] == 0

    assert groups(plain, "sync", topic, "--undo").code == 0
    assert committed(plain.target, f"{topic}-mid", topic)[0] < 0

    # Somebody who writes to the source alone: nobody who has yet to read that is moved.
    write(Producer(to(plain.source)), topic, 3, 1, "rogue")
    commit(plain.source, f"{topic}-past", topic, 1, 33)
    done = groups(plain, "sync", topic, maps=(path,))
    assert done.code == 5
    refused = row(done, f"{topic}-mid", 1)
    assert refused["step"] == "refused"
    assert refused["reason"].startswith("3 records would be skipped: 3 records from 30 to 32")
    assert "somebody writes to the source alone" in refused["reason"]
    assert "from 33 on, 30 on the target" in refused["reason"]
    assert row(done, f"{topic}-past", 1)["target_offset"] == 30

    other = MapFile(tmp_path / "others.map")
    other.append([ClusterIds(primary="here", secondary="there")])
    other.close(in_order=True)
    done = groups(plain, "sync", topic, maps=(path, tmp_path / "others.map"))
    assert done.code == 5
    assert "others.map is about other clusters" in done.said


def test_repetitions_are_counted_where_two_applications_wrote_one_partition(
    plain: Sandbox, tmp_path: Path
) -> None:
    topic = on_both(plain, "two")
    files = [tmp_path / f"{name}.map" for name in "ab"]
    producers = [
        DualProducer(to(plain.source), secondary=to(plain.target, linger__ms=linger), map_file=file)
        for file, linger in zip(files, (1, 40), strict=True)
    ]

    def work(producer: DualProducer, mark: str) -> None:
        for number in range(400):
            producer.produce(topic, f"{mark}{number}".encode(), b"k")
            producer.poll(0.002)
        producer.flush()

    threads = [
        threading.Thread(target=work, args=(producer, mark))
        for producer, mark in zip(producers, "ab", strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for producer in producers:
        producer.close()
    here = read_all(plain.source, topic)[0]
    assert len(here) == 800
    offsets = (0, 100, 399, 650, 800)
    for offset in offsets:
        commit(plain.source, f"{topic}-{offset}", topic, 0, offset)
    done = groups(plain, "sync", topic, maps=tuple(files))
    assert done.code == 0, done.said
    for offset in offsets:
        told = row(done, f"{topic}-{offset}")
        read = Counter(read_on(plain.target, f"{topic}-{offset}", topic, 0))
        left = Counter(contents(here, offset))
        assert not left - read, "skipped"
        assert sum((read - left).values()) == told["again"]
        assert told["exact"] == (not told["again"])
    assert any(row(done, f"{topic}-{offset}")["again"] for offset in offsets), "nothing was mixed"


@pytest.mark.long
def test_behind_a_killed_writer_each_position_is_exact_or_refused(
    plain: Sandbox, tmp_path: Path
) -> None:
    topic = on_both(plain, "killed")
    servers = [to(one)["bootstrap.servers"] for one in (plain.source, plain.target)]
    path = tmp_path / "map"
    command = [sys.executable, CHILD, *servers, topic, path, tmp_path / "journal"]
    for _ in range(2):
        known = sum(run.length for run in pairs(path))
        child = subprocess.Popen(list(map(str, command)))
        eventually(lambda known=known: sum(run.length for run in pairs(path)) > known + 200)  # type: ignore[misc]  # its type is bool
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
    here, there = read_all(plain.source, topic)[0], read_all(plain.target, topic)[0]
    arrived = {one.value for one in there}
    lost = [one.offset for one in here if one.value not in arrived]
    end = here[-1].offset + 1
    # Around what the kills left open, where it is hardest, and at the end.
    (unknown,) = {tuple(read_map(path).partitions[topic, 0].unknown)}
    edges = {*lost[:1], *lost[-1:], *(edge for one in unknown for edge in one)}
    asked = {0, end, *edges, *(one + 1 for one in edges)}
    places = sorted(place for place in asked if place <= end)
    for offset in places:
        commit(plain.source, f"{topic}-{offset}", topic, 0, offset)
    done = groups(plain, "sync", topic, maps=(path,))
    for offset in places:
        told = row(done, f"{topic}-{offset}")
        skipped = [one for one in lost if one >= offset]
        if skipped:
            assert told["step"] == "refused", told
            assert f"{len(skipped):,} record" in told["reason"]
        else:
            assert told["step"] == "set", told
            assert told["exact"]
            assert read_on(plain.target, f"{topic}-{offset}", topic, 0) == contents(here, offset)
    assert done.code == (5 if lost else 0), done.said


def pairs(path: Path) -> list[Pairs]:
    if not path.exists() or not path.stat().st_size:
        return []
    return [run for one in read_map(path).partitions.values() for run in one.pairs]
