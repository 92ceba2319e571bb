"""What a rehearsal compares, how long it expects a cutover to take, which hooks it dares call."""

import asyncio
import json
import os
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kferry.admin.operations import Operation
from kferry.groups import There
from kferry.migration.switching.book import ourselves, place
from kferry.migration.switching.sample import Sample
from kferry.migration.switching.shadow import (
    AnotherRehearsal,
    Found,
    NotOurs,
    Signature,
    left_by_others,
    read_signature,
    shadow_of,
)
from kferry.names import GroupId, PartitionId, SourceOffset, TargetOffset, TopicName, TopicPartition
from kferry.offsets import OffsetMap, Run, Runs, next_records, shares
from kferry.preflight import Finding, needs
from kferry.preflight.needs import Need
from kferry.progress import Snapshot, Stopped
from kferry.runbook import SCHEMES
from kferry.runbook import rehearsal_readings as told
from kferry.runbook.hooks import Hooks
from kferry.runbook.hooks_tried import Trying
from kferry.runbook.interruption import RESTART_S, Piece, expected, standstill, tail
from kferry.runbook.operations import Reading
from kferry.runbook.rehearsed import HookTried, Rehearsed, StepTried
from kferry.runbook.rights import judged
from kferry.runbook.steps import Handover, Hook
from kferry.verify import Tally

HERE = TopicPartition(TopicName("orders"), PartitionId(0))
GROUP = GroupId("shop")


def offset_map(*runs: tuple[int, int, int], copied_to: int) -> OffsetMap:
    last = runs[-1]
    return OffsetMap(
        runs=Runs(Run(SourceOffset(a), TargetOffset(b), n) for a, b, n in runs),
        begins=SourceOffset(runs[0][0]),
        copied_to=SourceOffset(copied_to),
        target_end=TargetOffset(last[1] + last[2]),
    )


HOLED = offset_map((10, 0, 5), (20, 5, 1), (30, 8, 4), copied_to=40)
PAIRS = [(10 + i, i) for i in range(5)] + [(20, 5)] + [(30 + i, 8 + i) for i in range(4)]


def test_the_next_records_are_those_that_the_map_knows_and_no_hole_is_one() -> None:
    for position, most in product(range(45), (0, 1, 3, 6, 100)):
        part = next_records(HOLED, position, most)
        found = [(run.source + i, run.target + i) for run in part.runs for i in range(run.length)]
        wanted = [pair for pair in PAIRS if pair[0] >= position][:most]
        assert found == wanted, (position, most)
        if wanted:
            assert (part.copied_to, part.target_end) == (wanted[-1][0] + 1, wanted[-1][1] + 1)


@given(st.dictionaries(st.integers(0, 50), st.integers(0, 200), max_size=20), st.integers(0, 300))
def test_a_sample_is_as_large_as_it_can_be_and_spread_as_evenly(
    available: dict[int, int], most: int
) -> None:
    taken = shares(available, most)
    assert all(0 <= taken[key] <= there for key, there in available.items())
    assert sum(taken.values()) == min(most, sum(available.values()))
    wanting = [taken[key] for key, there in available.items() if taken[key] < there]
    if wanting:  # nobody has more than one that could still give
        assert max(taken.values()) <= min(wanting) + 1


def test_who_stands_still_from_which_step_to_which_follows_from_the_scheme() -> None:
    still = {
        name: {who: (steps[0], steps[-1]) for who, steps in standstill(scheme).items()}
        for name, scheme in SCHEMES.items()
    }
    assert still == {
        "mirror": {
            "producers": ("silence", "hand-over"),
            "consumers": ("consumers-stop", "hand-over"),
        },
        "producer-first": {
            "producers": ("hand-over", "hand-over"),
            "consumers": ("consumers-stop", "consumers-start"),
        },
        "dual-consumer": {"producers": ("hand-over", "hand-over")},
        "consumer-first": {
            "producers": ("silence", "hand-over"),
            "consumers": ("consumers-stop", "consumers-start"),
        },
        "drain": {
            "producers": ("silence", "hand-over"),
            "consumers": ("consumers-stop", "hand-over"),
        },
        "double-write": {
            "producers": ("hand-over", "hand-over"),
            "consumers": ("consumers-stop", "consumers-start"),
        },
    }


def test_an_interruption_sums_up_its_steps_and_names_what_has_no_number() -> None:
    took = {
        "verify": [Piece(step="verify", what="before anybody waits", seconds=1000.0)],
        "silence": [Piece(step="silence", what="window", seconds=10.0)],
        "consumers-stop": [Piece(step="consumers-stop", what="a person", seconds=None)],
        "hand-over": [Piece(step="hand-over", what="hook", seconds=2.5)],
    }
    producers, consumers = expected(SCHEMES["mirror"], took)
    assert (producers.who, producers.seconds) == ("producers", 12.5)
    assert (consumers.who, consumers.seconds) == ("consumers", 2.5)
    assert [one.what for one in producers.untold] == ["a person"]


