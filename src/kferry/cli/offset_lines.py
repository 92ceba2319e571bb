"""How offsets are shown: the line format of Kafka's own tool, its CSV, both sides, and remarks.

Owns the words about answers that are worth less than they look. Pure.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from kferry.cli.one_side import Side
from kferry.cli.tables import Row, number, table, text, visible
from kferry.cli.words import NOTHING
from kferry.errors import ExitCode
from kferry.units import some

if TYPE_CHECKING:
    from kferry.migration.offsets_get import Got


def offset_lines(found: "Mapping[Side, Sequence[Got]]", *, csv: bool) -> list[str]:
    """Put offsets as lines: of one side as Kafka's tool does, of both next to each other."""
    if len(found) > 1:
        return _side_by_side(found)
    (own,) = found.values()
    if csv:
        from kferry.groups.position_file import to_csv  # noqa: PLC0415 the engine waits

        rows = [(None, one.partition, one.resume) for one in own if one.resume is not None]
        return to_csv(rows).splitlines()
    return [
        f"{one.partition.topic}:{one.partition.partition}:{one.offset}"
        for one in own
        if one.offset is not None
    ]


def remarks(found: "Iterable[Got]", *, as_csv: bool, side: str) -> list[str]:
    """Say once for each reason which partitions have no plain answer."""
    named: dict[str, list[str]] = {}
    for one in found:
        note = one.note
        if one.error is not None:
            note = f"no answer: {one.error.title}"
            note += f" ({one.error.detail})" if one.error.detail else ""
        elif note and one.offset is None and as_csv:
            note += "; the file holds the end"
        if note:
            named.setdefault(note, []).append(str(one.partition))
    lead = f"{side}: " if side else ""
    return [visible(f"! {lead}{some(names)}: {note}") for note, names in named.items()]


def _side_by_side(found: "Mapping[Side, Sequence[Got]]") -> list[str]:
    offsets = {
        side: {one.partition: one.offset for one in own if one.error is None}
        for side, own in found.items()
    }
    partitions = sorted(
        {partition for own in found.values() for partition in (o.partition for o in own)}
    )
    rows = [
        Row(
            cells=(
                partition.topic,
                str(partition.partition),
                *(_shown(offsets[side].get(partition)) for side in found),
            )
        )
        for partition in partitions
    ]
    return table((text("topic"), number("part"), *map(number, found)), rows)


def _shown(offset: int | None) -> str:
    return NOTHING if offset is None else f"{offset:,}"


def got_json(side: str, one: "Got") -> dict[str, object]:
    """Put one answer as scripts read it."""
    return {
        "side": side,
        "topic": one.partition.topic,
        "partition": one.partition.partition,
        "offset": one.offset,
        "timestamp": one.timestamp,
        "resume": one.resume,
        "note": str(one.error) if one.error is not None else one.note,
    }


def exit_code(found: "Iterable[Got]") -> ExitCode:
    """Say how it ended."""
    errors = [one.error for one in found if one.error is not None]
    if not errors:
        return ExitCode.DONE
    return ExitCode.TRY_AGAIN if all(error.retriable for error in errors) else ExitCode.FAILED
