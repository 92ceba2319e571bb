"""A cutover rehearsed: every step as far as it can be tried without touching anybody.

Owns the walk, and what cannot be rehearsed. Producers, real groups and the source are never
touched, no fence is put up, and the ledger is only read. What is written are shadow groups on the
target, and they go when it ends, however it ends.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Protocol

from kferry.admin.group_removal import can_delete_groups
from kferry.admin.offsets import Place, offsets_at
from kferry.errors import ExitCode, KferryError
from kferry.ledger import open_ledger
from kferry.migration.clusters import open_sides
from kferry.migration.maps import Documents, Maps, read_documents
from kferry.migration.switching.shadow import Shadows
from kferry.runbook import fencing
from kferry.runbook.comparing import Comparison
from kferry.runbook.dry import Planned
from kferry.runbook.finding import CutoverRequest, find, under_way
from kferry.runbook.hooks import Hooks
from kferry.runbook.hooks_tried import Trying
from kferry.runbook.interruption import Piece, expected
from kferry.runbook.opening import hook_facts
from kferry.runbook.operations import Stopped
from kferry.runbook.rehearsal_ground import Ground
from kferry.runbook.rehearsal_steps import Tries
from kferry.runbook.rehearsed import HookTried, Rehearsed, StepTried
from kferry.runbook.steps import Hook, Step


class CutoverUnderWay(KferryError):
    """There is nothing to rehearse any more."""

    code = "K265"
    exit_code = ExitCode.REFUSED


class NothingCopied(KferryError):
    """There is nothing to compare yet."""

    code = "K278"
    exit_code = ExitCode.REFUSED


class NotRehearsed(KferryError):
    """A scheme has nothing that a rehearsal could add to a dry run."""

    code = "K281"
    exit_code = ExitCode.REFUSED


class NoShadows(KferryError):
    """What is made could not be taken away again."""

    code = "K279"
    exit_code = ExitCode.REFUSED


class Watch(Protocol):
    """Who looks on."""

    def narrate(self, line: str) -> None:
        """Hear a sentence."""

    def entering(self, step: Step, number: int, of: int) -> None:
        """See a step begin."""

    def tried(self, step: StepTried) -> None:
        """See what became of it."""


async def plan_rehearsal(request: CutoverRequest) -> Planned:
    """Look at what is to be rehearsed, and refuse what cannot be."""
    async with _opened(request) as ground:
        return Planned(
            migration=ground.migration,
            scheme=ground.scheme,
            record=ground.record,
            scope=ground.scope,
            readings=(),
        )


async def rehearse(
    request: CutoverRequest,
    *,
    hooks: Hooks,
    producers_stopped: bool,
    watch: Watch,
    stop: asyncio.Event,
) -> Rehearsed:
    """Try every step, and leave both clusters as they were."""
    async with _opened(request) as ground:
        tries = Tries(
            ground=ground,
            silence_s=request.silence_s,
            producers_stopped=producers_stopped,
            shadows=Shadows(target=ground.target, migration=ground.migration),
            comparison=Comparison(
                copy=request.copy,
                migration=ground.migration,
                scope=ground.scope,
                level=request.verify,
                narrate=watch.narrate,
                stop=stop,
            ),
            narrate=watch.narrate,
            stop=stop,
        )
        facts = hook_facts(
            ground.migration, ground.record, request.copy.source, request.copy.target
        )
        trying = Trying(hooks=hooks, facts=facts, narrate=watch.narrate, stop=stop)
        try:
            return await _walk(ground, tries, trying, watch, stop)
        finally:
            await tries.shadows.take_away()


async def _walk(
    ground: Ground, tries: Tries, trying: Trying, watch: Watch, stop: asyncio.Event
) -> Rehearsed:
    """Try one step after the other; findings do not end it."""
    await tries.clear_up()
    done: list[StepTried] = []
    steps = ground.scheme.steps
    for number, step in enumerate(steps, start=1):
        _insist_on_going_on(stop)
        watch.entering(step, number, len(steps))
        done.append(await _try(step, tries, trying))
        watch.tried(done[-1])
    if trying.has(Hook.ROLLBACK):
        watch.narrate("and if it were taken back before the hand-over:")
    back = [
        await trying.call(step.name, step.back) for step in reversed(steps) if step.back is not None
    ]
    _insist_on_going_on(stop)
    return Rehearsed(
        migration=ground.migration,
        scheme=ground.scheme.name,
        topics=sorted(ground.scope.topics),
        steps=tuple(done),
        back=tuple(back),
        samples=tuple(tries.samples),
        first_group=tries.shadows.first,
        interruptions=tuple(
            expected(ground.scheme, {one.step.name: _pieces(one, tries) for one in done})
        ),
    )


async def _try(step: Step, tries: Tries, trying: Trying) -> StepTried:
    began = time.monotonic()
    hooks: list[HookTried] = []
    if step.handover is not None:
        hooks.append(await trying.call(step.name, step.handover))
    tried = await tries.of(step.name, vouched=any(one.state == "done" for one in hooks))
    return StepTried(
        step=step,
        seconds=time.monotonic() - began,
        readings=tuple(tried.readings),
        hooks=tuple(hooks),
        remark=tried.remark,
    )


def _pieces(one: StepTried, tries: Tries) -> list[Piece]:
    return [*map(_piece, one.hooks), *tries.took.get(one.step.name, ())]


def _piece(hook: HookTried) -> Piece:
    what = {
        "done": hook.handover.hook.value,
        "person": f"a person: {hook.handover.asks}",
        "failed": f"{hook.handover.hook.value}, which failed",
        "not-called": f"{hook.handover.hook.value}, which was not called",
    }[hook.state]
    return Piece(step=hook.step, what=what, seconds=hook.seconds)


def _insist_on_going_on(stop: asyncio.Event) -> None:
    if stop.is_set():
        raise Stopped


@asynccontextmanager
async def _opened(request: CutoverRequest) -> AsyncIterator[Ground]:
    async with open_sides(request.copy.source, request.copy.target) as sides:
        migration = request.copy.migration or sides.default_migration
        source, target = sides.clusters.source, sides.clusters.target
        ledger = await open_ledger(target, migration)
        documents: Documents = {}
        if ledger is not None:
            documents = await read_documents(target, ledger, source=source)
        if (known := under_way(documents)) is not None:
            raise CutoverUnderWay(
                "a cutover is under way: it is too late to rehearse",
                f"{known.scheme}, begun {known.started}, {known.state}",
                hint="kferry status shows where it is; kferry cutover goes on with it",
            )
        if not await can_delete_groups(target):
            raise NoShadows(
                "the target's brokers cannot delete groups (Kafka 1.1 and later can)",
                "A rehearsal makes groups there that it has to take away again.",
                hint="kferry cutover --dry-run tries less, and makes none",
            )
        record, scope = await find(request, sides, documents, migration)
        if fencing.scheme_of(record).dual:
            raise NotRehearsed(
                f"{record.scheme} cannot be rehearsed",
                "Nothing is copied that could be compared: applications write both sides.",
                hint="--dry-run in place of --rehearse asks all gates; kferry groups show --map "
                "FOLDER says where each group would go on",
            )
        ground = Ground(
            migration=migration,
            sides=sides,
            ledger=ledger,
            record=record,
            scope=scope,
            scheme=fencing.scheme_of(record),
        )
        if ground.scheme.copies and not ground.scheme.unconsumed:
            await _insist_on_copy(ground, Maps.of(documents))
        yield ground


async def _insist_on_copy(ground: Ground, maps: Maps) -> None:
    partitions = await ground.scope.source_partitions(ground.source)
    if any(maps.map_of(one) is not None for one in partitions):
        return
    ends = await offsets_at(ground.source, partitions, Place.END, committed=True)
    starts = await offsets_at(ground.source, partitions, Place.START)
    if any(ends[one] > starts[one] for one in partitions):
        raise NothingCopied(
            "nothing of these topics is copied yet, so there is nothing to compare",
            f"{ground.scheme.name} moves groups onto copied records.",
            hint="kferry copy copies and follows; rehearse while it runs",
        )
