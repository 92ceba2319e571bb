"""Topics made on the target as counterparts of the source's, judged by official tools."""

import re
from dataclasses import replace
from typing import Any

import pytest
from inspecting import admin_of
from judge import PATIENCE_S
from machine import eventually
from topic_making import (
    DAY_MS,
    FOREVER,
    ago,
    fill,
    make,
    official,
    own_configs,
    paired,
    unique,
    watermarks,
)

from kferry.admin.topic_changes import NewTopic, alter_topic_configs, create_partitions
from kferry.admin.topic_changes import create_topics as create
from kferry.config import load_properties
from kferry.names import TopicName
from kferry.sandbox import Cluster as SandboxCluster
from kferry.sandbox import Sandbox
from kferry.sandbox.faults import Relay
from kferry.topics import (
    NotCreated,
    TargetTopic,
    TopicExists,
    counterparts,
    create_missing,
    restore,
)
from kferry.wire import BrokerError, open_cluster

TOPICS = "org.apache.kafka.tools.TopicCommand"
CONFIGS = "kafka.admin.ConfigCommand"


async def wanted(
    sandbox: Sandbox, *topics: TopicName, replication: int | None = None
) -> list[TargetTopic]:
    """Ask both clusters what the topics must be on the target."""
    async with (
        open_cluster(load_properties(sandbox.source.properties)) as source,
        open_cluster(load_properties(sandbox.target.properties)) as target,
    ):
        pairs = await paired(source, *topics)
        return await counterparts(source, target, pairs, replication=replication)


async def create_on(cluster: SandboxCluster, *topics: TargetTopic) -> dict[TopicName, object]:
    async with open_cluster(load_properties(cluster.properties)) as target:
        return {**await create_missing(target, topics)}


async def complete(cluster: SandboxCluster, *topics: TargetTopic) -> dict[TopicName, object]:
    async with open_cluster(load_properties(cluster.properties)) as target:
        return {**await restore(target, {one.target: one.finished for one in topics})}


async def test_a_topic_is_made_like_the_source_and_is_equal_when_complete(plain: Sandbox) -> None:
    configs = {
        "cleanup.policy": "compact,delete",
        "flush.messages": "10",
        "message.timestamp.type": "LogAppendTime",
        "retention.ms": "1000000",
        "segment.ms": "60000",
        "unclean.leader.election.enable": "true",
    }
    name = make(plain.source, unique("like"), partitions=5, configs=configs)
    (topic,) = await wanted(plain, name)
    assert topic.notes == ()
    assert await create_on(plain.target, topic) == {name: None}
    described = official(plain.target, TOPICS, "--describe", "--topic", name)
    assert "PartitionCount: 5\tReplicationFactor: 1" in described
    assert len(re.findall(r"Leader: \d+", described)) == 5
    assert own_configs(plain.target, name) == {
        **configs,
        "cleanup.policy": "delete",
        "max.message.bytes": "1114124",
        "message.timestamp.after.max.ms": FOREVER,
        "message.timestamp.type": "CreateTime",
        "retention.bytes": "-1",
        "retention.ms": "-1",
        "segment.ms": "604800000",
    }
    for _ in range(2):
        assert await complete(plain.target, topic) == {name: None}
        assert own_configs(plain.target, name) == configs
    shown = official(
        plain.target, CONFIGS, "--describe", "--entity-type", "topics", "--entity-name", name
    )
    assert set(re.findall(r"^  (\S+?)=", shown, re.MULTILINE)) == configs.keys()


async def test_records_a_month_old_stay_until_the_copy_is_complete(plain: Sandbox) -> None:
    """The target's default retention is a week, and it is at work all the while."""
    name = make(plain.source, unique("month"))
    (topic,) = await wanted(plain, name)
    await create_on(plain.target, topic)
    beside = make(plain.target, unique("beside"))
    fill(plain.target, name, [ago(30 * DAY_MS)] * 10)
    fill(plain.target, beside, [ago(30 * DAY_MS)] * 10)
    eventually(lambda: watermarks(plain.target, beside) == (10, 10))
    assert watermarks(plain.target, name) == (0, 10)
    await complete(plain.target, topic)
    eventually(lambda: watermarks(plain.target, name) == (10, 10))


