"""What is decided about a topic, told from what is known of both sides."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from kferry.admin.configs import Configs, ConfigValue, Origin
from kferry.admin.view import View
from kferry.config.plan_settings import ConfigWish, TopicWishes, config_patterns
from kferry.config.selection import TopicSelection
from kferry.names import Address, BrokerId, PartitionId, TopicName
from kferry.plans import Action, Item
from kferry.topics import PartitionFacts, TargetTerms, TopicFacts, TopicPair, counterpart
from kferry.topics.applying import work_of
from kferry.topics.commands import topic_commands
from kferry.topics.hazard_case import Hazard
from kferry.topics.planning_diff import as_it_will_be, difference
from kferry.topics.planning_items import Existing, Kept, item_of_existing, item_of_new
from kferry.topics.planning_new import Candidate, _fitted, _segments
from kferry.topics.planning_racks import in_one_rack, the_only_rack
from kferry.topics.planning_wishes import as_wished, unseen
from kferry.wire import Broker, BrokerError, Partition, Topic

ORDERS = TopicName("orders")
DEFAULTS = {
    "cleanup.policy": "delete",
    "compression.type": "producer",
    "flush.messages": str(2**63 - 1),
    "max.message.bytes": "1048588",
    "message.timestamp.type": "CreateTime",
    "min.insync.replicas": "1",
    "retention.bytes": "-1",
    "retention.ms": "604800000",
    "segment.bytes": "1073741824",
    "segment.ms": "604800000",
    "unclean.leader.election.enable": "false",
}
VIEW = View(release="4.3", principal="User:kferry")


def configs(own: Mapping[str, str], defaults: Mapping[str, str] = DEFAULTS) -> Configs:
    inherited = {
        name: ConfigValue(value=value, origin=Origin.DEFAULT) for name, value in defaults.items()
    }
    given = {name: ConfigValue(value=value, origin=Origin.TOPIC) for name, value in own.items()}
    return {**inherited, **given}


def facts(
    own: Mapping[str, str | None] | None = None,
    *,
    name: str = "orders",
    partitions: int = 3,
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
                replicas=(1, 2, 3),
                in_sync=(1, 2, 3),
                start=0,
                end=0,
                bytes=0,
                records_per_second=None,
                newest_ms=None,
            )
            for number in range(partitions)
        ),
    )


def terms() -> TargetTerms:
    return TargetTerms(
        brokers=3, release="4.3", release_number=(4, 3), defaults=DEFAULTS, replication=3
    )


def topic(partitions: int, replicas: tuple[int, ...] = (1, 2, 3)) -> Topic:
    ids = tuple(map(BrokerId, replicas))
    return Topic(
        name=ORDERS,
        id=None,
        internal=False,
        error_code=0,
        partitions=tuple(
            Partition(
                id=PartitionId(number),
                leader=ids[0],
                leader_epoch=0,
                replicas=ids,
                in_sync=ids,
                error_code=0,
            )
            for number in range(partitions)
        ),
    )


def existing(
    source: TopicFacts,
    there: Topic,
    own: Mapping[str, str],
    *,
    finish: Mapping[str, str | None] | None = None,
    may_change: bool = False,
    hazards: tuple[Hazard, ...] = (),
    created: bool = True,
) -> Item:
    """Compare; `finish` None: no migration knows the topic."""
    kept = None
    if finish is not None:
        kept = Kept(
            target=ORDERS,
            source_id=None,
            target_id="x",
            created=created,
            finish=finish,
            copied=True,
        )
    theirs = configs(own)
    found = difference(
        source,
        there,
        theirs=theirs,
        own=as_it_will_be(theirs, finish or {}),
        ours=configs({k: v for k, v in (source.set_configs or {}).items() if v is not None}),
        terms=terms(),
        replication=None,
    )
    return item_of_existing(
        Existing(
            pair=TopicPair(source=source, target=ORDERS),
            kept=kept,
            difference=found,
            may_change=may_change,
            hazards=hazards,
            told=source.set_configs is not None,
        )
    )


def candidate(source: TopicFacts, **more: Any) -> Candidate:
    made = counterpart(source, ORDERS, terms=terms(), effective=None, replication=None)
    pair = TopicPair(source=source, target=ORDERS)
    given: dict[str, Any] = {"pair": pair, "topic": made, "out_of_range": _segments(pair, made)}
    return Candidate(**{**given, **more})


def new(one: Candidate, *, clamp: bool = False) -> Item:
    return item_of_new(one, VIEW, clamp=clamp, remarks=())


OWN: dict[str, str | None] = {
    "cleanup.policy": "compact",
    "flush.messages": "1",
    "min.insync.replicas": "2",
    "retention.ms": "86400000",
    "unclean.leader.election.enable": "true",
}


def test_what_was_created_as_planned_is_the_same_while_it_is_filled_and_after() -> None:
    source = facts(OWN)
    item = new(candidate(source))
    assert item.action is Action.CREATE
    work = work_of(item)
    filled = existing(source, topic(3), work.configs, finish=work.finish)
    assert (filled.action, filled.work, filled.details) == (Action.SAME, None, ())
    assert filled.reason == "3 partitions, retention is suspended until `kferry complete`"
    assert (
        existing(source, topic(3), {k: str(v) for k, v in OWN.items()}, finish={}).reason
        == "3 partitions"
    )


def test_synchronous_settings_are_taken_over_but_for_what_was_excluded() -> None:
    configs = work_of(new(candidate(facts(OWN)))).configs
    assert configs.items() >= {"min.insync.replicas": "2", "flush.messages": "1"}.items()
    wishes = TopicWishes(exclude_configs=config_patterns(["flush.*"]), mm2_excludes=True)
    wished = as_wished(facts(OWN), wishes).set_configs
    assert wished == {"cleanup.policy": "compact", "retention.ms": "86400000"}


def test_wishes_give_and_lift_settings_of_some_topics() -> None:
    wish = ConfigWish(TopicSelection.parse(["ord*"]), {"retention.ms": "1", "cleanup.policy": None})
    wished = as_wished(facts(OWN), TopicWishes(configs=(wish,))).set_configs
    assert wished is not None
    assert wished["retention.ms"] == "1"
    assert "cleanup.policy" not in wished
    elsewhere = as_wished(facts(OWN, name="clicks"), TopicWishes(configs=(wish,)))
    assert elsewhere.set_configs == OWN
    untold = as_wished(facts(told=False), TopicWishes(configs=(wish,)))
    assert untold.set_configs == {"retention.ms": "1"}


def test_differences_are_shown_and_left_until_the_file_says_otherwise() -> None:
    source, own = facts({"retention.ms": "5"}), {"retention.ms": "7", "segment.ms": "9"}
    shown = existing(source, topic(3), own)
    assert (shown.action, shown.reason) == (
        Action.SAME,
        "3 partitions, 2 settings differ and will stay",
    )
    assert shown.details[:2] == (
        "retention.ms is 7, the source's would be 5",
        "segment.ms=9 is set on the target only",
    )
    changed = existing(source, topic(3), own, may_change=True)
    assert (changed.action, changed.reason) == (Action.CHANGE, "retention.ms: 7 → 5")
    assert work_of(changed).configs == {"retention.ms": "5"}  # additive: segment.ms stays


def test_a_default_that_is_the_same_is_no_difference() -> None:
    source = facts({"retention.ms": DEFAULTS["retention.ms"], "cleanup.policy": "delete"})
    assert existing(source, topic(3), {}).details == ()
    same = existing(facts(), topic(3), {"cleanup.policy": "delete"})
    assert same.details == ()


def test_what_is_suspended_now_changes_when_the_copy_is_complete() -> None:
    source = facts({"retention.ms": "5", "flush.messages": "3"})
    made = work_of(new(candidate(facts({"retention.ms": "7", "flush.messages": "2"}))))
    changed = existing(source, topic(3), made.configs, finish=made.finish, may_change=True)
    work = work_of(changed)
    assert (work.configs, work.finish) == ({"flush.messages": "3"}, {"retention.ms": "5"})


def test_fewer_partitions_are_a_decision_unless_the_topic_is_ours() -> None:
    assert existing(facts(partitions=4), topic(3), {}).action is Action.CONFLICT
    for ours in (
        existing(facts(partitions=4), topic(3), {}, finish={}),
        existing(facts(partitions=4), topic(3), {}, may_change=True),
    ):
        assert (ours.action, ours.reason) == (Action.CHANGE, "partitions: 3 → 4")
        assert work_of(ours).partitions == 4
    theirs = existing(facts(partitions=4), topic(3), {}, finish={}, created=False)
    assert theirs.action is Action.CONFLICT


def test_nothing_ever_shrinks() -> None:
    more = existing(facts(partitions=2), topic(3), {}, finish={}, may_change=True)
    assert (more.action, more.work) == (Action.SAME, None)
    assert "the source has 2" in more.details[0]


def test_a_topic_that_would_lose_records_needs_a_decision() -> None:
    danger = Hazard(topic=ORDERS, code="x", message="it is compacted", hint="do", forbids=True)
    item = existing(facts(), topic(3), {}, hazards=(danger,))
    assert (item.action, item.details) == (Action.CONFLICT, ("it is compacted (do)",))
    harmless = dataclasses.replace(danger, forbids=False)
    assert existing(facts(), topic(3), {}, hazards=(harmless,)).action is Action.SAME


def test_a_source_that_does_not_tell_is_not_taken_for_one_without_settings() -> None:
    item = existing(facts(told=False), topic(3), {"retention.ms": "7"})
    assert item.action is Action.SAME
    assert item.details == ("settings were not compared: the source does not tell its own",)


def test_a_value_out_of_range_is_a_decision_until_clamping_is_wished() -> None:
    one = candidate(facts({"segment.bytes": "14"}))
    assert new(one).action is Action.CONFLICT
    assert "segment.bytes: 14 → 1048576" in new(one).reason
    clamped = new(one, clamp=True)
    assert work_of(clamped).configs["segment.bytes"] == "1048576"
    assert clamped.details == ("segment.bytes=14 → 1048576: less is refused by Kafka 4.3",)


def test_what_a_broker_says_of_a_range_is_taken_at_its_word() -> None:
    pair = TopicPair(source=facts({"retention.ms": "-7"}), target=ORDERS)
    said = "Invalid value -7 for configuration retention.ms: Value must be at least -1"
    fitted = _fitted(pair, BrokerError(40, "topic orders", said))
    assert fitted is not None
    assert fitted[0].source.set_configs == {"retention.ms": "-1"}
    assert fitted[1] == "retention.ms: -7 → -1"
    for other in (None, BrokerError(44, "topic orders", said), BrokerError(40, "x", "no")):
        assert _fitted(pair, other) is None


def test_a_refusal_of_the_target_is_a_decision_and_a_missing_right_is_named() -> None:
    policy = new(candidate(facts(), refusal=BrokerError(44, "x", "replication must be 3")))
    assert (policy.action, policy.work) == (Action.CONFLICT, None)
    assert "replication must be 3" in policy.reason
    denied = new(candidate(facts(), refusal=BrokerError(29, "x")))
    assert denied.action is Action.CREATE  # somebody else may run it: --as-commands
    assert "--operation Create --topic 'orders'" in denied.details[-1]


def test_commands_say_the_same_as_the_work() -> None:
    ((tool, words),) = topic_commands(work_of(new(candidate(facts(OWN)))))
    assert tool == "kafka-topics"
    for part in ("--topic orders --partitions 3 --replication-factor 3", "flush.messages=1"):
        assert part in words
    changed = existing(facts(partitions=4), topic(3), {}, may_change=True)
    assert topic_commands(work_of(changed)) == [
        ("kafka-topics", "--alter --topic orders --partitions 4")
    ]


def test_topics_in_one_rack_are_named() -> None:
    def brokers(*racks: str | None) -> dict[BrokerId, Broker]:
        return {
            BrokerId(number): Broker(id=BrokerId(number), address=Address("b", 1), rack=rack)
            for number, rack in enumerate(racks, start=1)
        }

    assert the_only_rack(brokers("a", "a", "a")) == "a"
    assert the_only_rack(brokers("a", "b", "a")) is None
    assert the_only_rack(brokers(None, None)) is None
    near = topic(2, replicas=(1, 3))
    assert in_one_rack(near, brokers("a", "b", "a")) == (
        "all replicas of every partition are in rack a"
    )
    assert in_one_rack(near, brokers("a", "b", "c")) is None
    assert in_one_rack(near, brokers(None, None, None)) is None
    assert in_one_rack(topic(2, replicas=(1,)), brokers("a", "b", "c")) is None


def test_what_would_alter_records_on_their_way_waits_until_the_copy_is_complete() -> None:
    """Set at once, it would replace the times of all records that are still to come."""
    wished = {"message.timestamp.type": "LogAppendTime", "flush.messages": "1"}
    item = existing(
        facts(wished),
        topic(3),
        {"cleanup.policy": "delete", "retention.ms": "-1"},
        finish={"retention.ms": None, "cleanup.policy": None},
        may_change=True,
    )
    work = work_of(item)
    assert work.configs == {"flush.messages": "1"}
    assert work.finish == {"message.timestamp.type": "LogAppendTime"}


def test_wishes_do_not_hide_that_the_source_tells_nothing() -> None:
    wishes = TopicWishes(configs=(ConfigWish(TopicSelection(), {"retention.ms": "1"}),))
    told, untold = facts({"flush.ms": "1"}), facts(told=False)
    assert "does not tell" in " ".join(unseen(untold, as_wished(untold, wishes)))
    assert unseen(told, as_wished(told, wishes)) == unseen(untold, untold) == ()
