"""`kferry groups reset`: positions on one named cluster, dry unless told otherwise.

Owns the ways as options, and that exactly one is chosen. What is decided is decided in `migration`.
"""

import re
import shlex
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from kferry.cli import loop
from kferry.cli.console import say
from kferry.cli.one_side import On, Side, again_on, one_side
from kferry.cli.options import Options
from kferry.cli.resetting import carry_out, positions_for, read_bytes
from kferry.cli.status import target_of
from kferry.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from kferry.groups.reset import ToFile, Way

_COMMAND = "groups reset"
_LARGEST = 2**63 - 1
Flag = Parameter(negative=(), show_default=False)


def reset(
    *,
    group: Annotated[
        tuple[str, ...],
        Parameter(help="a group or a glob; repeatable", negative=(), show_default=False),
    ] = (),
    all_groups: Annotated[bool, Flag, Parameter(help="every consumer group")] = False,
    all_topics: Annotated[
        bool, Flag, Parameter(help="every partition in which the group stands")
    ] = False,
    to_earliest: Annotated[bool, Flag, Parameter(help="to the first record there is")] = False,
    to_latest: Annotated[bool, Flag, Parameter(help="to the next record to come")] = False,
    to_current: Annotated[
        bool, Flag, Parameter(help="to where it stands; without a position, to the end")
    ] = False,
    to_offset: Annotated[
        str | None,
        Parameter(
            help="to this offset in each partition", show_default=False, allow_leading_hyphen=True
        ),
    ] = None,
    shift_by: Annotated[
        str | None,
        Parameter(
            help="on by so many, or back: -100", show_default=False, allow_leading_hyphen=True
        ),
    ] = None,
    to_datetime: Annotated[
        str | None,
        Parameter(
            help="to the first record at or after an ISO time; without a zone it is UTC",
            show_default=False,
        ),
    ] = None,
    by_duration: Annotated[
        str | None,
        Parameter(help="to so long ago: P7D, PT2H30M", show_default=False),
    ] = None,
    from_file: Annotated[
        Path | None,
        Parameter(
            help="to what a CSV file says: topic,partition,offset, or with the group first",
            show_default=False,
        ),
    ] = None,
    to_switch: Annotated[
        bool, Flag, Parameter(help="to where the partition was switched over, by the ledger")
    ] = False,
    execute: Annotated[bool, Flag, Parameter(help="do it; without, it is only shown")] = False,
    dry_run: Annotated[bool, Flag, Parameter(help="only show it, as without --execute")] = False,
    export: Annotated[
        bool, Flag, Parameter(help="print the new positions as CSV for --from-file")
    ] = False,
    on: On = None,
    options: Options | None = None,
) -> ExitCode:
    """Set where groups go on, on one cluster. Shows it; --execute does it and reads it back.

    --topic T means all partitions of T, --topic T:0,1 some. A group that is active is never moved.
    """
    options = options or Options()
    side, settings = one_side(options, on, _COMMAND)
    ways = {
        "--to-earliest": to_earliest or None,
        "--to-latest": to_latest or None,
        "--to-current": to_current or None,
        "--to-offset": to_offset,
        "--shift-by": shift_by,
        "--to-datetime": to_datetime,
        "--by-duration": by_duration,
        "--from-file": from_file,
        "--to-switch": to_switch or None,
    }
    if execute and dry_run:
        raise UsageError("--execute and --dry-run exclude each other", hint="leave one out")
    if export and options.json:
        raise UsageError("--export and --json exclude each other", hint="leave one out")
    way_name, way_value = _only_way(ways)
    _check_scope(options, group, all_groups=all_groups, all_topics=all_topics, way=way_name)
    from kferry.migration.group_reset import ResetRequest  # noqa: PLC0415 as below
    from kferry.migration.topic_choice import TopicChoice  # noqa: PLC0415 as below

    way = _switch(options, side) if to_switch else _way(way_name, way_value, group)
    request = ResetRequest(
        settings=settings,
        side=side,
        way=way,
        groups=_groups_meant(way, group, all_groups=all_groups),
        all_groups=all_groups and not isinstance(way_value, Path),
        topics=tuple(map(TopicChoice.parse, options.topic)),
        exact_groups=isinstance(way_value, Path),
    )
    words = _words(options, group, ways, all_groups=all_groups, all_topics=all_topics)
    where = again_on(options, side, on)
    return carry_out(
        request,
        options,
        execute=execute,
        export=export,
        several=all_groups or len(group) != 1,
        command=f"{_COMMAND}{words}{where}",
        look=f"kferry inspect groups{again_on(options, side, None)}",
    )


def _switch(options: Options, side: Side) -> "Way":
    from kferry.migration.switch_offsets import switch_offsets  # noqa: PLC0415 as above

    return loop.run(
        switch_offsets(
            target_of(options, _COMMAND),
            migration=options.migration_name,
            source=options.source_settings,
            side=side,
        )
    )


