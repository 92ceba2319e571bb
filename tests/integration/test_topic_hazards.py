"""Topics that others made on the target: what would happen to records there, and suspending it."""

from pathlib import Path

import pytest
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # its stubs export too little
    AclBinding,
    AclOperation,
    AclPermissionType,
    ResourcePatternType,
    ResourceType,
)
from inspecting import admin_of
from judge import PATIENCE_S
from machine import eventually
from test_inspect_access import add_user
from topic_making import (
    DAY_MS,
    FOREVER,
    ago,
    fill,
    make,
    own_configs,
    paired,
    unique,
    watermarks,
)

from kferry.config import load_properties
from kferry.names import TopicName
from kferry.sandbox import Sandbox
from kferry.topics import (
    Hazard,
    Suspension,
    TopicTimes,
    UnsafeTarget,
    find_hazards,
    refuse,
    restore,
    suspend,
    suspensions,
)
from kferry.wire import open_cluster

WEEK = str(7 * DAY_MS)


async def hazards(
    sandbox: Sandbox,
    *topics: TopicName,
    target: Path | None = None,
    suspend_retention: bool = False,
    since_ms: int = 0,
    times: dict[TopicName, TopicTimes] | None = None,
) -> dict[TopicName, list[Hazard]]:
    """Look at topics of the same name on both sides."""
    async with (
        open_cluster(load_properties(sandbox.source.properties)) as source,
        open_cluster(load_properties(target or sandbox.target.properties)) as other,
    ):
        found = await find_hazards(
            source,
            other,
            await paired(source, *topics),
            suspend_retention=suspend_retention,
            since_ms=since_ms,
            times=times,
        )
    return {topic: [one for one in found if one.topic == topic] for topic in topics}


def codes(found: list[Hazard]) -> list[tuple[str, bool]]:
    return [(one.code, one.forbids) for one in found]


async def test_a_retention_shorter_than_the_oldest_record_is_refused_with_its_age(
    plain: Sandbox,
) -> None:
    name = unique("old")
    make(plain.source, name, configs={"retention.ms": "-1"})
    fill(plain.source, name, [ago(30 * DAY_MS + 60_000), ago(0)])
    make(plain.target, name)  # a week is the brokers' default: set nowhere, in force all the same
    (hazard,) = (await hazards(plain, name))[name]
    assert (hazard.code, hazard.forbids) == ("retention-eats-records", True)
    assert f"retention.ms={WEEK} (7 d)" in hazard.message
    assert "the oldest is 30 d old (" in hazard.message
    assert f"in {name}-0" in hazard.message
    assert "--suspend-retention" in hazard.hint
    with pytest.raises(UnsafeTarget, match="30 d old") as raised:
        refuse([hazard])
    assert raised.value.exit_code == 5


async def test_what_is_not_copied_is_no_hazard(plain: Sandbox) -> None:
    name = unique("since")
    make(plain.source, name, configs={"retention.ms": "-1"})
    fill(plain.source, name, [ago(30 * DAY_MS), ago(2 * DAY_MS)])
    make(plain.target, name)
    assert codes((await hazards(plain, name))[name]) == [("retention-eats-records", True)]
    assert (await hazards(plain, name, since_ms=ago(3 * DAY_MS)))[name] == []
    nothing = {name: TopicTimes(oldest=None, newest=None)}
    assert (await hazards(plain, name, times=nothing))[name] == []


async def test_an_equal_empty_topic_is_no_hazard(plain: Sandbox) -> None:
    name = unique("equal")
    for cluster in (plain.source, plain.target):
        make(cluster, name, partitions=3)
    assert (await hazards(plain, name))[name] == []
    refuse([])


async def test_suspended_retention_keeps_old_records_until_what_was_before_is_back(
    plain: Sandbox,
) -> None:
    name, control = unique("kept"), unique("eaten")
    before = {"retention.ms": WEEK, "cleanup.policy": "compact,delete"}
    for topic in (name, control):
        make(plain.source, topic, configs={"retention.ms": "-1"})
        fill(plain.source, topic, [ago(30 * DAY_MS)] * 5)
    make(plain.target, name, configs={**before, "flush.messages": "9"})
    make(plain.target, control)
    forbidden = (await hazards(plain, name))[name]
    assert codes(forbidden) == [("retention-eats-records", True), ("compacted", True)]
    assert (await hazards(plain, name, suspend_retention=True))[name] == []
    async with open_cluster(load_properties(plain.target.properties)) as target:
        wanted = await suspensions(target, [name])
        first = wanted[name]
        assert isinstance(first, Suspension)
        assert first.before == before
        assert own_configs(plain.target, name)["retention.ms"] == WEEK  # it only looked
        assert await suspend(target, {name: first}) == {name: None}
        (again,) = (await suspensions(target, [name])).values()
        assert again == Suspension(changes={}, before={})
    assert own_configs(plain.target, name) == {
        "retention.ms": "-1",
        "cleanup.policy": "delete",
        "flush.messages": "9",
    }
    assert (await hazards(plain, name))[name] == []
    for topic in (name, control):
        fill(plain.target, topic, [ago(30 * DAY_MS)] * 5)
    eventually(lambda: watermarks(plain.target, control) == (5, 5))
    assert watermarks(plain.target, name) == (0, 5)
    async with open_cluster(load_properties(plain.target.properties)) as target:
        for _ in range(2):
            assert await restore(target, {name: first.before}) == {name: None}
    assert own_configs(plain.target, name) == {**before, "flush.messages": "9"}
    eventually(lambda: watermarks(plain.target, name) == (5, 5))


