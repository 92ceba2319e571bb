"""How the answer of `verify` is shown.

Owns the words and the rows of verdicts. Pure.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from kferry.cli.console import fitted
from kferry.cli.tables import Row, number, table, text, visible
from kferry.cli.words import count, duration, rate, size
from kferry.units import many
from kferry.verify import Tally

if TYPE_CHECKING:
    from kferry.migration.verify_values import PartitionVerdict, VerifyProgress, VerifyResult

_COLUMNS = (
    text("topic"),
    number("part"),
    number("same"),
    number("differ"),
    number("only source"),
    number("only target"),
    number("expired"),
)
_MOST_ROWS = 50
_COUNTED = ("same", "differ", "only_source", "only_target", "expired_source")


def verdict_lines(result: "VerifyResult") -> list[str]:
    """Show the answer: each topic, the partitions that are not the same, and one line of all."""
    topics: dict[str, Tally] = {}
    for one in result.partitions:
        topics.setdefault(one.partition.topic, Tally()).add(one.tally)
    rows = [_row(topic, "all", tally) for topic, tally in topics.items() if tally.clean]
    lines = table(_COLUMNS, rows[:_MOST_ROWS])
    if len(rows) > _MOST_ROWS:
        lines.append(f"  and {len(rows) - _MOST_ROWS:,} more topics; --json names them all")
    shown = [one for one in result.partitions if not one.tally.clean or one.trouble]
    if shown:
        lines += ["", "Not the same, or not compared"]
        lines += table(_COLUMNS, [_verdict_row(one) for one in shown[:_MOST_ROWS]])
    if len(shown) > _MOST_ROWS:
        lines.append(f"  and {len(shown) - _MOST_ROWS:,} more partitions; --json names them all")
    return [*lines, "", *_sums(result)]


def report_lines(result: "VerifyResult") -> list[str]:
    """Show a report: what it is about, then every partition with its range, then the answer."""
    sides = f"source {visible(result.source_id)} → target {visible(result.target_id)}"
    how = f"level {result.level}{', both sides' if result.both else ''}"
    lines = [
        f"{visible(result.migration)} · {sides}",
        f"{how} · {result.began} to {result.ended} · {size(result.bytes)} read",
        "",
    ]
    columns = (
        text("topic"),
        number("part"),
        number("source from"),
        number("to"),
        number("target from"),
        number("to"),
        text("digest"),
    )
    rows = [
        Row(
            cells=(
                one.partition.topic,
                str(one.partition.partition),
                *(f"{offset:,}" for offset in (*one.source_range, *one.target_range)),
                f"{one.digest:08x}",
            )
        )
        for one in result.partitions
    ]
    return [*lines, *table(columns, rows), "", *verdict_lines(result)]


def _row(topic: str, partition: str, tally: Tally, remarks: Sequence[str] = ()) -> Row:
    return Row(
        cells=(topic, partition, *(count(getattr(tally, name)) for name in _COUNTED)),
        remarks=remarks,
    )


def _verdict_row(one: "PartitionVerdict") -> Row:
    remarks = [visible(str(found)) for found in one.differences]
    if one.trouble:
        remarks.append(f"! {one.trouble}")
    return _row(one.partition.topic, str(one.partition.partition), one.tally, remarks)


def _sums(result: "VerifyResult") -> list[str]:
    total = result.total
    counts = (
        f"{visible(result.migration)}: {many(total.same, 'record')} the same, "
        f"{total.differ:,} differ, {total.only_source:,} only on the source, "
        f"{total.only_target:,} only on the target"
    )
    lines = fitted(counts)
    gone = [
        f"{number_:,} {what}"
        for number_, what in (
            (total.expired_source, "expired on the source since they were copied"),
            (total.expired_target, "expired on the target meanwhile"),
            (total.foreign, "written to the target by others"),
        )
        if number_
    ]
    if gone:
        lines.append(f"no differences: {', '.join(gone)}")
    behind = sum(one.not_copied for one in result.partitions)
    if behind:
        lines.append(f"not copied yet: {many(behind, 'offset')} of the source")
    if result.level == "counts":
        lines += fitted(
            "by offsets alone: whether records are the ones that were sent, and whether any are "
            "missing in between, was not looked at"
        )
    if not result.done:
        lines.append("not everything was compared")
    return lines


def progress_line(progress: "VerifyProgress") -> str:
    """Say in one line how far it is."""
    share = f"{100 * progress.records // progress.total} % of " if progress.total else ""
    speed = progress.bytes / progress.seconds if progress.seconds else 0.0
    return (
        f"{share}{many(progress.total, 'record')}, {size(int(speed))}/s, "
        f"{rate(progress.records / progress.seconds if progress.seconds else None)} records/s, "
        f"{duration(progress.seconds)}: {many(progress.differences, 'difference')}"
    )
