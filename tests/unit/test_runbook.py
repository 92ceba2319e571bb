"""The walk over a scheme, with a world that only remembers: no cluster, no screen."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest

from kferry.errors import KferryError
from kferry.runbook import (
    SCHEMES,
    Declined,
    GateShut,
    Handover,
    NoWayBack,
    Reading,
    Record,
    Runner,
    Scheme,
    Step,
    Stopped,
    read_record,
)
from kferry.runbook.fencing import can_be_fenced, scheme_of


class PowerCut(BaseException):
    """The process ends here."""


@dataclass
class World:
    """Remembers what was done to it. `shut`: gates that stay shut, `unsure`: that cannot tell."""

    done: list[str] = field(default_factory=list)
    shut: set[str] = field(default_factory=set)
    unsure: set[str] = field(default_factory=set)
    broken: set[str] = field(default_factory=set)
    flowing: bool = False

    def __getattr__(self, name: str):  # type: ignore[no-untyped-def]  # every operation there is
        async def act() -> list[Reading]:
            if name in self.broken:
                raise KferryError(f"{name} went wrong")
            self.done.append(name)
            return [
                Reading(
                    gate=name,
                    passed=name not in self.shut | self.unsure,
                    measured="",
                    unsure=name in self.unsure,
                )
            ]

        return act

    async def follow(self) -> None:
        self.flowing = True

    async def rest(self) -> None:
        self.flowing = False

    def insist(self) -> None:
        pass


@dataclass
class People:
    """Do what they are told, and answer as they are made to."""

    world: World
    word: bool = True
    yes: bool = True
    seen: list[Sequence[Reading]] = field(default_factory=list)

    def about(self, facts: object) -> None: ...

    def narrate(self, line: str) -> None: ...

    def entering(self, step: Step, number: int, of: int) -> None: ...

    def passed(self, step: Step) -> None: ...

    def gates(self, readings: Sequence[Reading]) -> None:
        self.seen.append(readings)

    async def hand(self, handover: Handover, step: Step) -> bool:
        self.world.done.append(f"{step.name}:{handover.hook.value}")
        return False

    async def vouch(self, reading: Reading) -> bool:  # noqa: ARG002
        return self.word

    async def agree(self, question: str) -> bool:  # noqa: ARG002
        return self.yes


@dataclass
class Paper:
    """Keeps the record; the power may be cut after so many notes."""

    notes: list[Record] = field(default_factory=list)
    cut_after: int | None = None

    def glance(self, record: Record) -> None: ...

    async def keep(self, record: Record) -> None:
        self.notes.append(read_record(record.document()))
        if self.cut_after is not None and len(self.notes) > self.cut_after:
            raise PowerCut


def record(scheme: Scheme) -> Record:
    return Record(id="1", scheme=scheme.name, topics=("t",), groups=(), started="")


def runner(
    scheme: Scheme, world: World, paper: Paper, people: People, at: Record | None = None
) -> Runner:
    return Runner(
        scheme=scheme,
        record=at or record(scheme),
        memory=paper,
        do=world,
        copying=world,
        operator=people,
        by="us",
        stop=asyncio.Event(),
        patience_s=0.0,
        every_s=0.001,
    )


def acts(scheme: Scheme, world: World) -> list[str]:
    """What was done, without what only looks."""
    looks = {
        "silent", "still_silent", "consumers_gone", "drained", "caught_up", "verified", "fit",
        "tail_copied", "positions_committed", "consumers_there", "target_grows", "backlog",
        "empty_targets", "consumers_left_target", "nothing_late", "fenced", "fence_lifted",
    }  # fmt: skip
    return [one for one in world.done if one not in looks]


FENCED = [
    replace(scheme_of(one), name=f"{one.scheme} with a fence")
    for scheme in SCHEMES.values()
    if can_be_fenced(scheme)
    for one in [replace(record(scheme), facts={"fence": {}})]
]
every_scheme = pytest.mark.parametrize(
    "scheme", [*SCHEMES.values(), *FENCED], ids=lambda one: one.name
)


@every_scheme
async def test_a_scheme_is_walked_to_its_end_in_order(scheme: Scheme) -> None:
    world, paper = World(), Paper()
    ended = await runner(scheme, world, paper, People(world)).walk()
    assert ended.state == "done"
    assert [one.step for one in ended.passed] == [step.name for step in scheme.steps]
    assert not world.flowing, "a copy was left running"


@every_scheme
async def test_cut_off_at_any_note_the_next_walk_comes_to_the_same_end(scheme: Scheme) -> None:
    whole = Paper()
    await runner(scheme, World(), whole, People(World())).walk()
    for cut in range(len(whole.notes)):
        world, paper = World(), Paper(cut_after=cut)
        with pytest.raises(PowerCut):
            await runner(scheme, world, paper, People(world)).walk()
        again = await runner(scheme, world, Paper(), People(world), at=paper.notes[-1]).walk()
        assert again.state == "done"
        assert {one.step for one in again.passed} == {step.name for step in scheme.steps}


@every_scheme
async def test_before_the_point_of_no_return_everything_is_taken_back(scheme: Scheme) -> None:
    whole = Paper()
    await runner(scheme, World(), whole, People(World())).walk()
    for cut, note in enumerate(whole.notes):
        world, paper = World(), Paper(cut_after=cut)
        with pytest.raises(PowerCut):
            await runner(scheme, world, paper, People(world)).walk()
        walk = runner(scheme, world, Paper(), People(world), at=paper.notes[-1])
        if note.no_return:
            with pytest.raises(NoWayBack):
                await walk.roll_back()
            continue
        began = [
            step
            for step in scheme.steps
            if paper.notes[-1].has_passed(step.name) or paper.notes[-1].current == step.name
        ]
        world.done.clear()
        ended = await walk.roll_back()
        assert ended.state == "undone"
        assert not ended.passed
        assert [one for one in world.done if ":on-rollback" in one] == [
            f"{step.name}:on-rollback" for step in reversed(began) if step.back is not None
        ]


@every_scheme
async def test_a_gate_that_stays_shut_leaves_nobody_waiting(scheme: Scheme) -> None:
    for number, step in enumerate(scheme.steps):
        if step.gate is None or step.no_return:
            continue
        world = World()
        gates = await _gates_of(step)
        world.shut = gates - _gates_before(scheme, number, await _all_gates(scheme))
        if not world.shut or (not step.hurried and step.handover is None):
            continue
        paper = Paper()
        with pytest.raises(GateShut):
            await runner(scheme, world, paper, People(world)).walk()
        left = paper.notes[-1]
        assert left.state == "stopped"
        assert left.reason
        assert not left.has_passed(step.name)
        if left.no_return:
            continue
        stopped = [one for one in world.done if one.endswith(("on-silence", "on-consumers-stop"))]
        back = [one for one in world.done if one.endswith("on-rollback")]
        still = [one for one in scheme.steps if left.has_passed(one.name)]
        if not any(one.rests for one in still):
            assert len(back) >= len(stopped), "somebody was stopped and not started again"


async def _gates_of(step: Step) -> set[str]:
    world = World()
    assert step.gate is not None
    return {reading.gate for reading in await step.gate(world)}


async def _all_gates(scheme: Scheme) -> list[set[str]]:
    return [await _gates_of(step) if step.gate else set() for step in scheme.steps]


def _gates_before(scheme: Scheme, number: int, gates: list[set[str]]) -> set[str]:
    return set().union(*gates[:number]) if number else set()


async def test_what_no_longer_holds_after_a_pause_is_walked_again() -> None:
    scheme = SCHEMES["mirror"]
    world, paper = World(broken={"commit_positions"}), Paper(cut_after=None)
    stopped = Paper()
    await runner(scheme, World(), stopped, People(World())).walk()
    at_positions = next(
        note
        for note in stopped.notes
        if note.current == "positions" and not note.has_passed("positions")
    )
    world = World(shut={"silent"})
    with pytest.raises(GateShut):
        await runner(scheme, world, paper, People(world), at=at_positions).walk()
    assert "silence:on-silence" in world.done, "it was not asked for silence again"
    assert not paper.notes[-1].has_passed("tail")


async def test_a_word_stands_for_what_cannot_be_measured_and_no_word_does_not() -> None:
    scheme = SCHEMES["mirror"]
    world = World(unsure={"silent"})
    ended = await runner(scheme, world, Paper(), People(world)).walk()
    assert any(
        "producers are stopped" in one.measured for done in ended.passed for one in done.readings
    )
    world = World(unsure={"silent"})
    with pytest.raises(GateShut):
        await runner(scheme, world, Paper(), People(world, word=False)).walk()


async def test_what_a_gate_measured_last_stays_in_the_record_of_a_cutover_that_stands_still() -> (
    None
):
    world, paper = World(shut={"consumers_gone"}), Paper()
    with pytest.raises(GateShut):
        await runner(SCHEMES["mirror"], world, paper, People(world)).walk()
    left = paper.notes[-1]
    assert [(one.gate, one.passed) for one in left.gates] == [("consumers_gone", False)]
    world.shut.clear()
    ended = await runner(SCHEMES["mirror"], world, Paper(), People(world), at=left).walk()
    assert not ended.gates


async def test_no_at_the_point_of_no_return_hands_nothing_over_and_starts_all_again() -> None:
    scheme = SCHEMES["mirror"]
    world, paper = World(), Paper()
    with pytest.raises(Declined):
        await runner(scheme, world, paper, People(world, yes=False)).walk()
    assert not paper.notes[-1].no_return
    assert "hand-over:on-handover" not in world.done
    assert world.done.count("take_positions_back") == 1
    assert sum(one.endswith("on-rollback") for one in world.done) == 2


async def test_a_fence_is_lifted_before_producers_are_told_to_go_on() -> None:
    scheme = next(one for one in FENCED if one.name.startswith("mirror"))
    world, paper = World(broken={"copy_tail"}), Paper()
    with pytest.raises(KferryError):
        await runner(scheme, world, paper, People(world)).walk()
    assert world.done.index("lift_fence") < world.done.index("silence:on-rollback")
    assert world.done.index("fence") > world.done.index("silence:on-silence")


async def test_asked_to_stop_it_waits_at_the_gate_and_can_be_gone_on_with() -> None:
    scheme = SCHEMES["producer-first"]
    world, paper = World(shut={"drained"}), Paper()
    walk = runner(scheme, world, paper, People(world))
    walk.patience_s = 60
    task = asyncio.create_task(walk.walk())
    async with asyncio.timeout(10):
        while "drained" not in world.done:
            await asyncio.sleep(0)
    walk.stop.set()
    with pytest.raises(Stopped):
        await task
    assert paper.notes[-1].state == "stopped"
    world.shut.clear()
    ended = await runner(scheme, world, Paper(), People(world), at=paper.notes[-1]).walk()
    assert ended.state == "done"


async def test_what_was_done_before_a_pause_is_done_again_before_the_hand_over() -> None:
    scheme = SCHEMES["mirror"]
    whole = Paper()
    await runner(scheme, World(), whole, People(World())).walk()
    before = next(note for note in whole.notes if note.has_passed("arm") and not note.no_return)
    world = World()
    await runner(scheme, world, Paper(), People(world), at=before).walk()
    assert acts(scheme, world)[:4] == ["copy_tail", "commit_positions", "mark_switch", "arm"]


async def test_whoever_was_sent_back_by_a_rollback_cut_short_is_asked_again() -> None:
    scheme = SCHEMES["consumer-first"]
    whole = Paper()
    await runner(scheme, World(), whole, People(World())).walk()
    before = next(note for note in whole.notes if note.has_passed("mark"))
    taken_back = Paper()
    await runner(scheme, World(), taken_back, People(World()), at=before).roll_back()
    for cut in range(len(taken_back.notes)):
        world, paper = World(), Paper(cut_after=cut)
        with pytest.raises(PowerCut):
            await runner(scheme, world, paper, People(world), at=before).roll_back()
        sent_back = {one.split(":")[0] for one in world.done if one.endswith(":on-rollback")}
        again = World()
        if paper.notes[-1].open:
            await runner(scheme, again, Paper(), People(again), at=paper.notes[-1]).walk()
            asked = {one.split(":")[0] for one in again.done if ":on-" in one}
            assert sent_back <= asked, "they stand still, and nobody was told"


async def test_a_defect_of_ours_leaves_no_application_standing() -> None:
    scheme = SCHEMES["mirror"]

    class Broken(World):
        async def copy_tail(self) -> list[Reading]:
            raise ZeroDivisionError

    world, paper = Broken(), Paper()
    with pytest.raises(ZeroDivisionError):
        await runner(scheme, world, paper, People(world)).walk()
    assert sum(one.endswith("on-rollback") for one in world.done) == 2
    assert "ZeroDivisionError" in paper.notes[-1].reason


def test_a_record_that_says_what_cannot_be_is_refused() -> None:
    good = record(SCHEMES["mirror"]).document()
    for key in good:
        if key in {"facts", "gates"}:
            continue
        with pytest.raises(ValueError, match=r"."):
            read_record({name: value for name, value in good.items() if name != key})
    with pytest.raises(ValueError, match="state"):
        read_record({**good, "state": "flying"})
