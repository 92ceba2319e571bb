"""The source's records read ahead while a tail is aligned, numbered in order.

Owns the window: what each record holds, where it lies, and how many source offsets before it may
have lost their record. Knows nothing of the target.
"""

from bisect import bisect_right
from collections.abc import Hashable, Sequence

from kferry.records import CorruptBatch, Row

Content = Hashable
"""What two records must have in common."""

NO_RECORD: Content = object()
"""Stands behind the last record once the source has ended; equal to nothing else."""

_OVERHEAD = 200  # bytes, of the Python objects around a record


def content_of(rows: Sequence[Row], *, timestamps: bool) -> list[Content]:
    """Return what counts when records are compared."""
    if timestamps:
        return [(row.timestamp, row.key, row.value, tuple(row.headers)) for row in rows]
    return [(row.key, row.value, tuple(row.headers)) for row in rows]


class Ahead:
    """A window of source records. They are numbered from the checkpoint on."""

    def __init__(self, begin: int) -> None:
        self.first = 0
        """The number of the first record that is still in the window."""
        self.size = 0
        """About how many bytes it holds."""
        self.contents: list[Content] = []
        self.offsets: list[int] = []
        self.room: list[int] = []
        """How many source offsets just before each record have none now and may have had one."""
        self._jumps: list[int] = []
        """The numbers of records that do not lie just behind the one before."""
        self._behind = self._seen = begin
        self._left_out = 0

    def __len__(self) -> int:
        return len(self.offsets)

    @property
    def end(self) -> int:
        """The number that the next record will get."""
        return self.first + len(self.offsets)

    def stretch_end(self, number: int) -> int:
        """Return the number up to which records lie one behind the other from this one on."""
        index = bisect_right(self._jumps, number)
        return self._jumps[index] if index < len(self._jumps) else self.end

    def close_behind(self, offset: int) -> bool:
        """Whether no record can have vanished between the last one and this offset."""
        return offset - self._behind == self._left_out

    def add(self, rows: Sequence[Row], *, timestamps: bool) -> None:
        """Put records behind the last one."""
        for row, content in zip(rows, content_of(rows, timestamps=timestamps), strict=True):
            self._put(row.offset, content)
            self.size += _OVERHEAD + len(row.key or b"") + len(row.value or b"")

    def left_out(self, first: int, last: int) -> None:
        """Note offsets that never had a record to copy."""
        self._left_out += max(0, last + 1 - max(first, self._seen))
        self._seen = max(self._seen, last + 1)

    def finish(self, end: int) -> None:
        """Note that no record comes any more before the source's end."""
        self._put(max(end, self._behind), NO_RECORD)

    def pass_whole(self, first_offset: int, count: int) -> None:
        """Count records that nobody will ask for, and forget all before them."""
        self.forget(self.end)
        self.first += count
        self._behind = self._seen = first_offset + count
        self._left_out = 0

    def forget(self, number: int) -> None:
        """Drop the records before this number."""
        gone = number - self.first
        if gone <= 0:
            return
        self.size = self.size * (len(self) - gone) // len(self)
        for column in (self.contents, self.offsets, self.room):
            del column[:gone]
        self.first = number
        del self._jumps[: bisect_right(self._jumps, number)]

    def _put(self, offset: int, content: Content) -> None:
        hole = offset - self._behind
        if hole < 0:
            raise CorruptBatch(f"a record at {offset:,} comes after {self._behind - 1:,}")
        if hole:
            self._jumps.append(self.end)
        self.contents.append(content)
        self.offsets.append(offset)
        self.room.append(max(0, hole - self._left_out))
        self._behind = self._seen = offset + 1
        self._left_out = 0
