"""How the answer of `verify` is shown.

Owns the words, the rows and the JSON of verdicts. Pure.
"""

from typing import TYPE_CHECKING, Any

from kferry.cli.console import fitted
from kferry.cli.tables import Row, number, table, text, visible
from kferry.cli.words import count, duration, rate, size
from kferry.units import many

if TYPE_CHECKING:
    from kferry.migration.verify import PartitionVerdict, VerifyProgress, VerifyResult
    from kferry.verify import Difference

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


def verdict_json(result: "VerifyResult") -> dict[str, Any]:
    """Put the answer as scripts read it; all numbers are records."""
    total = result.total
    return {
        "migration": result.migration,
        "level": result.level,
        **{name: getattr(total, name) for name in _COUNTED},
        "expired_target": total.expired_target,
        "foreign": total.foreign,
        "complete": result.done,
        "partitions": [_partition_json(one) for one in result.partitions],
    }


def _partition_json(one: "PartitionVerdict") -> dict[str, Any]:
    return {
        "topic": one.partition.topic,
        "partition": one.partition.partition,
        **{name: getattr(one.tally, name) for name in _COUNTED},
        "first_difference": None
        if one.first_difference is None
        else _difference_json(one.first_difference),
        "expired_target": one.tally.expired_target,
        "foreign": one.tally.foreign,
        "target_topic": one.target_topic,
        "complete": one.done,
        "not_copied": one.not_copied,
        "source_range": list(one.source_range),
        "target_range": list(one.target_range),
        "differences": [_difference_json(found) for found in one.differences],
        "trouble": one.trouble,
    }


def _difference_json(found: "Difference") -> dict[str, Any]:
    return {
        "source_offset": found.source_offset,
        "target_offset": found.target_offset,
        "what": found.what,
    }


def verdict_lines(result: "VerifyResult") -> list[str]:
    """Show the answer: the partitions that matter, and one line of all."""
    shown = [one for one in result.partitions if not one.tally.clean or one.trouble]
    shown = shown or list(result.partitions)
    lines = table(_COLUMNS, [_row(one) for one in shown[:_MOST_ROWS]])
    if len(shown) > _MOST_ROWS:
        lines.append(f"  and {len(shown) - _MOST_ROWS:,} more partitions; --json names them all")
    return [*lines, "", *_sums(result)]


def _row(one: "PartitionVerdict") -> Row:
    tally = one.tally
    remarks = [difference_line(found) for found in one.differences]
    if one.trouble:
        remarks.append(f"! {one.trouble}")
    return Row(
        cells=(
            one.partition.topic,
            str(one.partition.partition),
            *(count(getattr(tally, name)) for name in _COUNTED),
        ),
        remarks=remarks,
    )


def difference_line(found: "Difference") -> str:
    """Name one difference with its places."""
    here = "" if found.source_offset is None else f"source {found.source_offset:,}"
    there = "" if found.target_offset is None else f"target {found.target_offset:,}"
    return f"{' · '.join(filter(None, (here, there)))}: {visible(found.what)}"


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
