"""After `groups sync` a real consumer reads on where it stood: nothing again, nothing skipped."""

import os
import uuid
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import OFFSET_INVALID, Consumer, IsolationLevel, KafkaError, TopicPartition
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # its stubs export too little
    AdminClient,
    OffsetSpec,
)
from copying import Ended, copy, ended, kferry, sides
from following import running
from judge import PATIENCE_S, client_config, create_topic, send
from machine import eventually
from mixing import KINDS, Mix
from test_inspect_groups import commit, member

from kferry.names import SourceOffset
from kferry.names import TopicPartition as Place
from kferry.offsets import Translated, load_maps
from kferry.sandbox import Cluster, Sandbox

SEED = 20_240_301
PERCENTS = (1, 10, 50, 90, 99, 100)
Content = tuple[bytes | None, bytes | None]
Row = dict[str, Any]


def groups(sandbox: Sandbox, verb: str, *arguments: str, migration: str) -> Ended:
    return ended(kferry("groups", verb, *sides(sandbox), "-m", migration, "--json", *arguments))


def sync(sandbox: Sandbox, *arguments: str, migration: str, code: int = 0) -> list[Row]:
    done = groups(sandbox, "sync", "--yes", *arguments, migration=migration)
    assert done.code == code, f"{done.code}\n{done.said}\n{done.result}"
    rows: list[Row] = done.result["rows"]
    return rows


def unique(name: str) -> str:
    return f"sync-{name}-{uuid.uuid4().hex[:8]}"


def logs(cluster: Cluster, topics: list[str]) -> dict[tuple[str, int], tuple[int, int]]:
    """Where each partition starts, and its last stable offset."""
    admin = AdminClient(dict(client_config(cluster.properties)))  # kept: its futures die with it
    places = [
        TopicPartition(topic, number)
        for topic in topics
        for number in admin.list_topics(topic, timeout=PATIENCE_S).topics[topic].partitions
    ]

    def listed(spec: OffsetSpec) -> list[int]:
        found = admin.list_offsets(
            dict.fromkeys(places, spec), isolation_level=IsolationLevel.READ_COMMITTED
        )
        return [found[place].result(PATIENCE_S).offset for place in places]

    starts = listed(OffsetSpec.earliest())  # type: ignore[no-untyped-call]  # its stubs say little
    ends = listed(OffsetSpec.latest())  # type: ignore[no-untyped-call]
    return {
        (place.topic, place.partition): pair
        for place, pair in zip(places, zip(starts, ends, strict=True), strict=True)
    }


def committed(cluster: Cluster, group: str, topic: str, partition: int = 0) -> tuple[int, str]:
    """What a group has committed, as an independent client reads it."""
    config = {**client_config(cluster.properties), "group.id": group}
    with closing(Consumer(config)) as consumer:
        (found,) = consumer.committed([TopicPartition(topic, partition)], timeout=PATIENCE_S)
        assert found.leader_epoch in {None, -1}, "a foreign epoch keeps a consumer from reading"
        return found.offset, found.metadata or ""


def read_on(cluster: Cluster, group: str, topic: str, partition: int) -> list[Content]:
    """Read as the group would from its committed position to the end; no position is an error."""
    config = {
        **client_config(cluster.properties),
        "group.id": group,
        "enable.auto.commit": False,
        "enable.partition.eof": True,
        "auto.offset.reset": "error",
    }
    found: list[Content] = []
    with closing(Consumer(config)) as consumer:
        consumer.assign([TopicPartition(topic, partition)])
        while True:
            message = consumer.poll(PATIENCE_S)
            assert message is not None, f"{group} reads nothing of {topic}-{partition}"
            error = message.error()
            if error is None:
                found.append((message.key(), message.value()))
            elif error.code() == KafkaError._PARTITION_EOF:
                return found
            else:
                raise AssertionError(f"{group}, {topic}-{partition}: {error}")