async def test_no_record_is_refused_for_its_time_or_its_size(plain: Sandbox) -> None:
    limits = {
        "max.message.bytes": "3000000",
        "message.timestamp.after.max.ms": FOREVER,
        "message.timestamp.before.max.ms": "1000",
    }
    name = make(plain.source, unique("any"), configs=limits)
    (topic,) = await wanted(plain, name)
    await create_on(plain.target, topic)
    fill(plain.target, name, [0, ago(400 * DAY_MS), ago(-400 * DAY_MS)])
    fill(plain.target, name, [ago(0)], size=2_500_000)
    assert watermarks(plain.target, name) == (0, 4)


async def test_who_came_first_and_who_is_refused_is_said_and_the_others_are_made(
    plain: Sandbox,
) -> None:
    names = [make(plain.source, unique(name)) for name in ("taken", "small", "good")]
    taken, small, good = await wanted(plain, *names)
    make(plain.target, taken.target)
    small = replace(small, configs={**small.configs, "segment.bytes": "100"})
    outcomes = await create_on(plain.target, taken, small, good)
    assert isinstance(outcomes[taken.target], TopicExists)
    refused = outcomes[small.target]
    assert isinstance(refused, NotCreated)
    assert "segment.bytes" in refused.detail
    assert outcomes[good.target] is None
    assert own_configs(plain.target, taken.target) == {}


async def test_a_target_too_small_for_the_replicas_gets_fewer_with_a_note(three: Sandbox) -> None:
    configs = {"min.insync.replicas": "2"}
    name = make(three.source, unique("replicas"), partitions=3, replicas=3, configs=configs)
    (topic,) = await wanted(three, name)
    assert topic.notes == (
        "replication 3 becomes 1: the target has 1 live broker",
        "min.insync.replicas=2 becomes 1: there are no more replicas",
    )
    assert await create_on(three.target, topic) == {name: None}
    fill(three.target, name, [ago(0)])
    # The other way round the brokers are there: all partitions have leaders on all three.
    back = unique("back")
    async with open_cluster(load_properties(three.source.properties)) as cluster:
        wide = replace(topic, target=back, partitions=30, replication=3, configs={})
        assert await create_missing(cluster, [wide]) == {back: None}
        partitions = (await cluster.refresh([back])).topics[back].partitions
    assert {one.leader for one in partitions} == {1, 2, 3}
    assert {len(one.replicas) for one in partitions} == {3}


async def test_what_4_x_no_longer_knows_or_allows_is_left_out_or_fitted(sasl: Sandbox) -> None:
    """From 3.9.2 to 4.3.1."""
    configs = {
        "message.format.version": "2.8",
        "message.timestamp.difference.max.ms": "5000000000",
        "message.downconversion.enable": "false",
        "segment.bytes": "100000",
        "leader.replication.throttled.replicas": "0:1",
        "index.interval.bytes": "8192",
    }
    name = make(sasl.source, unique("retired"), configs=configs)
    (topic,) = await wanted(sasl, name)
    assert [note.partition("=")[0] for note in topic.notes] == [
        "message.downconversion.enable",
        "message.format.version",
        "message.timestamp.difference.max.ms",
        "segment.bytes",
    ]
    assert await create_on(sasl.target, topic) == {name: None}
    assert await complete(sasl.target, topic) == {name: None}
    assert own_configs(sasl.target, name) == {
        "index.interval.bytes": "8192",
        "message.timestamp.after.max.ms": "5000000000",
        "message.timestamp.before.max.ms": "5000000000",
        "segment.bytes": "1048576",
    }


async def test_from_the_oldest_source_partitions_are_known_and_the_rest_is_said(
    old: Sandbox,
) -> None:
    """0.10.2 tells no configs, and 1.1 neither what it knows nor how to alter only some."""
    name = make(old.source, unique("aged"), partitions=4, configs={"cleanup.policy": "compact"})
    (topic,) = await wanted(old, name)
    assert topic.notes == ("the source does not tell its configs: it gets the target's defaults",)
    assert await create_on(old.target, topic) == {name: None}
    assert await create_on(old.target, topic) != {name: None}
    async with open_cluster(load_properties(old.target.properties)) as target:
        created = (await target.refresh([name])).topics[name]
        changes = {name: {"flush.messages": "7"}}
        assert await alter_topic_configs(target, changes) == {name: None}
    assert len(created.partitions) == 4
    assert own_configs(old.target, name)["retention.ms"] == "-1"
    assert await complete(old.target, topic) == {name: None}
    # What was set beside it while we copied is still there.
    assert own_configs(old.target, name) == {"flush.messages": "7"}


