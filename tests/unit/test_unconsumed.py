"""`copy --unconsumed` without a cluster: where it starts, how that reads, and near names."""

import dataclasses
import re
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest

from kferry.admin.group_members import GroupType, Member
from kferry.admin.view import Gap
from kferry.cli.unconsumed_lines import (
    UnconsumedLogError,
    after_lines,
    append_log,
    before_lines,
    obstacle_lines,
    open_log,
)
from kferry.groups import GroupFacts, Obstacle, PositionFacts, Unconsumed
from kferry.groups.facts import Log
from kferry.groups.unconsumed import _hidden as hidden_from_us
from kferry.groups.unconsumed import _members as members_of
from kferry.groups.unconsumed_facts import partitions_of, rows_of
from kferry.names import GroupId, PartitionId, TopicName, TopicPartition
from kferry.topics.names_near import nearest, no_such_topic

TEST1, TEST3, TEST4 = TopicName("test1"), TopicName("test3"), TopicName("test4")
Positions = dict[tuple[TopicName, int], int | None]


def place(topic: TopicName, partition: int = 0) -> TopicPartition:
    return TopicPartition(topic, PartitionId(partition))


def group(
    name: str, positions: Positions, kind: GroupType = GroupType.CLASSIC, trouble: str = ""
) -> GroupFacts:
    return GroupFacts(
        id=GroupId(name),
        type=kind,
        protocol="consumer",
        state="Empty",
        coordinator=1,
        members=(),
        positions=tuple(
            PositionFacts(
                topic=topic, partition=PartitionId(partition), offset=offset, trouble=trouble
            )
            for (topic, partition), offset in positions.items()
        ),
    )


SEED_LOGS = {
    place(TEST1): Log(start=5226, end=5226),
    place(TEST3): Log(start=0, end=264_322),
    place(TEST4): Log(start=0, end=10),
}
SEED_GROUPS = (
    group("test123-group", {(TEST1, 0): 3713, (TEST3, 0): 187_800}),
    group("test34-group", {(TEST3, 0): 200_000, (TEST4, 0): 10}),
)


def measured(groups: tuple[GroupFacts, ...], logs: dict[TopicPartition, Log]) -> Unconsumed:
    partitions = partitions_of(groups, logs)
    return Unconsumed(
        partitions=partitions,
        rows=rows_of(groups, logs),
        warnings=tuple(one.warning for one in partitions if one.warning),
    )


def test_the_smallest_position_of_all_groups_decides() -> None:
    _, test3, _ = partitions_of(SEED_GROUPS, SEED_LOGS)
    assert (test3.start, test3.end, test3.records) == (187_800, 264_322, 76_522)
    assert (test3.decided_by, test3.skip) == ("test123-group", "")


def test_an_expired_position_moves_up_to_what_the_log_still_has() -> None:
    test1, _, _ = partitions_of(SEED_GROUPS, SEED_LOGS)
    assert (test1.start, test1.end, test1.records) == (5226, 5226, 0)
    assert test1.skip == (
        "the committed offset 3,713 lies in expired data: the log starts at 5,226, which is its end"
    )
    half = {place(TEST1): Log(start=5000, end=5226)}
    (test1,) = partitions_of(SEED_GROUPS, half)
    assert (test1.start, test1.records, test1.skip) == (5000, 226, "")
    assert "1,287 offsets that test123-group had not read are gone" in test1.warning


@pytest.mark.parametrize(
    ("committed", "log", "skip"),
    [
        (10, Log(start=0, end=10), "everything is consumed"),
        (9999, Log(start=0, end=10), "everything is consumed"),  # brokers take any number
        (0, Log(start=0, end=0), "the partition is empty"),
        (None, Log(start=0, end=10), "no group has a position here"),
        (None, Log(start=7, end=7), "the partition is empty"),
    ],
)
def test_what_is_skipped_starts_at_its_end_and_says_why(
    committed: int | None, log: Log, skip: str
) -> None:
    found = measured((group("g", {(TEST1, 0): committed}),), {place(TEST1): log})
    (one,) = found.partitions
    assert (one.skip, one.start, one.records) == (skip, log.end, 0)
    assert found.starts == {place(TEST1): log.end}


def test_a_log_that_cannot_be_measured_has_no_start() -> None:
    logs = {place(TEST1): Log(trouble="nobody leads the partition just now")}
    found = measured((group("g", {(TEST1, 0): 3}),), logs)
    (one,) = found.partitions
    assert (one.start, one.skip) == (None, "nobody leads the partition just now")
    assert found.starts == {}


