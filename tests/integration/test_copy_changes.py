"""What changes under a running copy is taken in, or said with numbers; never passed over."""

import json
import struct
from typing import Any
from uuid import UUID

import pytest
from confluent_kafka import Producer, TopicCollection
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # its stubs export too little
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewPartitions,
)
from copying import Ended, copy, ended, kferry
from following import running
from inspecting import admin_of
from judge import PATIENCE_S, client_config
from judging import assert_same, judge, number_in, read_all
from numbering import Numbers
from topic_making import make, unique

from kferry.config import load_properties
from kferry.migration.drift import Drift
from kferry.names import TopicName
from kferry.sandbox import Cluster, Sandbox
from kferry.sandbox.faults import topics
from kferry.wire import open_cluster

Stopped = dict[str, Any]


def control(sandbox: Sandbox, migration: str, *words: str) -> None:
    properties = str(sandbox.target.kferry_properties)
    done = ended(
        kferry("control", *words, "--target-config", properties, "-m", migration, "--json")
    )
    assert done.code == 0, done.said


def only_stopped(found: Ended) -> Stopped:
    (one,) = found.result["stopped"]
    stopped: Stopped = one
    return stopped


def topic_id(cluster: Cluster, topic: str) -> str:
    admin = admin_of(cluster)
    found = admin.describe_topics(TopicCollection([topic]))[topic].result(PATIENCE_S).topic_id
    halves = (found.get_most_significant_bits(), found.get_least_significant_bits())
    return str(UUID(bytes=struct.pack(">qq", *halves)))


def alter(cluster: Cluster, topic: str, **configs: str) -> None:
    entries = [
        ConfigEntry(name.replace("_", "."), value, incremental_operation=AlterConfigOpType.SET)
        for name, value in configs.items()
    ]
    resource = ConfigResource(ConfigResource.Type.TOPIC, topic, incremental_configs=entries)
    admin = admin_of(cluster)
    admin.incremental_alter_configs([resource])[resource].result(PATIENCE_S)


async def test_a_setting_that_changes_on_the_source_is_told(plain: Sandbox) -> None:
    name = TopicName(make(plain.source, unique("drifting"), configs={"segment.ms": "600000"}))
    drift = Drift()
    async with open_cluster(load_properties(plain.source.kferry_properties)) as source:
        assert await drift.look(source, {name}) == []
        alter(plain.source, name, retention_ms="86400000", segment_ms="700000")
        told = await drift.look(source, {name})
        assert [line.split(";")[0] for line in told] == [
            f"{name}: retention.ms changed on the source, not set → 86400000",
            f"{name}: segment.ms changed on the source, 600000 → 700000",
        ]
        assert await drift.look(source, {name}) == []


def test_new_partitions_and_topics_are_taken_in_from_their_beginning(plain: Sandbox) -> None:
    grown = make(plain.source, unique("grown"), partitions=2)
    numbers = Numbers(plain.source, grown, partitions=2)
    numbers.write(100)
    later = unique("grown-later")
    name = unique("growth")
    with running(plain, "--topic", grown, "--topic", f"{later}*", migration=name) as run:
        run.until_copied(100)
        admin = admin_of(plain.source)
        admin.create_partitions([NewPartitions(grown, 3)])[grown].result(PATIENCE_S)
        make(plain.source, later, partitions=2)
        newcomers = Numbers(plain.source, later, partitions=2)
        newcomers.write(50)
        run.until_copied(150)
        more = Numbers(plain.source, grown, partitions=3)
        more.write(30)
        run.until_copied(180)
        done = run.stop()
    assert done.code == 0, done.said
    assert f"{later} is new on the source" in done.said
    for topic in (grown, later):
        assert_same(plain.source, plain.target, topic)
    again = copy(plain, "--topic", grown, "--topic", later, migration=name)
    assert (again.code, again.result["records"], again.result["total_records"]) == (0, 0, 180)


async def test_a_topic_made_anew_stops_alone_and_both_ids_are_told(plain: Sandbox) -> None:
    anew, other = (make(plain.source, unique(name), partitions=2) for name in ("anew", "other"))
    first, second = (Numbers(plain.source, topic, partitions=2) for topic in (anew, other))
    first.write(100)
    second.write(100)
    with running(plain, "--topic", anew, "--topic", other, migration=anew) as run:
        run.until_copied(200)
        before = topic_id(plain.source, anew)
        await topics.recreate(plain.source, anew)
        after = topic_id(plain.source, anew)
        Numbers(plain.source, anew, partitions=2).write(300)
        run.until_shown(lambda shown: len(shown["stopped"]) == 2)
        second.write(100)
        run.until_copied(300)
        done = run.stop()
    assert done.code == 1, done.said
    for one in done.result["stopped"]:
        assert (one["topic"], one["code"], one["offset"]) == (anew, "topic-recreated", 50)
        assert before in one["reason"]
        assert after in one["reason"]
    assert_same(plain.source, plain.target, other)
    assert judge(read_all(plain.target, anew), first.acknowledged).exact
    refused = copy(plain, "--topic", anew, migration=anew)
    assert refused.code == 5
    assert before in refused.said
    assert after in refused.said