async def test_changes_are_judged_topic_by_topic(plain: Sandbox) -> None:
    name, nobodys = unique("changed"), unique("nobodys")
    async with open_cluster(load_properties(plain.target.properties)) as target:
        new = NewTopic(name=name, partitions=2, replication=-1)
        assert await create(target, [new], validate_only=True) == {name: None}
        assert name not in (await target.refresh(None)).topics
        assert await create_missing(target, []) == {}
        assert await create(target, [new]) == {name: None}
        grown = await create_partitions(target, {name: 5, nobodys: 2})
        altered = await alter_topic_configs(
            target, {name: {"retention.ms": "5"}, nobodys: {"retention.ms": "5"}}
        )
        shrunk = await create_partitions(target, {name: 3})
    assert grown[name] is altered[name] is None
    eventually(lambda: own_configs(plain.target, name) == {"retention.ms": "5"})
    codes = [
        one.error_code
        for one in (grown[nobodys], altered[nobodys], shrunk[name])
        if isinstance(one, BrokerError)
    ]
    assert codes == [3, 3, 37]
    grown_to = "PartitionCount: 5"
    eventually(lambda: grown_to in official(plain.target, TOPICS, "--describe", "--topic", name))


async def test_after_a_lost_answer_only_what_we_asked_for_counts_as_ours(plain: Sandbox) -> None:
    names = [make(plain.source, unique(name), partitions=2) for name in ("ours", "theirs")]
    ours, theirs = await wanted(plain, *names)
    make(plain.target, theirs.target, partitions=2)
    direct = load_properties(plain.target.properties)
    (broker,) = direct.bootstrap
    async with Relay.to(broker) as relay:
        settings = replace(direct, address_map={broker: relay.address})
        async with open_cluster(settings) as target:
            await target.refresh()
            struck = relay.reset_after(10)  # in the middle of the answer
            outcomes = await create_missing(target, [ours, theirs])
    assert struck.is_set()
    assert outcomes[ours.target] is None
    assert isinstance(outcomes[theirs.target], TopicExists)
    assert own_configs(plain.target, ours.target) == dict(ours.configs)


async def test_hundreds_of_topics_are_made_in_a_few_calls(plain: Sandbox) -> None:
    names = [unique(f"many-{number}") for number in range(510)]
    (topic,) = await wanted(plain, make(plain.source, unique("many")))
    many = [replace(topic, target=name) for name in names]
    assert set((await create_on(plain.target, *many)).values()) == {None}
    listed = official(plain.target, TOPICS, "--list").split()
    assert set(names) <= set(listed)
    admin = admin_of(plain.target)  # others look at these brokers, too
    for deleted in admin.delete_topics([*map(str, names)]).values():
        deleted.result(PATIENCE_S)


async def test_topics_held_back_by_a_quota_are_made_when_it_allows(
    plain: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """KIP-599: what is over the quota is refused with a time to wait, and asked for again."""
    (topic,) = await wanted(plain, make(plain.source, unique("slow")))
    many = [replace(topic, target=unique(f"slow-{number}"), partitions=5) for number in range(10)]
    quota = ("--entity-type", "clients", "--entity-name", "kferry")
    rate = "controller_mutation_rate"
    official(plain.target, CONFIGS, "--alter", *quota, "--add-config", f"{rate}=3")
    asked: list[int] = []
    try:
        async with open_cluster(load_properties(plain.target.properties)) as target:
            at_controller = target.at_controller

            async def counted(request: Any, *rest: Any, **named: Any) -> Any:
                asked.append(len(request.topics))
                return await at_controller(request, *rest, **named)

            monkeypatch.setattr(target, "at_controller", counted)
            assert set((await create_missing(target, many)).values()) == {None}
    finally:
        official(plain.target, CONFIGS, "--alter", *quota, "--delete-config", rate)
    assert asked[0] == 10
    assert 0 < asked[1] < 10
