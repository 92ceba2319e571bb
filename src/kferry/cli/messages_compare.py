"""`kferry messages compare`: one topic on both sides, next to each other.

Owns how two sides stand beside each other, and the exit codes.
"""

from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from kferry.cli import loop
from kferry.cli.console import answer, answer_json, say
from kferry.cli.message_flags import SHOWN, WHERE, Format, Side, one_side, one_topic
from kferry.cli.message_lines import headers_shown, message_json, moment, shown
from kferry.cli.options import Options
from kferry.cli.tables import Row, number, table, text, visible
from kferry.cli.words import NOTHING, count, rate
from kferry.errors import ExitCode, UsageError
from kferry.names import PartitionId

if TYPE_CHECKING:
    from kferry.messages import Message
    from kferry.migration.comparing import Compared, Comparison, Overview, Paired
    from kferry.migration.comparing import Side as OneSide

COMMAND = "messages compare"
_NAMES = {"timestamp": "time"}
_PLACES = {
    "record": "the very record",
    "hole": "there is no record at this offset: the next one is shown",
    "end": "everything that is copied lies before this offset",
    "before-start": "before the copy's beginning: the first record copied is shown",
    "not-yet": "not copied yet, or not at the copy's last checkpoint",
}


def compare(
    *,
    partition: Annotated[
        tuple[int, ...],
        Parameter(
            group=WHERE, negative=(), help="a partition's number; repeatable", show_default=False
        ),
    ] = (),
    offset: Annotated[
        int | None,
        Parameter(
            group=WHERE,
            help="with --partition: this one record, and the same one on the other side",
            show_default=False,
        ),
    ] = None,
    on: Annotated[
        Side,
        Parameter(group=WHERE, help="which side the --offset is of (source)", show_default=False),
    ] = "source",
    seconds: Annotated[
        float,
        Parameter(group=WHERE, help="how long growth is watched (5); 0: not", show_default=False),
    ] = 5.0,
    format_: Annotated[
        Format | None,
        Parameter(
            name="--format", group=SHOWN, help="text (where it is), json or hex", show_default=False
        ),
    ] = None,
    options: Options | None = None,
) -> ExitCode:
    """Compare both sides of a topic: ends, growth, the copy's progress; or one record.

    The topic goes by its name on the source. Nothing is written.
    """
    options = options or Options()
    wanted = _comparison(options, partition, seconds)
    if offset is not None:
        if len(partition) != 1 or offset < 0:
            raise UsageError(
                "--offset N goes with one --partition",
                hint=f"kferry {COMMAND} --topic NAME --partition 0 --offset 4711",
            )
        return _pair(options, wanted, offset, on, format_)
    # Imported here: `--help` and errors of the command line must not wait for the engine.
    from kferry.migration.comparing import compare as look  # noqa: PLC0415

    if seconds and not options.quiet:
        say(f"watching both sides grow for {seconds:g} s")
    overview = loop.run(look(wanted))
    if options.json:
        for one in overview.partitions:
            answer_json(_compared_json(one))
    else:
        for line in _overview(overview):
            answer(line)
    differ = [one for one in overview.partitions if one.newest_same is False]
    if not overview.migration_known:
        say("no copy of these clusters is known, so nothing is said of its progress")
    again = options.again(topics=True)
    if differ:
        one = differ[0]
        where = f" --partition {one.source.partition} --offset {one.newest_copied}"
        say(f"next: kferry {COMMAND}{again}{where}")
        return ExitCode.DIFFERENCES
    known = next((one for one in overview.partitions if one.newest_copied is not None), None)
    if known is None:
        say(f"next: kferry messages query{again} --on target --last 10")
    else:
        where = f" --partition {known.source.partition} --offset {known.newest_copied}"
        say(f"next: kferry {COMMAND}{again}{where}  (one record on both sides)")
    return ExitCode.DONE


def _comparison(options: Options, partition: tuple[int, ...], seconds: float) -> "Comparison":
    topic = one_topic(options, COMMAND)
    if any(one < 0 for one in partition):
        raise UsageError("--partition: partitions are numbers from 0 on")
    if not 0 <= seconds <= 3600:
        raise UsageError(f"--seconds {seconds:g}: 0 to 3600 is expected")
    from kferry.migration.comparing import Comparison  # noqa: PLC0415 as above

    return Comparison(
        source=one_side(options, "source", COMMAND)[1],
        target=one_side(options, "target", COMMAND)[1],
        topic=topic,
        migration=options.migration_name,
        partitions=tuple(map(PartitionId, partition)),
        seconds=seconds,
    )


