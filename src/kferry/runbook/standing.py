"""Where cutovers of a migration stand, as its ledger tells anybody who looks on.

Owns reading that, and its form for scripts. Asks no cluster.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kferry.migration.switching.book import CUTOVER, ended_cutovers, walked
from kferry.runbook.back import WAY_BACK
from kferry.runbook.record import Record, read_record, reading_json
from kferry.runbook.schemes import SCHEMES
from kferry.runbook.steps import Step

_KNOWN = {**SCHEMES, WAY_BACK.name: WAY_BACK}


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A cutover that has no end yet."""

    record: Record
    walked: bool
    """Whether somebody who walks it gave a sign of life just now."""
    steps: tuple[Step, ...]
    """None where the scheme is one that this version does not know."""

    @property
    def step(self) -> Step | None:
        """The step that is walked, or that comes next."""
        for one in self.steps:
            if one.name == self.record.current:
                return one
        return next((one for one in self.steps if not self.record.has_passed(one.name)), None)

    @property
    def number(self) -> int:
        """The number of that step, from 1 on."""
        return 0 if self.step is None else self.steps.index(self.step) + 1

    @property
    def no_return_step(self) -> str:
        """The step that is the point of no return."""
        return next((one.name for one in self.steps if one.no_return), "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Standings:
    """All cutovers of a migration."""

    open: Standing | None
    ended: Sequence[Record]
    """Those that are done or were taken back, in the order of their ends."""


def standings(documents: Mapping[str, Mapping[str, Any]]) -> Standings:
    """Read them; what cannot be read is left out, as nothing depends on it here."""
    ended: dict[str, Record] = {}
    open_ = None
    for value in [*ended_cutovers(documents), documents.get(CUTOVER, {})]:
        try:
            record = read_record(value)
        except ValueError:
            continue
        if not record.open:
            ended[record.id] = record
        elif value is documents.get(CUTOVER):
            scheme = _KNOWN.get(record.scheme)
            open_ = Standing(
                record=record, walked=walked(value), steps=scheme.steps if scheme else ()
            )
    return Standings(open=open_, ended=sorted(ended.values(), key=lambda one: one.at))


def handed_over(ended: Sequence[Record], before: Collection[str] = ()) -> set[str]:
    """Return the topics that are on the target now, by cutovers in the order of their ends."""
    gone = set(before)
    for one in ended:
        if one.state == "done":
            gone = gone - set(one.topics) if one.scheme == WAY_BACK.name else gone | set(one.topics)
    return gone


def standings_json(found: Standings) -> dict[str, Any]:
    """Write them down for scripts."""
    return {
        "cutover": None if found.open is None else _open_json(found.open),
        "cutovers": [
            {
                "id": one.id,
                "scheme": one.scheme,
                "state": one.state,
                "topics": list(one.topics),
                "groups": list(one.groups),
                "started": one.started,
                "ended": one.at,
            }
            for one in found.ended
        ],
    }


def _open_json(one: Standing) -> dict[str, Any]:
    record = one.record
    return {
        "id": record.id,
        "scheme": record.scheme,
        "state": record.state,
        "topics": list(record.topics),
        "groups": list(record.groups),
        "step": "" if one.step is None else one.step.name,
        "number": one.number,
        "of": len(one.steps),
        "gates": [reading_json(reading) for reading in record.gates],
        "passed": [
            {
                "step": passed.step,
                "at": passed.at,
                "gates": [reading_json(reading) for reading in passed.readings],
            }
            for passed in record.passed
        ],
        "reason": record.reason,
        "no_return": record.no_return,
        "no_return_step": one.no_return_step,
        "by": record.by,
        "walked": one.walked,
        "started": record.started,
        "at": record.at,
    }
