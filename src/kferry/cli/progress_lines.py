"""Snapshots as lines: the block on a terminal, the heartbeat elsewhere.

Owns how progress looks: at most 100 columns, numbers at the right, no remaining time before 1 %.
Pure: a Snapshot in, lines out.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TypeVar

from kferry.cli.console import WIDTH, wrapped
from kferry.cli.tables import Row, number, table, text, visible
from kferry.cli.words import NOTHING, count, duration, rate, size
from kferry.progress import Gap, Snapshot, Stopped, TopicProgress
from kferry.units import many

_MOST_TOPICS = 10
_MOST_DETAILS = 5
_COLUMNS = (
    text("topic"),
    number("copied"),
    number("of"),
    number("%"),
    number("records/s"),
    number("lag"),
    number("left"),
)
_SCALES = ((10**15, 10**12, "T"), (10**12, 10**9, "G"), (10**9, 10**6, "M"))
"""From how many on numbers are told in which unit: millions, thousand millions, …"""

_T = TypeVar("_T")


def block(snapshot: Snapshot) -> list[str]:
    """Show all of it: totals, why it is slow, the slowest topics, what cannot go on."""
    lines = [*_fitted(f"{visible(snapshot.migration)}  {totals(snapshot)}")]
    lines += [line for why in reasons(snapshot) for line in _fitted(why, indent="  ")]
    if snapshot.topics:
        lines += ["", *_topics(snapshot.topics)]
    trouble = trouble_lines(snapshot.stopped, snapshot.gaps)
    return [*lines, "", *trouble] if trouble else lines


def heartbeat(snapshot: Snapshot) -> list[str]:
    """Show one moment where there is no terminal: a line, wrapped where it must be."""
    parts = [totals(snapshot), *reasons(snapshot)]
    return _fitted(f"{clock(snapshot.taken_at)}  {', '.join(parts)}", rest="           ")


def totals(snapshot: Snapshot) -> str:
    """Say state, share, speed and what is left, as a list of words."""
    parts: list[str] = [snapshot.state]
    if snapshot.total:
        parts.append(
            f"{share(snapshot.copied, snapshot.total)} of {many(snapshot.total, 'offset')}"
        )
    if snapshot.state in {"copying", "following", "paused"}:
        parts.append(f"{rate(snapshot.records_per_second)} records/s")
        parts.append(f"{size(snapshot.bytes_per_second)}/s")
    if snapshot.state in {"following", "paused"}:
        parts.append(f"lag {count(snapshot.lag)}")
    left = snapshot.remaining_seconds
    if left is not None and snapshot.state == "copying" and _past_first_percent(snapshot):
        parts.append(f"{duration(left)} left")
    return ", ".join(parts)


def reasons(snapshot: Snapshot) -> list[str]:
    """Say why it is not faster, in full sentences without a stop."""
    found: list[str] = []
    why = visible(snapshot.reason)
    if snapshot.state == "paused":
        found.append("paused: " + (why or "`kferry control resume` lets it go on"))
    elif snapshot.limited_by != "nothing":
        by = visible(snapshot.limited_by)
        asked = f" ({size(snapshot.rate_limit)}/s)" if by == "rate" and snapshot.rate_limit else ""
        found.append(f"limited by {_limit(by)}{asked}" + (f": {why}" if why else ""))
    elif why:
        found.append(why)
    if snapshot.rate_limit is not None and snapshot.limited_by != "rate":
        found.append(f"at most {size(snapshot.rate_limit)}/s as asked")
    waits = {"source": snapshot.throttled_ms.source, "target": snapshot.throttled_ms.target}
    found += [
        f"the {side}'s quota made it wait {duration_of(ms)} so far"
        for side, ms in waits.items()
        if ms
    ]
    return found


def trouble_lines(stopped: Sequence[Stopped], gaps: Sequence[Gap]) -> list[str]:
    """Name partitions that cannot go on, and records that were not there to be copied."""
    return [
        *_some(stopped, stopped_line, "partition that stopped", "partitions that stopped"),
        *_some(gaps, gap_line, "gap", "gaps"),
    ]


def stopped_line(one: Stopped) -> list[str]:
    """Say which partition stopped, where and why."""
    where = "" if one.offset is None else f" at offset {count(one.offset)}"
    return _fitted(
        f"! stopped: {visible(one.topic)}-{one.partition}{where}: {visible(one.reason)}",
        rest="    ",
    )


def gap_line(one: Gap) -> list[str]:
    """Say which records were missing."""
    span = f"{count(one.first)} to {count(one.last)} ({many(one.last - one.first + 1, 'offset')})"
    return _fitted(
        f"! gap: {visible(one.topic)}-{one.partition} {span}: {visible(one.reason)}", rest="    "
    )


def retention_lines(topics: Sequence[str], again: str) -> list[str]:
    """Say where retention is suspended and how it comes back."""
    if not topics:
        return []
    names = ", ".join(map(visible, topics[:_MOST_DETAILS]))
    more = f" and {len(topics) - _MOST_DETAILS:,} more" if len(topics) > _MOST_DETAILS else ""
    # The command has a line of its own, and whole: people copy it.
    return [
        *_fitted(
            f"retention is suspended on {many(len(topics), 'target topic')}: {names}{more}; "
            "this puts it back:"
        ),
        f"  {again} --until-caught-up --complete",
    ]


def share(copied: int, total: int) -> str:
    """Write a part of a whole; 100 % is said only of all of it."""
    if total <= 0 or copied >= total:
        return "100.0 %"
    return f"{copied * 1000 // total / 10:.1f} %"


def clock(taken_at: str) -> str:
    """Write the time of day, in UTC."""
    try:
        return datetime.fromisoformat(taken_at).strftime("%H:%M:%SZ")
    except ValueError:
        return visible(taken_at)


def duration_of(milliseconds: int) -> str:
    """Write a short time: below a minute with one decimal."""
    if milliseconds < 60_000:
        return f"{milliseconds / 1000:.1f} s"
    return duration(milliseconds / 1000)


def _limit(by: str) -> str:
    return {
        "source": "the source",
        "target": "the target",
        "rate": "the rate that was asked for",
        "cpu": "this machine's processor",
    }.get(by, by)


def _past_first_percent(progress: Snapshot | TopicProgress) -> bool:
    return progress.copied * 100 >= progress.total


def _topics(topics: Sequence[TopicProgress]) -> list[str]:
    shown = sorted(_slowest(topics), key=lambda topic: topic.source)
    rows = [
        Row(
            cells=(
                _name(topic),
                _number(topic.copied),
                _number(topic.total),
                share(topic.copied, topic.total).removesuffix(" %"),
                rate(topic.rate),
                _number(topic.lag),
                _left(topic),
            ),
            remarks=(topic.reason,) if topic.reason else (),
        )
        for topic in shown
    ]
    lines = table(_COLUMNS, rows)
    if len(topics) > len(shown):
        lines += _fitted(f"and {_others(topics, shown)}", indent="  ")
    return lines


def _slowest(topics: Sequence[TopicProgress]) -> list[TopicProgress]:
    def weight(topic: TopicProgress) -> tuple[bool, float, int]:
        seconds = topic.lag / topic.rate if topic.rate > 0 else float("inf") if topic.lag else 0.0
        return topic.state == "stopped", seconds, topic.lag

    return sorted(topics, key=weight, reverse=True)[:_MOST_TOPICS]


def _others(topics: Sequence[TopicProgress], shown: Sequence[TopicProgress]) -> str:
    names = {topic.source for topic in shown}
    rest = [topic for topic in topics if topic.source not in names]
    states: dict[str, int] = {}
    for topic in rest:
        states[topic.state] = states.get(topic.state, 0) + 1
    listed = ", ".join(f"{number:,} {state}" for state, number in sorted(states.items()))
    return f"{len(rest):,} more: {listed}"


def _name(topic: TopicProgress) -> str:
    return topic.source if topic.source == topic.target else f"{topic.source} → {topic.target}"


def _number(value: int) -> str:
    # Three longer numbers would not leave room for a name.
    for least, unit, letter in _SCALES:
        if value >= least:
            return f"{count(value // unit)} {letter}"
    return count(value)


def _left(topic: TopicProgress) -> str:
    if topic.state != "copying":
        return topic.state
    if topic.rate <= 0 or not _past_first_percent(topic):
        return NOTHING
    return duration(topic.lag / topic.rate)


def _some(
    items: Sequence[_T], line: Callable[[_T], list[str]], one: str, several: str
) -> list[str]:
    lines = [part for item in items[:_MOST_DETAILS] for part in line(item)]
    rest = len(items) - _MOST_DETAILS
    if rest > 0:
        lines.append(f"  and {rest:,} more {one if rest == 1 else several}")
    return lines


def _fitted(words: str, *, indent: str = "", rest: str = "  ") -> list[str]:
    first, *others = wrapped(words, indent=indent) or [""]
    if not others:
        return [first]
    again = " ".join(part.strip() for part in others)
    return [first, *wrapped(again, indent=indent + rest, width=WIDTH)]
