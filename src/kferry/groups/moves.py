"""What becomes of each position on the target: set, left, or refused, and why.

Owns the rules that protect groups there: one that is active is never moved, and none goes back
unless that was asked for. Pure.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from kferry.groups.positions import Answer, Standing
from kferry.names import TopicPartition

_INACTIVE = frozenset({"", "Empty", "Dead"})


class Step(StrEnum):
    """What is done about a position."""

    SET = "set"
    SAME = "same"
    """It is there already."""
    AHEAD = "ahead"
    """The group is further on the target, and stays there."""
    ACTIVE = "active"
    """The group runs on the target, and is behind: nobody moves it while it does."""
    WAITS = "waits"
    LEFT = "left"
    """There is no answer to give."""
    REFUSED = "refused"
    """Wherever it were set, records would be skipped."""
    FAILED = "failed"


_WITHOUT_ANSWER = {Answer.WAITS: Step.WAITS, Answer.REFUSED: Step.REFUSED}


@dataclass(frozen=True, slots=True, kw_only=True)
class There:
    """What the target knows of a group."""

    state: str = ""
    members: tuple[str, ...] = ()
    """Where they run."""
    committed: Mapping[TopicPartition, tuple[int, str]] = field(default_factory=dict)
    """Offset and metadata."""
    started: bool = False
    """Whether it has ever had members: its positions expire by when the last one left."""
    trouble: str = ""
    """Why it could not be asked for."""

    @property
    def active(self) -> bool:
        """Whether somebody consumes, or a static member keeps its place."""
        return bool(self.members) or self.state not in _INACTIVE


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """One position and what is done about it. `committed`: what the target had before."""

    standing: Standing
    step: Step
    reason: str
    committed: int | None = None

    @property
    def place(self) -> TopicPartition | None:
        """The partition of the target that it is about."""
        topic = self.standing.target_topic
        return None if topic is None else TopicPartition(topic, self.standing.partition)

    def failed(self, why: str) -> "Move":
        """Return it as one that did not work."""
        return replace(self, step=Step.FAILED, reason=why)


def decide(standing: Standing, there: There, *, force: bool = False) -> Move:
    """Decide about one position. `force` lets an inactive group go back."""
    topic = standing.target_topic
    found = there.committed.get(TopicPartition(topic, standing.partition)) if topic else None
    committed = None if found is None else found[0]

    def move(step: Step, reason: str = "") -> Move:
        return Move(
            standing=standing, step=step, reason=reason or standing.reason, committed=committed
        )

    target = standing.target_offset
    if target is None:
        return move(_WITHOUT_ANSWER.get(standing.answer, Step.LEFT))
    if there.trouble:
        return move(Step.FAILED, there.trouble)
    if found == (target, standing.metadata) or (there.active and committed == target):
        return move(Step.SAME)
    if standing.by_rule and committed is not None and not force:
        # A map leads forward only; a rule knows nothing of what the group has read since.
        return move(Step.LEFT, f"on the target the group stands at {committed:,} already")
    if committed is not None and committed > target and (there.active or not force):
        return move(Step.AHEAD, f"on the target the group is at {committed:,} already")
    return move(Step.ACTIVE, _active(there)) if there.active else move(Step.SET)


def _active(there: There) -> str:
    where = f" ({', '.join(there.members)})" if there.members else ""
    return f"the group is active on the target{where}: it is not moved"
