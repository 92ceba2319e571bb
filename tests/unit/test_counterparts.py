"""What the topics on the target must be, told from what is known of the source's."""

from collections.abc import Mapping

import pytest

from kferry.admin.configs import Configs, ConfigValue, Origin
from kferry.admin.topic_changes import _chunks
from kferry.names import TopicName
from kferry.topics import (
    BROKER_DEFAULT,
    BadTopicName,
    PartitionFacts,
    TargetTerms,
    TargetTopic,
    TopicFacts,
    counterpart,
    pair_topics,
)
from kferry.topics.suspension import suspension
from kferry.topics.words import span

FOREVER = str(2**63 - 1)
DAY = 86_400_000
DEFAULTS = {
    "cleanup.policy": "delete",
    "compression.type": "producer",
    "flush.messages": FOREVER,
    "max.message.bytes": "1048588",
    "message.timestamp.after.max.ms": "3600000",
    "message.timestamp.before.max.ms": FOREVER,
    "message.timestamp.type": "CreateTime",
    "min.insync.replicas": "1",
    "retention.bytes": "-1",
    "retention.ms": "604800000",
    "segment.bytes": "1073741824",
    "segment.ms": "604800000",
    "remote.storage.enable": "false",
    "leader.replication.throttled.replicas": "",
}


def facts(
    own: Mapping[str, str | None] | None = None,
    *,
    name: str = "orders",
    partitions: int = 3,
    replicas: int = 3,
    told: bool = True,
) -> TopicFacts:
    return TopicFacts(
        name=TopicName(name),
        id=None,
        internal=False,
        cleanup_policy=None,
        set_configs=dict(own or {}) if told else None,
        partitions=tuple(
            PartitionFacts(
                partition=number,
                leader=1,
                replicas=tuple(range(replicas)),
                in_sync=tuple(range(replicas)),
                start=0,
                end=0,
                bytes=0,
                records_per_second=None,
                newest_ms=None,
            )
            for number in range(partitions)
        ),
    )


def terms(
    *,
    brokers: int = 3,
    release: tuple[int, ...] = (4, 3),
    replication: int | None = 3,
    told: bool = True,
    defaults: Mapping[str, str] | None = None,
) -> TargetTerms:
    return TargetTerms(
        brokers=brokers,
        release=".".join(map(str, release)),
        release_number=release,
        defaults={**DEFAULTS, **(defaults or {})} if told else None,
        replication=replication,
    )


def made(
    own: Mapping[str, str | None] | None = None,
    *,
    on: TargetTerms | None = None,
    replication: int | None = None,
    effective: Configs | None = None,
) -> TargetTopic:
    return counterpart(
        facts(own),
        TopicName("orders"),
        terms=on or terms(),
        effective=effective,
        replication=replication,
    )


def test_the_same_partitions_and_replicas_and_what_was_set_on_the_topic() -> None:
    topic = made({"flush.messages": "1", "min.insync.replicas": "2"})
    assert (topic.partitions, topic.replication) == (3, 3)
    assert topic.configs["flush.messages"] == "1"
    assert topic.configs["min.insync.replicas"] == "2"
    assert topic.notes == ()
    assert not {"flush.messages", "min.insync.replicas"} & topic.finished.keys()


def test_nothing_is_deleted_compacted_restamped_or_refused_while_it_is_filled() -> None:
    topic = made(
        {
            "cleanup.policy": "compact",
            "retention.ms": "1000",
            "message.timestamp.type": "LogAppendTime",
            "message.timestamp.before.max.ms": "5000",
            "compression.type": "gzip",
        }
    )
    assert dict(topic.configs) == {
        "cleanup.policy": "delete",
        "retention.ms": "-1",
        "retention.bytes": "-1",
        "message.timestamp.type": "CreateTime",
        "message.timestamp.before.max.ms": FOREVER,
        "message.timestamp.after.max.ms": FOREVER,
        "compression.type": "producer",
        "max.message.bytes": "1114124",
    }
    assert dict(topic.finished) == {
        "max.message.bytes": None,
        "cleanup.policy": "compact",
        "retention.ms": "1000",
        "retention.bytes": None,
        "message.timestamp.type": "LogAppendTime",
        "message.timestamp.before.max.ms": "5000",
        "message.timestamp.after.max.ms": None,
        "compression.type": "gzip",
    }


def test_what_was_never_set_goes_back_to_the_default() -> None:
    assert set(made().finished.values()) == {None}
    # It is what the source has, too: nothing to be set back.
    assert "retention.ms" not in made({"retention.ms": "-1"}).finished


