"""What `kferry status` says of cutovers: the one that is under way, and those that have ended.

Owns the words. Pure.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from kferry.cli.console import fitted
from kferry.cli.cutover_lines import gate_lines
from kferry.cli.tables import visible
from kferry.units import many, some

if TYPE_CHECKING:
    from kferry.runbook import Record
    from kferry.runbook.standing import Standing, Standings

_MOST_NAMED = 5
_MOST_ENDED = 10
_ENDS = {"done": "done", "undone": "taken back"}


def standing_lines(found: "Standings") -> list[str]:
    """Show where cutovers stand."""
    lines = [] if found.open is None else ["", *_open_lines(found.open)]
    if found.ended:
        lines += ["", "cutovers that have ended:"]
        lines += [line for one in found.ended[-_MOST_ENDED:] for line in _ended_lines(one)]
        if len(found.ended) > _MOST_ENDED:
            lines.append(f"  and {len(found.ended) - _MOST_ENDED:,} before these")
    return lines


def standing_line(one: "Standing") -> str:
    """Say in one line where a cutover stands."""
    step = "" if one.step is None else f", step {one.number} of {len(one.steps)}: {one.step.name}"
    return f"cutover {visible(one.record.scheme)}{step}, {_state(one)}"


def _state(one: "Standing") -> str:
    if one.record.state != "walking":
        return "stands still"
    return "is walked" if one.walked else "no sign of life from whoever walked it"


def _open_lines(one: "Standing") -> list[str]:
    record = one.record
    lines = fitted(standing_line(one))
    lines += fitted(f"  {_topics(record.topics)}; begun {visible(record.started)}")
    if record.by:
        lines += fitted(f"  by {visible(record.by)}, as of {visible(record.at)}")
    if record.reason:
        lines += fitted(f"  why: {visible(record.reason)}")
    for passed in record.passed:
        lines += fitted(f"  {passed.step}: done {visible(passed.at)}")
        lines += [f"  {line}" for line in gate_lines(passed.readings)]
    if record.gates:
        name = "now" if one.walked else "measured last"
        lines += [f"  {name}:", *(f"  {line}" for line in gate_lines(record.gates))]
    if record.no_return:
        return [*lines, "  the point of no return is behind it"]
    if one.no_return_step:
        lines += fitted(
            f"  the point of no return is {one.no_return_step}, and not reached: kferry rollback "
            "takes all of it back"
        )
    return lines


def _ended_lines(one: "Record") -> list[str]:
    return fitted(
        f"  {visible(one.at)}  {_ENDS.get(one.state, one.state)}: {visible(one.scheme)}, "
        f"{_topics(one.topics)}"
    )


def _topics(names: Sequence[str]) -> str:
    return f"{many(len(names), 'topic')} ({some(map(visible, names), _MOST_NAMED)})"
