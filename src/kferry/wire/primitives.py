"""Kafka's plain (non-flexible) types, for the calls on the fast path.

Owns reading with bounds: no length or count is used before it is known to fit into what is there.
"""

import struct
from collections.abc import Iterable
from itertools import groupby
from typing import TypeVar

from kferry.names import TopicName
from kferry.wire.codec import Undecodable

_T = TypeVar("_T")
_INT16, _INT32, _INT64 = struct.Struct(">h"), struct.Struct(">i"), struct.Struct(">q")


class Reader:
    """Walks through one message body."""

    __slots__ = ("_body", "_position")

    def __init__(self, body: memoryview) -> None:
        self._body = body
        self._position = 0

    def int16(self) -> int:
        """Read a signed 16-bit number."""
        return self._number(_INT16)

    def int32(self) -> int:
        """Read a signed 32-bit number."""
        return self._number(_INT32)

    def int64(self) -> int:
        """Read a signed 64-bit number."""
        return self._number(_INT64)

    def count(self, least: int) -> int:
        """Read an array's length; each element takes at least `least` bytes. Null counts as 0."""
        count = self.int32()
        if count * least > len(self._body) - self._position:
            raise Undecodable(f"{count:,} elements are announced, and the message ends before them")
        return max(count, 0)

    def string(self) -> str:
        """Read a string that may not be null."""
        size = self.int16()
        if size < 0:
            raise Undecodable("a name is missing")
        return str(self._take(size), "utf-8", "replace")

    def nullable_string(self) -> str | None:
        """Read a string or null."""
        size = self.int16()
        return None if size < 0 else str(self._take(size), "utf-8", "replace")

    def view(self) -> memoryview:
        """Read bytes without copying them. Null reads as empty."""
        return self._take(max(self.int32(), 0))

    def end(self) -> None:
        """Insist that nothing is left over."""
        if self._position != len(self._body):
            raise Undecodable(f"{len(self._body)} bytes, {self._position} used")

    def _number(self, kind: struct.Struct) -> int:
        raw = self._take(kind.size)
        return int(kind.unpack(raw)[0])

    def _take(self, size: int) -> memoryview:
        end = self._position + size
        if end > len(self._body):
            raise Undecodable(f"the message ends at {len(self._body)}, needed is {end}")
        taken = self._body[self._position : end]
        self._position = end
        return taken


def string(text: str) -> bytes:
    """Lay out a string."""
    encoded = text.encode()
    return _INT16.pack(len(encoded)) + encoded


def nullable_string(text: str | None) -> bytes:
    """Lay out a string or null."""
    return _INT16.pack(-1) if text is None else string(text)


def by_topic(pairs: Iterable[tuple[TopicName, _T]]) -> list[tuple[TopicName, list[_T]]]:
    """Group neighbours of one topic; the order stays the caller's."""
    return [(topic, [one for _, one in group]) for topic, group in groupby(pairs, lambda p: p[0])]
