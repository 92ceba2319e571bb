"""Topics of applications: which belong together, whose they are, and that they are never torn."""

import pytest

from kferry.names import TopicName
from kferry.plans import Action
from kferry.topics import PartitionFacts, TopicFacts
from kferry.topics.applications import (
    Application,
    ApplicationKind,
    application_items,
    applications,
)


def topic(name: str, policy: str | None = "delete", partitions: int = 1) -> TopicFacts:
    return TopicFacts(
        name=TopicName(name),
        id=None,
        internal=False,
        cleanup_policy=policy,
        set_configs={},
        partitions=tuple(
            PartitionFacts(
                partition=number,
                leader=1,
                replicas=(1,),
                in_sync=(1,),
                start=0,
                end=0,
                bytes=0,
                records_per_second=None,
                newest_ms=None,
            )
            for number in range(partitions)
        ),
    )


def found(*topics: TopicFacts, groups: tuple[str, ...] = ()) -> dict[str, Application]:
    return {one.name: one for one in applications(topics, groups)}


CONNECT = (
    topic("connect-configs", "compact"),
    topic("connect-offsets", "compact", 25),
    topic("connect-status", "compact", 5),
)


def test_names_that_streams_makes_up_tell_the_application() -> None:
    apps = found(
        topic("word-count-KSTREAM-AGGREGATE-STATE-STORE-0000000003-changelog", "compact"),
        topic("word-count-KSTREAM-AGGREGATE-STATE-STORE-0000000003-repartition"),
        topic("word-count-KTABLE-FK-JOIN-SUBSCRIPTION-REGISTRATION-0000000006-topic"),
        topic("word-count-named-store-changelog", "compact,delete"),
        topic("word-count"),
    )
    assert list(apps) == ["word-count"]
    assert apps["word-count"].kind is ApplicationKind.STREAMS
    assert apps["word-count"].sure
    assert len(apps["word-count"].topics) == 4


def test_a_group_tells_whose_a_named_store_is_and_the_longest_wins() -> None:
    changelog = topic("pay-eu-totals-changelog", "compact")
    assert list(found(changelog, groups=("pay", "pay-eu", "other"))) == ["pay-eu"]


def test_a_name_alone_is_no_proof() -> None:
    apps = found(topic("db-users-changelog", "compact"))
    assert not apps["db"].sure
    assert not found(topic("db-users-changelog", "delete"), topic("changelog"), topic("changelogs"))


def test_queries_of_ksqldb_are_one_application_with_its_commands() -> None:
    apps = found(
        topic("_confluent-ksql-default__command_topic"),
        topic("_confluent-ksql-default_query_CTAS_A_0-Aggregate-GroupBy-repartition"),
        topic("_confluent-ksql-default_query_CTAS_A_0-Aggregate-x-changelog", "compact"),
    )
    assert list(apps) == ["_confluent-ksql-default"]
    assert apps["_confluent-ksql-default"].kind is ApplicationKind.KSQL


def test_connects_three_topics_are_one_application_each_family() -> None:
    second = (
        topic("etl.config.storage", "compact"),
        topic("etl.offset.storage", "compact"),
        topic("etl.status.storage", "compact"),
    )
    apps = found(*CONNECT, *second)
    assert set(apps) == {"connect", "etl"}
    assert {one.kind for one in apps.values()} == {ApplicationKind.CONNECT}


@pytest.mark.parametrize(
    "topics",
    [
        CONNECT[:2],
        (topic("a-configs"), topic("a-offsets"), topic("a-status")),
        (topic("a-configs", "compact", 2), *CONNECT[1:]),
        (topic("reconfigs", "compact"), topic("reoffsets", "compact"), topic("restatus")),
    ],
)
def test_what_only_resembles_connect_is_left_alone(topics: tuple[TopicFacts, ...]) -> None:
    assert not found(*topics)


def test_mirror_makers_own_topics_are_told_from_connects() -> None:
    apps = found(
        topic("mm2-configs.a.internal", "compact"),
        topic("mm2-offsets.a.internal", "compact"),
        topic("mm2-status.a.internal", "compact"),
        topic("a.checkpoints.internal", "compact"),
        topic("heartbeats", "compact"),
    )
    assert [one.kind for one in apps.values()] == [ApplicationKind.MIRROR]
    assert len(next(iter(apps.values())).topics) == 5
    assert not found(topic("heartbeats"), topic("app.heartbeats"))


def test_a_schema_registry_is_known_by_its_topic() -> None:
    apps = found(topic("_schemas", "compact"), topic("schemas", "compact"))
    (registry,) = apps.values()
    assert (registry.kind, registry.topics) == (ApplicationKind.REGISTRY, ("_schemas",))


@pytest.mark.parametrize(
    ("selected", "action"),
    [(0, Action.LEFT_BEHIND), (1, Action.CONFLICT), (2, Action.CONFLICT), (3, Action.SAME)],
)
def test_an_application_moves_as_a_whole_or_not_at_all(selected: int, action: Action) -> None:
    names = [one.name for one in CONNECT[:selected]]
    (item,) = application_items(applications(CONNECT), names)
    assert (item.kind, item.name, item.action) == ("application", "connect", action)
    assert item.work is None
    assert len(item.details) == 4
    if action is Action.CONFLICT:
        assert "connect-status" in item.reason


def test_what_only_looks_like_an_application_asks_for_no_decision() -> None:
    torn = applications([topic("x-a-changelog", "compact"), topic("x-b-changelog", "compact")])
    (item,) = application_items(torn, [TopicName("x-a-changelog")])
    assert item.action is Action.SAME
    assert "by their names" in item.details[0]