def test_a_share_group_is_named_and_does_not_decide() -> None:
    groups = (
        group("shared", {(TEST3, 0): 5}, GroupType.SHARE),
        group("plain", {(TEST3, 0): 8}),
        group("streams", {(TEST3, 0): 9}, GroupType.STREAMS),
    )
    found = measured(groups, {place(TEST3): Log(start=0, end=10)})
    assert found.partitions[0].decided_by == "plain"
    shared, plain, _ = found.rows
    assert (shared.unconsumed, plain.unconsumed) == (None, 2)
    assert "does not count" in shared.note


def test_records_left_behind_in_a_partition_without_a_position_are_told() -> None:
    """A client that commits only what it has read leaves a quiet partition without a position."""
    logs = {place(TEST3): Log(start=0, end=10), place(TEST3, 1): Log(start=0, end=50)}
    found = measured((group("g", {(TEST3, 0): 4}),), logs)
    assert "50 records are left behind: g" in found.partitions[1].warning
    (row,) = found.rows
    assert (row.unconsumed, row.note) == (6, "no position in 1 of 2 partitions")


def test_rows_count_each_group_alone_and_say_what_is_odd() -> None:
    logs = {place(TEST3, n): Log(start=100, end=200) for n in range(4)}
    positions: Positions = {(TEST3, 0): 50, (TEST3, 1): 150, (TEST3, 2): 250, (TEST3, 3): 10}
    (row,) = rows_of((group("g", positions),), logs)
    assert row.unconsumed == 100 + 50 + 0 + 100
    assert "partition 2: 50 past the last stable offset" in row.note
    assert row.note.endswith("and 1 more like these")


def test_positions_elsewhere_do_not_matter() -> None:
    found = measured(
        (group("g", {(TEST1, 0): 1, (TEST4, 7): 1}),), {place(TEST4): Log(start=0, end=9)}
    )
    assert found.rows == ()
    assert found.partitions[0].skip == "no group has a position here"


def test_the_listing_before() -> None:
    lines = before_lines(measured(SEED_GROUPS, SEED_LOGS))
    assert all(len(line) <= 100 for line in lines)
    title, *others = "\n".join(lines).replace("\n    ", " ").splitlines()
    assert title == "Prepare to migrate"
    expired = "the committed offset 3,713 lies in expired data: the log starts at 5,226"
    assert [line.removeprefix("  ") for line in others] == [
        "topic  partition    start      end  records  smallest position",
        "test3          0  187,800  264,322   76,522  test123-group",
        f"skip migrate: test1 0: {expired}, which is its end",
        "skip migrate: test4 0: everything is consumed",
        "",
        "1 partition, at most 76,522 records; 2 partitions skipped",
        "",
        "group          topic  unconsumed  note",
        "test123-group  test1           0  partition 0: 1,513 before the log's start are gone",
        "test123-group  test3      76,522",
        "test34-group   test3      64,322",
        "test34-group   test4           0",
        "",
        f"warning: {expired}, and 1,513 offsets that test123-group had not read are gone",
    ]


def test_partitions_skipped_for_the_same_reason_share_a_line() -> None:
    logs = {place(TEST4, n): Log(start=0, end=n + 1) for n in range(12)}
    found = measured((group("g", {(TEST4, n): n + 1 for n in range(12)}),), logs)
    lines = before_lines(found)
    assert lines[1] == "  skip migrate: test4 0-11: everything is consumed"
    assert "  nothing to copy; 12 partitions skipped" in lines


def test_what_arrived_stands_beside_what_was_to_be_read() -> None:
    found = measured(SEED_GROUPS, SEED_LOGS)
    arrived = {TEST1: 0, TEST3: 76_522, TEST4: 0}
    lines = after_lines(found, arrived, {TEST3: TopicName("moved")})
    assert re.split(r"\s{2,}", lines[0].strip()) == [
        *("group", "topic", "unconsumed", "arrived", "note"),
    ]
    assert any(
        line.split() == ["test123-group", "test3", "→", "moved", "76,522", "76,522"]
        for line in lines
    )
    assert any("from the smallest position" in line for line in lines)