@pytest.mark.parametrize("on_gap", ["stop", "record"])
def test_what_was_trimmed_before_it_was_copied_is_told(plain: Sandbox, on_gap: str) -> None:
    topic = make(plain.source, unique("trimmed"), partitions=2)
    numbers = Numbers(plain.source, topic, partitions=2)
    numbers.write(200)
    with running(plain, "--topic", topic, "--on-gap", on_gap, migration=topic) as run:
        run.until_copied(200)
        control(plain, topic, "pause")
        run.until_shown(lambda shown: shown["state"] == "paused")
        numbers.write(200)
        topics.trim(plain.source, topic, 0, before=170)
        control(plain, topic, "resume")
        run.until_copied(300)
        key = "stopped" if on_gap == "stop" else "gaps"
        run.until(lambda: run.shown[-1][key])
        done = run.stop()
    assert len(read_all(plain.target, topic)[1]) == 200
    if on_gap == "stop":
        stopped = only_stopped(done)
        assert (done.code, done.result["gaps"]) == (1, [])
        assert (stopped["topic"], stopped["partition"]) == (topic, 0)
        assert stopped["offset"] == len(read_all(plain.target, topic)[0])
        assert f"{stopped['offset']} to 169" in stopped["reason"]
        # The operator has seen it: the same copy with the other policy goes on.
        done = copy(plain, "--topic", topic, "--on-gap", "record", migration=topic)
    (gap,) = done.result["gaps"]
    assert (done.code, done.result["stopped"]) == (0, []), done.said
    assert (gap["topic"], gap["partition"], gap["last"]) == (topic, 0, 169)
    # A fetch that was under way when the pause began may have brought some.
    assert 100 <= gap["first"] <= 169
    gone = {2 * offset for offset in range(gap["first"], 170)}
    verdict = judge(read_all(plain.target, topic), numbers.acknowledged - gone)
    assert verdict.exact, verdict


def test_a_record_too_large_for_the_target_stops_its_partition_alone(plain: Sandbox) -> None:
    topic = make(plain.source, unique("large"), partitions=2)
    make(plain.target, topic, partitions=2, configs={"max.message.bytes": "5000"})
    small = Numbers(plain.source, topic, partitions=2)
    small.write(100)
    large = Numbers(plain.source, topic, partitions=2, size=20_000)
    large.write(1, partition=1)
    small.write(100)
    done = copy(plain, "--topic", topic, migration=topic)
    stopped = only_stopped(done)
    assert done.code == 1
    assert (stopped["topic"], stopped["partition"], stopped["offset"]) == (topic, 1, 50)
    assert "20," in stopped["reason"]
    target = read_all(plain.target, topic)
    assert len(target[0]) == 100
    assert [number_in(one) for one in target[1]] == list(range(1, 2 * len(target[1]), 2))
    # Mended as the message says, the same command goes on there.
    alter(plain.target, topic, max_message_bytes="1048588")
    again = copy(plain, "--topic", topic, migration=topic)
    assert again.code == 0, again.said
    assert_same(plain.source, plain.target, topic)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"max_message_bytes": "2000"}, "MESSAGE_SIZE_TOO_LARGE"),
        ({"cleanup_policy": "compact"}, "INVALID_RECORD"),
    ],
)
def test_what_the_target_no_longer_takes_stops_its_partition_alone(
    plain: Sandbox, change: dict[str, str], said: str
) -> None:
    topic = make(plain.source, unique("refused"), partitions=2)
    with running(plain, "--topic", topic, migration=topic) as run:
        producer = Producer(client_config(plain.source.properties))
        for partition in (0, 1):
            producer.produce(topic, b"first", b"key", partition=partition)
        assert producer.flush(PATIENCE_S) == 0
        run.until_copied(2)
        alter(plain.target, topic, **change)
        producer.produce(topic, b"x" * 5_000, None, partition=1)
        producer.produce(topic, b"second", b"key", partition=0)
        assert producer.flush(PATIENCE_S) == 0
        run.until(lambda: run.shown[-1]["stopped"])
        producer.produce(topic, b"third", b"key", partition=0)
        assert producer.flush(PATIENCE_S) == 0
        run.until_copied(4)
        done = run.stop()
    stopped = only_stopped(done)
    assert done.code == 1, done.said
    assert (stopped["topic"], stopped["partition"], stopped["offset"]) == (topic, 1, 1)
    assert said in stopped["reason"]
    alter(plain.target, topic, max_message_bytes="1048588", cleanup_policy="delete")
    again = copy(plain, "--topic", topic, migration=topic)
    assert again.code == 0, again.said
    assert_same(plain.source, plain.target, topic)


