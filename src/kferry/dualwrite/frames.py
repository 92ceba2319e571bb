"""The layout of a map file: what was written on both sides, as bytes.

A first line of text says what the file is and its version. After it come frames: length, CRC-32 and
entries. Whoever dies while writing leaves at most one torn frame, at the end. Pure: no files.
"""

import struct
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from kferry.varints import BadVarint, get_varint, put_varint

HEAD = b"kferry double-write map, version 1\n"
_KIND = b"kferry double-write map, version "
_FRAME = struct.Struct("<II")
MOST_BYTES = 1 << 20


class BadFrame(ValueError):
    """Bytes that are not what a map file holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterIds:
    """Which clusters the file is about."""

    primary: str
    secondary: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicNames:
    """A topic and its name on the secondary; `index` stands for it from here on."""

    index: int
    primary: str
    secondary: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A producer began to write."""

    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    """It ended in order: nothing is missing from what it wrote down."""

    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairs:
    """`length` records from `primary` on lie on the secondary from `secondary` on."""

    topic: int
    partition: int
    primary: int
    secondary: int
    length: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """The primary has `length` records from `primary` on that the secondary did not acknowledge."""

    topic: int
    partition: int
    primary: int
    length: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """The primary has them, the secondary had not answered for all of them when this was written.

    What stands elsewhere in the file, as pair or as missing, has been answered for.
    """

    topic: int
    partition: int
    primary: int
    length: int


Entry = ClusterIds | TopicNames | Opened | Closed | Pairs | Missing | Pending

_TYPES: tuple[type[Entry], ...] = (
    ClusterIds,
    TopicNames,
    Opened,
    Closed,
    Pairs,
    Missing,
    Pending,
)
"""An entry begins with its place here: new kinds come last."""


def frame(entries: Iterable[Entry]) -> bytes:
    """Lay entries out; one frame where they fit, more where they do not."""
    out, payload = bytearray(), bytearray()
    for entry in entries:
        laid = _entry(entry)
        if len(payload) + len(laid) > MOST_BYTES:
            out += _framed(payload)
            payload.clear()
        payload += laid
    return bytes(out + _framed(payload)) if payload else bytes(out)


def check_head(data: bytes) -> None:
    """Insist on the first line."""
    if data.startswith(HEAD):
        return
    first = data[: len(HEAD) + 8].split(b"\n", 1)[0]
    if first.startswith(_KIND):
        version = first.removeprefix(_KIND).decode(errors="replace")
        raise BadFrame(f"it has version {version}, version 1 is known here")
    raise BadFrame("it is no double-write map")


def unframe(data: bytes, position: int = len(HEAD)) -> tuple[list[Entry], int]:
    """Read frames; return their entries and where the last whole frame ends.

    A torn frame at the end is left out. One with whole frames behind it was damaged later: refused.
    """
    entries: list[Entry] = []
    while position < len(data):
        payload = _payload(data, position)
        if payload is None:
            _insist_on_torn(data, position)
            break
        try:
            entries += _entries(payload)
        except BadVarint as error:
            raise BadFrame(str(error)) from error
        position += _FRAME.size + len(payload)
    return entries, position


def _framed(payload: bytearray) -> bytes:
    return _FRAME.pack(len(payload), zlib.crc32(payload)) + payload


def _payload(data: bytes, position: int) -> bytes | None:
    if position + _FRAME.size > len(data):
        return None
    length, crc = _FRAME.unpack_from(data, position)
    start = position + _FRAME.size
    payload = data[start : start + length]
    whole = 0 < length <= MOST_BYTES * 2 and len(payload) == length
    return payload if whole and zlib.crc32(payload) == crc else None


def _insist_on_torn(data: bytes, position: int) -> None:
    """Refuse a damaged frame in the middle: to cut there would throw away what is whole."""
    if position + _FRAME.size > len(data):
        return
    length = _FRAME.unpack_from(data, position)[0]
    after = position + _FRAME.size + length
    rest_is_empty = not any(data[position:])  # a file system may leave zeros after a power cut
    if after < len(data) and not rest_is_empty and _payload(data, after) is not None:
        raise BadFrame(f"it is damaged at byte {position:,}")


def _entry(entry: Entry) -> bytes:
    out = bytearray((_TYPES.index(type(entry)),))
    for name in entry.__dataclass_fields__:
        value = getattr(entry, name)
        if isinstance(value, str):
            text = value.encode()
            put_varint(out, len(text))
            out += text
        else:
            put_varint(out, value)
    return bytes(out)


def _entries(payload: bytes) -> Iterator[Entry]:
    position = 0
    while position < len(payload):
        if payload[position] >= len(_TYPES):
            raise BadFrame(f"it holds an entry of kind {payload[position]}, unknown here")
        kind = _TYPES[payload[position]]
        position += 1
        fields: dict[str, int | str] = {}
        for name, field in kind.__dataclass_fields__.items():
            number, position = get_varint(payload, position)
            if field.type is str:
                fields[name] = payload[position : position + number].decode()
                position += number
            else:
                fields[name] = number
        # The fields were read as the class declares them, which no type checker can follow.
        yield kind(**fields)  # type: ignore[arg-type]
