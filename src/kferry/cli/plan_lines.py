"""A plan as people read it: a block for each kind, a line for each thing, and what to do next.

Owns symbols, order and wording. Pure.
"""

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from kferry.cli.console import WIDTH, styled
from kferry.cli.tables import visible
from kferry.cli.words import count, duration, size
from kferry.plans import Action, Item, Plan
from kferry.units import many

if TYPE_CHECKING:
    from kferry.migration.planning import Applied

_SYMBOLS = {
    Action.CREATE: ("+", "create", "ok"),
    Action.CHANGE: ("~", "change", "warning"),
    Action.SAME: ("=", "already right", "dim"),
    Action.CONFLICT: ("!", "needs a decision", "error"),
    Action.LEFT_BEHIND: ("·", "left behind", "dim"),
}
_KINDS = {
    "topic": "Topics",
    "application": "Applications",
    "acl": "Access rules",
    "user": "Users",
    "quota": "Quotas",
    "group": "Groups",
}
_NAMED = 20
"""So many things that are right already are named; more are counted."""
_WIDEST_NAME = 40
_TOTALS = (
    (Action.CREATE, "to create"),
    (Action.CHANGE, "to change"),
    (Action.SAME, "already right"),
    (Action.LEFT_BEHIND, "left behind"),
)


def plan_lines(plan: Plan, *, verbose: bool = False) -> list[str]:
    """Show a plan."""
    lines = [styled(_title(plan), "bold"), "", f"  {_legend()}"]
    for kind, items in _by_kind(plan.items):
        lines += ["", styled(_KINDS.get(kind, f"{kind.capitalize()}s"), "bold")]
        lines += _block(items, plan.size.get("topics", {}), verbose=verbose)
    if not plan.items:
        lines += ["", "  nothing was found that could be planned"]
    if plan.notes:
        lines += ["", styled("Notes", "bold")]
        lines += [line for note in plan.notes for line in _wrapped(visible(note), "  ", "    ")]
    return [*lines, "", *_total(plan)]


def _title(plan: Plan) -> str:
    return visible(
        f"{plan.migration} · source {_cluster(plan.source_id, plan.source_release)} → "
        f"target {_cluster(plan.target_id, plan.target_release)}"
    )


def _cluster(id_: str, release: str) -> str:
    return f"{id_[:8]}{f' (Kafka {release})' if release else ''}"


def _legend() -> str:
    return "   ".join(
        f"{styled(symbol, style)} {word}" for symbol, word, style in _SYMBOLS.values()
    )


def _by_kind(items: Iterable[Item]) -> list[tuple[str, list[Item]]]:
    found: dict[str, list[Item]] = {kind: [] for kind in _KINDS}
    for item in items:
        found.setdefault(item.kind, []).append(item)
    return [(kind, own) for kind, own in found.items() if own]


def _block(items: Sequence[Item], sizes: Mapping[str, Any], *, verbose: bool) -> list[str]:
    order = list(Action)
    ordered = sorted(items, key=lambda item: (order.index(item.action), item.name))
    silent = [item for item in ordered if item.action is Action.SAME and not item.details]
    if len(silent) <= _NAMED or verbose:
        silent = []
    counted = {item.ref for item in silent}
    shown = [item for item in ordered if item.ref not in counted]
    lengths = (len(visible(item.name)) for item in shown)
    width = max((length for length in lengths if length <= _WIDEST_NAME), default=0)
    lines = []
    for item in shown:
        bytes_ = sizes.get(item.name) if item.kind == "topic" else None
        lines += _item(item, width, bytes_ if isinstance(bytes_, int) else None)
    if silent:
        symbol, words, style = _SYMBOLS[Action.SAME]
        lines.append(f"  {styled(symbol, style)} {count(len(silent))} more {words} (-v names them)")
    return lines


def _item(item: Item, width: int, bytes_: int | None) -> list[str]:
    symbol, word, style = _SYMBOLS[item.action]
    name = visible(item.name)
    reason = visible(item.reason or word)
    if bytes_ and item.action in {Action.CREATE, Action.SAME}:
        reason += f", {size(bytes_)}"
    head = f"  {styled(symbol, style)} "
    if len(name) > width:
        lines = [head + name, *_wrapped(reason, "      ", "      ")]
    else:
        indent = " " * (6 + width)
        first, *rest = _wrapped(reason, indent, indent)
        lines = [f"{head}{name:<{width}}  {first.strip()}", *rest]
    return lines + [
        line for detail in item.details for line in _wrapped(visible(detail), "      ", "        ")
    ]