def test_a_tail_takes_its_offsets_at_the_paces_measured() -> None:
    assert [one.seconds for one in tail(1_000, copied_per_s=500, compared_per_s=2_000)] == [
        RESTART_S,
        2.0,
        0.5,
    ]
    assert [one.seconds for one in tail(0, copied_per_s=None, compared_per_s=None)] == [
        RESTART_S,
        0.0,
        0.0,
    ]
    assert [one.seconds for one in tail(7, copied_per_s=None, compared_per_s=None)][1:] == [
        None,
        None,
    ]


SNAPSHOT = Snapshot(
    migration="m",
    source_cluster="a",
    target_cluster="b",
    taken_at="2026-01-01T00:00:00+00:00",
    state="following",
    owner="host, process 1",
    records_per_second=100,
)


@pytest.mark.parametrize(
    ("lag", "snapshot", "passed"),
    [
        (0, None, True),
        (1, None, False),
        (0, replace(SNAPSHOT, state="stopped", owner=""), True),
        (1, replace(SNAPSHOT, state="stopped", owner=""), False),
        (500, SNAPSHOT, True),
        (501, SNAPSHOT, False),
        (1, replace(SNAPSHOT, records_per_second=0), False),
        (0, replace(SNAPSHOT, stopped=(
            Stopped(topic="orders", partition=0, offset=1, reason="why", code="c"),
        )), False),
        (0, replace(SNAPSHOT, stopped=(
            Stopped(topic="other", partition=0, offset=1, reason="why", code="c"),
        )), True),
    ],
)  # fmt: skip
def test_a_copy_is_near_at_its_own_pace_or_done(
    lag: int,
    snapshot: Snapshot | None,
    passed: bool,  # noqa: FBT001 a parameter of the cases above
) -> None:
    assert told.caught_up(lag, snapshot, {"orders"}).passed is passed


def test_transactions_that_end_are_no_finding_and_those_that_stay_are_named() -> None:
    first = {HERE: (5, 9)}
    assert told.transactions(first, {}, 10, []).passed
    staying = told.transactions(first, {HERE: 5}, 10, ["till (producer id 3)"])
    assert not staying.passed
    assert "since offset 5" in staying.why
    assert "till (producer id 3)" in staying.why


def found(*metadata: str, started: bool = False, members: tuple[str, ...] = ()) -> Found:
    committed = {
        TopicPartition(TopicName("orders"), PartitionId(number)): (7, one)
        for number, one in enumerate(metadata)
    }
    there = There(state="Empty", committed=committed, started=started, members=members)
    return Found(group=shadow_of(GROUP), there=there)


def judge(one: Found, migration: str = "m") -> list[GroupId]:
    return left_by_others([one], {shadow_of(GROUP)}, migration)


LEFT = Signature(migration="m", by="gone, process 4194305", place=place(), at=0)


def test_what_a_rehearsal_that_was_killed_has_left_is_ours_to_take_away() -> None:
    assert read_signature(LEFT.metadata()) == LEFT
    assert judge(found(LEFT.metadata(), LEFT.metadata())) == [shadow_of(GROUP)]
    assert judge(found()) == [shadow_of(GROUP)]  # its topic was deleted: nothing is in it
    absent = Found(group=shadow_of(GROUP), there=There())
    assert judge(absent) == []


@pytest.mark.parametrize(
    "one",
    [
        found(LEFT.metadata(), "theirs"),
        found(""),
        found('{"kferry": "rehearsal"}'),
        found(LEFT.metadata(), started=True),
        found(LEFT.metadata(), members=("app at 10.0.0.1",)),
    ],
)
def test_a_group_of_somebody_else_is_not_touched(one: Found) -> None:
    with pytest.raises(NotOurs):
        judge(one)
    assert left_by_others([one], set(), "m") == []


def test_shadows_of_another_migration_are_spared_unless_they_are_in_the_way() -> None:
    other = replace(LEFT, migration="another")
    assert left_by_others([found(other.metadata())], set(), "m") == []
    assert judge(found(other.metadata())) == [shadow_of(GROUP)]


def test_a_rehearsal_that_may_be_at_work_is_not_disturbed() -> None:
    now = Signature.ours("m")
    parent = replace(now, by=ourselves().replace(str(os.getpid()), str(os.getppid())))
    with pytest.raises(AnotherRehearsal):
        judge(found(parent.metadata()))
    with pytest.raises(AnotherRehearsal):
        judge(found(replace(now, place="elsewhere/1", by="elsewhere, process 9").metadata()))
    assert judge(found(replace(parent, at=0).metadata())) == [shadow_of(GROUP)]


def finding(need: Need) -> Finding:
    return Finding(
        side=need.side,
        subject=need.title,
        severity=need.severity,
        code="denied",
        message="not allowed",
        hint="grant it",
    )


