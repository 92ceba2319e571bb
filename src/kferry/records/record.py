"""One record, and the way to it from batches of every format.

Owns decoding: the compiled codec does the work, and whatever it stumbles over becomes a
`CorruptBatch`. Timestamps come out as readers see them: LogAppendTime is already applied.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from struct import Struct
from typing import Any, NamedTuple
from zlib import crc32

from aiokafka.record._crecords.default_records import DefaultRecordBatch
from aiokafka.record._crecords.legacy_records import LegacyRecordBatch

from kferry.records.header import BatchHeader, Codec, CorruptBatch, magic, split_batches
from kferry.records.old_lz4 import unpack_old_lz4

NO_TIMESTAMP = -1
_LEGACY_CRC = Struct(">I")
_LEGACY_CRC_FROM = 16
_LEGACY_CODEC_AT, _LEGACY_CODEC = 17, 0x07
_LENGTH = Struct(">i")

Header = tuple[str, bytes | None]


class Record(NamedTuple):
    """What a producer sent, and where it lies."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[Header]


def decode(batch: memoryview, header: BatchHeader) -> list[Record]:
    """Read the records of a batch of magic 2; their number must be what its header says."""
    records = list(_decoded(lambda: DefaultRecordBatch(batch)))
    if len(records) != header.count:
        raise CorruptBatch(f"it holds {len(records):,} records, its header says {header.count:,}")
    if records and not header.base_offset <= records[0].offset <= header.last_offset:
        raise CorruptBatch(f"a record at {records[0].offset:,} lies outside of it")
    return records


def decode_legacy(message_set: memoryview) -> list[Record]:
    """Read one entry of magic 0 or 1: a message, or a compressed one around others.

    Magic 0 has no timestamps; they come out as `NO_TIMESTAMP`, which is what readers see.
    """
    format_ = magic(message_set)
    if format_ > 1:
        raise CorruptBatch(f"magic {format_} where 0 or 1 was expected")
    # Before the codec sees it: it believes the sizes inside.
    found, said = crc32(message_set[_LEGACY_CRC_FROM:]), _LEGACY_CRC.unpack_from(message_set, 12)[0]
    if found != said:
        raise CorruptBatch(f"its checksum is {found:#010x}, it says {said:#010x}")
    if format_ == 0 and message_set[_LEGACY_CODEC_AT] & _LEGACY_CODEC == Codec.LZ4:
        inner = memoryview(unpack_old_lz4(_value_of(message_set)))
        return [record for message in split_batches(inner) for record in decode_legacy(message)]
    return list(_decoded(lambda: LegacyRecordBatch(message_set, format_)))


def _value_of(message: memoryview) -> bytes:
    """Return the value of a message of magic 0: key and value, each behind its length."""
    (key_length,) = _LENGTH.unpack_from(message, _LEGACY_CODEC_AT + 1)
    length_at = _LEGACY_CODEC_AT + 1 + _LENGTH.size + max(0, key_length)
    (length,) = _LENGTH.unpack_from(message, length_at)
    start = length_at + _LENGTH.size
    if length < 0 or start + length != len(message):
        raise CorruptBatch("its compressed part has not the length it says")
    return bytes(message[start:])


def _decoded(batch: Callable[[], Iterable[Any]]) -> Iterator[Record]:
    try:
        for one in batch():
            timestamp = NO_TIMESTAMP if one.timestamp is None else one.timestamp
            yield Record(one.offset, timestamp, one.key, one.value, one.headers)
    except CorruptBatch:
        raise
    except Exception as error:
        raise CorruptBatch(f"its records cannot be read: {error}") from error