def _wrapped(words: str, first: str, rest: str) -> list[str]:
    return textwrap.wrap(
        words,
        WIDTH,
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    ) or [first.rstrip()]


def _total(plan: Plan) -> list[str]:
    parts = [
        f"{count(len(found))} {words}" for action, words in _TOTALS if (found := plan.of(action))
    ]
    if waiting := len(plan.open_decisions):
        parts.append(f"{count(waiting)} need{'s' if waiting == 1 else ''} a decision")
    lines = _wrapped(f"Plan: {', '.join(parts) or 'nothing to do'}.", "", "")
    return lines + [line for text in _size(plan.size) for line in _wrapped(text, "", "")]


def _size(told: Mapping[str, Any]) -> list[str]:
    """Say how much there is to copy, as far as it is known."""
    if not told or told.get("bytes") is None:
        return []
    parts = [f"{size(told['bytes'])} to copy"]
    if told.get("records"):
        parts.append(f"{many(told['records'], 'record')} at most")
    lines = [", ".join(parts) + _time(told) + "."]
    if told.get("fits") is False:
        lines.append(
            f"It does not fit: with all replicas it takes {size(told['disk_bytes'])} on the "
            "target's disks."
        )
    lines += [
        f"{one['topic']}: the source deletes records before they are copied, after about "
        f"{duration(one['after_seconds'])}."
        for one in told.get("overtaken", ())[:3]
    ]
    if told.get("allows_seconds") is not None:
        lines.append(f"Source retention allows {duration(told['allows_seconds'])}.")
    if told.get("many_replicas"):
        lines.append(f"Every broker would hold {told['replicas_per_broker']:,.0f} replicas.")
    if told.get("positions_expire"):
        lines.append("Positions of groups that nobody uses would expire on the target meanwhile.")
    if told.get("unknown"):
        lines.append(f"Of {many(len(told['unknown']), 'topic')} the size is not known.")
    return lines


def _time(told: Mapping[str, Any]) -> str:
    if told.get("never"):
        return "; the source grows as fast as it would be copied"
    if told.get("seconds") is None or told.get("speed") is None:
        return ""
    limit = " (the target's quota)" if told.get("limited_by") == "quota" else ""
    time = f"about {duration(told['seconds'])}" if told["seconds"] >= 1 else "less than 1 s"
    return f"; {time} at {size(round(told['speed']))}/s{limit}"


def applied_lines(applied: "Applied") -> list[str]:
    """Show what became of a plan."""
    lines = []
    for one in applied.outcomes:
        name = f"{one.item.kind} {visible(one.item.name)}"
        if one.skipped:
            lines.append(f"  {styled('skipped', 'warning')}  {name}: it needs {one.skipped}")
        elif one.error is not None:
            lines.append(f"  {styled('failed', 'error')}   {name}")
            lines += _wrapped(visible(" ".join(str(one.error).split())), " " * 11, " " * 11)
            hint = " ".join(one.error.hint.split())
            lines += _wrapped(f"hint: {visible(hint)}", " " * 11, " " * 13) if hint else []
        else:
            done = "created" if one.item.action is Action.CREATE else "changed"
            lines.append(f"  {styled(done, 'ok')}  {name}")
        lines += [
            line for note in one.notes for line in _wrapped(visible(note), " " * 11, " " * 13)
        ]
    return [*lines, "", _done(applied)]


def _done(applied: "Applied") -> str:
    done = [one for one in applied.outcomes if one.done]
    created = sum(one.item.action is Action.CREATE for one in done)
    parts = [f"{count(created)} created", f"{count(len(done) - created)} changed"]
    if applied.failed:
        parts.append(f"{count(len(applied.failed))} not")
    if waiting := len(applied.plan.open_decisions):
        parts.append(f"{count(waiting)} need{'s' if waiting == 1 else ''} a decision")
    return f"Applied: {', '.join(parts)}."