def test_every_group_reads_on_at_the_record_it_would_have_read_next(plain: Sandbox) -> None:
    prefix = unique("exact")
    kinds = {name: KINDS[name] for name in ("plain", "compacted", "transactions")}
    mix = Mix(cluster=plain.source, prefix=prefix, seed=SEED, kinds=kinds)
    mix.create()
    mix.write(1_000)
    mix.clean()
    places = logs(plain.source, mix.topics)
    ids = {percent: f"{prefix}-at-{percent}" for percent in PERCENTS}
    for percent, group in ids.items():
        positions = [
            TopicPartition(
                topic,
                partition,
                start + (end - start) * percent // 100,
                metadata=f"{percent} of {partition}",
            )
            for (topic, partition), (start, end) in places.items()
        ]
        commit(plain.source, group, positions)
    expected = {
        (group, *place): read_on(plain.source, group, *place)
        for group in ids.values()
        for place in places
    }
    assert copy(plain, "--topic", f"{prefix}-*", migration=prefix).code == 0

    before = groups(plain, "show", "--group", f"{prefix}-*", migration=prefix)
    assert before.code == 0, before.said
    assert {row["step"] for row in before.result["rows"]} == {"set"}
    rows = sync(plain, "--group", f"{prefix}-*", migration=prefix)
    assert len(rows) == len(PERCENTS) * len(places)
    assert {row["step"] for row in rows} == {"set"}
    assert all(row["exact"] and row["again"] == row["skipped"] == 0 for row in rows), rows
    told = {(row["group"], row["topic"], row["partition"]): row for row in rows}
    for percent, group in ids.items():
        for topic, partition in places:
            row = told[group, topic, partition]
            assert committed(plain.target, group, topic, partition) == (
                row["target_offset"],
                f"{percent} of {partition}",
            )
            found = read_on(plain.target, group, topic, partition)
            assert found == expected[group, topic, partition], row
            if percent == 100:
                assert row["lag"] == 0
    # Some stand at markers and in holes, and have other numbers on the target.
    assert any("the next record that is left" in row["reason"] for row in rows), rows
    assert all(expected[ids[50], *place] for place in places)
    assert any(row["source_offset"] != row["target_offset"] for row in rows)

    again = sync(plain, "--group", f"{prefix}-*", migration=prefix)
    assert {row["step"] for row in again} == {"same"}
    one = told[ids[50], mix.topic("transactions"), 0]
    _translates(plain, prefix, one)
    _translates_files(plain, prefix, rows)


def _translates(sandbox: Sandbox, migration: str, row: Row) -> None:
    target = ("--target-config", str(sandbox.target.kferry_properties), "-m", migration, "--json")
    place = f"{row['topic']}:{row['partition']}"
    there = ended(kferry("offsets", "translate", f"{place}:{row['source_offset']}", *target))
    assert there.code == 0, there.said
    keys = ("topic", "partition", "source_offset", "target_offset", "exact")
    assert {key: there.result[key] for key in keys} == {key: row[key] for key in keys}
    back = ended(
        kferry("offsets", "translate", "--to-source", f"{place}:{row['target_offset']}", *target)
    )
    assert back.result["source_offset"] >= row["source_offset"]
    beyond = ended(kferry("offsets", "translate", f"{place}:99999999", *target))
    assert beyond.code == 7
    assert beyond.result["target_offset"] is None


def _translates_files(sandbox: Sandbox, migration: str, rows: list[Row]) -> None:
    """A CSV of positions, and the whole map in both forms, say what `groups sync` has set."""
    target = ("--target-config", str(sandbox.target.kferry_properties), "-m", migration)

    def said(*arguments: str) -> str:
        process = kferry("offsets", "translate", *arguments, *target)
        out, err = process.communicate(timeout=PATIENCE_S)
        assert process.returncode == 0, err
        return out

    def line(row: Row, key: str) -> str:
        return f"{row['group']},{row['topic']},{row['partition']},{row[key]}"

    file = Path(os.environ["KFERRY_HOME"]) / f"{migration}.csv"
    file.write_text("\n".join(line(row, "source_offset") for row in rows))
    there = said("--from-file", str(file), "--csv").splitlines()
    assert there == [line(row, "target_offset") for row in rows]
    for form in ("--json", "--quiet"):
        maps = load_maps(said("--export", form).splitlines())
        for row in rows:
            known = maps[Place(row["topic"], row["partition"])]
            found = known.offsets.to_target(SourceOffset(row["source_offset"]))
            assert isinstance(found, Translated)
            assert (found.offset, found.exact) == (row["target_offset"], row["exact"])


@pytest.fixture
def few(plain: Sandbox) -> tuple[str, str]:
    """A topic of ten records that was copied, and a group at 4 on the source."""
    topic, config = unique("few"), client_config(plain.source.properties)
    create_topic(config, topic)
    for number in range(10):
        send(config, topic, str(number))
    commit(plain.source, f"{topic}-group", [TopicPartition(topic, 0, 4, leader_epoch=0)])
    assert copy(plain, "--topic", topic, migration=topic).code == 0
    return topic, f"{topic}-group"


def test_an_active_group_on_the_target_is_not_touched(plain: Sandbox, few: tuple[str, str]) -> None:
    topic, group = few
    with member(plain.target, topic, **{"group.id": group, "client.id": "wine"}):
        (row,) = sync(plain, "--group", group, "--force", migration=topic, code=5)
        assert row["step"] == "active"
        assert "wine at 127.0.0.1" in row["reason"]
        assert committed(plain.target, group, topic)[0] == OFFSET_INVALID
    (row,) = sync(plain, "--group", group, migration=topic)
    assert row["step"] == "set"
    assert committed(plain.target, group, topic) == (4, "")


def test_a_group_that_is_further_on_the_target_goes_back_only_by_force(
    plain: Sandbox, few: tuple[str, str]
) -> None:
    topic, group = few
    commit(plain.target, group, [TopicPartition(topic, 0, 7)])
    (row,) = sync(plain, "--group", group, migration=topic)
    assert (row["step"], row["committed"], row["target_offset"]) == ("ahead", 7, 4)
    assert committed(plain.target, group, topic) == (7, "")
    (row,) = sync(plain, "--group", group, "--force", migration=topic)
    assert row["step"] == "set"
    assert committed(plain.target, group, topic) == (4, "")