def test_empty_partitions_and_a_copy_of_nothing(plain: Sandbox) -> None:
    empty, partly = make(plain.source, unique("empty"), partitions=3), unique("partly")
    make(plain.source, partly, partitions=3)
    nothing = copy(plain, "--topic", empty, migration=empty)
    assert (nothing.code, nothing.result["records"]) == (0, 0), nothing.said
    Numbers(plain.source, partly, partitions=3).write(20, partition=1)
    done = copy(plain, "--topic", empty, "--topic", partly, migration=empty)
    assert (done.code, done.result["records"]) == (0, 20), done.said
    for topic in (empty, partly):
        assert_same(plain.source, plain.target, topic)
    again = copy(plain, "--topic", empty, "--topic", partly, migration=empty)
    assert (again.code, again.result["records"], again.result["total_records"]) == (0, 0, 20)
    no_match = copy(plain, "--topic", f"/{empty}-nobody/", migration=unique("nobody"))
    assert no_match.code == 2


def test_it_follows_a_producer_until_it_is_told_to_stop(plain: Sandbox) -> None:
    topic = make(plain.source, unique("followed"), partitions=3)
    numbers = Numbers(plain.source, topic, partitions=3)
    with running(plain, "--topic", topic, migration=topic) as run:
        with numbers.flowing():
            run.until_copied(300)
            done = run.stop()
        assert done.code == 0, done.said
    with running(plain, "--topic", topic, migration=topic) as run:
        with numbers.flowing():
            run.until_copied(100)
        run.until_shown(lambda shown: shown["lag"] == 0)
        done = run.stop()
    assert done.code == 0, done.said
    assert_same(plain.source, plain.target, topic)
    assert done.result["total_records"] == numbers.written
    assert judge(read_all(plain.target, topic), numbers.acknowledged).exact


def test_cut_short_before_it_caught_up_it_says_so_and_goes_on_later(plain: Sandbox) -> None:
    topic = make(plain.source, unique("short"), partitions=2)
    Numbers(plain.source, topic, partitions=2, size=1_000).write(3_000)
    short = ("--topic", topic, "--until-caught-up")
    with running(plain, *short, "--rate", "200KiB/s", migration=topic) as run:
        run.until_copied(300)
        done = run.stop()
    assert (done.code, done.result["interrupted"]) == (7, True), done.said
    assert "next: kferry copy" in done.said
    again = copy(plain, "--topic", topic, migration=topic)
    assert again.code == 0, again.said
    assert again.result["total_records"] == 3_000
    assert_same(plain.source, plain.target, topic)


def test_a_running_copy_hears_what_it_is_asked_for(plain: Sandbox) -> None:
    topic = make(plain.source, unique("asked"), partitions=2)
    numbers = Numbers(plain.source, topic, partitions=2, size=1_000)
    numbers.write(4_000)
    with running(plain, "--topic", topic, "--rate", "100KiB/s", migration=topic) as run:
        run.until_copied(100)
        assert run.shown[-1]["rate_limit"] == 100 * 1024
        assert run.shown[-1]["limited_by"] == "rate"
        control(plain, topic, "pause")
        run.until_shown(lambda shown: shown["state"] == "paused")
        assert run.copied < 4_000
        control(plain, topic, "rate", "off")
        control(plain, topic, "resume")
        run.until_copied(4_000)
        assert run.shown[-1]["rate_limit"] is None
        control(plain, topic, "rate", "1MiB/s")
        run.until_shown(lambda shown: shown["rate_limit"] == 1 << 20)
        control(plain, topic, "stop")
        done = run.ended()
    assert done.code == 0, done.said
    assert_same(plain.source, plain.target, topic)
    nobody = ended(
        kferry(
            "control",
            "pause",
            "--target-config",
            str(plain.target.kferry_properties),
            "-m",
            topic,
        )
    )
    assert nobody.code != 0
    assert "nobody copies" in nobody.said
    shown = ended(
        kferry(
            "status",
            "--json",
            "--target-config",
            str(plain.target.kferry_properties),
            "-m",
            topic,
        )
    )
    assert (shown.code, shown.result["state"]) == (0, "stopped"), json.dumps(shown.result)
