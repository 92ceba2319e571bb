"""`kferry offsets`: for applications that keep their positions themselves.

Owns how offsets are named on the command line.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from kferry.cli import loop
from kferry.cli.console import answer, answer_json, say
from kferry.cli.options import Options
from kferry.cli.status import target_of
from kferry.cli.tables import Row, number, table, text
from kferry.cli.words import NOTHING
from kferry.errors import ExitCode, UsageError
from kferry.names import GroupId, PartitionId, TopicName, TopicPartition
from kferry.units import many

if TYPE_CHECKING:
    from kferry.migration.translate import Pair
    from kferry.offsets import ExportedMap

Asked = list[tuple[GroupId | None, TopicPartition, int]]
Flag = Parameter(negative=(), show_default=False)


def translate(
    positions: Annotated[
        tuple[str, ...],
        Parameter(help="TOPIC:PARTITION:OFFSET, several if you like", show_default=False),
    ] = (),
    /,
    *,
    partition: Annotated[
        int | None, Parameter(help="with --topic and --offset", show_default=False)
    ] = None,
    offset: Annotated[
        tuple[int, ...],
        Parameter(help="with --topic and --partition; repeatable", negative=(), show_default=False),
    ] = (),
    from_file: Annotated[
        Path | None,
        Parameter(
            help="CSV of topic,partition,offset or group,topic,partition,offset", show_default=False
        ),
    ] = None,
    csv: Annotated[bool, Flag, Parameter(help="answer with such a CSV, of the other side")] = False,
    export: Annotated[
        bool,
        Flag,
        Parameter(help="the whole map as CSV, or with --json as an object for each partition"),
    ] = False,
    to_source: Annotated[
        bool, Flag, Parameter(help="the offsets are the target's: translate back")
    ] = False,
    map_: Annotated[
        tuple[Path, ...],
        Flag,
        Parameter(
            name="--map",
            help="file of a DualProducer, instead of a copy's map; repeatable, needs no cluster",
        ),
    ] = (),
    options: Options | None = None,
) -> ExitCode:
    """Say offsets of the source in offsets of the target, exactly, or back.

    An offset is the position of the next record to read. Topics go by their names on the source.
    """
    options = options or Options()
    asked = [_read(one) for one in positions] + _from_options(options, partition, offset)
    if from_file is not None:
        asked += _from_file(from_file)
    if export:
        if asked or csv or to_source:
            raise UsageError(
                "--export is the whole map, and goes with --topic, --json and nothing else",
                hint="kferry offsets translate --export",
            )
        return _export(options, map_)
    if not asked:
        raise UsageError(
            "no offset was named",
            hint="kferry offsets translate TOPIC:PARTITION:OFFSET, --from-file FILE or --export",
        )
    if csv and options.json:
        raise UsageError("--csv and --json exclude each other", hint="leave one of them out")
    pairs = _look_up(options, asked, map_, to_source=to_source)
    missing = [pair for pair in pairs if pair.source_offset is None or pair.target_offset is None]
    if csv:
        _answer_csv(asked, pairs, to_source=to_source)
    elif options.json:
        for pair in pairs:
            answer_json(_as_json(pair))
    else:
        columns = (text("topic"), number("part"), number("source"), number("target"), text("what"))
        for line in table(columns, [_row(pair) for pair in pairs]):
            answer(line)
    say(_next(options, map_))
    return ExitCode.STOPPED_EARLY if missing else ExitCode.DONE


def _next(options: Options, maps: tuple[Path, ...]) -> str:
    if not maps:
        return f"next: kferry status{options.again()}"
    return "next: kferry groups reset --help, to set groups on the new cluster"


def _look_up(
    options: Options, asked: Asked, maps: tuple[Path, ...], *, to_source: bool
) -> "list[Pair]":
    places = [(place, offset) for _, place, offset in asked]
    if maps:
        from kferry.migration.dual_maps import read_maps  # noqa: PLC0415 as below

        return read_maps(maps).translate(places, to_source=to_source)
    target = target_of(options, "offsets translate")
    # Imported here: `--help` and errors of the command line must not wait for the engine.
    from kferry.migration.translate import translate as look_up  # noqa: PLC0415

    return loop.run(
        look_up(
            target,
            migration=options.migration_name,
            source=options.source_settings,
            asked=places,
            to_source=to_source,
        )
    )


def _answer_csv(asked: Asked, pairs: "Iterable[Pair]", *, to_source: bool) -> None:
    from kferry.groups.position_file import to_csv  # noqa: PLC0415 as above

    rows = []
    for (group, _, _), pair in zip(asked, pairs, strict=True):
        offset = pair.source_offset if to_source else pair.target_offset
        topic = pair.partition.topic if to_source else pair.target_topic
        if offset is None or topic is None:
            say(f"! {pair.partition} is left out: {pair.reason}")
            continue
        place = TopicPartition(TopicName(topic), pair.partition.partition)
        rows.append((group, place, offset))
    for line in to_csv(rows).splitlines():
        answer(line)


def _maps_of(options: Options, files: tuple[Path, ...]) -> "list[ExportedMap]":
    if files:
        from kferry.migration.dual_maps import read_maps  # noqa: PLC0415 as above

        read = read_maps(files)
        for line in read.left_out():
            say(f"! {line}")
        return read.exported(options.selection)
    target = target_of(options, "offsets translate --export")
    from kferry.migration.translate import export as read_ledger  # noqa: PLC0415 as above

    return loop.run(
        read_ledger(
            target,
            migration=options.migration_name,
            source=options.source_settings,
            selection=options.selection,
        )
    )


def _export(options: Options, files: tuple[Path, ...]) -> ExitCode:
    from kferry.offsets import COLUMNS, to_json_line, to_rows  # noqa: PLC0415 as above

    maps = _maps_of(options, files)
    if options.json:
        for one in maps:
            answer(to_json_line(one))
    else:
        answer(",".join(COLUMNS))
        for one in maps:
            for row in to_rows(one):
                answer(",".join(map(str, row)))
    if not maps:
        say("! nothing is copied yet of these topics")
        return ExitCode.STOPPED_EARLY
    say(f"{many(len(maps), 'partition')}; what is copied after this is not in it")
    say("next: read it with kferry.offsets.load_maps, or your own tools")
    return ExitCode.DONE


def _from_file(path: Path) -> Asked:
    from kferry.cli.resetting import read_bytes  # noqa: PLC0415 as above
    from kferry.groups.position_file import decoded, read_csv  # noqa: PLC0415

    found = read_csv(decoded(read_bytes(path), str(path)), str(path))
    return [(one.group, one.place, one.offset) for one in found]


def _from_options(options: Options, partition: int | None, offsets: tuple[int, ...]) -> Asked:
    if partition is None and not offsets:
        return []
    if partition is None or not offsets or len(options.topic) != 1:
        raise UsageError(
            "--partition and --offset go together, with one --topic",
            hint="kferry offsets translate --topic NAME --partition 0 --offset 4711",
        )
    return [_checked(options.topic[0], partition, one) for one in offsets]


def _read(position: str) -> tuple[GroupId | None, TopicPartition, int]:
    topic, _, numbers = position.partition(":")
    partition, _, offset = numbers.partition(":")
    try:
        return _checked(topic, int(partition), int(offset))
    except ValueError:
        raise UsageError(
            f"{position} is not TOPIC:PARTITION:OFFSET",
            hint="kferry offsets translate orders:0:4711",
        ) from None


def _checked(topic: str, partition: int, offset: int) -> tuple[GroupId | None, TopicPartition, int]:
    if not topic or partition < 0 or offset < 0:
        raise UsageError(
            f"{topic}:{partition}:{offset}: offsets and partitions are numbers from 0 on",
            hint="kferry offsets translate orders:0:4711",
        )
    return None, TopicPartition(TopicName(topic), PartitionId(partition)), offset


def _as_json(pair: "Pair") -> dict[str, object]:
    return {
        "topic": pair.partition.topic,
        "partition": pair.partition.partition,
        "source_offset": pair.source_offset,
        "target_offset": pair.target_offset,
        "exact": pair.exact,
        "target_topic": pair.target_topic,
        "reason": pair.reason,
    }


def _row(pair: "Pair") -> Row:
    return Row(
        cells=(
            pair.partition.topic,
            str(pair.partition.partition),
            *(
                NOTHING if one is None else f"{one:,}"
                for one in (pair.source_offset, pair.target_offset)
            ),
            pair.reason,
        )
    )