def test_undo_puts_back_what_was_there_before_the_first_sync(
    plain: Sandbox, few: tuple[str, str]
) -> None:
    topic, group = few
    commit(plain.target, group, [TopicPartition(topic, 0, 2, metadata="ours")])
    new = f"{group}-new"
    commit(plain.source, new, [TopicPartition(topic, 0, 9)])
    both = ("--group", f"{group}*")
    sync(plain, *both, migration=topic)
    commit(plain.source, group, [TopicPartition(topic, 0, 6)])
    sync(plain, *both, migration=topic)
    assert committed(plain.target, group, topic) == (6, "")
    assert committed(plain.target, new, topic) == (9, "")
    rows = sync(plain, *both, "--undo", migration=topic)
    assert [(row["group"], row["step"], row["target_offset"]) for row in rows] == [
        (group, "set", 2),
        (new, "set", None),
    ]
    assert committed(plain.target, group, topic) == (2, "ours")
    assert committed(plain.target, new, topic)[0] == OFFSET_INVALID
    assert sync(plain, *both, "--undo", migration=topic) == []
    # A group that has moved on by itself keeps its place.
    sync(plain, *both, migration=topic)
    commit(plain.target, group, [TopicPartition(topic, 0, 8)])
    (stayed, _) = sync(plain, *both, "--undo", migration=topic, code=5)
    assert (stayed["step"], stayed["committed"]) == ("ahead", 8)
    assert committed(plain.target, group, topic) == (8, "")


def test_what_is_not_copied_yet_waits_while_a_copy_is_at_work(
    plain: Sandbox, few: tuple[str, str]
) -> None:
    topic, group = few
    config = client_config(plain.source.properties)
    for number in range(10, 15):
        send(config, topic, str(number))
    commit(plain.source, group, [TopicPartition(topic, 0, 13)])
    (row,) = sync(plain, "--group", group, migration=topic, code=7)
    assert (row["step"], row["target_offset"], row["exact"]) == ("waits", None, False)
    assert "copied to 10" in row["reason"]
    assert committed(plain.target, group, topic)[0] == OFFSET_INVALID
    with running(plain, "--topic", topic, migration=topic) as run:
        run.until_shown(lambda shown: shown["state"] == "following")
        arguments = ("--yes", "--group", group)
        eventually(lambda: groups(plain, "sync", *arguments, migration=topic).code == 0)
        assert committed(plain.target, group, topic) == (13, "")
        # The copy did not mind the documents that are not its own.
        send(config, topic, "15")
        commit(plain.source, group, [TopicPartition(topic, 0, 16)])
        eventually(lambda: groups(plain, "sync", *arguments, migration=topic).code == 0)
        assert run.stop().code == 0
    assert committed(plain.target, group, topic) == (16, "")
    assert copy(plain, "--topic", topic, migration=topic).result["records"] == 0


def test_every_odd_position_has_its_answer(plain: Sandbox) -> None:
    name, config = unique("odd"), client_config(plain.source.properties)
    empty, trimmed, elsewhere = f"{name}-empty", f"{name}-trimmed", f"elsewhere-{name}"
    for topic in (empty, trimmed, elsewhere):
        create_topic(config, topic)
    for topic in (trimmed, elsewhere):
        for number in range(10):
            send(config, topic, str(number))
    group = f"{name}-group"
    positions = {empty: 0, trimmed: 2, elsewhere: 5}
    commit(plain.source, group, [TopicPartition(*one) for one in _places(positions)])
    admin = AdminClient(dict(config))
    cut = TopicPartition(trimmed, 0, 6)
    admin.delete_records([cut])[cut].result(PATIENCE_S)
    assert copy(plain, "--topic", f"{name}-*", migration=name).code == 0
    rows = {row["topic"]: row for row in sync(plain, "--group", group, migration=name)}
    assert rows[empty]["target_offset"] == 0
    assert rows[empty]["exact"]
    assert (rows[trimmed]["target_offset"], rows[trimmed]["skipped"]) == (0, 0)
    assert rows[trimmed]["reason"] == "the first record copied: 4 offsets had expired on the source"
    assert rows[elsewhere]["target_offset"] is None
    assert rows[elsewhere]["reason"] == "this topic is not part of the migration"
    assert [value for _, value in read_on(plain.target, group, trimmed, 0)] == [
        b"6",
        b"7",
        b"8",
        b"9",
    ]


def _places(positions: dict[str, int]) -> list[tuple[str, int, int]]:
    return [(topic, 0, offset) for topic, offset in positions.items()]


def test_without_a_terminal_nothing_is_set_unasked(plain: Sandbox, few: tuple[str, str]) -> None:
    topic, group = few
    refused = groups(plain, "sync", "--group", group, migration=topic)
    assert refused.code == 2
    assert "--yes" in refused.said
    assert committed(plain.target, group, topic)[0] == OFFSET_INVALID
