"""Walking a runbook, and walking it back.

Owns the order of asking, doing, measuring and writing down. Knows no Kafka and no screen. There is
no state of failure: what goes wrong leaves the cutover at the last good step with the reason beside
it, and walking again goes on from there.
"""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Protocol

from kferry.errors import ExitCode, KferryError
from kferry.runbook.back import NAME as WAY_BACK
from kferry.runbook.back import as_people_call_them
from kferry.runbook.operations import Operations, Reading, Stopped
from kferry.runbook.operator import Operator
from kferry.runbook.record import Memory, Passed, Record
from kferry.runbook.steps import Measure, Scheme, Step

_EVERY_S = 1.0
_AGAIN_S = 30.0
"""How long what was true before is given to show that it still is."""


class GateShut(KferryError):
    """A condition for going on did not come true."""

    code = "K240"
    exit_code = ExitCode.REFUSED


class Declined(KferryError):
    """Somebody said no."""

    code = "K241"
    exit_code = ExitCode.REFUSED


class NoWayBack(KferryError):
    """The point of no return is behind us."""

    code = "K242"
    exit_code = ExitCode.REFUSED


class Copying(Protocol):
    """Whether records flow while steps are walked."""

    async def follow(self) -> None:
        """Let them flow; nothing to do where they do."""

    async def rest(self) -> None:
        """Stop cleanly; nothing to do where nothing flows."""

    def insist(self) -> None:
        """Raise what ended the flow by itself, if something did."""


