"""How long a cutover will keep applications waiting, put together from what a rehearsal measured.

Owns which steps producers and consumers stand still for, and the sum. Pure. What cannot be measured
beforehand stays a piece without a number, and is named.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from kferry.runbook.steps import Scheme

Who = Literal["producers", "consumers"]
_EVERYBODY: tuple[Who, ...] = ("producers", "consumers")
RESTART_S = 3.0
"""What it takes to stop the copy that follows, start it for the rest, and connect for comparing:
measured on one machine, and no cluster is nearer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A part of the time. `seconds` is None where nothing could be measured."""

    step: str
    what: str
    seconds: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Interruption:
    """How long somebody stands still, and what that is made of."""

    who: Who
    first: str
    last: str
    """The steps between which they do; the same where they are moved within one."""
    pieces: tuple[Piece, ...]

    @property
    def seconds(self) -> float:
        """Return the sum of what could be measured."""
        return sum(one.seconds or 0.0 for one in self.pieces)

    @property
    def untold(self) -> tuple[Piece, ...]:
        """Return what comes on top, without a number."""
        return tuple(one for one in self.pieces if one.seconds is None)


def standstill(scheme: Scheme) -> dict[Who, tuple[str, ...]]:
    """Return for which steps each stands still; nobody is in it who never does."""
    found: dict[Who, tuple[str, ...]] = {}
    for who in _EVERYBODY:
        began: int | None = None
        for number, step in enumerate(scheme.steps):
            do = "" if step.handover is None else step.handover.do
            if do == f"stop-{who}":
                began = number
            elif do == f"move-{who}":
                found[who] = (step.name,)
                break
            elif do in {f"start-{who}", "start-all"}:
                # Who starts on the target before anybody is stopped on the source never waits.
                if began is not None:
                    found[who] = tuple(one.name for one in scheme.steps[began : number + 1])
                break
    return found


def expected(scheme: Scheme, took: Mapping[str, Sequence[Piece]]) -> list[Interruption]:
    """Put together how long each will stand still."""
    return [
        Interruption(
            who=who,
            first=steps[0],
            last=steps[-1],
            pieces=tuple(piece for step in steps for piece in took.get(step, ())),
        )
        for who, steps in standstill(scheme).items()
    ]


def tail(lag: int, *, copied_per_s: float | None, compared_per_s: float | None) -> list[Piece]:
    """Say how long the rest will take to copy and to compare."""
    pieces = [
        Piece(
            step="tail",
            what="the copy is stopped and started once more (not measured here)",
            seconds=RESTART_S,
        )
    ]
    for what, pace in (("copy", copied_per_s), ("compare", compared_per_s)):
        if not lag:
            seconds: float | None = 0.0
        else:
            seconds = lag / pace if pace else None
        at = f" at {pace:,.0f}/s" if pace and lag else ""
        pieces.append(Piece(step="tail", what=f"{what} {lag:,} offsets{at}", seconds=seconds))
    return pieces