def test_groups_that_are_there_but_not_readable_stand_in_the_way() -> None:
    """Theirs may be the smallest position. That a list may be incomplete is a warning only."""
    hidden = Gap(subject="positions", reason="REBALANCE: g", hint="wait", concerns=("g",))
    silent = Gap(subject="groups", reason="no answer: broker 3", concerns=("broker 3",))
    maybe = Gap(subject="groups", reason="those that User:a may not Describe are not listed")
    elsewhere = Gap(subject="members", reason="NOT_COORDINATOR: g", concerns=("g",))
    found = hidden_from_us([hidden, silent, maybe, elsewhere], [])
    assert [(one.kind, one.subject) for one in found] == [
        ("hidden", "positions"),
        ("hidden", "groups"),
    ]


@pytest.mark.parametrize(
    ("members", "state", "obstacles"),
    [((), "Stable", 0), (None, "Empty", 0), (None, "Stable", 1), (None, "", 1)],
)
def test_members_that_cannot_be_asked_for_are_told_by_the_state(
    members: tuple[Member, ...] | None, state: str, obstacles: int
) -> None:
    one = dataclasses.replace(group("g", {(TEST1, 0): 1}), members=members, state=state)
    assert len(members_of([one])) == obstacles


def test_names_from_clusters_cannot_move_the_cursor() -> None:
    evil = group("g\x1b[2J\nskip", {(TEST3, 0): 1})
    found = measured((evil,), {place(TEST3): Log(start=0, end=3)})
    obstacle = Obstacle(kind="members", subject="group g\x1b[2J", message="it has 1 member: a\rb")
    lines = before_lines(found) + after_lines(found, {}) + obstacle_lines([obstacle])
    assert all(line.isprintable() for line in lines)


def test_obstacles_come_with_what_would_help() -> None:
    obstacle = Obstacle(
        kind="moving", subject="topic orders", message="its end moved", hint="stop its producers"
    )
    assert obstacle_lines([obstacle]) == [
        "  topic orders: its end moved",
        "      hint: stop its producers",
    ]


def test_the_log_is_new_each_time_and_nobody_elses(tmp_path: Path) -> None:
    noon = datetime(2026, 5, 1, 12, 0, 0, tzinfo=UTC)
    file, second = open_log(tmp_path, noon), open_log(tmp_path, noon)
    assert file.name == "kferry-unconsumed-20260501T120000Z.log"
    assert second.name == "kferry-unconsumed-20260501T120000Z-2.log"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    append_log(file, ["Prepare to migrate"])
    append_log(file, ["test3 → 76,522", "\udc80"])
    assert file.read_text(encoding="utf-8") == "Prepare to migrate\ntest3 → 76,522\n\\udc80\n"
    assert second.read_text() == ""


def test_a_link_that_lies_in_wait_is_not_followed(tmp_path: Path) -> None:
    noon = datetime(2026, 5, 1, 12, 0, 0, tzinfo=UTC)
    (tmp_path / "kferry-unconsumed-20260501T120000Z.log").symlink_to(tmp_path / "victim")
    assert open_log(tmp_path, noon).name.endswith("Z-2.log")
    assert not (tmp_path / "victim").exists()


def test_a_log_that_cannot_be_written_is_an_error_with_a_way_out(tmp_path: Path) -> None:
    with pytest.raises(UnconsumedLogError) as caught:
        open_log(tmp_path / "not-there")
    assert "kferry copy --unconsumed" in caught.value.hint


EXISTING = [*map(TopicName, ("orders", "order-items", "Payments.EU", "__consumer_offsets", "x"))]


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("ordres", "orders"),
        ("ORDERS", "orders"),
        ("payments_eu", "Payments.EU"),
        ("order_items", "order-items"),
        ("__consumer_offset", "__consumer_offsets"),
    ],
)
def test_the_topic_that_was_meant(typed: str, meant: str) -> None:
    assert nearest(typed, EXISTING)[0] == meant


@pytest.mark.parametrize("typed", ["", "y", "something-else", "consumer_offsets"])
def test_nothing_near_is_not_guessed(typed: str) -> None:
    assert nearest(typed, EXISTING) == []
    assert no_such_topic(typed, EXISTING) == f"no topic `{typed}`"


def test_the_sentence_names_up_to_three() -> None:
    assert no_such_topic("ordres", [TopicName("orders")]) == (
        "no topic `ordres`; did you mean `orders`?"
    )
    many = [TopicName(f"orders{n}") for n in range(9)]
    assert no_such_topic("orders", many).count("`orders") == 4