def _only_way(ways: Mapping[str, object]) -> tuple[str, object]:
    chosen = {name: value for name, value in ways.items() if value is not None}
    if len(chosen) == 1:
        return next(iter(chosen.items()))
    if not chosen:
        raise UsageError("where to was not said", hint=f"one of {', '.join(ways)}")
    raise UsageError(f"{' and '.join(chosen)} exclude each other", hint="choose one of them")


def _check_scope(
    options: Options, group: tuple[str, ...], *, all_groups: bool, all_topics: bool, way: str
) -> None:
    if "" in group:
        # Brokers do take it; who typed it has a variable that is not set.
        raise UsageError("--group was given an empty name", hint="--group NAME")
    if group and all_groups:
        raise UsageError("--group and --all-groups exclude each other", hint="leave one out")
    if options.topic and all_topics:
        raise UsageError("--topic and --all-topics exclude each other", hint="leave one out")
    if way == "--from-file":
        if options.topic or all_topics:
            raise UsageError(
                "--from-file names the topics, and stands without --topic and --all-topics",
                hint="leave them out, or take the other lines out of the file",
            )
        return
    if not group and not all_groups:
        raise UsageError(
            "no group was named", hint=f"kferry {_COMMAND} --group NAME, or --all-groups"
        )
    if not options.topic and not all_topics:
        raise UsageError(
            "no topic was named",
            hint="--topic NAME, --topic NAME:0,1 for some partitions, or --all-topics for every "
            "partition in which the group stands",
        )


def _way(name: str, value: object, group: tuple[str, ...]) -> "Way":
    # Imported here: `--help` and errors of the command line must not wait for the engine.
    from kferry.config import parse_time  # noqa: PLC0415
    from kferry.groups import reset as ways  # noqa: PLC0415
    from kferry.groups.durations import parse_duration  # noqa: PLC0415

    plain: dict[str, Way] = {
        "--to-earliest": ways.ToStart(),
        "--to-latest": ways.ToEnd(),
        "--to-current": ways.ToCurrent(),
    }
    way = plain.get(name)
    match value:
        case str(text) if name == "--to-offset":
            way = ways.ToOffset(_whole(name, text, least=0))
        case str(text) if name == "--shift-by":
            way = ways.ShiftBy(_whole(name, text, least=-_LARGEST))
        case str(text) if name == "--to-datetime":
            moment = parse_time(text, where=name)
            if moment.assumed_utc:
                _say_time(moment.ms, "the time has no zone and is taken as")
            way = ways.ToTime(moment.ms)
        case str(text):
            ms = max(0, int(time.time() * 1000) - parse_duration(text, where=name))
            _say_time(ms, "that is")
            way = ways.ToTime(ms)
        case Path() as path:
            way = _file(path, group)
    assert way is not None  # noqa: S101 every option has its way
    return way


def _whole(name: str, text: str, *, least: int) -> int:
    number = int(text) if re.fullmatch(r"[+-]?[0-9]{1,19}", text.strip()) else _LARGEST + 1
    if not least <= number <= _LARGEST:
        raise UsageError(
            f"{name} {text} is no {'offset' if least == 0 else 'number of offsets'}",
            hint=f"{name} 100" if least == 0 else f"{name} 100, or {name} -100",
        )
    return number


def _say_time(ms: int, words: str) -> None:
    say(f"{words} {datetime.fromtimestamp(ms / 1000, UTC):%Y-%m-%d %H:%M:%S} UTC")


def _file(path: Path, group: tuple[str, ...]) -> "ToFile":
    from kferry.groups.position_file import decoded, read_csv  # noqa: PLC0415 as above

    return positions_for(
        read_csv(decoded(read_bytes(path), str(path)), str(path)), group, str(path)
    )


def _groups_meant(way: "Way", group: tuple[str, ...], *, all_groups: bool) -> tuple[str, ...]:
    from kferry.groups.reset import ToFile  # noqa: PLC0415 as above

    if isinstance(way, ToFile):
        return tuple(sorted({one for one, _ in way.positions}))
    return () if all_groups else group


def _words(
    options: Options,
    group: tuple[str, ...],
    ways: Mapping[str, object],
    *,
    all_groups: bool,
    all_topics: bool,
) -> str:
    """Return the command line once more, for the next command."""
    words = [f"--group {shlex.quote(one)}" for one in group]
    words += ["--all-groups"] * all_groups + ["--all-topics"] * all_topics
    words += [f"--topic {shlex.quote(one)}" for one in options.topic]
    for name, value in ways.items():
        if value is not None:
            words.append(name if value is True else f"{name} {shlex.quote(str(value))}")
    return "".join(f" {word}" for word in words)
