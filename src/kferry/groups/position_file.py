"""Positions as Kafka's own tool writes and reads them: CSV without a header.

Owns both shapes, `topic,partition,offset` and `group,topic,partition,offset`, what spreadsheets do
to them (header, BOM, CRLF, quotes), and the lines `topic:partition:offset` of `offsets get`. Pure.
"""

import csv
import io
import re
from collections.abc import Iterable
from dataclasses import dataclass

from kferry.errors import ConfigError
from kferry.names import GroupId, PartitionId, TopicName, TopicPartition

_BOMS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))
_LINE = re.compile(r"([^:]+):([0-9]+):([^:]*)")
_TOPIC = re.compile(r"[A-Za-z0-9._-]{1,249}")
_NUMBER = re.compile(r"[0-9]{1,19}")
_LARGEST_OFFSET = 2**63 - 1
_LARGEST_PARTITION = 2**31 - 1
_MOST_PROBLEMS = 5
_HINT = "a line is topic,partition,offset or group,topic,partition,offset"


class BadPositions(ConfigError):
    """A file of positions that cannot be understood."""

    code = "K220"


@dataclass(frozen=True, slots=True, kw_only=True)
class FilePosition:
    """One position of a file. Group and metadata are None where the file has none."""

    group: GroupId | None
    place: TopicPartition
    offset: int
    metadata: str | None = None


def to_csv(positions: Iterable[tuple[str | None, TopicPartition, int]]) -> str:
    """Write positions as Kafka's tool does; without groups in three columns."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    for group, place, offset in positions:
        lead = [] if group is None else [group]
        writer.writerow([*lead, place.topic, place.partition, offset])
    return text.getvalue()


def decoded(data: bytes, where: str) -> str:
    """Read bytes as text, in UTF-8 unless they begin by saying otherwise."""
    mark, encoding = next((one for one in _BOMS if data.startswith(one[0])), (b"", "utf-8"))
    try:
        return data.removeprefix(mark).decode(encoding)
    except UnicodeDecodeError as error:
        raise BadPositions(f"{where} is not a text", str(error), hint=_HINT) from None


def read_csv(text: str, where: str) -> list[FilePosition]:
    """Read positions; all mistakes are told at once, as far as a few lines hold them."""
    problems: list[str] = []
    found: dict[tuple[GroupId | None, TopicPartition], FilePosition] = {}
    widths = set()
    rows = csv.reader(io.StringIO(text, newline=""))
    try:
        for first, row in enumerate(_filled(rows)):
            if first == 0 and _is_header(row):
                continue
            fields = _split(row)
            widths.add(len(fields))
            try:
                _add(found, _position(fields))
            except ValueError as problem:
                problems.append(f"line {rows.line_num}: {problem}")
    except csv.Error as error:
        problems.append(f"line {rows.line_num}: {error}")
    if not problems and len(widths) > 1:
        problems.append("some lines have a group and some have none")
    if problems:
        more = len(problems) - _MOST_PROBLEMS
        rest = [f"and {more:,} more"] if more > 0 else []
        raise BadPositions(
            f"{where} cannot be used",
            "\n".join([*problems[:_MOST_PROBLEMS], *rest]),
            hint=_HINT,
        )
    if not found:
        raise BadPositions(f"{where} holds no position", hint=_HINT)
    return list(found.values())


def checked_position(
    group: str | None, topic: str, partition: int, offset: int, metadata: str | None = None
) -> FilePosition:
    """Make a position of values from outside; a ValueError says what is wrong with them."""
    if group == "":
        raise ValueError("the group has no name")
    for text in (group or "", metadata or ""):
        if any("\ud800" <= sign <= "\udfff" for sign in text):
            raise ValueError(
                f"`{ascii(text)[:80]}` is no text"
            )  # half a character, as JSON can hold
    if not _TOPIC.fullmatch(topic):
        raise ValueError(f"`{topic[:80]}` is no topic's name")
    if not 0 <= partition <= _LARGEST_PARTITION:
        raise ValueError(f"{partition} is no partition's number")
    if not 0 <= offset <= _LARGEST_OFFSET:
        raise ValueError(f"{offset} is no offset")
    return FilePosition(
        group=None if group is None else GroupId(group),
        place=TopicPartition(TopicName(topic), PartitionId(partition)),
        offset=offset,
        metadata=metadata,
    )


def _filled(rows: Iterable[list[str]]) -> Iterable[list[str]]:
    return (row for row in rows if any(field.strip() for field in row) and not _is_warning(row))


def _is_warning(row: list[str]) -> bool:
    """Whether it is what Kafka's tool says between the lines of its own `--export`."""
    return len(row) == 1 and row[0].startswith("Warn: Partition ")


def _is_header(row: list[str]) -> bool:
    words = [field.strip().lower() for field in row]
    return "partition" in words and "offset" in words[-1]


def _split(row: list[str]) -> list[str]:
    line = _LINE.fullmatch(row[0].strip()) if len(row) == 1 else None
    return list(line.groups()) if line else row


def _position(fields: list[str]) -> FilePosition:
    if len(fields) not in {3, 4}:
        raise ValueError(f"3 or 4 columns were expected, not {len(fields)}")
    *group, topic, partition, offset = fields
    return checked_position(
        group[0] if group else None,
        topic.strip(),
        _number(partition, "partition"),
        _number(offset, "offset"),
    )


def _number(text: str, what: str) -> int:
    stripped = text.strip()
    if _NUMBER.fullmatch(stripped):
        return int(stripped)
    raise ValueError(f"`{stripped[:40]}` is no {what}" if stripped else f"there is no {what}")


def _add(
    found: dict[tuple[GroupId | None, TopicPartition], FilePosition], one: FilePosition
) -> None:
    former = found.setdefault((one.group, one.place), one)
    if former != one:
        raise ValueError(f"{one.place} was at {former.offset:,} already, and is at {one.offset:,}")
