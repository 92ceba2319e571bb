"""Records laid out anew: tiny batches merged, large ones cut, holes closed.

Owns how records are dealt out to batches that fit, and which source offsets went into each. All or
nothing: a call that stumbles has made nothing. Who the batches are from is stamped later, in place.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from struct import Struct
from typing import NamedTuple

from aiokafka.record._crecords.default_records import DefaultRecordBatchBuilder

from kferry.records.compress import compress
from kferry.records.header import PREFIX, SIZE, BatchHeader, Codec, CorruptBatch, checksum
from kferry.records.record import NO_TIMESTAMP, Record
from kferry.records.rows import Row, read_rows, read_tiny
from kferry.records.tiny import Run

_LENGTH_AT, _LENGTH = 8, Struct(">i")
_CRC_AT, _CRC = 17, Struct(">I")
_ATTRIBUTES_AT, _ATTRIBUTES = 21, Struct(">h")
_TIMESTAMPS_AT, _TIMESTAMPS = 27, Struct(">qq")
_NOBODY = -1
_MOST_SHRINKING = 8
"""However well records compress, a batch stays within this many times its limit when unpacked:
every reader has to hold that."""
_CAUTION = 0.9


class RecordTooLarge(ValueError):
    """A record that does not fit into a batch of its own."""

    def __init__(self, offset: int, size: int, max_bytes: int) -> None:
        super().__init__(
            f"the record at {offset:,} takes a batch of {size:,} bytes, {max_bytes:,} are allowed"
        )
        self.offset = offset
        self.size = size
        self.max_bytes = max_bytes


class Parcel(NamedTuple):
    """A batch ready to be stamped, and where its records were on the source.

    `stretches` are (first source offset, count), in order; the batch itself is dense.
    """

    batch: memoryview
    stretches: tuple[tuple[int, int], ...]
    count: int  # type: ignore[assignment]  # hides a method of tuples that nobody needs
    max_timestamp: int
    reencoded: bool = True


LaidOut = tuple[bytearray, tuple[tuple[int, int], ...], int]
"""A batch, its stretches, its count."""


def recode(records: Sequence[Record], codec: Codec, *, max_bytes: int) -> list[Parcel]:
    """Lay records out in batches of at most `max_bytes`."""
    rows: list[Row] = [
        one if type(one.headers) is list else one._replace(headers=list(one.headers))
        for one in records
    ]
    return list(_deal(rows, codec, max_bytes))


def merge(
    batches: Iterable[tuple[memoryview, BatchHeader]],
    codec: int,
    *,
    max_bytes: int,
    start: int = 0,
) -> list[Parcel]:
    """Lay the records of batches out in as few as fit; records before `start` are left out.

    Takes batches of any shape, as long as they are in the log's order and hold data: tiny, sparse,
    with LogAppendTime, too large, empty.
    """
    rows: list[Row] = []
    for batch, header in batches:
        found = read_rows(batch, header)
        if header.base_offset < start:
            found = [row for row in found if row.offset >= start]
        rows += found
    return list(_deal(rows, Codec(codec), max_bytes))


def merge_run(run: Run, codec: int, *, max_bytes: int) -> list[Parcel]:
    """Lay out a run of tiny batches in as few as fit."""
    rows: list[Row] = []
    for tiny in run:
        rows += read_tiny(tiny)
    first, last = run[0], run[-1]
    in_a_row = last.base_offset + last.records - first.base_offset == len(rows)
    return list(_deal(rows, Codec(codec), max_bytes, in_a_row=in_a_row))


def recode_batch(
    batch: memoryview, header: BatchHeader, codec: int, *, max_bytes: int, start: int = 0
) -> list[Parcel]:
    """Lay out one batch that may not pass as it is."""
    return merge([(batch, header)], codec, max_bytes=max_bytes, start=start)


def _deal(
    rows: Sequence[Row], codec: Codec, max_bytes: int, *, in_a_row: bool = False
) -> Iterator[Parcel]:
    position, room = 0, max_bytes
    lay_out = _lay_out_in_a_row if in_a_row else _lay_out
    while position < len(rows):
        plain, stretches, count = lay_out(rows, position, len(rows), room)
        batch = _compressed(plain, codec)
        while len(batch) > max_bytes and count > 1:
            plain, stretches, count = lay_out(rows, position, position + count // 2, room)
            batch = _compressed(plain, codec)
        if len(batch) > max_bytes:
            batch = _compressed(plain, codec, hard=True)
        if len(batch) > max_bytes:
            raise RecordTooLarge(rows[position].offset, len(batch), max_bytes)
        _, newest = _TIMESTAMPS.unpack_from(plain, _TIMESTAMPS_AT)
        yield Parcel(
            batch=memoryview(batch), stretches=stretches, count=count, max_timestamp=newest
        )
        position += count
        # The next ones compress like these did, more or less.
        shrunk = len(plain) / len(batch)
        if shrunk > 1:
            room = int(max_bytes * min(shrunk * _CAUTION, _MOST_SHRINKING))


def _lay_out(rows: Sequence[Row], start: int, stop: int, room: int) -> LaidOut:
    """Lay out what fits into `room`, one record at least: the batch, its stretches, its count."""
    builder = _builder(room)
    append = builder.append
    # See `encode`: the builder cannot take -1 for a first timestamp.
    later = 2 if rows[start].timestamp == NO_TIMESTAMP else 0
    stretches: list[tuple[int, int]] = []
    first = following = rows[start].offset
    count = 0
    for row in islice(rows, start, stop):
        if append(count, row.timestamp + later, row.key, row.value, row.headers) is None:
            break
        offset = row.offset
        if offset != following:
            if offset < following:
                raise CorruptBatch(f"a record at {offset:,} comes after {following - 1:,}")
            stretches.append((first, following - first))
            first = offset
        following = offset + 1
        count += 1
    stretches.append((first, following - first))
    return _built(builder, later), tuple(stretches), count


def _lay_out_in_a_row(rows: Sequence[Row], start: int, stop: int, room: int) -> LaidOut:
    """The same for records without holes between them: nothing but the append for each."""
    builder = _builder(room)
    append = builder.append
    later = 2 if rows[start].timestamp == NO_TIMESTAMP else 0
    count = 0
    for row in islice(rows, start, stop):
        if append(count, row.timestamp + later, row.key, row.value, row.headers) is None:
            break
        count += 1
    return _built(builder, later), ((rows[start].offset, count),), count


def _builder(room: int) -> DefaultRecordBatchBuilder:
    # It refuses what would fill it to the last byte.
    return DefaultRecordBatchBuilder(2, Codec.NONE, 0, _NOBODY, _NOBODY, _NOBODY, room + 1)


def _built(builder: DefaultRecordBatchBuilder, later: int) -> bytearray:
    batch: bytearray = builder.build()
    if later:
        oldest, newest = _TIMESTAMPS.unpack_from(batch, _TIMESTAMPS_AT)
        _TIMESTAMPS.pack_into(batch, _TIMESTAMPS_AT, oldest - later, newest - later)
        _CRC.pack_into(batch, _CRC_AT, checksum(memoryview(batch)))
    return batch


def _compressed(plain: bytearray, codec: Codec, *, hard: bool = False) -> bytearray:
    if codec == Codec.NONE:
        return plain
    batch = plain[:SIZE]
    batch += compress(memoryview(plain)[SIZE:], codec, hard=hard)
    _LENGTH.pack_into(batch, _LENGTH_AT, len(batch) - PREFIX.size)
    _ATTRIBUTES.pack_into(batch, _ATTRIBUTES_AT, codec)
    _CRC.pack_into(batch, _CRC_AT, checksum(memoryview(batch)))
    return batch
