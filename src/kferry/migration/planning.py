"""What plan and apply are asked for, and what apply answers: values only.

Owns the seam between the command line and the two verbs. Does nothing and knows no cluster.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from kferry.config import ClusterSettings, TopicSelection
from kferry.config.plan_settings import AccessWishes, TopicWishes
from kferry.errors import ExitCode
from kferry.names import TopicName
from kferry.plans import Action, Outcome, Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRequest:
    """A plan as it was asked for."""

    source: ClusterSettings
    target: ClusterSettings
    migration: str | None = None
    """None: the name that follows from the source's cluster id."""
    selection: TopicSelection = field(default_factory=TopicSelection)
    """Empty: every topic that is not internal."""
    mapping: Mapping[TopicName, TopicName] = field(default_factory=lambda: MappingProxyType({}))
    """Source name → target name. It may know patterns: ask it name by name."""
    topics: TopicWishes = field(default_factory=TopicWishes)
    access: AccessWishes = field(default_factory=AccessWishes)
    suspend_retention: bool = False
    slots: int = 8
    replication: int | None = None
    """Copies of the ledger; None: min(3, brokers)."""
    rate: float | None = None
    """Bytes per second that the copy shall have at most, to tell how long it takes."""
    rate_seconds: float = 1.0
    """Between two looks at the source's ends, to tell how fast it grows."""
    asked: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    """What the command line said, for a plan that is kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """How an apply ended."""

    plan: Plan
    outcomes: tuple[Outcome, ...] = ()
    agreed: bool = True
    """Whether whoever was asked said yes."""

    @property
    def failed(self) -> tuple[Outcome, ...]:
        """What is not there."""
        return tuple(one for one in self.outcomes if not one.done)

    @property
    def exit_code(self) -> ExitCode:
        """Failures count before open decisions; what may pass by itself says so."""
        codes = {one.error.exit_code for one in self.failed if one.error is not None}
        if codes == {ExitCode.TRY_AGAIN}:
            return ExitCode.TRY_AGAIN
        if ExitCode.LEDGER_HELD in codes:  # a copy is at work: nobody else keeps the book
            return ExitCode.LEDGER_HELD
        if self.failed:
            return ExitCode.FAILED
        return ExitCode.REFUSED if self.plan.of(Action.CONFLICT) else ExitCode.DONE
