"""Where a reset takes a position, and the words it is asked for in."""

import pytest

from kferry.admin.offsets import Place as Where
from kferry.errors import ConfigError
from kferry.groups import Log, Step, There
from kferry.groups.by_time import Exactness, Timed
from kferry.groups.durations import parse_duration
from kferry.groups.logs import GONE
from kferry.groups.partition_filter import partition_numbers, topic_partitions
from kferry.groups.position_file import FilePosition
from kferry.groups.reset import (
    Place,
    Reset,
    ShiftBy,
    ToCurrent,
    ToEnd,
    ToFile,
    ToOffset,
    ToStart,
    ToTime,
    Way,
    decide_reset,
)
from kferry.groups.when import parse_when
from kferry.names import GroupId, PartitionId, TopicName, TopicPartition

GROUP = GroupId("g")
PLACE = TopicPartition(TopicName("t"), PartitionId(0))
LOG = Log(start=10, end=100)
HOUR_MS = 3_600_000


def decided(way: Way, before: int | None = 50, *, log: Log = LOG, **more: object) -> Reset:
    committed = {} if before is None else {PLACE: (before, "mine")}
    timed = more.pop("timed", None)
    there = There(committed=committed, **more)  # type: ignore[arg-type]
    assert timed is None or isinstance(timed, Timed)
    return decide_reset(way, GROUP, PLACE, there, Place(log=log, timed=timed))


def to_file(offset: int, metadata: str | None = None) -> ToFile:
    told = FilePosition(group=GROUP, place=PLACE, offset=offset, metadata=metadata)
    return ToFile({(GROUP, PLACE): told})


@pytest.mark.parametrize(
    ("way", "before", "offset", "words"),
    [
        (ToStart(), 50, 10, ""),
        (ToEnd(), 50, 100, ""),
        (ToCurrent(), 50, 50, ""),
        (ToCurrent(), 3, 3, ""),
        (ToCurrent(), None, 100, "no position yet: the end"),
        (ToOffset(70), 50, 70, ""),
        (ToOffset(9), 50, 10, "9 is before the log's start: the start"),
        (ToOffset(1000), 50, 100, "1,000 is past the log's end: the end"),
        (ShiftBy(-5), 50, 45, ""),
        (ShiftBy(-500), 50, 10, "-450 is before the log's start: the start"),
        (ShiftBy(500), 50, 100, "550 is past the log's end: the end"),
        (to_file(100), None, 100, ""),
        (to_file(101), None, 100, "101 is past the log's end: the end"),
    ],
)
def test_each_way_has_its_answer(way: Way, before: int | None, offset: int, words: str) -> None:
    found = decided(way, before)
    assert (found.offset, found.reason) == (offset, words)
    assert found.step is (Step.SAME if before == offset else Step.SET)


@pytest.mark.parametrize(
    ("exactness", "words"),
    [
        (Exactness.RECORD, ""),
        (Exactness.END, "no record at or after"),
        (Exactness.NO_TIMES, "carry no timestamps"),
        (Exactness.SEGMENT, "early by up to a segment"),
    ],
)
def test_what_a_time_is_worth_is_said(exactness: Exactness, words: str) -> None:
    found = decided(ToTime(1), timed=Timed(offset=60, exactness=exactness))
    assert (found.step, found.offset) == (Step.SET, 60)
    assert words in found.reason


def test_a_shift_without_a_position_fails() -> None:
    assert decided(ShiftBy(5), None).step is Step.FAILED


def test_an_active_group_is_not_moved_whatever_else_is_wrong() -> None:
    gone = Log(trouble=next(iter(GONE)))
    for way, log in ((ToEnd(), LOG), (ShiftBy(1), LOG), (ToEnd(), gone)):
        found = decided(way, None, log=log, state="Stable", members=("app at 10.0.0.1",))
        assert (found.step, found.offset) == (Step.ACTIVE, None)
        assert "app at 10.0.0.1" in found.reason


