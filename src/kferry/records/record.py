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

from kferry.records.header import BatchHeader, CorruptBatch, magic

NO_TIMESTAMP = -1
_LEGACY_CRC = Struct(">I")
_LEGACY_CRC_FROM = 16

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
    return list(_decoded(lambda: LegacyRecordBatch(message_set, format_)))


def _decoded(batch: Callable[[], Iterable[Any]]) -> Iterator[Record]:
    try:
        for one in batch():
            timestamp = NO_TIMESTAMP if one.timestamp is None else one.timestamp
            yield Record(one.offset, timestamp, one.key, one.value, one.headers)
    except CorruptBatch:
        raise
    except Exception as error:
        raise CorruptBatch(f"its records cannot be read: {error}") from error
