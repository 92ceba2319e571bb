"""`kferry sandbox judge`: what became of the live traffic's records, counted from its journals."""

from datetime import UTC, datetime
from typing import Annotated, Any

from cyclopts import Parameter

from kferry.cli.console import answer, answer_json, say, styled
from kferry.cli.sandbox_live import again
from kferry.cli.tables import Row, number, table, text
from kferry.errors import ExitCode
from kferry.sandbox import Live, Sandbox
from kferry.sandbox.live.judging import Example, GroupVerdict, LiveVerdict
from kferry.units import many

_COLUMNS = (
    text("group"),
    number("sent"),
    number("seen"),
    number("lost"),
    number("repeated"),
    number("out of order"),
    number("silence"),
    text("its members"),
)


def judge(
    *,
    name: Annotated[str, Parameter(help="which sandbox")] = "default",
    prefix: Annotated[str, Parameter(help="which traffic")] = "live",
    patience: Annotated[
        float, Parameter(help="seconds that running groups are given to read what was sent")
    ] = 30.0,
    json: Annotated[bool, Parameter(help="one JSON object on stdout", negative=())] = False,
) -> ExitCode:
    """Count what was sent, seen, lost, repeated and out of order, for every group.

    The traffic may go on meanwhile: what was acknowledged until now is judged. Exit codes: 0 all
    of it was seen, once and in order; 4 something was lost, repeated or out of order.
    """
    live = Live.find(Sandbox.find(name), prefix)
    verdict = live.judge(patience_s=patience)
    if json:
        answer_json({"name": name, "prefix": prefix, **verdict.as_json()})
    else:
        show(verdict)
    say(f"next: {_next(live, verdict)}")
    return ExitCode.DONE if verdict.exact else ExitCode.DIFFERENCES


def show(verdict: LiveVerdict) -> None:
    """Tell the verdict to people."""
    for line in verdict_lines(verdict):
        answer(line)


def verdict_lines(verdict: LiveVerdict) -> list[str]:
    """Say what was counted: all together, every group, and of each fault a few examples."""
    word = styled("exactly once", "ok") if verdict.exact else styled("NOT exactly once", "error")
    counts = (
        f"{verdict.sent:,} sent, {verdict.seen:,} seen by every group, {verdict.lost:,} lost, "
        f"{verdict.repeated:,} repeated, {verdict.reordered:,} out of order"
    )
    lines = [
        f"{word}: {counts}",
        *table(_COLUMNS, [_row(group) for group in verdict.groups]),
        "  silence: the longest time in which a group saw nothing",
    ]
    lines += [f"  {line}" for line in _besides(verdict)]
    for example in verdict.examples:
        lines += _example_lines(example)
    return lines


def _row(group: GroupVerdict) -> Row:
    cells = (
        group.group,
        f"{group.sent:,}",
        f"{group.seen:,}",
        f"{group.lost:,}",
        f"{group.repeated:,}",
        f"{group.reordered:,}",
        f"{group.interruption.overall:,} ms",
        "run" if group.running else "are stopped",
    )
    remarks = []
    if group.behind:
        why = "it did not come so far in time" if group.running else "it does not run"
        remarks.append(f"{group.behind:,} of the lost come after all it has seen: {why}")
    if group.strange:
        remarks.append(f"{many(group.strange, 'record')} seen that nobody sent")
    if group.aborted_seen:
        remarks.append(f"{many(group.aborted_seen, 'record')} of aborted transactions seen")
    return Row(cells=cells, remarks=remarks)


def _besides(verdict: LiveVerdict) -> list[str]:
    lines = []
    if verdict.producers.moving or verdict.consumers.moving:
        lines.append(
            f"interruption by moves: producers {verdict.producers.moving:,} ms, "
            f"consumers {verdict.consumers.moving:,} ms"
        )
    if verdict.unknown:
        lines.append(
            f"{many(verdict.unknown, 'record')} unknown: their producer was killed, or gave up, "
            "before it heard of them"
        )
    if verdict.failed:
        lines.append(f"{many(verdict.failed, 'record')} refused, and not written")
    if verdict.aborted:
        lines.append(f"{many(verdict.aborted, 'record')} aborted on purpose")
    return lines + [f"fault: {fault}" for fault in verdict.faults]


def _example_lines(example: Example) -> list[str]:
    first = f"  {example.fault.replace('_', ' ')}: {example.key} number {example.number}"
    return [first, *(f"      {_told(place)}" for place in example.places)]


def _told(place: Any) -> str:
    at = datetime.fromtimestamp(place["at_us"] / 1_000_000, UTC).strftime("%H:%M:%S.%f")
    return (
        f"{at}  number {place['number']} {place['what']} by {place['client']} on the "
        f"{place['side']}, {place['topic']}-{place['partition']} at {place['offset']:,}"
    )


def _next(live: Live, verdict: LiveVerdict) -> str:
    idle = [group.group for group in verdict.groups if group.lost and not group.running]
    if idle:
        return f"kferry sandbox live start --consumers {' '.join(idle)}{again(live)}"
    return f"kferry sandbox live status{again(live)}"
