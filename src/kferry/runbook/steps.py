"""What a runbook is made of: steps, gates and what a gate measured. Values only.

Owns the shape of a scheme. Knows no Kafka: what a step does, it does to an `Operations` that it is
given.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from kferry.runbook.operations import Operations, Reading

Act = Callable[[Operations], Awaitable[None]]
Measure = Callable[[Operations], Awaitable[list[Reading]]]


class Hook(StrEnum):
    """Where applications are handed over: an executable of this name, or a person, does it."""

    SILENCE = "on-silence"
    CONSUMERS_STOP = "on-consumers-stop"
    CONSUMERS_START = "on-consumers-start"
    HANDOVER = "on-handover"
    ROLLBACK = "on-rollback"


@dataclass(frozen=True, slots=True, kw_only=True)
class Handover:
    """What applications have to do. kferry cannot; it says so and measures that it was done."""

    hook: Hook
    do: Literal[
        "stop-producers",
        "start-producers",
        "move-producers",
        "stop-consumers",
        "start-consumers",
        "start-all",
    ]
    on: Literal["source", "target"]
    """Where: for scripts, which one line can then serve."""
    asks: str
    """The sentence for whoever does it."""

    def facts(self, step: str) -> dict[str, str]:
        """Return what its hook is told of it."""
        return {
            "KFERRY_STEP": step,
            "KFERRY_DO": self.do,
            "KFERRY_ON": self.on,
            "KFERRY_ASKS": self.asks,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of a runbook, ended by a measured condition."""

    name: str
    says: str
    """What happens, as a sentence of the dry run."""
    act: Act | None = None
    """What kferry does. Doing it twice does no harm: a step that was cut short is done again."""
    handover: Handover | None = None
    gate: Measure | None = None
    """What must be so before the next step; measured until it is."""
    undo: Act | None = None
    back: Handover | None = None
    """What applications have to do when the step is taken back; it comes before `undo`."""
    back_gate: Measure | None = None
    """What must be so between the two."""
    copying: bool = False
    """Whether records flow while this step is walked."""
    hurried: bool = False
    """Whether applications stand still meanwhile: what fails here takes that back, too."""
    rests: bool = False
    """Whether behind this step every application runs again, one way or another."""
    lasting: bool = False
    """Whether what the gate measured can end by itself, and is measured again after a pause."""
    anew: bool = False
    """Whether it, and all behind it, is done again when a walk is taken up again."""
    no_return: bool = False
    """From here on the target has records that the source has not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheme:
    """A way to switch over."""

    name: str
    short: str
    promise: str
    steps: tuple[Step, ...]
    copies: bool
    """Whether it moves records, or begins with an empty target."""
    dual: bool = False
    """Whether applications write both sides, and their map files lead from one to the other."""
    unconsumed: bool = False
    """Whether only what no group has read is moved."""
    returns: bool = False
    """Whether there is a way back behind the point of no return."""

    def step(self, name: str) -> Step:
        """Return the step of this name."""
        return next(step for step in self.steps if step.name == name)
