"""What is said of a cutover before and after it is walked.

Owns the words. Pure.
"""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from kferry.cli.console import fitted
from kferry.cli.tables import visible
from kferry.runbook.operations import Reading
from kferry.units import many, some

if TYPE_CHECKING:
    from kferry.runbook import Record, Scheme, Step
    from kferry.runbook.dry import Planned
    from kferry.runbook.offline import HalfWay

_MOST_NAMED = 10
_KEPT = ("verified", "copied", "positions", "drained", "consumers", "way back")
"""Gates that prove something at the end; the others were seen when they were passed."""


def scheme_lines(schemes: "Iterable[Scheme]") -> list[str]:
    """List the ways to switch over."""
    lines = ["ways to switch over; there is no default, they differ in what stands still when:"]
    for scheme in schemes:
        lines += ["", *fitted(f"{scheme.name}: {scheme.short}")]
        lines += fitted(f"  promise: {scheme.promise}")
        lines += fitted(f"  steps: {', '.join(step.name for step in scheme.steps)}")
    return lines


def plan_lines(planned: "Planned") -> list[str]:
    """Show the steps, and what the gates that can be asked beforehand say."""
    scheme, record = planned.scheme, planned.record
    lines = [*head_lines(planned), ""]
    for number, step in enumerate(scheme.steps, start=1):
        lines += _step_lines(number, step, done=record.has_passed(step.name))
    return [*lines, "", "what the gates say now:", *gate_lines(planned.readings)]


def head_lines(planned: "Planned") -> list[str]:
    """Say what is to be walked, for which topics and groups, and why it stands still if it does."""
    scheme, record = planned.scheme, planned.record
    names = some((visible(name) for name in planned.scope.topics), _MOST_NAMED)
    lines = fitted(f"{visible(planned.migration)}, scheme {scheme.name}: {scheme.short}")
    lines += fitted(f"  promise: {scheme.promise}")
    lines += fitted(f"  {many(len(planned.scope.topics), 'topic')}: {names}")
    groups = some(map(visible, record.groups), _MOST_NAMED) or "all that read these topics"
    lines += fitted(f"  groups: {groups}")
    if record.reason:
        lines += fitted(f"  it stands still: {record.reason}")
    return lines


def _step_lines(number: int, step: "Step", *, done: bool) -> list[str]:
    mark = " (done)" if done else " (point of no return)" if step.no_return else ""
    lines = fitted(f"  {number:>2} {step.name}{mark}: {step.says}")
    if step.handover is not None:
        lines += fitted(f"     {step.handover.hook.value}: {step.handover.asks}")
    return lines


def ended_lines(record: "Record") -> list[str]:
    """Say how a walk ended."""
    topics = many(len(record.topics), "topic")
    if record.state == "undone":
        return [f"taken back: {topics} and their groups are where they were before the cutover"]
    if record.facts.get("of"):
        lines = [f"back: {topics} and their groups are on the source again"]
    else:
        lines = [f"done: {topics} now on the target, by scheme {record.scheme}"]
    for one in record.passed:
        for reading in one.readings:
            if reading.gate in _KEPT and one.step != "look":  # beforehand is no proof
                lines += fitted(f"  {one.step}: {reading.measured}")
    return lines


def half_way_lines(half: "HalfWay") -> list[str]:
    """Say what was taken back without the target, and what waits for it."""
    lines = [f"{visible(half.bundle.migration)} is taken back as far as it can be:"]
    lines += [line for one in half.done for line in fitted(f"  asked for: {one}")]
    if not half.done:
        lines.append("  no application had been asked to move yet")
    if half.left:
        lines += ["what only the target can undo, and kferry rollback does once it is back:"]
    lines += [line for one in half.left for line in fitted(f"  {one.step}: {visible(one.what)}")]
    return lines


def gate_lines(readings: Sequence[Reading]) -> list[str]:
    """Show gates: what was measured, and of those that are shut what helps."""
    lines = []
    for one in readings:
        sign = "ok" if one.passed else ("??" if one.unsure else "--")
        lines += fitted(f"  {sign} {one.gate}: {one.measured}")
        if one.why:
            lines += fitted(f"     {one.why}")
    return lines
