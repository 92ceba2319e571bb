"""The records of a batch as the compiled codec hands them out, without a copy of each.

Owns what may be believed of them: as many as the header says, inside of what it covers, and every
stumble of the codec is a `CorruptBatch`. `decode` is for those who keep records; this is for those
who look at millions of them once.
"""

from collections.abc import Sequence
from typing import Protocol

from aiokafka.record._crecords.default_records import DefaultRecordBatch

from kferry.records.header import BatchHeader, CorruptBatch
from kferry.records.tiny import Tiny


class Row(Protocol):
    """What a `Record` and the codec's own class have in common."""

    @property
    def offset(self) -> int:
        """Where it lies."""

    @property
    def timestamp(self) -> int:
        """What readers see: LogAppendTime is already applied."""

    @property
    def key(self) -> bytes | None:
        """Null and empty are two things."""

    @property
    def value(self) -> bytes | None:
        """Null and empty are two things."""

    @property
    def headers(self) -> Sequence[tuple[str, bytes | None]]:
        """In their order, duplicates included."""


def read_tiny(tiny: Tiny) -> list[Row]:
    """Read the records of one dense batch; the checksum was looked at."""
    try:
        rows: list[Row] = [*DefaultRecordBatch(tiny.batch)]
    except Exception as error:
        raise CorruptBatch(f"its records cannot be read: {error}") from error
    base, count = tiny.base_offset, tiny.records
    if len(rows) != count or rows[0].offset != base or rows[-1].offset != base + count - 1:
        raise CorruptBatch(f"it does not hold the {count:,} records from {base:,} on that it says")
    return rows


def read_rows(batch: memoryview, header: BatchHeader) -> list[Row]:
    """Read the records of one batch of magic 2; the checksum is the caller's to check."""
    try:
        rows: list[Row] = [*DefaultRecordBatch(batch)]  # `list()` takes nearly twice as long here
    except Exception as error:
        raise CorruptBatch(f"its records cannot be read: {error}") from error
    if len(rows) != header.count:
        raise CorruptBatch(f"it holds {len(rows):,} records, its header says {header.count:,}")
    if rows:
        base = header.base_offset
        first, last = rows[0].offset, rows[-1].offset
        if not base <= first <= last <= base + header.last_offset_delta:
            raise CorruptBatch(f"records from {first:,} to {last:,} do not lie inside of it")
    return rows
