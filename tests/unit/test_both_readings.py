"""What the gates of a double write say of what was found."""

from pathlib import Path

from kferry.admin.group_members import GroupType
from kferry.groups import GroupFacts, PositionFacts
from kferry.migration.dual.joined import Joined, Lack, Why
from kferry.migration.dual.told import Files, Told
from kferry.migration.switching.scope import Scope
from kferry.names import GroupId, PartitionId, SourceOffset, TargetOffset, TopicName, TopicPartition
from kferry.offsets import Run
from kferry.runbook import both_readings as told

TOPIC = TopicName("orders")
PLACE = TopicPartition(TOPIC, PartitionId(0))
SCOPE = Scope(topics={TOPIC: TopicName("orders.v2")})


def group(offset: int, *, active: bool = False) -> GroupFacts:
    return GroupFacts(
        id=GroupId("billing"),
        type=GroupType.CLASSIC,
        protocol="consumer",
        state="Stable" if active else "Empty",
        coordinator=1,
        members=(object(),) if active else (),  # type: ignore[arg-type]  # only how many counts
        positions=(PositionFacts(topic=TOPIC, partition=PartitionId(0), offset=offset),),
    )


def found(*lacks: Lack, settled_to: int = 100, strangers: int = 0) -> told.Found:
    one = Joined(
        target=TopicName("orders.v2"),
        runs=(Run(SourceOffset(10), TargetOffset(0), 40),),
        start=0,
        end=100,
        settled_to=settled_to,
        target_end=90,
        lacks=lacks,
        strangers=strangers,
        stranger=7,
    )
    return {PLACE: one}


def test_who_writes_to_the_source_alone_is_named_though_every_group_has_read_it() -> None:
    lack = Lack(start=60, end=63, why=Why.UNTOLD, producers=(4711,))
    said = told.alone(found(lack), {PLACE: 50}, 30)
    assert (said.passed, said.final) == (False, True)
    assert said.measured == "3 records of the last 30 s in no map file"
    assert "3 records from 60 to 62" in said.why
    assert "(producer 4711)" in said.why
    assert told.alone(found(lack), {PLACE: 63}, 30).passed
    assert told.alone(found(lack, settled_to=60), {PLACE: 50}, 30).passed, "it may be on its way"
    killed = Lack(start=60, end=63, why=Why.UNKNOWN)
    assert told.alone(found(killed), {PLACE: 50}, 30).passed, "its writer is known"


def test_what_a_killed_writer_left_open_counts_only_where_a_group_has_yet_to_read_it() -> None:
    lack = Lack(start=60, end=63, why=Why.UNKNOWN)
    shut = told.on_both([group(61)], found(lack), {PLACE: 61})
    assert (shut.passed, shut.final) == (False, True)
    assert shut.measured.startswith("2 records on the source alone")
    assert "to be read still by billing (past 63 nothing is missing)" in shut.why
    assert told.on_both([group(63)], found(lack), {PLACE: 63}).passed
    waiting = Lack(start=60, end=63, why=Why.WAITING)
    assert not told.on_both([group(0)], found(waiting), {PLACE: 0}).final, "an answer may come"


def test_history_is_waited_for_only_where_somebody_reads_it() -> None:
    history = Lack(start=2, end=10, why=Why.BEFORE)
    reading = told.older([group(5, active=True)], found(history))
    assert (reading.passed, reading.final) == (False, False)
    assert "billing 5 of orders-0" in reading.why
    assert told.older([group(5)], found(history)).final
    assert told.older([group(10)], found(history)).passed
    assert told.on_both([group(5)], found(history), {PLACE: 5}).passed
    assert not told.on_both([group(5)], found(history), {PLACE: 5}, older=True).passed


def test_sides_that_are_not_alike_and_topics_without_a_map_are_named() -> None:
    there = TopicPartition(TopicName("orders.v2"), PartitionId(0))
    more = TopicPartition(TopicName("orders.v2"), PartitionId(1))
    assert told.alike([PLACE], {there}, SCOPE).passed
    assert not told.alike([PLACE], {there, more}, SCOPE).passed
    assert not told.alike([PLACE], set(), SCOPE).passed
    nothing = Files(paths=(Path("a"),), partitions={}, unproven=(Path("a"),))
    assert "none tells of orders" in told.known(nothing, SCOPE).why
    assert "it is not known whether they may: a" in told.proven(nothing).why
    files = Files(paths=(Path("a"),), partitions={PLACE: Told(target=there.topic)}, unproven=())
    assert told.known(files, SCOPE).passed
    assert not told.only_these(found(strangers=2)).passed