async def test_every_danger_is_named_for_its_topic_in_one_look(plain: Sandbox) -> None:
    now = ago(0)
    cases = {
        "partitions": ({}, {}, 3, [now], [("fewer-partitions", True)]),
        "appended": (
            {},
            {"message.timestamp.type": "LogAppendTime"},
            1,
            [now],
            [("timestamps-replaced", True)],
        ),
        "compacted": ({}, {"cleanup.policy": "compact"}, 1, [now], [("compacted", True)]),
        "past": (
            {"retention.ms": "-1"},
            {"message.timestamp.before.max.ms": str(DAY_MS), "retention.ms": "-1"},
            1,
            [ago(3 * DAY_MS), now],
            [("old-records-refused", True)],
        ),
        "future": (
            {"message.timestamp.after.max.ms": FOREVER},
            {},
            1,
            [now, ago(-3 * DAY_MS)],
            [("future-records-refused", True)],
        ),
        "bytes": ({}, {"retention.bytes": "100"}, 1, [now] * 10, [("retention-eats-bytes", True)]),
        "sizes": ({}, {"max.message.bytes": "1000"}, 1, [now], [("message-bytes-smaller", False)]),
        "codec": ({}, {"compression.type": "zstd"}, 1, [now], [("recompressed", False)]),
    }
    names = {case: unique(case) for case in cases}
    for case, (source, target, partitions, timestamps, _) in cases.items():
        make(plain.source, names[case], partitions=partitions, configs=source)
        fill(plain.source, names[case], timestamps)
        make(plain.target, names[case], configs=target)
    found = await hazards(plain, *names.values())
    assert {case: codes(found[name]) for case, name in names.items()} == {
        case: expected for case, (*_, expected) in cases.items()
    }
    (future,) = found[names["future"]]
    # The limit is 4.0's default, and nobody has set it.
    assert "more than 1 h ahead" in future.message
    assert f"message.timestamp.after.max.ms={FOREVER}" in future.hint
    suspended = await hazards(plain, *names.values(), suspend_retention=True)
    assert {case for case, name in names.items() if not suspended[name]} == {"compacted", "bytes"}


async def test_old_clusters_are_asked_as_far_as_they_can_be(old: Sandbox) -> None:
    """0.10.2 tells the oldest record, and whether one is newer than a time; 1.1 its configs."""
    aged, ahead, fewer = unique("aged"), unique("ahead"), unique("fewer")
    difference = {"message.timestamp.difference.max.ms": str(60 * DAY_MS), "retention.ms": "-1"}
    for name in (aged, ahead, fewer):
        make(old.source, name, partitions=2, configs={"retention.ms": "-1"})
    fill(old.source, aged, [ago(30 * DAY_MS), ago(0)])
    fill(old.source, ahead, [ago(0), ago(-90 * DAY_MS)])
    make(old.target, aged, partitions=2)
    make(old.target, ahead, partitions=2, configs=difference)
    make(old.target, fewer)
    found = await hazards(old, aged, ahead, fewer)
    assert codes(found[aged]) == [("retention-eats-records", True)]
    assert codes(found[ahead]) == [("future-records-refused", True)]
    assert "message.timestamp.difference.max.ms=" in found[ahead][0].hint
    assert codes(found[fewer]) == [("fewer-partitions", True)]
    async with open_cluster(load_properties(old.target.properties)) as target:
        wanted = await suspensions(target, [aged, ahead])
        first = {name: one for name, one in wanted.items() if isinstance(one, Suspension)}
        assert await suspend(target, first) == {aged: None, ahead: None}
        assert own_configs(old.target, aged) == {"retention.ms": "-1"}
        assert own_configs(old.target, ahead) == difference
        before = {name: one.before for name, one in first.items()}
        assert await restore(target, before) == {aged: None, ahead: None}
        assert own_configs(old.target, aged) == {}


async def test_configs_that_may_not_be_seen_are_not_taken_for_harmless(
    sasl: Sandbox, tmp_path: Path
) -> None:
    name = unique("unseen")
    for cluster in (sasl.source, sasl.target):
        make(cluster, name)
    user, file = add_user(sasl.target, tmp_path)
    rule = AclBinding(
        ResourceType.TOPIC,
        name,
        ResourcePatternType.LITERAL,
        f"User:{user}",
        "*",
        AclOperation.DESCRIBE,
        AclPermissionType.ALLOW,
    )
    admin = admin_of(sasl.target)
    admin.create_acls([rule])[rule].result(PATIENCE_S)
    (hazard,) = (await hazards(sasl, name, target=file))[name]
    assert (hazard.code, hazard.forbids) == ("configs-unknown", True)
    assert f"User:{user} lacks DescribeConfigs" in hazard.message
    assert f"--operation DescribeConfigs --topic '{name}'" in hazard.hint


async def test_a_topic_that_is_gone_holds_up_no_other_when_configs_come_back(
    plain: Sandbox,
) -> None:
    there, gone = make(plain.target, unique("there")), unique("gone")
    async with open_cluster(load_properties(plain.target.properties)) as target:
        outcomes = await restore(
            target,
            {there: {"retention.ms": "5", "retention.bytes": None}, gone: {"retention.ms": "5"}},
        )
    assert outcomes[there] is None
    assert "UNKNOWN_TOPIC_OR_PARTITION" in str(outcomes[gone])
    assert own_configs(plain.target, there) == {"retention.ms": "5"}
