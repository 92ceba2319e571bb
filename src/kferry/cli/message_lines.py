"""How a record looks: a line for people, an object for scripts.

Owns what stands for null, for nothing, for bytes that are no text; and that nothing in a record
reaches the terminal as more than what is shown.
"""

import json
import shutil
import sys
import unicodedata
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from kferry.cli.tables import visible

if TYPE_CHECKING:
    from kferry.cli.message_flags import Format
    from kferry.messages import Message

_WHITE = frozenset("\t\n\r")
_BYTES = tuple(
    f"\\{chr(code)}" if code in b'"\\' else chr(code) if 32 <= code < 127 else f"\\x{code:02x}"
    for code in range(256)
)
_NO_NAME = '""'
_KEY_WIDTH = 32
_NO_TERMINAL = 4096
"""Columns where there is no terminal to fit: whoever reads that reads long lines."""
_MARKS = {"aborted": "aborted", "open": "open", "behind-open": "behind an open transaction"}


def message_json(message: "Message", side: str, format_: "Format | None") -> dict[str, Any]:
    """Put a record as scripts read it."""
    from kferry.messages import schema_of  # noqa: PLC0415 whoever shows records has read some

    found: dict[str, Any] = {
        "side": side,
        "topic": message.partition.topic,
        "partition": message.partition.partition,
        "offset": message.offset,
        "timestamp": message.timestamp,
        "time": _iso(message.timestamp),
        "time_set_by": "broker" if message.append_time else "producer",
        "state": message.state,
        "size": message.size,
    }
    for part, data in (("key", message.key), ("value", message.value)):
        found[part], found[f"{part}_as"] = _as_json(data, format_)
        schema = schema_of(data, message.headers, part=part)
        if schema is not None:
            found[f"{part}_schema"] = {"id": schema.id, "kind": schema.kind}
    headers = []
    for name, value in message.headers:
        shown, how = _as_json(value, "hex" if format_ == "hex" else "text")
        headers.append({"name": name, "value": shown, "as": how})
    found["headers"] = headers
    return found


def _iso(milliseconds: int) -> str | None:
    written = moment(milliseconds)
    return None if milliseconds < 0 or written.endswith("ms") else f"{written.replace(' ', 'T')}Z"


def moment(milliseconds: int) -> str:
    """Write a time with its milliseconds; one that no calendar has stays a number."""
    try:
        at = datetime.fromtimestamp(milliseconds / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return f"{milliseconds} ms"
    return at.strftime("%Y-%m-%d %H:%M:%S.") + f"{milliseconds % 1000:03d}"


def message_table(messages: "Sequence[Message]", format_: "Format | None") -> list[str]:
    """Lay out records, a line each and one for their headers, cut to the terminal."""
    cells = [_cells(one, format_) for one in messages]
    titles = ("time (UTC)", "part", "offset", "key", "value")
    widths = [max(map(_width, column)) for column in zip(titles, *cells, strict=True)][:-1]
    room = _room()
    lines = [_line(titles, widths, room)]
    for message, own in zip(messages, cells, strict=True):
        lines.append(_line(own, widths, room))
        if message.headers:
            lines.append(cut(f"      {headers_shown(message, format_)}", room))
    return lines


def message_line(message: "Message", side: str, format_: "Format | None") -> list[str]:
    """Write one record as it comes: nobody knows yet how wide the next one is."""
    time, partition, offset, key, value = _cells(message, format_)
    where = f"{side}  " if side else ""
    lines = [cut(f"{time}  {where}{partition}:{offset}  {key}  {value}", _room())]
    if message.headers:
        lines.append(cut(f"      {headers_shown(message, format_)}", _room()))
    return lines


def headers_shown(message: "Message", format_: "Format | None") -> str:
    """Write all headers in their order."""
    return ", ".join(
        f"{visible(name) or _NO_NAME}={shown(value, 'hex' if format_ == 'hex' else 'text')}"
        for name, value in message.headers
    )


def shown(data: bytes | None, format_: "Format | None", *, most: int = _NO_TERMINAL) -> str:
    """Write bytes so that null, nothing, text and bytes are four things."""
    if data is None:
        return "null"
    if not data:
        return '""'
    more = "…" if len(data) > most else ""
    if format_ == "hex":
        return f"0x{data[:most].hex()}{more}"
    if (text := as_text(data)) is None:
        # What is text in it can be read, and nothing else is obeyed.
        return f'b"{"".join(_BYTES[one] for one in data[:most])}"{more}'
    if format_ == "json":
        text = json.dumps(parsed, ensure_ascii=False) if (parsed := _parsed(text)) else text
    more = "…" if len(text) > most else ""
    if text == "null" or text[:2] in {"0x", 'b"'} or text[:1] in {'"', " "}:
        return f'"{visible(text[:most])}"{more}'
    return f"{visible(text[:most])}{more}"


def as_text(data: bytes) -> str | None:
    """Return the text that bytes are, if they are one."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return None
    control = any(c < " " and c not in _WHITE for c in text)
    return None if control else text


def cut(line: str, room: int) -> str:
    """Cut a line to what a terminal shows of it; wide letters take two columns."""
    if _width(line) <= room:
        return line
    kept, taken = [], 1
    for letter in line:
        taken += _columns(letter)
        if taken > room:
            break
        kept.append(letter)
    return "".join(kept) + "…"


def _cells(message: "Message", format_: "Format | None") -> tuple[str, ...]:
    from kferry.messages import schema_of  # noqa: PLC0415 as above

    schema = schema_of(message.value, message.headers, part="value")
    mark = _MARKS.get(message.state)
    notes = [f"[{note}] " for note in (mark, schema and str(schema)) if note]
    value = "null (tombstone)" if _is_tombstone(message) else shown(message.value, format_)
    return (
        moment(message.timestamp) if message.timestamp >= 0 else "no time",
        str(message.partition.partition),
        f"{message.offset:,}",
        cut(shown(message.key, format_), _KEY_WIDTH),
        "".join(notes) + value,
    )


def _is_tombstone(message: "Message") -> bool:
    return message.value is None and message.key is not None


def _line(cells: Sequence[str], widths: Sequence[int], room: int) -> str:
    time, partition, offset, key, value = cells
    lead = "  ".join(
        (
            time.ljust(widths[0]),
            partition.rjust(widths[1]),
            offset.rjust(widths[2]),
            key + " " * (widths[3] - _width(key)),
        )
    )
    return cut(f"{lead}  {value}", room)


def _room() -> int:
    return shutil.get_terminal_size((100, 24)).columns if sys.stdout.isatty() else _NO_TERMINAL


def _as_json(data: bytes | None, format_: "Format | None") -> tuple[Any, str]:
    if data is None:
        return None, "null"
    if format_ == "hex" or (text := as_text(data)) is None:
        return data.hex(), "hex"
    if format_ == "json":
        try:
            return json.loads(text), "json"
        except (ValueError, RecursionError):
            pass
    return text, "text"


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _width(text: str) -> int:
    return len(text) if text.isascii() else sum(map(_columns, text))


def _columns(letter: str) -> int:
    if unicodedata.combining(letter):
        return 0
    return 2 if unicodedata.east_asian_width(letter) in {"W", "F"} else 1
