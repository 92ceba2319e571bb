"""Batches as they were fetched, and the records in them that are asked for.

Owns what is read of a batch when two logs are compared: its bytes as long as that will do, then its
records. Pure. Believes no byte before its checksum. Shares nothing with what copies but the codec.
"""

from collections.abc import Hashable
from typing import NamedTuple

from kferry.records import (
    BatchHeader,
    Record,
    Row,
    check_crc,
    decode_legacy,
    magic,
    read_header,
    read_rows,
)
from kferry.records.header import SIZE

_CURRENT = 2

Content = Hashable
"""What two records must have in common."""


class Piece(NamedTuple):
    """A batch of data, and the offsets it covers."""

    batch: memoryview
    header: BatchHeader | None
    """None for the formats before 0.11."""
    first: int
    last: int
    legacy: tuple[Record, ...] = ()
    start: int = -1
    """Records before this offset are no longer part of the log, though the batch holds them."""

    @property
    def producer_id(self) -> int:
        """Who wrote it; -1 where that is not known."""
        return -1 if self.header is None else self.header.producer_id

    def rows(self, start: int, end: int) -> list[Row]:
        """Read its records from `start` to before `end`."""
        found: list[Row]
        found = [*self.legacy] if self.header is None else read_rows(self.batch, self.header)
        start = max(start, self.start)
        if start <= self.first and self.last < end:
            return found
        return [row for row in found if start <= row.offset < end]


def piece_of(batch: memoryview, *, start: int = -1) -> Piece:
    """Read what is known of a batch before its records are looked at."""
    if magic(batch) < _CURRENT:
        records = tuple(decode_legacy(batch))
        last = int.from_bytes(batch[:8], "big", signed=True)
        first = records[0].offset if records else last
        return Piece(batch, None, first, last, records, start)
    header = read_header(batch)
    check_crc(batch, header)
    return Piece(batch, header, header.base_offset, header.last_offset, (), start)


def same_bytes(source: Piece, target: Piece) -> bool:
    """Whether two batches hold the same records for certain, without reading one.

    Unequal bytes say nothing: records may be laid out, or compressed, in another way.
    """
    here, there = source.header, target.header
    if here is None or there is None or here.count != there.count:
        return False
    if source.start > source.first or target.start > target.first:
        return False
    return (
        here.dense
        and there.dense
        and here.codec == there.codec
        and here.length == there.length
        and here.base_timestamp == there.base_timestamp  # the records' own are told relative to it
        and not here.log_append_time
        and not there.log_append_time
        and source.batch[SIZE:] == target.batch[SIZE:]
    )


def content_of(row: Row, *, timestamps: bool = True) -> Content:
    """Return what counts when records are compared."""
    return (row.timestamp if timestamps else 0, row.key, row.value, tuple(row.headers))


Hashed = tuple[int, int]
"""Length and hash."""


class Print(NamedTuple):
    """What is kept of a record to find it again: small, and equal only for equal contents."""

    timestamp: int
    key: Hashed | None
    """None for null."""
    value: Hashed | None
    headers: Hashed


def print_of(row: Row, *, timestamps: bool = True) -> Print:
    """Take a record's print."""
    headers = tuple(row.headers)
    return Print(
        timestamp=row.timestamp if timestamps else 0,
        key=hashed(row.key),
        value=hashed(row.value),
        headers=(len(headers), hash(headers)),
    )


def what_differs(source: Print, target: Print) -> str:
    """Name what two records have not in common."""
    found = []
    if source.key != target.key:
        found.append(f"key: {_bytes(source.key, target.key)}")
    if source.value != target.value:
        found.append(f"value: {_bytes(source.value, target.value)}")
    if source.headers != target.headers:
        here, there = source.headers[0], target.headers[0]
        found.append(
            f"headers: {here} on the source, {there} on the target"
            if here != there
            else "headers: other ones"
        )
    if source.timestamp != target.timestamp:
        found.append(
            f"timestamp: {source.timestamp} on the source, {target.timestamp} on the target"
        )
    return "; ".join(found)


def hashed(data: bytes | None) -> Hashed | None:
    """Return what is kept of a key or a value; None for null."""
    return None if data is None else (len(data), hash(data))


def _bytes(source: Hashed | None, target: Hashed | None) -> str:
    here, there = _size(source), _size(target)
    if here == there:
        return f"other bytes ({here} on both sides)"
    return f"{here} on the source, {there} on the target"


def _size(data: Hashed | None) -> str:
    if data is None:
        return "null"
    return "empty" if not data[0] else f"{data[0]:,} bytes"