def _pair(
    options: Options, wanted: "Comparison", offset: int, on: Side, format_: Format | None
) -> ExitCode:
    from kferry.migration.comparing import pair  # noqa: PLC0415 as above

    paired = loop.run(pair(wanted, wanted.partitions[0], offset, on_target=on == "target"))
    if options.json:
        answer_json(_paired_json(paired, format_))
    else:
        answer(_PLACES[paired.place])
        for side, message, where in (
            ("source", paired.here, str(paired.source)),
            ("target", paired.there, str(paired.target)),
        ):
            for line in _block(side, message, where, format_):
                answer(line)
        answer(_verdict(paired))
    again = options.again(topics=True)
    if paired.here is None or paired.there is None:
        say(f"next: kferry {COMMAND}{again}")
        gone = paired.here is not None and paired.place not in {"not-yet", "end"}
        return ExitCode.DIFFERENCES if gone else ExitCode.STOPPED_EARLY
    place = f" --partition {paired.target.partition} --offset {paired.there.offset}"
    renamed = paired.target.topic if paired.target.topic != paired.source.topic else None
    target = options.again("target") + f" --topic {renamed or paired.source.topic}"
    say(f"next: kferry messages query{target} --on target{place} --raw FILE  (its value, whole)")
    return ExitCode.DONE if paired.same else ExitCode.DIFFERENCES


def _overview(overview: "Overview") -> list[str]:
    columns = (
        text("part"),
        text("side"),
        number("start"),
        number("end"),
        text("first (UTC)"),
        text("newest (UTC)"),
        number("per min"),
        text("copied"),
    )
    rows: list[Row] = []
    for one in overview.partitions:
        rows.append(_row(str(one.source.partition), "source", one.here, _progress(one)))
        rows.append(_row("", "target", one.there, _newest(one)))
    return table(columns, rows, indent="")


def _row(partition: str, side: str, one: "OneSide | None", last: str) -> Row:
    if one is None:
        return Row(cells=(partition, side, *(NOTHING,) * 5, "there is no such partition"))
    ends = one.ends
    return Row(
        cells=(
            partition,
            side,
            count(ends.start),
            count(ends.end),
            _time(ends.first),
            _time(ends.last),
            NOTHING if one.per_minute is None else rate(one.per_minute),
            last,
        )
    )


def _progress(one: "Compared") -> str:
    if one.lag is None:
        return NOTHING
    return "all" if one.lag == 0 else f"{one.lag:,} behind"


def _newest(one: "Compared") -> str:
    words = {None: NOTHING, True: "newest is the same", False: "newest DIFFERS"}
    return words[one.newest_same]


def _time(message: "Message | None") -> str:
    if message is None:
        return "no record"
    return moment(message.timestamp)[:19] if message.timestamp >= 0 else "no time"


def _block(side: str, message: "Message | None", where: str, format_: Format | None) -> list[str]:
    if message is None:
        return [f"{side}  {visible(where)}  not there"]
    time = "no time" if message.timestamp < 0 else moment(message.timestamp)
    by = "broker" if message.append_time else "producer"
    lines = [
        f"{side}  {visible(where)} at {message.offset:,}  {time} (set by the {by})",
        f"  key      {shown(message.key, format_)}",
    ]
    if message.headers:
        lines.append(f"  headers  {headers_shown(message, format_)}")
    lines.append(f"  value    {shown(message.value, format_)}")
    return lines


def _verdict(paired: "Paired") -> str:
    if paired.here is None and paired.there is None:
        return "neither side has it"
    if paired.here is None:
        return "the source does not have it, or no longer"
    if paired.there is None:
        return "the target does not have it"
    if not paired.differs:
        return "the same: key, value, headers and time"
    return f"DIFFERENT: {', '.join(_NAMES.get(one, one) for one in paired.differs)}"


def _compared_json(one: "Compared") -> dict[str, Any]:
    return {
        "topic": one.source.topic,
        "target_topic": one.target.topic,
        "partition": one.source.partition,
        "source": _side_json(one.here),
        "target": _side_json(one.there),
        "copied_to": one.copied_to,
        "lag": one.lag,
        "newest_copied": one.newest_copied,
        "newest_same": one.newest_same,
    }


def _side_json(one: "OneSide | None") -> dict[str, Any] | None:
    if one is None:
        return None

    def place(message: "Message | None") -> dict[str, int] | None:
        if message is None:
            return None
        return {"offset": message.offset, "timestamp": message.timestamp}

    return {
        "start": one.ends.start,
        "end": one.ends.end,
        "first": place(one.ends.first),
        "newest": place(one.ends.last),
        "per_minute": None if one.per_minute is None else round(one.per_minute, 1),
    }


def _paired_json(paired: "Paired", format_: Format | None) -> dict[str, Any]:
    def side(message: "Message | None", name: str) -> dict[str, Any] | None:
        return None if message is None else message_json(message, name, format_)

    return {
        "place": paired.place,
        "same": paired.same,
        "differs": list(paired.differs),
        "source": side(paired.here, "source"),
        "target": side(paired.there, "target"),
    }
