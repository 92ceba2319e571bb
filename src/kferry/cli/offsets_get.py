"""`kferry offsets get`: offsets by place or time, in the line format of Kafka's own tool.

Owns which cluster, partitions and place are meant.
"""

import shlex
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from kferry.cli import loop
from kferry.cli.console import answer, answer_json, say
from kferry.cli.offset_lines import exit_code, got_json, offset_lines, remarks
from kferry.cli.one_side import On, Side, again_on, named_sides, one_side
from kferry.cli.options import Options
from kferry.config import ClusterSettings
from kferry.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from kferry.groups.when import When
    from kferry.migration.offsets_get import Got, OffsetsRequest

_COMMAND = "offsets get"


def get(
    *,
    time: Annotated[
        str,
        Parameter(
            help="latest (-1), earliest (-2), max-timestamp (-3), earliest-local (-4), "
            "latest-tiered (-5), earliest-pending-upload (-6), latest-stable; milliseconds since "
            "1970, or an ISO time",
            allow_leading_hyphen=True,
        ),
    ] = "latest",
    partitions: Annotated[
        str | None, Parameter(help="of the topics, only these: 0,1,2", show_default=False)
    ] = None,
    topic_partitions: Annotated[
        str | None,
        Parameter(
            help="REGEX:PARTITION,…; a partition may be 3, 1-3 (without the 3), 2- or -3; either "
            "half may be left out",
            show_default=False,
            allow_leading_hyphen=True,
        ),
    ] = None,
    exclude_internal_topics: Annotated[
        bool, Parameter(help="leave Kafka's own topics out", negative=(), show_default=False)
    ] = False,
    on: On = None,
    both: Annotated[
        bool,
        Parameter(help="source and target, side by side", negative=(), show_default=False),
    ] = False,
    csv: Annotated[
        bool,
        Parameter(
            help="topic,partition,offset: the file that `groups reset --from-file` takes; where "
            "there is no such record, it holds the end",
            negative=(),
            show_default=False,
        ),
    ] = False,
    options: Options | None = None,
) -> ExitCode:
    """Offsets of partitions by place or time, one `topic:partition:offset` a line."""
    options = options or Options()
    request = _request(options, time, partitions, topic_partitions, exclude_internal_topics)
    sides = _sides(options, on, both=both, csv=csv)
    # Imported here: `--help` and errors of the command line must not wait for the engine.
    from kferry.migration.offsets_get import get_offsets, get_offsets_of_both  # noqa: PLC0415

    found: Mapping[Side, list[Got]]
    if both:
        found = loop.run(get_offsets_of_both(sides, request))
    else:
        ((side, settings),) = sides.items()
        found = {side: loop.run(get_offsets(settings, request, side=side))}
    if options.json:
        for side, own in found.items():
            for one in own:
                answer_json(got_json(side, one))
    else:
        for line in offset_lines(found, csv=csv):
            answer(line)
    for side, own in found.items():
        for line in remarks(own, as_csv=csv, side=side if both else ""):
            say(line)
    _say_next(options, sides, on, csv=csv, both=both)
    return exit_code(one for own in found.values() for one in own)


def _sides(
    options: Options, on: Side | None, *, both: bool, csv: bool
) -> "dict[Side, ClusterSettings]":
    if not both:
        return dict([one_side(options, on, _COMMAND)])
    if csv or on:
        raise UsageError(
            f"--both and {'--csv' if csv else '--on'} exclude each other",
            hint=f"kferry {_COMMAND} --on source, or --on target, or --both alone",
        )
    sides = named_sides(options)
    if len(sides) < 2:
        raise UsageError(
            "--both, and only one cluster was named",
            hint=f"kferry {_COMMAND} --both --source HOST:PORT --target HOST:PORT",
        )
    return sides


def _request(
    options: Options,
    time: str,
    partitions: str | None,
    topic_partitions: str | None,
    exclude_internal: bool,
) -> "OffsetsRequest":
    from kferry.config import TopicSelection  # noqa: PLC0415 as above
    from kferry.groups import partition_filter  # noqa: PLC0415 as above
    from kferry.groups.when import parse_when  # noqa: PLC0415 as above
    from kferry.migration.offsets_get import OffsetsRequest  # noqa: PLC0415 as above

    when = parse_when(time)
    _say_zone(when)
    meant: Callable[[str, int], bool] | None = None
    selection = options.selection
    if topic_partitions is not None:
        if options.topic or partitions is not None:
            raise UsageError(
                "--topic-partitions names topics and partitions, and stands without --topic and "
                "--partitions",
                hint="kferry offsets get --topic-partitions 'orders:0-2,pay.*'",
            )
        meant, selection = partition_filter.topic_partitions(topic_partitions), TopicSelection()
    elif partitions is not None:
        numbers = partition_filter.partition_numbers(partitions)
        meant = lambda _, partition: partition in numbers  # noqa: E731 shorter than a function
    return OffsetsRequest(
        when=when, selection=selection, partitions=meant, exclude_internal=exclude_internal
    )


def _say_zone(when: "When") -> None:
    if when.is_time and when.assumed_utc:
        taken = datetime.fromtimestamp(int(when.at) / 1000, UTC)
        say(f"the time has no zone and is taken as {taken:%Y-%m-%d %H:%M:%S} UTC")


def _say_next(
    options: Options,
    sides: "Iterable[Side]",
    on: Side | None,
    *,
    csv: bool,
    both: bool,
) -> None:
    side = next(iter(sides))
    where = options.again() if both else again_on(options, side, on)
    if csv:
        say(f"next: kferry groups reset --group NAME --from-file FILE{where}")
    else:
        topics = "".join(f" --topic {shlex.quote(one)}" for one in options.topic)
        say(f"next: kferry inspect topics{options.again()}{topics}")
