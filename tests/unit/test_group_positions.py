"""Where groups go on: every kind of position has one defined answer, and none is a guess."""

from dataclasses import replace

import pytest

from kferry.admin.group_members import GroupType
from kferry.groups import (
    Answer,
    Destination,
    GroupFacts,
    Log,
    PositionFacts,
    Standing,
    Step,
    There,
    Uncopied,
    decide,
    stand,
    stand_by_rule,
)
from kferry.names import (
    GroupId,
    PartitionId,
    SourceOffset,
    TargetOffset,
    TopicName,
    TopicPartition,
)
from kferry.offsets import OffsetMap, Run, Runs

TOPIC, COPY = TopicName("orders"), TopicName("copied-orders")
PLACE = TopicPartition(COPY, PartitionId(0))


def run(source: int, target: int, length: int) -> Run:
    return Run(SourceOffset(source), TargetOffset(target), length)


# 10 records, a marker at 110, 10 records of which 115 was compacted away; markers of ours at 10.
MAP = OffsetMap(
    runs=Runs([run(100, 0, 10), run(111, 11, 4), run(116, 15, 5)]),
    begins=SourceOffset(100),
    copied_to=SourceOffset(123),
    target_end=TargetOffset(20),
)
EMPTY = OffsetMap(
    runs=Runs(), begins=SourceOffset(0), copied_to=SourceOffset(0), target_end=TargetOffset(0)
)


def group(kind: GroupType = GroupType.CLASSIC) -> GroupFacts:
    return GroupFacts(
        id=GroupId("billing"),
        type=kind,
        protocol="consumer",
        state="Empty",
        coordinator=1,
        members=(),
        positions=(),
    )


def at(offset: int | None, *, start: int = 100, end: int = 123, trouble: str = "") -> PositionFacts:
    return PositionFacts(
        topic=TOPIC,
        partition=PartitionId(0),
        offset=offset,
        leader_epoch=50,
        metadata="beside",
        log_start=start,
        log_end=end,
        lag=None if offset is None else max(0, end - offset),
        trouble=trouble,
    )


def to(
    offsets: OffsetMap | None = MAP, *, start: int = 0, end: int = 20, made_anew: bool = False
) -> Destination:
    return Destination(
        topic=COPY, offsets=offsets, log=Log(start=start, end=end), made_anew=made_anew
    )


@pytest.mark.parametrize(
    ("offset", "target", "words"),
    [
        (100, 0, "very record"),
        (109, 9, "very record"),
        (110, 11, "next record that is left"),
        (111, 11, "very record"),
        (115, 15, "next record that is left"),
        (120, 19, "very record"),
        (121, 20, "next record to come"),
        (123, 20, "next record to come"),
    ],
)
def test_a_position_leads_to_the_record_that_would_be_read_next(
    offset: int, target: int, words: str
) -> None:
    found = stand(group(), at(offset), to())
    assert (found.answer, found.target_offset, found.exact) == (Answer.KNOWN, target, True)
    assert (found.again, found.skipped) == (0, 0)
    assert words in found.reason
    assert found.lag == 123 - offset
    assert found.metadata == "beside"


def test_a_position_in_expired_ground_leads_to_the_first_record_and_skips_nothing() -> None:
    found = stand(group(), at(60), to())
    assert (found.target_offset, found.exact, found.skipped) == (0, False, 0)
    assert found.reason == "the first record copied: 40 offsets had expired on the source"


def test_unread_records_before_a_copy_that_began_later_are_counted() -> None:
    found = stand(group(), at(60, start=30), to())
    assert (found.target_offset, found.exact, found.skipped) == (0, False, 40)
    assert "up to 40 unread records" in found.reason
    partly = stand(group(), at(60, start=90), to())
    assert partly.skipped == 10


@pytest.mark.parametrize(
    ("position", "words"),
    [
        (at(124, end=130), "copied to 123, 1 before it"),
        (at(200, end=123), "77 past the last stable offset 123"),
        (at(None, trouble="an open transaction is about to commit here"), "open transaction"),
    ],
)
def test_beyond_what_is_copied_there_is_no_answer_yet_and_nothing_is_clamped(
    position: PositionFacts, words: str
) -> None:
    found = stand(group(), position, to())
    assert (found.answer, found.target_offset, found.exact) == (Answer.WAITS, None, False)
    assert words in found.reason


def test_an_empty_partition_leads_to_the_beginning() -> None:
    found = stand(group(), at(0, start=0, end=0), to(EMPTY, end=0))
    assert (found.target_offset, found.exact) == (0, True)


@pytest.mark.parametrize(
    ("destination", "answer", "words"),
    [
        (None, Answer.NONE, "not part of the migration"),
        (to(made_anew=True), Answer.NONE, "made anew"),
        (to(None), Answer.WAITS, "has not begun"),
        (to(start=12), Answer.NONE, "gone, its log starts at 12"),
        (to(end=3), Answer.WAITS, "past the last stable offset 3"),
        (Destination(topic=COPY, offsets=MAP, log=Log(trouble="it is gone")), Answer.WAITS, "gone"),
    ],
)
def test_where_no_map_leads_it_is_said_and_no_number_given(
    destination: Destination | None, answer: Answer, words: str
) -> None:
    found = stand(group(), at(105), destination)
    assert (found.answer, found.target_offset) == (answer, None)
    assert words in found.reason


