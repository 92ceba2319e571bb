"""How a copy ended: the last lines for people, the last object for scripts.

Owns the keys of that object, which are stable. Pure.
"""

import dataclasses
from typing import TYPE_CHECKING, Any

from kferry.cli.console import wrapped
from kferry.cli.progress_lines import duration_of, retention_lines, trouble_lines
from kferry.cli.tables import Row, number, table, text, visible
from kferry.cli.words import count, rate, size
from kferry.errors import ExitCode
from kferry.units import many

if TYPE_CHECKING:
    from kferry.migration.requests import CopyResult

_ARRIVED = (text("group"), text("topic"), number("unconsumed"), number("arrived"))


def result_json(result: "CopyResult") -> dict[str, Any]:
    """Put a result as scripts read it."""
    return {
        "migration": result.migration,
        "records": result.records,
        "bytes": result.bytes,
        "batches": result.batches,
        "partitions": result.partitions,
        "seconds": round(result.seconds, 3),
        "passthrough_batches": result.passthrough_batches,
        "reencoded_batches": result.reencoded_batches,
        "skipped": {"control": result.skipped_control, "aborted": result.skipped_aborted},
        "gaps": [dataclasses.asdict(gap) for gap in result.gaps],
        "total_records": result.total_records,
        "stopped": [dataclasses.asdict(one) for one in result.stopped],
        "interrupted": result.interrupted,
        "retention_suspended": list(result.retention_suspended),
        "notes": list(result.notes),
        "listing": list(result.listing),
        "unconsumed": [dataclasses.asdict(one) for one in result.arrived],
        "exit_code": int(result.exit_code),
    }


def result_lines(result: "CopyResult", *, dry_run: bool, again: str) -> list[str]:
    """Say what was done, what was left out, and what waits; `again` is the command so far."""
    lines = [visible(line) for line in result.listing]
    if not dry_run:
        lines += _done(result)
    lines += _arrived(result)
    for note in result.notes:
        lines += wrapped(visible(note), indent="")
    lines += trouble_lines(result.stopped, result.gaps)
    return lines + retention_lines(result.retention_suspended, again)


def next_line(
    result: "CopyResult", *, dry_run: bool, again: str, status: str, follows: bool = False
) -> str:
    """Name the next command; a copy that `follows` is never done, only stopped."""
    if dry_run:
        return f"next: {again}"
    if result.stopped:
        return f"next: mend what stopped, then {again}"
    if follows or result.exit_code is ExitCode.STOPPED_EARLY:
        return f"next: {again}  (goes on where this one stopped)"
    return f"next: {status}"


def _done(result: "CopyResult") -> list[str]:
    total = many(result.total_records, "record")
    if not result.batches:
        partitions = many(result.partitions, "partition")
        words = f"nothing to copy: {partitions} looked at, {total} in all runs"
        return wrapped(words, indent="")
    speed = f"{rate(result.records / result.seconds)} records/s" if result.seconds > 0 else ""
    sentence = (
        f"copied {many(result.records, 'record')} ({size(result.bytes)}) of "
        f"{many(result.partitions, 'partition')} in {duration_of(round(result.seconds * 1000))}"
        + (f", {speed}" if speed else "")
    )
    batches = (
        f"{count(result.passthrough_batches)} of {many(result.batches, 'batch').removesuffix('s')}"
        f"{'es' if result.batches != 1 else ''} went through as they were, "
        f"{count(result.reencoded_batches)} were encoded anew"
    )
    lines = wrapped(sentence, indent="")
    if result.total_records != result.records:
        lines.append(f"in all runs: {total}")
    lines += wrapped(batches, indent="")
    left_out = [
        many(number, noun)
        for number, noun in (
            (result.skipped_control, "transaction marker"),
            (result.skipped_aborted, "aborted record"),
        )
        if number
    ]
    return lines + ([f"left out: {', '.join(left_out)}"] if left_out else [])


def _arrived(result: "CopyResult") -> list[str]:
    if not result.arrived:
        return []
    rows = [
        Row(cells=(one.group, one.topic, count(one.unconsumed), count(one.arrived)))
        for one in result.arrived
    ]
    return ["", *table(_ARRIVED, rows), ""]
