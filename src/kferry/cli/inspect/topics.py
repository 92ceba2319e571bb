"""`kferry inspect topics`: one line per topic, with what was set on it below.

Owns how topics look.
"""

import time
from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any

from cyclopts import Parameter

from kferry.cli.inspect.sides import Inspection, inspect, plain
from kferry.cli.options import Options
from kferry.cli.tables import Row, number, table, text
from kferry.cli.words import NOTHING, UNKNOWN, count, moment, rate, size
from kferry.errors import ExitCode
from kferry.topics import PartitionFacts, TopicFacts, Topics, take_topics
from kferry.topics.facts import total
from kferry.units import many

_COLUMNS = (
    text("topic"),
    number("parts"),
    number("rf"),
    text("cleanup"),
    number("size"),
    number("records"),
    number("in/s"),
    text("newest (UTC)"),
)
_FOOTNOTE = "records: end - start; fewer where compaction (≤) or transactions left holes"


def topics(
    *,
    options: Options | None = None,
    rate_seconds: Annotated[
        float,
        Parameter(help="seconds between two looks at the ends, to tell records in per second"),
    ] = 2.0,
) -> ExitCode:
    """Topics: partitions, replication, cleanup, size, records, rate in, newest record.

    Internal topics are shown when they are named with --topic. With -v every partition has a line.
    """
    options = options or Options()
    selection = options.selection
    return inspect(
        options,
        Inspection(
            name="topics",
            ask=lambda cluster: take_topics(cluster, selection, rate_seconds=rate_seconds),
            show=partial(_show, rated=rate_seconds > 0, every_partition=bool(options.verbose)),
            as_json=_as_json,
            then="inspect groups",
            takes_topics=True,
        ),
    )


def _show(found: Topics, *, rated: bool, every_partition: bool) -> list[str]:
    if not found.topics:
        return ["  no topics to show"]
    unknown = {gap.subject for gap in found.gaps}
    rows = [
        Row(
            cells=_cells(topic, rated=rated, newest_known="newest records" not in unknown),
            remarks=_remarks(topic, every_partition=every_partition),
        )
        for topic in found.topics
    ]
    return [*table(_COLUMNS, rows), "", f"  {_total(found)}", f"  {_FOOTNOTE}"]


def _cells(topic: TopicFacts, *, rated: bool, newest_known: bool) -> tuple[str, ...]:
    compacted = "compact" in (topic.cleanup_policy or "")
    at_most = "≤ " if compacted and topic.records else ""
    newest = UNKNOWN if topic.records is None or (topic.records and not newest_known) else NOTHING
    return (
        topic.name,
        count(len(topic.partitions)),
        count(topic.replication),
        topic.cleanup_policy or UNKNOWN,
        size(topic.bytes),
        at_most + count(topic.records),
        rate(topic.records_per_second) if rated else NOTHING,
        moment(topic.newest_ms) if topic.newest_ms is not None else newest,
    )


def _remarks(topic: TopicFacts, *, every_partition: bool) -> list[str]:
    remarks = []
    if topic.leaderless:
        remarks.append(f"{many(topic.leaderless, 'partition')} without a leader, not counted here")
    if topic.under_replicated:
        remarks.append(f"{many(topic.under_replicated, 'partition')} with copies missing")
    if own := [f"{key}={_value(value)}" for key, value in _set(topic) if key != "cleanup.policy"]:
        remarks.append("  ".join(own))
    if every_partition:
        remarks += [_partition(one) for one in topic.partitions]
    return remarks


def _set(topic: TopicFacts) -> list[tuple[str, str | None]]:
    return sorted((topic.set_configs or {}).items())


def _value(value: str | None) -> str:
    return "(secret)" if value is None else value


def _partition(one: PartitionFacts) -> str:
    leader = "no leader" if one.leader is None else f"leader {one.leader}"
    in_sync = ", ".join(map(str, one.in_sync))
    newest = "" if one.newest_ms is None else f"  newest {moment(one.newest_ms)}"
    return (
        f"{one.partition}: {leader}  in sync {in_sync} of {len(one.replicas)}  "
        f"offsets {count(one.start)} to {count(one.end)}  {size(one.bytes)}{newest}"
    )


def _total(found: Topics) -> str:
    partitions = sum(len(topic.partitions) for topic in found.topics)
    parts = [many(len(found.topics), "topic"), many(partitions, "partition")]
    if (bytes_ := total(topic.bytes for topic in found.topics)) is not None:
        parts.append(size(bytes_))
    if (records := total(topic.records for topic in found.topics)) is not None:
        parts.append(many(records, "record"))
    if (per_second := total(topic.records_per_second for topic in found.topics)) is not None:
        parts.append(f"{rate(per_second)} in per second")
    return ", ".join(parts)


def _as_json(found: Topics) -> Mapping[str, Any]:
    return {
        "taken_ms": int(time.time() * 1000),
        "topics": [
            {
                **plain(topic),
                "replication": topic.replication,
                "bytes": topic.bytes,
                "records_at_most": topic.records,
                "records_per_second": topic.records_per_second,
                "newest_ms": topic.newest_ms,
            }
            for topic in found.topics
        ],
    }
