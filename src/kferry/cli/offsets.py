"""`kferry offsets`: for applications that keep their positions themselves.

Owns how offsets are named on the command line.
"""

from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from kferry.cli import loop
from kferry.cli.console import answer, answer_json, say
from kferry.cli.options import Options
from kferry.cli.status import target_of
from kferry.cli.tables import Row, number, table, text
from kferry.cli.words import NOTHING
from kferry.errors import ExitCode, UsageError
from kferry.names import PartitionId, TopicName, TopicPartition

if TYPE_CHECKING:
    from kferry.migration.translate import Pair

Asked = list[tuple[TopicPartition, int]]


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
    to_source: Annotated[
        bool,
        Parameter(
            help="the offsets are the target's: translate back", negative=(), show_default=False
        ),
    ] = False,
    options: Options | None = None,
) -> ExitCode:
    """Say offsets of the source in offsets of the target, exactly, or back.

    An offset is the position of the next record to read. Topics go by their names on the source.
    """
    options = options or Options()
    asked = [_read(one) for one in positions] + _from_options(options, partition, offset)
    if not asked:
        raise UsageError(
            "no offset was named",
            hint="kferry offsets translate TOPIC:PARTITION:OFFSET",
        )
    target = target_of(options, "offsets translate")
    # Imported here: `--help` and errors of the command line must not wait for the engine.
    from kferry.migration.translate import translate as look_up  # noqa: PLC0415

    pairs = loop.run(
        look_up(
            target,
            migration=options.migration_name,
            source=options.source_settings,
            asked=asked,
            to_source=to_source,
        )
    )
    if options.json:
        for pair in pairs:
            answer_json(_as_json(pair))
    else:
        columns = (text("topic"), number("part"), number("source"), number("target"), text("what"))
        for line in table(columns, [_row(pair) for pair in pairs]):
            answer(line)
    say(f"next: kferry status{options.again()}")
    missing = any(pair.source_offset is None or pair.target_offset is None for pair in pairs)
    return ExitCode.STOPPED_EARLY if missing else ExitCode.DONE


def _from_options(options: Options, partition: int | None, offsets: tuple[int, ...]) -> Asked:
    if partition is None and not offsets:
        return []
    if partition is None or not offsets or len(options.topic) != 1:
        raise UsageError(
            "--partition and --offset go together, with one --topic",
            hint="kferry offsets translate --topic NAME --partition 0 --offset 4711",
        )
    return [_checked(options.topic[0], partition, one) for one in offsets]


def _read(position: str) -> tuple[TopicPartition, int]:
    topic, _, numbers = position.partition(":")
    partition, _, offset = numbers.partition(":")
    try:
        return _checked(topic, int(partition), int(offset))
    except ValueError:
        raise UsageError(
            f"{position} is not TOPIC:PARTITION:OFFSET",
            hint="kferry offsets translate orders:0:4711",
        ) from None


def _checked(topic: str, partition: int, offset: int) -> tuple[TopicPartition, int]:
    if not topic or partition < 0 or offset < 0:
        raise UsageError(
            f"{topic}:{partition}:{offset}: offsets and partitions are numbers from 0 on",
            hint="kferry offsets translate orders:0:4711",
        )
    return TopicPartition(TopicName(topic), PartitionId(partition)), offset


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