@pytest.mark.parametrize("kind", [GroupType.CONSUMER, GroupType.STREAMS])
def test_groups_of_newer_protocols_stand_where_classic_ones_do(kind: GroupType) -> None:
    assert stand(group(kind), at(105), to()) == stand(group(), at(105), to())


@pytest.mark.parametrize(
    ("destination", "words"),
    [(to(), "is 5 on the target"), (to(None), "does not set"), (None, "does not set")],
)
def test_a_share_group_is_told_where_it_stands_and_what_would_be_lost(
    destination: Destination | None, words: str
) -> None:
    found = stand(group(GroupType.SHARE), at(105), destination)
    assert (found.answer, found.target_offset) == (Answer.NONE, None)
    assert found.reason.startswith("share group")
    assert words in found.reason


def known(offset: int = 105) -> Standing:
    return stand(group(), at(offset), to())


@pytest.mark.parametrize(
    ("there", "force", "step"),
    [
        (There(), False, Step.SET),
        (There(state="Empty", committed={PLACE: (3, "beside")}), False, Step.SET),
        (There(committed={PLACE: (5, "beside")}), False, Step.SAME),
        (There(committed={PLACE: (5, "other")}), False, Step.SET),
        (There(committed={PLACE: (6, "")}), False, Step.AHEAD),
        (There(committed={PLACE: (6, "")}), True, Step.SET),
        (There(state="Stable", members=("a at b",)), True, Step.ACTIVE),
        (There(state="Stable"), False, Step.ACTIVE),
        (There(state="Stable", committed={PLACE: (5, "")}), False, Step.SAME),
        (There(state="Stable", committed={PLACE: (6, "")}), True, Step.AHEAD),
        (There(trouble="it may not be seen"), True, Step.FAILED),
    ],
)
def test_an_active_group_is_never_moved_and_none_goes_back_unless_told(
    there: There, *, force: bool, step: Step
) -> None:
    move = decide(known(), there, force=force)
    assert move.step is step, move
    assert move.place == PLACE


def test_what_has_no_answer_is_not_set_whatever_is_asked_for() -> None:
    waits = decide(known(200), There(), force=True)
    left = decide(stand(group(), at(105), None), There(), force=True)
    assert (waits.step, left.step) == (Step.WAITS, Step.LEFT)
    assert left.place is None


RULE = Uncopied(at=-2, words="the target's log start")


def by_rule(offset: int | None, *, log: Log, lag: int = 0, rule: Uncopied = RULE) -> Standing:
    position = replace(at(123 - lag), lag=lag)
    offsets = {} if offset is None else {PLACE: offset}
    return stand_by_rule(group(), position, PLACE, rule=rule, log=log, offsets=offsets)


def test_a_rule_is_never_exact_and_what_it_leaves_unread_is_counted() -> None:
    start = by_rule(5, log=Log(start=5, end=9))
    assert (start.target_offset, start.exact, start.skipped) == (5, False, 0)
    end = by_rule(9, log=Log(start=5, end=9), lag=3)
    assert (end.target_offset, end.skipped) == (9, 7)
    assert "3 unread records stay on the source" in end.reason


@pytest.mark.parametrize(
    ("offset", "log", "answer"),
    [
        (None, Log(start=0, end=9), Answer.NONE),
        (10, Log(start=0, end=9), Answer.WAITS),
        (4, Log(start=5, end=9), Answer.NONE),
        (4, Log(trouble="it is gone"), Answer.NONE),
    ],
)
def test_a_place_that_is_not_there_is_not_clamped(
    offset: int | None, log: Log, answer: Answer
) -> None:
    found = by_rule(offset, log=log)
    assert (found.answer, found.target_offset) == (answer, None)


def test_a_file_speaks_of_a_group_before_it_speaks_of_all() -> None:
    positions = {(None, PLACE): 3, (GroupId("billing"), PLACE): 7}
    rule = Uncopied(words="positions.csv", positions=positions)
    assert by_rule(None, log=Log(start=0, end=9), rule=rule).target_offset == 7


@pytest.mark.parametrize(
    ("committed", "force", "step"),
    [
        (None, False, Step.SET),
        (5, False, Step.SAME),
        (3, False, Step.LEFT),
        (8, False, Step.LEFT),
        (3, True, Step.SET),
    ],
)
def test_a_rule_moves_no_group_that_has_a_position(
    committed: int | None, *, force: bool, step: Step
) -> None:
    there = There(committed={} if committed is None else {PLACE: (committed, "")})
    assert decide(by_rule(5, log=Log(start=5, end=9)), there, force=force).step is step
