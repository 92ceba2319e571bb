"""What a gate says of partitions for which a group at work never committed.

Owns the words, and reading what somebody said about them. Asks no cluster.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from kferry.migration.switching.uncommitted import Choice, Unset
from kferry.runbook.operations import Reading
from kferry.runbook.steps import Scheme
from kferry.units import many, some

_GATE = "never committed"
_WAYS = (
    "Its own auto.offset.reset says where it stands, and only you know that. --uncommitted end: it "
    "waits for new records (latest), and goes on where the log ended when the cutover began; "
    "--uncommitted start: it reads these records on the target (earliest); --uncommitted leave: no "
    "position is set, and with latest it misses what is written there before it has joined"
)
_SAID = {
    Choice.START: "they go on at the start of the log, as was said",
    Choice.END: "they go on where the log ended when the cutover began, as was said",
    Choice.LEAVE: "no position is set, as was said: auto.offset.reset decides there",
}


def asks_uncommitted(scheme: Scheme) -> bool:
    """Whether it matters in a scheme: others begin with an empty target, or have their own rule."""
    return scheme.copies and not scheme.unconsumed


def read_choice(facts: Mapping[str, Any]) -> Choice | None:
    """Return what was said when the cutover began, or since."""
    value = facts.get("uncommitted")
    return Choice(value) if value in set(Choice) else None


def never_committed(
    unset: Sequence[Unset], choice: Choice | None, troubles: Sequence[str] = ()
) -> list[Reading]:
    """Say what becomes of them; nothing where there are none."""
    if not unset:
        return []
    open_ = [one for one in unset if not one.empty]
    named = some(f"{one.group}, {one.place}: {many(one.records, 'record')}" for one in open_)
    empty = len(unset) - len(open_)
    measured = []
    if empty:
        measured.append(f"{many(empty, 'position')} where nothing was to be read: at the log's end")
    if open_:
        said = "" if choice is None else f"; {_SAID[choice]}"
        measured.append(
            f"{many(len(open_), 'partition')} with records in which a group at work has no "
            f"position{said}"
        )
    undecided = bool(open_) and choice is None
    why = [named] if open_ else []
    if undecided:
        why.append(_WAYS)
    return [
        Reading(
            gate=_GATE,
            passed=not undecided and not troubles,
            final=undecided,
            measured="; ".join(measured),
            why=". ".join([*why, *troubles[:5]]),
        )
    ]