def test_defaults_of_the_targets_brokers_are_overridden_where_they_would_harm() -> None:
    names = {
        "compression.type": "zstd",
        "message.timestamp.type": "LogAppendTime",
        "segment.ms": "60000",
    }
    topic = made(on=terms(defaults=names))
    assert topic.configs["compression.type"] == "producer"
    assert topic.configs["message.timestamp.type"] == "CreateTime"
    assert topic.configs["segment.ms"] == "604800000"
    assert {topic.finished[name] for name in names} == {None}


@pytest.mark.parametrize(
    ("wanted", "copies", "noted"),
    [(None, 2, True), (1, 1, False), (5, 2, True), (BROKER_DEFAULT, 2, False)],
)
def test_replication_is_clamped_to_the_brokers_with_a_note(
    *, wanted: int | None, copies: int, noted: bool
) -> None:
    topic = made(on=terms(brokers=2, replication=2), replication=wanted)
    assert topic.replication == copies
    assert any(note.startswith("replication") for note in topic.notes) == noted


def test_the_brokers_default_is_left_to_them_where_it_is_not_told_and_they_know_how() -> None:
    unknown = terms(replication=None)
    assert made(on=unknown, replication=BROKER_DEFAULT).replication == BROKER_DEFAULT
    old = terms(replication=None, release=(1, 1))
    topic = made(on=old, replication=BROKER_DEFAULT)
    assert topic.replication == 3
    assert "creates no topic with its default" in topic.notes[0]


def test_fewer_replicas_lower_what_a_write_waits_for() -> None:
    one = terms(brokers=1)
    topic = made({"min.insync.replicas": "2"}, on=one)
    assert topic.configs["min.insync.replicas"] == "1"
    assert "min.insync.replicas=2 becomes 1: there are no more replicas" in topic.notes
    by_default = made(on=terms(brokers=1, defaults={"min.insync.replicas": "2"}))
    assert by_default.configs["min.insync.replicas"] == "1"


def test_what_the_target_does_not_know_is_left_out_by_name() -> None:
    topic = made(
        {
            "message.format.version": "2.0-IV1",
            "remote.storage.enable": "true",
            "local.retention.ms": "1000",
            "vendor.placement": "ssd",
            "leader.replication.throttled.replicas": "0:1",
            "follower.replication.throttled.replicas": "*",
        }
    )
    assert not topic.configs.keys() - DEFAULTS.keys()
    assert topic.configs.get("leader.replication.throttled.replicas") is None
    assert sorted(note.split("=")[0] for note in topic.notes) == [
        "local.retention.ms",
        "message.format.version",
        "remote.storage.enable",
        "vendor.placement",
    ]
    assert "vendor.placement=ssd is left out: the target's Kafka 4.3 does not know it" in (
        topic.notes
    )


def test_the_old_limit_of_timestamps_is_carried_under_its_new_names() -> None:
    topic = made({"message.timestamp.difference.max.ms": "5000"})
    for name in ("message.timestamp.before.max.ms", "message.timestamp.after.max.ms"):
        assert (topic.configs[name], topic.finished[name]) == (FOREVER, "5000")
    assert "message.timestamp.difference.max.ms" not in topic.configs
    assert any("is called" in note for note in topic.notes)


def test_a_target_that_tells_nothing_is_asked_only_for_what_its_release_knows() -> None:
    topic = made({"vendor.placement": "ssd"}, on=terms(release=(1, 1), told=False))
    assert topic.configs["vendor.placement"] == "ssd"  # it will say itself what it thinks of it
    assert topic.configs["message.timestamp.difference.max.ms"] == FOREVER
    assert "message.timestamp.before.max.ms" not in topic.configs
    later = made(on=terms(told=False))
    assert later.configs["message.timestamp.before.max.ms"] == FOREVER
    assert "message.timestamp.difference.max.ms" not in later.configs


def test_segments_smaller_than_a_target_allows_are_raised() -> None:
    own = {"segment.bytes": "100000"}
    topic = made(own)
    assert topic.configs["segment.bytes"] == "1048576"
    assert topic.notes == ("segment.bytes=100000 becomes 1048576: less is refused by Kafka 4.3",)
    assert made(own, on=terms(release=(3, 9))).configs["segment.bytes"] == "100000"


