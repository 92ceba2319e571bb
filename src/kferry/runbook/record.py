"""What a cutover remembers of itself, so that it can be gone on with from any machine.

Owns the form of that memory. Where it is kept is decided elsewhere; nothing in it is executed or
used as a path.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from kferry.runbook.operations import Reading

State = Literal["walking", "stopped", "done", "undone"]
_STATES = ("walking", "stopped", "done", "undone")


@dataclass(frozen=True, slots=True, kw_only=True)
class Passed:
    """A step that was done: when, and what its gate measured."""

    step: str
    at: str
    readings: tuple[Reading, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One cutover of some topics and groups."""

    id: str
    scheme: str
    topics: tuple[str, ...]
    """By their names on the source."""
    groups: tuple[str, ...]
    started: str
    state: State = "walking"
    current: str = ""
    """The step that is walked or was interrupted; empty between two."""
    passed: tuple[Passed, ...] = ()
    reason: str = ""
    """Why it stands still."""
    no_return: bool = False
    """Whether somebody else may have written to the target."""
    by: str = ""
    at: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """What operations want to keep: ends at the switch, when both sides were compared."""
    gates: tuple[Reading, ...] = ()
    """What the gates of the current step, or of the one that failed, measured last."""

    @property
    def open(self) -> bool:
        """Whether it has an end yet."""
        return self.state not in {"done", "undone"}

    def has_passed(self, step: str) -> bool:
        """Whether a step is done."""
        return any(one.step == step for one in self.passed)

    def document(self) -> dict[str, Any]:
        """Write it down."""
        return {
            "id": self.id,
            "scheme": self.scheme,
            "topics": list(self.topics),
            "groups": list(self.groups),
            "started": self.started,
            "state": self.state,
            "current": self.current,
            "passed": [
                {
                    "step": one.step,
                    "at": one.at,
                    "readings": [reading_json(reading) for reading in one.readings],
                }
                for one in self.passed
            ],
            "reason": self.reason,
            "no_return": self.no_return,
            "by": self.by,
            "at": self.at,
            "facts": dict(self.facts),
            "gates": [reading_json(reading) for reading in self.gates],
        }


class Memory(Protocol):
    """Where the record is kept."""

    async def keep(self, record: Record) -> None:
        """Keep it, so that it outlives this process."""

    def glance(self, record: Record) -> None:
        """Keep it with the next sign of life: nothing depends on it but who looks on."""


def reading_json(reading: Reading) -> dict[str, Any]:
    """Write down what a gate measured."""
    return {
        "gate": reading.gate,
        "passed": reading.passed,
        "measured": reading.measured,
        "why": reading.why,
    }


def read_record(value: Mapping[str, Any]) -> Record:
    """Read a record; ValueError where it is none."""
    try:
        state = value["state"]
        if state not in _STATES:
            raise ValueError(f"`{state}` is no state of a cutover")
        return Record(
            id=_text(value["id"]),
            scheme=_text(value["scheme"]),
            topics=tuple(map(_text, value["topics"])),
            groups=tuple(map(_text, value["groups"])),
            started=_text(value["started"]),
            state=state,
            current=_text(value["current"]),
            passed=tuple(map(_passed, value["passed"])),
            reason=_text(value["reason"]),
            no_return=value["no_return"] is not False,
            by=_text(value["by"]),
            at=_text(value["at"]),
            facts=dict(value.get("facts", {})),
            gates=tuple(map(_reading, value.get("gates", []))),
        )
    except (KeyError, TypeError) as error:
        raise ValueError(f"{error} is missing or not what it should be") from None


def _passed(value: Mapping[str, Any]) -> Passed:
    return Passed(
        step=_text(value["step"]),
        at=_text(value["at"]),
        readings=tuple(map(_reading, value["readings"])),
    )


def _reading(value: Mapping[str, Any]) -> Reading:
    return Reading(
        gate=_text(value["gate"]),
        passed=value["passed"] is True,
        measured=_text(value["measured"]),
        why=_text(value["why"]),
    )


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(repr(value))
    return value