@dataclass(slots=True, kw_only=True)
class Runner:
    """One walk over a scheme, in one direction."""

    scheme: Scheme
    record: Record
    memory: Memory
    do: Operations
    copying: Copying
    operator: Operator
    by: str
    stop: asyncio.Event
    patience_s: float
    """How long applications may be kept waiting for a gate."""
    every_s: float = _EVERY_S
    now: Callable[[], str] = lambda: datetime.now(UTC).isoformat(timespec="seconds")
    _vouched: set[str] = field(default_factory=set)

    async def walk(self) -> Record:
        """Walk on from the last good step to the end."""
        await self._keep(state="walking", reason="")
        try:
            await self._measure_again()
            steps = self.scheme.steps
            for number, step in enumerate(steps, start=1):
                if not self.record.has_passed(step.name):
                    self.operator.entering(step, number, len(steps))
                    await self._walk(step)
        except Stopped:
            await self._keep(state="stopped", reason="it was stopped on request")
            raise
        await self._keep(state="done", current="")
        return self.record

    async def roll_back(self) -> Record:
        """Take back every step, the last one first."""
        if self.record.no_return:
            raise NoWayBack(
                "the point of no return is behind this cutover",
                "Producers may have written to the target what the source does not have.",
                hint="kferry cutover goes on with it",
            )
        await self._keep(state="walking", reason="it is being taken back")
        await self.copying.rest()
        begun = [step for step in self.scheme.steps if self._begun(step)]
        for number, step in enumerate(reversed(begun), start=1):
            self.operator.entering(step, number, len(begun))
            await self._take_back(step)
        await self._keep(state="undone", reason="")
        return self.record

    def _begun(self, step: Step) -> bool:
        return self.record.has_passed(step.name) or self.record.current == step.name

    async def _measure_again(self) -> None:
        """What was true once may have ended while nobody walked."""
        if self.record.no_return:
            return
        for step in [one for one in self.scheme.steps if self.record.has_passed(one.name)]:
            if not step.lasting or step.gate is None:
                continue
            await self._flow(step)
            try:
                await self._until_open(step.gate, patience=min(self.patience_s, _AGAIN_S))
            except GateShut as shut:
                self.operator.narrate(f"{step.name} holds no longer: {shut.title}")
                await self._forget_from(step)
                return
        # Records, positions and ends may all have moved on while nobody walked.
        for step in self.scheme.steps:
            if step.anew and self.record.has_passed(step.name):
                await self._forget_from(step)
                return

    async def _forget_from(self, step: Step) -> None:
        names = [one.name for one in self.scheme.steps]
        again = set(names[names.index(step.name) :])
        kept = tuple(one for one in self.record.passed if one.step not in again)
        await self._keep(passed=kept, current="")

    async def _walk(self, step: Step) -> None:
        await self._flow(step)
        if step.no_return and not self.record.no_return:
            returns = self.scheme.returns and self.record.facts.get("way_back")
            behind = (
                "behind this, only the way back leads back (kferry rollback)"
                if returns
                else "from here on there is no way back"
            )
            agreed = await self.operator.agree(f"{step.says}; {behind}. Go on?")
            if self.stop.is_set():
                raise Stopped
            if not agreed:
                await self._failed(step, "somebody said no at the point of no return")
                raise Declined(
                    "nothing was handed over",
                    hint="kferry cutover walks up to here again, kferry rollback takes it back",
                )
            await self._keep(current=step.name, no_return=True)
        else:
            await self._keep(current=step.name)
        try:
            readings = await self._do(step)
        except KferryError as error:
            await self._failed(step, error.title)
            raise
        except Exception as error:  # a defect of ours must not leave applications standing
            if not isinstance(error, Stopped):
                await self._failed(step, f"{type(error).__name__}: {error}")
            raise
        self.operator.passed(step)
        done = Passed(step=step.name, at=self.now(), readings=tuple(readings))
        await self._keep(current="", passed=(*self.record.passed, done), reason="")

    async def _flow(self, step: Step) -> None:
        if step.copying:
            await self.copying.follow()
        else:
            await self.copying.rest()

    async def _do(self, step: Step) -> Sequence[Reading]:
        if step.act is not None:
            await step.act(self.do)
        said = step.handover is not None and await self.operator.hand(step.handover, step)
        if step.gate is None:
            return ()
        waits = step.hurried or step.handover is not None
        return await self._until_open(
            step.gate, patience=self.patience_s if waits else None, vouched=said
        )

    async def _until_open(
        self, gate: Measure, *, patience: float | None, vouched: bool = False
    ) -> list[Reading]:
        clock = asyncio.get_running_loop().time
        until = None if patience is None else clock() + patience
        while True:
            self.copying.insist()
            began = clock()
            readings = await self._measured(gate, vouched=vouched)
            self.operator.gates(readings)
            self.record = replace(self.record, gates=tuple(readings), at=self.now())
            self.memory.glance(self.record)
            shut = [one for one in readings if not one.passed]
            if not shut:
                return readings
            if all(one.unsure for one in shut):
                for one in shut:
                    if not await self.operator.vouch(one):
                        raise _shut(shut, self._again)
                    self._vouched.add(one.gate)
                continue
            if any(one.final for one in shut):
                raise _shut(shut, self._again)
            if until is not None and clock() >= until:
                raise _shut(shut, self._again, after=patience)
            # Large clusters take long to ask: at most half of the time goes into asking them.
            await self._pause(at_least=clock() - began)

    @property
    def _again(self) -> str:
        if self.scheme.name == WAY_BACK:
            return "kferry rollback"
        return "kferry cutover"

    async def _measured(self, gate: Measure, *, vouched: bool) -> list[Reading]:
        try:
            found = await gate(self.do)
        except KferryError as error:
            if error.exit_code is not ExitCode.TRY_AGAIN:
                raise
            # A broker that restarts is no reason to take everything back.
            found = [Reading(gate="asking", passed=False, measured=error.title, why=error.detail)]
        if self.scheme.name == WAY_BACK:
            found = [as_people_call_them(one) for one in found]
        return [self._with_word(one, vouched=vouched) for one in found]

    def _with_word(self, reading: Reading, *, vouched: bool) -> Reading:
        if not reading.unsure or reading.passed:
            return reading
        if vouched or reading.gate in self._vouched:
            whose = "the hook says" if vouched else "it was said"
            word = f"{reading.measured}; {whose} that their producers are stopped"
            return replace(reading, passed=True, measured=word, why="")
        return reading

    async def _failed(self, step: Step, reason: str) -> None:
        """Go back to where every application runs, and leave the cutover there."""
        gates = self.record.gates  # taking steps back measures others
        if self.record.no_return:
            await self._keep(state="stopped", reason=reason)
            return
        await self._keep(current=step.name, reason=reason)
        try:
            await self.copying.rest()
            for one in self._back_to_rest(step):
                self.operator.narrate(f"{one.name} is taken back: {reason}")
                await self._take_back(one)
        except KferryError as second:
            reason = f"{reason}; and taking it back failed: {second.title}"
            await self._keep(state="stopped", reason=reason)
            return
        await self._keep(state="stopped", current="", reason=reason, gates=gates)

    def _back_to_rest(self, step: Step) -> list[Step]:
        """The step that failed, and those before it for which applications stand still."""
        names = [one.name for one in self.scheme.steps]
        back = [step]
        for one in reversed(self.scheme.steps[: names.index(step.name)]):
            if not one.hurried or one.rests:
                break
            back.append(one)
        return back

    async def _take_back(self, step: Step) -> None:
        # Written down first: cut short here, the step is neither passed nor forgotten.
        kept = tuple(one for one in self.record.passed if one.step != step.name)
        await self._keep(passed=kept, current=step.name)
        if step.back is not None:
            await self.operator.hand(step.back, step)
        if step.back_gate is not None:
            await self._until_open(step.back_gate, patience=self.patience_s)
        if step.undo is not None:
            await step.undo(self.do)
        await self._keep(current="")

    async def _pause(self, *, at_least: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(self.every_s, at_least)):
                await self.stop.wait()
        if self.stop.is_set():
            raise Stopped

    async def _keep(self, **changes: object) -> None:
        if changes.get("current", self.record.current) != self.record.current:
            changes = {"gates": (), **changes}
        self.record = replace(self.record, by=self.by, at=self.now(), **changes)  # type: ignore[arg-type]
        await self.memory.keep(self.record)


def _shut(readings: Sequence[Reading], again: str, *, after: float | None = None) -> GateShut:
    waited = "" if after is None else f" after {after:,.0f} s"
    return GateShut(
        f"not so{waited}: " + "; ".join(f"{one.gate}: {one.measured}" for one in readings),
        "\n".join(one.why for one in readings if one.why),
        hint=f"mend it, then {again} goes on from the last good step",
        changed="",
    )
