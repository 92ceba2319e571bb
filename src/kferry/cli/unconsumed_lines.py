"""`copy --unconsumed` in words: what is to be copied before, what has arrived after, and the log.

Owns how both look, and the text log that keeps the same lines. Asks no cluster.
"""

import os
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import count as numbers
from itertools import groupby
from pathlib import Path

from kferry.cli.console import WIDTH
from kferry.cli.tables import Row, number, remarked, table, text, visible
from kferry.cli.words import NOTHING, count, ranges
from kferry.errors import KferryError
from kferry.groups import Obstacle, Unconsumed, UnconsumedPartition, UnconsumedRow
from kferry.names import TopicName
from kferry.units import many

TITLE = "Prepare to migrate"
_PARTITIONS = (
    text("topic"),
    number("partition"),
    number("start"),
    number("end"),
    number("records"),
    text("smallest position"),
)
_GROUPS = (text("group"), text("topic"), number("unconsumed"), text("note"))
_ARRIVED = (text("group"), text("topic"), number("unconsumed"), number("arrived"), text("note"))


class UnconsumedLogError(KferryError):
    """The text log of an unconsumed copy cannot be written."""

    code = "K120"


def before_lines(found: Unconsumed) -> list[str]:
    """List what is to be copied, what is skipped and why, and the groups that decided it."""
    copied = [one for one in found.partitions if not one.skip]
    skipped = [one for one in found.partitions if one.skip]
    lines = [TITLE]
    if copied:
        lines += table(_PARTITIONS, [Row(cells=_cells(one)) for one in copied])
    lines += _skipped(skipped)
    lines += ["", f"  {_total(copied, skipped, found.records)}"]
    if found.rows:
        lines += ["", *table(_GROUPS, [Row(cells=_group_cells(row)) for row in found.rows])]
    if found.warnings:
        lines += ["", *_sentences("warning: ", found.warnings)]
    return lines


def after_lines(
    found: Unconsumed,
    arrived: Mapping[TopicName, int],
    targets: Mapping[TopicName, TopicName] | None = None,
) -> list[str]:
    """Put beside what each group had to read on the source what arrived, by the source's names."""
    if not found.rows:
        return ["  no group stands in these topics"]
    lines = table(
        _ARRIVED, [Row(cells=_arrived_cells(row, arrived, targets or {})) for row in found.rows]
    )
    if len({row.topic for row in found.rows}) < len(found.rows):
        lines += ["", "  arrived: counted once for a topic, from the smallest position on"]
    return lines


def obstacle_lines(obstacles: Iterable[Obstacle]) -> list[str]:
    """Say what speaks against starting, and what would help."""
    return [
        line
        for one in obstacles
        for line in (
            *_sentences("", [f"{one.subject}: {one.message}"]),
            *(remarked(f"hint: {one.hint}") if one.hint else ()),
        )
    ]


def open_log(folder: Path, now: datetime | None = None) -> Path:
    """Begin a text log that nobody else can read; never one that is there already."""
    stamp = (now or datetime.now(UTC)).astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    for attempt in numbers(1):
        again = "" if attempt == 1 else f"-{attempt}"
        file = folder / f"kferry-unconsumed-{stamp}{again}.log"
        try:
            os.close(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        except FileExistsError:
            continue
        except OSError as error:
            raise _unwritable(file, error) from None
        return file
    raise AssertionError  # there is always a next number


def append_log(file: Path, lines: Sequence[str]) -> None:
    """Add to the log what was shown."""
    try:
        with file.open("a", encoding="utf-8", errors="backslashreplace") as log:
            log.writelines(f"{line}\n" for line in lines)
    except OSError as error:
        raise _unwritable(file, error) from None


def _unwritable(file: Path, error: OSError) -> UnconsumedLogError:
    return UnconsumedLogError(
        f"the log {file.name} cannot be written",
        f"{file.parent}: {error.strerror or error}",
        hint="run `kferry copy --unconsumed` in a directory that you may write to",
    )


def _cells(one: UnconsumedPartition) -> tuple[str, ...]:
    return (
        one.topic,
        str(one.partition),
        count(one.start),
        count(one.end),
        count(one.records),
        one.decided_by or NOTHING,
    )


def _skipped(partitions: Sequence[UnconsumedPartition]) -> list[str]:
    """Say each reason once for the partitions of a topic that share it."""
    lines = []
    for (topic, reason), alike in groupby(
        sorted(partitions, key=lambda one: (one.topic, one.skip, one.partition)),
        key=lambda one: (one.topic, one.skip),
    ):
        which = ranges(one.partition for one in alike)
        lines += _sentences("", [f"skip migrate: {topic} {which}: {reason}"])
    return lines


def _total(
    copied: Sequence[UnconsumedPartition], skipped: Sequence[UnconsumedPartition], records: int
) -> str:
    left = f"; {many(len(skipped), 'partition')} skipped" if skipped else ""
    if not copied:
        return f"nothing to copy{left}"
    # Markers of transactions and what the cleaner took have offsets and are no records.
    return f"{many(len(copied), 'partition')}, at most {many(records, 'record')}{left}"


def _group_cells(row: UnconsumedRow) -> tuple[str, ...]:
    return row.group, row.topic, _unconsumed(row), row.note


def _arrived_cells(
    row: UnconsumedRow, arrived: Mapping[TopicName, int], targets: Mapping[TopicName, TopicName]
) -> tuple[str, ...]:
    target = targets.get(row.topic, row.topic)
    topic = row.topic if target == row.topic else f"{row.topic} → {target}"
    return row.group, topic, _unconsumed(row), count(arrived.get(row.topic)), row.note


def _unconsumed(row: UnconsumedRow) -> str:
    return NOTHING if row.unconsumed is None else count(row.unconsumed)


def _sentences(before: str, sentences: Iterable[str]) -> list[str]:
    """Break sentences at our width, further in from each one's second line on."""
    return [
        line
        for sentence in sentences
        for line in textwrap.wrap(
            before + visible(sentence),
            WIDTH,
            initial_indent="  ",
            subsequent_indent="    ",
            break_long_words=False,
            break_on_hyphens=False,
        )
    ]
