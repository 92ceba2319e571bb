"""What a rehearsal found. Values only.

Owns what counts as a finding, and its weight for scripts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from kferry.errors import ExitCode
from kferry.migration.switching.sample import Sample
from kferry.runbook.interruption import Interruption
from kferry.runbook.operations import Reading
from kferry.runbook.steps import Handover, Step


@dataclass(frozen=True, slots=True, kw_only=True)
class HookTried:
    """What became of one hook."""

    step: str
    handover: Handover
    state: Literal["done", "failed", "not-called", "person"]
    """`person`: there is no hook, somebody will be told what to do."""
    seconds: float | None = None
    why: str = ""

    @property
    def is_finding(self) -> bool:
        """Whether it would not have worked."""
        return self.state in {"failed", "not-called"}


@dataclass(frozen=True, slots=True, kw_only=True)
class StepTried:
    """One step, as far as it can be tried."""

    step: Step
    seconds: float
    readings: tuple[Reading, ...] = ()
    hooks: tuple[HookTried, ...] = ()
    remark: str = ""
    """What was left out, and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsed:
    """The whole answer."""

    migration: str
    scheme: str
    topics: Sequence[str]
    steps: tuple[StepTried, ...]
    back: tuple[HookTried, ...]
    """`on-rollback`, in the order in which it would be called."""
    samples: tuple[Sample, ...]
    interruptions: tuple[Interruption, ...]
    first_group: bool = False
    """Whether the target's brokers made `__consumer_offsets` for the shadows: it stays."""

    @property
    def differs(self) -> bool:
        """Whether some group would not have gone on with the same records."""
        return any(not one.same for one in self.samples)

    @property
    def hooks(self) -> list[HookTried]:
        """Return all hooks that were, or should have been, called."""
        return [*(hook for one in self.steps for hook in one.hooks), *self.back]

    @property
    def findings(self) -> list[str]:
        """Name everything that a cutover would have stumbled over; doubts are asked about."""
        return [
            *(
                f"{one.step.name}: {reading.gate}: {reading.measured}"
                for one in self.steps
                for reading in one.readings
                if not reading.passed and not reading.unsure
            ),
            *(
                f"{one.step}: {one.handover.hook.value}: {one.why}"
                for one in self.hooks
                if one.is_finding
            ),
        ]

    @property
    def exit_code(self) -> ExitCode:
        """Say it as scripts hear it: a difference weighs more than whatever else there was."""
        if self.differs:
            return ExitCode.DIFFERENCES
        return ExitCode.REFUSED if self.findings else ExitCode.DONE