def test_rights_that_only_the_beginning_of_a_copy_takes_are_wanted_no_more() -> None:
    over = [
        need
        for need in (*needs.SOURCE_TOPICS, *needs.TARGET_TOPICS)
        if need.operation in {Operation.DESCRIBE_CONFIGS, Operation.ALTER_CONFIGS}
    ]
    remarked = judged([finding(need) for need in over])
    assert remarked.passed
    assert "not allowed" in remarked.why
    for need in (needs.SOURCE_TOPICS[0], needs.SOURCE_GROUPS, needs.TARGET_GROUPS):
        shut = judged([finding(need)])
        assert not shut.passed
        assert need.title in shut.why
        assert "grant it" in shut.why


def rehearsed(*, reading: Reading, sample: Sample, hook: HookTried) -> Rehearsed:
    step = StepTried(
        step=SCHEMES["mirror"].steps[0], seconds=1.0, readings=(reading,), hooks=(hook,)
    )
    return Rehearsed(
        migration="m",
        scheme="mirror",
        topics=("orders",),
        steps=(step,),
        back=(),
        samples=(sample,),
        interruptions=(),
    )


WELL = Reading(gate="groups", passed=True, measured="3 groups")
SHUT = Reading(gate="groups", passed=False, measured="3 groups")
UNSURE = Reading(gate="groups", passed=False, unsure=True, measured="3 groups")
SAME = Sample(group=GROUP, positions=1, tally=Tally(same=100, expired_source=3))
APART = Sample(group=GROUP, positions=1, tally=Tally(same=99, differ=1))
UNREAD = Sample(group=GROUP, positions=1, tally=Tally(), troubles=("a batch cannot be read",))


@pytest.mark.parametrize(
    ("reading", "sample", "state", "code"),
    [
        (WELL, SAME, "done", 0),
        (UNSURE, SAME, "person", 0),
        (SHUT, SAME, "done", 5),
        (WELL, SAME, "failed", 5),
        (WELL, SAME, "not-called", 5),
        (WELL, APART, "done", 4),
        (WELL, UNREAD, "done", 4),
        (SHUT, APART, "failed", 4),
    ],
)
def test_a_difference_weighs_more_than_a_gate_and_what_is_asked_about_weighs_nothing(
    reading: Reading,
    sample: Sample,
    state: Literal["done", "failed", "not-called", "person"],
    code: int,
) -> None:
    hook = HookTried(step="silence", handover=STOP, state=state, why="why")
    found = rehearsed(reading=reading, sample=sample, hook=hook)
    assert found.exit_code == code
    assert bool(found.findings) == (code == 5 or reading is SHUT)


STOP = Handover(hook=Hook.SILENCE, do="stop-producers", on="source", asks="stop them")


def call(folder: Path, script: str | None, *, mode: int = 0o755) -> tuple[HookTried, str]:
    said: list[str] = []
    if script is not None:
        path = folder / "on-silence"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(mode)

    async def run() -> HookTried:
        trying = Trying(
            hooks=Hooks(folder=folder, seconds=20),
            facts={"KFERRY_REHEARSAL": "0", "KFERRY_SCHEME": "mirror"},
            narrate=said.append,
            stop=asyncio.Event(),
        )
        return await trying.call("silence", STOP)

    return asyncio.run(run()), "\n".join(said)


def test_a_hook_is_told_that_it_is_a_rehearsal_and_what_of(tmp_path: Path) -> None:
    tried, said = call(
        tmp_path, 'echo "$KFERRY_REHEARSAL $KFERRY_STEP $KFERRY_DO $KFERRY_ON $KFERRY_SCHEME"'
    )
    assert tried.state == "done"
    assert tried.seconds is not None
    assert "on-silence: 1 silence stop-producers source mirror" in said


def test_a_hook_that_knows_of_no_rehearsals_is_not_called(tmp_path: Path) -> None:
    tried, said = call(tmp_path, f"touch {json.dumps(str(tmp_path / 'acted'))}")
    assert (tried.state, tried.is_finding) == ("not-called", True)
    assert not (tmp_path / "acted").exists()
    assert not said


@pytest.mark.parametrize(("mode", "why"), [(0o755, "exit code 3"), (0o644, "not executable")])
def test_a_hook_that_fails_is_a_finding(tmp_path: Path, mode: int, why: str) -> None:
    tried, _ = call(tmp_path, "exit $(( KFERRY_REHEARSAL + 2 ))", mode=mode)
    assert (tried.state, tried.is_finding) == ("failed", True)
    assert why in tried.why


def test_without_a_hook_a_person_is_asked_which_is_no_finding(tmp_path: Path) -> None:
    tried, _ = call(tmp_path, None)
    assert (tried.state, tried.is_finding, tried.seconds) == ("person", False, None)