def test_time_that_flies_while_years_are_copied_makes_no_thousands_of_segments() -> None:
    topic = made({"segment.ms": "100"})
    assert (topic.configs["segment.ms"], topic.finished["segment.ms"]) == ("604800000", "100")


def test_the_largest_batch_of_the_source_fits() -> None:
    by_default = {"max.message.bytes": ConfigValue(value="5000000", origin=Origin.BROKER_STATIC)}
    topic = made(effective=by_default)
    assert topic.configs["max.message.bytes"] == "5065536"  # and a newer format's larger frame
    assert topic.finished["max.message.bytes"] is None
    lowered = made({"max.message.bytes": "1000"})
    assert lowered.configs["max.message.bytes"] == "1114124"
    assert lowered.finished["max.message.bytes"] == "1000"


def test_defaults_that_would_treat_the_records_otherwise_are_said() -> None:
    effective = {
        "retention.ms": ConfigValue(value="-1", origin=Origin.BROKER_STATIC),
        "cleanup.policy": ConfigValue(value="compact", origin=Origin.TOPIC),
        "retention.bytes": ConfigValue(value="-1", origin=Origin.DEFAULT),
    }
    (note,) = made(effective=effective).notes
    assert note.startswith("retention.ms is not set on the topic")
    assert "the source's default is -1, the target's is 604800000" in note


def test_a_source_that_tells_no_configs_gives_partitions_only_and_says_so() -> None:
    topic = counterpart(
        facts(told=False),
        TopicName("orders"),
        terms=terms(),
        effective=None,
        replication=None,
    )
    assert topic.partitions == 3
    assert topic.configs["retention.ms"] == "-1"
    assert "does not tell its configs" in topic.notes[0]


def test_names_are_mapped_and_those_that_cannot_be_are_told_all_at_once() -> None:
    topics = [facts(name=name) for name in ("a", "b", "c.d", "e")]
    (first, *_) = pair_topics(topics, {"a": "dc1.a"})
    assert (first.source.name, first.target) == ("a", "dc1.a")
    with pytest.raises(BadTopicName) as raised:
        pair_topics(topics, {"a": "b", "e": "e f"}, existing=[TopicName("c_d"), TopicName("b")])
    assert "a and b would both be b" in raised.value.detail
    assert "c.d and c_d differ in `.` and `_` only" in raised.value.detail
    assert "`e f` is no topic name" in raised.value.detail
    with pytest.raises(BadTopicName, match="250 characters"):
        pair_topics(topics, {"a": "x" * 250})


def test_names_that_are_alike_and_there_already_are_no_obstacle() -> None:
    there = [TopicName("c.d"), TopicName("c_d")]
    assert pair_topics([facts(name="c.d")], {}, existing=there)


def test_suspending_remembers_what_was_set_on_the_topic_itself() -> None:
    found = suspension(
        {
            "retention.ms": ConfigValue(value=str(7 * DAY), origin=Origin.TOPIC),
            "retention.bytes": ConfigValue(value="1000", origin=Origin.BROKER_STATIC),
            "cleanup.policy": ConfigValue(value="compact,delete", origin=Origin.TOPIC),
        }
    )
    assert found.changes == {
        "retention.ms": "-1",
        "retention.bytes": "-1",
        "cleanup.policy": "delete",
    }
    assert found.before == {
        "retention.ms": str(7 * DAY),
        "retention.bytes": None,
        "cleanup.policy": "compact,delete",
    }


def test_suspending_what_is_suspended_has_no_past_to_offer() -> None:
    own = {"retention.ms": "-1", "retention.bytes": "-1", "cleanup.policy": "delete"}
    found = suspension(
        {name: ConfigValue(value=value, origin=Origin.TOPIC) for name, value in own.items()}
    )
    assert (found.changes, found.before) == ({}, {})


@pytest.mark.parametrize(
    ("milliseconds", "said"),
    [(7 * DAY, "7 d"), (DAY, "1 d"), (DAY + 1, "24 h"), (3_600_000, "1 h"), (999, "999 ms")],
)
def test_spans_of_time_are_said_shortly(milliseconds: int, said: str) -> None:
    assert span(milliseconds) == said


def test_a_call_makes_no_more_than_a_controller_takes_at_once() -> None:
    sizes = {TopicName("huge"): 9000} | {TopicName(str(number)): 12 for number in range(1000)}
    chunks = list(_chunks(sizes))
    assert [name for chunk in chunks for name in chunk] == list(sizes)
    assert [len(chunk) for chunk in chunks] == [1, 333, 333, 333, 1]
    assert list(_chunks({})) == []
