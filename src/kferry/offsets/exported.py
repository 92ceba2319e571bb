"""Offset maps as text, for applications that keep positions themselves and translate their own.

Owns both forms, one JSON object for each partition and one CSV row for each run. Pure: lines in,
lines out.
"""

import csv
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, groupby
from typing import Any

from kferry.names import PartitionId, SourceOffset, TargetOffset, TopicName, TopicPartition
from kferry.offsets.map import OffsetMap
from kferry.offsets.runs import Runs

COLUMNS = (
    "topic",
    "partition",
    "target_topic",
    "begins",
    "copied_to",
    "target_end",
    "source_start",
    "target_start",
    "records",
    "runs",
)
"""The last is how many runs the partition has: a file that was cut off does not pass for whole."""


class BadExport(ValueError):
    """Lines that are not an export of offset maps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportedMap:
    """The map of one partition, by the topic's names on both sides."""

    partition: TopicPartition
    target_topic: TopicName
    offsets: OffsetMap


def to_json_line(one: ExportedMap) -> str:
    """Write a partition's map as one object."""
    offsets = one.offsets
    return json.dumps(
        {
            "topic": one.partition.topic,
            "partition": one.partition.partition,
            "target_topic": one.target_topic,
            "begins": offsets.begins,
            "copied_to": offsets.copied_to,
            "target_end": offsets.target_end,
            "runs": [list(run) for run in offsets.runs],
        }
    )


def to_rows(one: ExportedMap) -> Iterator[tuple[str | int, ...]]:
    """Write a partition's map as CSV rows, one for each run; one of no records where none is."""
    offsets = one.offsets
    lead = (
        one.partition.topic,
        one.partition.partition,
        one.target_topic,
        offsets.begins,
        offsets.copied_to,
        offsets.target_end,
    )
    if not len(offsets.runs):
        yield (*lead, offsets.begins, offsets.target_end, 0, 0)
    for run in offsets.runs:
        yield (*lead, *run, len(offsets.runs))


def load_maps(lines: Iterable[str]) -> dict[TopicPartition, ExportedMap]:
    """Read what `kferry offsets translate --export` has written, in either form.

    The keys are pairs of a topic's name on the source and a partition's number.
    """
    rest = iter(lines)
    first = next((line for line in rest if line.strip()), "")
    if not first:
        raise BadExport("there is no line in it")
    every = chain([first], rest)
    found = _of_json(every) if first.lstrip().startswith("{") else _of_csv(every)
    maps: dict[TopicPartition, ExportedMap] = {}
    for one in found:
        if one.partition in maps:
            raise BadExport(f"{one.partition} is there twice")
        maps[one.partition] = one
    if not maps:  # what is cut off behind the names of the columns, say
        raise BadExport("there is no partition in it")
    return maps


def _of_json(lines: Iterable[str]) -> Iterator[ExportedMap]:
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
            yield _exported(value, value["runs"])
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise BadExport(f"line {number}: {error!r}") from None


def _of_csv(lines: Iterable[str]) -> Iterator[ExportedMap]:
    rows = csv.DictReader(lines)
    if tuple(rows.fieldnames or ()) != COLUMNS:
        raise BadExport(f"the first line is not {','.join(COLUMNS)}")
    for _, own in groupby(rows, key=lambda row: (row["topic"], row["partition"])):
        found = list(own)
        try:
            runs = [_run(row) for row in found]
            if int(found[0]["runs"]) != len(found) - (runs == [None]):
                raise ValueError("not every run is there")  # noqa: TRY301 one way out
            yield _exported(found[0], [run for run in runs if run is not None])
        except (TypeError, ValueError, OverflowError) as error:
            raise BadExport(f"up to line {rows.line_num}: {error}") from None


def _run(row: Mapping[str, str]) -> tuple[int, int, int] | None:
    source, target, records = (
        int(row[name]) for name in ("source_start", "target_start", "records")
    )
    return (source, target, records) if records else None


def _exported(value: Mapping[str, Any], found: Iterable[tuple[int, int, int]]) -> ExportedMap:
    runs = Runs()
    for source, target, length in found:
        runs.append(source, target, length)
    offsets = OffsetMap(
        runs=runs,
        begins=SourceOffset(int(value["begins"])),
        copied_to=SourceOffset(int(value["copied_to"])),
        target_end=TargetOffset(int(value["target_end"])),
    )
    return ExportedMap(
        partition=TopicPartition(TopicName(value["topic"]), PartitionId(int(value["partition"]))),
        target_topic=TopicName(value["target_topic"]),
        offsets=offsets,
    )
