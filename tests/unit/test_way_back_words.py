"""What is said beforehand of a way back, and of groups that never committed."""

import pytest

from kferry.migration.switching.at_work import AtWork, read_at_work
from kferry.migration.switching.uncommitted import Choice, Unset
from kferry.migration.switching.way_back import Returning
from kferry.names import GroupId, PartitionId, TopicName, TopicPartition
from kferry.preflight.findings import Finding, Severity, Side
from kferry.preflight.permissions import RIGHTS_UNANSWERED
from kferry.runbook import SCHEMES
from kferry.runbook.back import WAY_BACK, as_people_call_them
from kferry.runbook.operations import Reading
from kferry.runbook.returning import by_age, by_rights
from kferry.runbook.unset import asks_uncommitted, never_committed, read_choice

PLACE = TopicPartition(TopicName("orders"), PartitionId(3))


def unset(*, empty: bool = False) -> Unset:
    return Unset(group=GroupId("g"), place=PLACE, start=100, end=150, empty=empty)


def right(severity: Severity, code: str = "denied") -> Finding:
    return Finding(
        side=Side.SOURCE,
        subject="Write on topics",
        severity=severity,
        code=code,
        message="not allowed",
        hint="kafka-acls --add",
    )


def test_where_nothing_was_to_be_read_the_place_is_known_whatever_is_said() -> None:
    for choice in (None, *Choice):
        assert unset(empty=True).at(choice) == 150
        (told,) = never_committed([unset(empty=True)], choice)
        assert told.passed
        assert "at the log's end" in told.measured


@pytest.mark.parametrize(
    ("choice", "at"), [(None, None), (Choice.LEAVE, None), (Choice.START, 100), (Choice.END, 150)]
)
def test_where_records_are_at_stake_somebody_has_to_say(
    choice: Choice | None, at: int | None
) -> None:
    assert unset().at(choice) == at
    (told,) = never_committed([unset()], choice)
    assert told.passed == (choice is not None)
    assert told.final == (choice is None)
    assert f"g, {PLACE}: 50 records" in told.why
    assert ("--uncommitted end" in told.why) == (choice is None)


def test_what_went_wrong_with_a_known_place_shuts_the_gate() -> None:
    (told,) = never_committed([unset(empty=True)], None, ["g is active on the target"])
    assert not told.passed
    assert not told.final, "it may go away"
    assert "g is active" in told.why
    assert never_committed([], None) == []


def test_a_choice_in_the_record_that_is_none_is_no_choice() -> None:
    assert read_choice({"uncommitted": "end"}) is Choice.END
    assert read_choice({"uncommitted": "elsewhere"}) is None
    assert read_choice({}) is None


def test_who_was_at_work_is_read_back_and_nothing_stale_with_it() -> None:
    work = AtWork(reads={GroupId("g"): (PLACE.topic,)}, ends={PLACE: 7})
    stale = {"cutover/ends/gone": {"ends": {"0": 1}}, "topic/x": {}}
    written = dict(work.documents(stale))
    assert written.pop("cutover/ends/gone") is None
    assert "topic/x" not in written
    assert read_at_work({key: value for key, value in written.items() if value}) == work
    older = read_at_work({"cutover/active": {"groups": ["a"], "at": 1}})
    assert older.groups == ["a"]


def test_what_the_age_of_a_source_allows_is_said_and_how_to_go_without() -> None:
    none = by_age(Returning(release="0.10.2", brokers=False, old_formats={}))
    old = by_age(Returning(release="2.8", brokers=True, old_formats={PLACE.topic: "0.10.2-IV0"}))
    for told in (none, old):
        assert not told.passed
        assert told.final
        assert "--no-way-back" in told.why
    assert "orders (0.10.2-IV0)" in old.why
    exact = by_age(
        Returning(release="1.1", brokers=True, old_formats={}, forgetful=True, zstd=False)
    )
    assert exact.passed
    assert "forgets producers" in exact.why
    assert "zstd" in exact.why


def test_missing_rights_shut_the_gate_for_good_and_silence_only_for_now() -> None:
    denied = by_rights([right(Severity.ERROR), right(Severity.OK)])
    assert (denied.passed, denied.final) == (False, True)
    assert "1 right missing" in denied.measured
    assert "kafka-acls --add" in denied.why
    silent = by_rights([right(Severity.ERROR, RIGHTS_UNANSWERED)])
    assert (silent.passed, silent.final) == (False, False)
    wanted = by_rights([right(Severity.WARNING), right(Severity.OK)])
    assert wanted.passed
    assert "Write on topics" in wanted.why


def test_only_schemes_that_copy_everything_ask_where_nobody_committed() -> None:
    asking = [name for name, scheme in SCHEMES.items() if asks_uncommitted(scheme)]
    assert asking == ["mirror", "consumer-first"]
    assert asks_uncommitted(WAY_BACK)


def test_on_the_way_back_gates_call_the_sides_what_everybody_calls_them() -> None:
    seen = Reading(
        gate="no consumer on the source",
        passed=False,
        measured="1 member there",
        why="lazy has no member on the target yet; source-orders, my.target and a-source stay; "
        "kferry messages query --source …; the source's end",
    )
    told = as_people_call_them(seen)
    assert told.gate == "no consumer on the target"
    assert told.why == (
        "lazy has no member on the source yet; source-orders, my.target and a-source stay; "
        "kferry messages query --target …; the target's end"
    )