def test_what_is_gone_is_left_and_what_does_not_answer_fails() -> None:
    assert decided(ToEnd(), log=Log(trouble=next(iter(GONE)))).step is Step.LEFT
    assert decided(ToEnd(), log=Log(trouble="nobody leads it")).step is Step.FAILED
    assert decided(ToEnd(), trouble="this is a share group").step is Step.FAILED


def test_metadata_stays_only_beside_its_own_offset() -> None:
    assert decided(ToCurrent()).metadata == "mine"
    assert decided(ToEnd()).metadata == ""
    assert decided(to_file(50)).metadata == "mine"
    assert decided(to_file(50, "theirs")).metadata == "theirs"
    assert decided(to_file(50, "theirs")).step is Step.SET


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("P7D", 7 * 24 * HOUR_MS),
        ("PT2H30M", 9 * HOUR_MS // 4 + HOUR_MS // 4),
        ("P1DT1S", 24 * HOUR_MS + 1000),
        ("PT0.25S", 250),
        ("pt5m", 300_000),
        ("PT0S", 0),
    ],
)
def test_durations_are_those_of_iso_8601(text: str, ms: int) -> None:
    assert parse_duration(text, where="--by-duration") == ms


@pytest.mark.parametrize("text", ["", "P", "PT", "P1DT", "7d", "P1W", "-P1D", "P-1D", "1H", "PT1D"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="not a duration"):
        parse_duration(text, where="--by-duration")


@pytest.mark.parametrize(
    ("text", "at", "stable"),
    [
        ("latest", Where.END, False),
        ("Latest-Stable", Where.END, True),
        ("-1", Where.END, False),
        ("-2", Where.START, False),
        ("-3", Where.NEWEST_TIMESTAMP, False),
        ("-4", Where.LOCAL_START, False),
        ("-5", Where.TIERED_END, False),
        ("-6", Where.PENDING_UPLOAD, False),
        ("1551744000000", 1_551_744_000_000, False),
        ("2019-03-05T08:00:00.000+08:00", 1_551_744_000_000, False),
    ],
)
def test_places_and_times_have_kafkas_names_and_ours(text: str, at: int, stable: object) -> None:
    when = parse_when(text)
    assert (when.at, when.committed, when.assumed_utc) == (at, stable, False)
    assert when.is_time == (at > 0)


def test_a_time_without_a_zone_is_utc_and_known_to_be_a_guess() -> None:
    when = parse_when("2019-03-05T00:00:00")
    assert (when.at, when.assumed_utc) == (1_551_744_000_000, True)


@pytest.mark.parametrize("text", ["-7", "-99999999999999999999", "--1", "noon", "", "1551744000"])
def test_what_names_no_place_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="--time"):
        parse_when(text)


@pytest.mark.parametrize(
    ("spec", "meant"),
    [
        ("orders", {"orders:0", "orders:1", "orders:5"}),
        ("orders:1", {"orders:1"}),
        ("ord.*:1-5", {"orders:1"}),
        ("pay:1-,orders:-1", {"pay:1", "pay:5", "orders:0"}),
        (":5", {"orders:5", "pay:5"}),
        ("orders:,nobody:0", {"orders:0", "orders:1", "orders:5"}),
        ("order:0", set()),
    ],
)
def test_partitions_are_named_in_the_grammar_of_kafkas_tool(spec: str, meant: set[str]) -> None:
    matches = topic_partitions(spec)
    every = [(topic, number) for topic in ("orders", "pay") for number in (0, 1, 5)]
    assert {f"{topic}:{number}" for topic, number in every if matches(topic, number)} == meant


@pytest.mark.parametrize("spec", ["orders:x", "orders:1:2", "orders:--", "a(b:0", "orders:1-2-3"])
def test_what_is_not_in_that_grammar_is_refused(spec: str) -> None:
    with pytest.raises(ConfigError, match="--topic-partitions"):
        topic_partitions(spec)


def test_partition_numbers_are_a_list() -> None:
    assert partition_numbers("0, 3") == {0, 3}
    for wrong in ("", "0,", "a", "-1", "0-3", "9999999999"):
        with pytest.raises(ConfigError, match="--partitions"):
            partition_numbers(wrong)
