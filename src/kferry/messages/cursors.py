"""One partition gone through record by record, in either direction.

Owns the pace at which a log is read: page by page forwards, in windows that fit its density
backwards. Holds one page or window at a time.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

from kferry.admin.stretches import PAGE, stretches
from kferry.messages.message import Chunk, Message, chunk_of
from kferry.names import TopicPartition
from kferry.records import CorruptBatch, Deliverable, Row, Unreadable
from kferry.wire import Cluster

_FIRST_WINDOW = 64
_WINDOW_BYTES = 512 * 1024
_LEAST_BYTES = 16 * 1024
_GROWTH = 16
LATE_IN_A_ROW = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Offsets of one partition: from `start` on, before `end`."""

    partition: TopicPartition
    start: int
    end: int

    @property
    def empty(self) -> bool:
        """Whether there is nothing to read."""
        return self.start >= self.end


@dataclass(slots=True, kw_only=True)
class Lateness:
    """Leaves out what is too late, and says when nothing else is to be expected.

    A log need not be in order of time, and no broker can be asked whether older records follow. So
    it is read on until so many in a row were too late.
    """

    before: int
    enough: bool = False
    _in_a_row: int = 0

    def in_time(self, rows: Sequence[Row]) -> list[Row]:
        """Return those of the next rows that are not too late."""
        kept: list[Row] = []
        for row in rows:
            if row.timestamp < self.before:
                kept.append(row)
                self._in_a_row = 0
                continue
            self._in_a_row += 1
            if self._in_a_row >= LATE_IN_A_ROW:
                self.enough = True
                break
        return kept


@dataclass(slots=True, kw_only=True)
class Cursor:
    """Stands on a record, or at the end of its span."""

    span: Span
    newest_first: bool
    chunks: AsyncIterator[Chunk]
    row: Row | None = None
    position: int = field(init=False)
    """What is left: the first offset not dealt with, or backwards the one behind the last."""
    _chunk: Chunk | None = None
    _index: int = -1

    def __post_init__(self) -> None:
        self.position = self.span.end if self.newest_first else self.span.start

    @property
    def time(self) -> int:
        """The time of the record it stands on."""
        assert self.row is not None  # noqa: S101 who asks has looked
        return self.row.timestamp

    def message(self) -> Message:
        """Take the record it stands on."""
        assert self._chunk is not None  # noqa: S101 as above
        assert self.row is not None  # noqa: S101 as above
        return self._chunk.message(self.span.partition, self.row)

    def pass_row(self) -> None:
        """Count the record it stands on as dealt with."""
        assert self.row is not None  # noqa: S101 as above
        self.position = self.row.offset if self.newest_first else self.row.offset + 1

    async def advance(self) -> bool:
        """Go to the next record; False: there is none."""
        self._index += 1
        while self._chunk is None or self._index >= len(self._chunk.rows):
            self._chunk, self._index = await anext(self.chunks, None), 0
            if self._chunk is None:
                self.row = None
                self.position = self.span.start if self.newest_first else self.span.end
                return False
        self.row = self._chunk.rows[self._index]
        return True


def open_cursor(
    cluster: Cluster,
    span: Span,
    *,
    newest_first: bool,
    uncommitted: bool,
    before: int | None = None,
    page: int = PAGE,
) -> Cursor:
    """Make a cursor that stands before its first record.

    `before`: forwards, records of that time or a later one are left out.
    """
    chunks = (
        _backwards(cluster, span, uncommitted=uncommitted, page=page)
        if newest_first
        else _forwards(cluster, span, uncommitted=uncommitted, before=before, page=page)
    )
    return Cursor(span=span, newest_first=newest_first, chunks=chunks)


async def _forwards(
    cluster: Cluster, span: Span, *, uncommitted: bool, before: int | None, page: int
) -> AsyncIterator[Chunk]:
    lateness = None if before is None else Lateness(before=before)
    async for stretch in stretches(
        cluster, span.partition, span.start, span.end, uncommitted=uncommitted, most=page
    ):
        for one in stretch.kept:
            chunk = _within(_read(one, unstable=stretch.unstable), span.start, span.end)
            if lateness is None:
                yield chunk
                continue
            yield chunk._replace(rows=lateness.in_time(chunk.rows))
            if lateness.enough:
                return


async def _backwards(
    cluster: Cluster, span: Span, *, uncommitted: bool, page: int
) -> AsyncIterator[Chunk]:
    high, width, most = span.end, _FIRST_WINDOW, page
    while high > span.start:
        low = max(span.start, high - width)
        window: list[Chunk] = []
        size, base = 0, low
        async for stretch in stretches(
            cluster, span.partition, low, high, uncommitted=uncommitted, most=most
        ):
            for one in stretch.kept:
                chunk = _read(one, unstable=stretch.unstable)
                # The batch that a window begins in came whole: what lies before it need not come
                # again.
                if not window and chunk.rows:
                    base = min(base, chunk.rows[0].offset)
                window.append(chunk)
                size += len(one.batch)
        low = max(span.start, base)
        for chunk in reversed(window):
            kept = _within(chunk, low, high)
            yield kept._replace(rows=kept.rows[::-1])
        density = size / max(1, high - low)
        width = max(1, min(width * _GROWTH, int(_WINDOW_BYTES / density) if density else 1 << 62))
        most = max(_LEAST_BYTES, min(page, int(1.2 * width * density)))
        high = low


def _read(one: Deliverable, *, unstable: bool) -> Chunk:
    try:
        return chunk_of(one, unstable=unstable)
    except CorruptBatch as error:
        raise Unreadable(int.from_bytes(one.batch[:8], "big", signed=True), str(error)) from error


def _within(chunk: Chunk, low: int, high: int) -> Chunk:
    rows = chunk.rows
    if not rows or (rows[0].offset >= low and rows[-1].offset < high):
        return chunk
    return chunk._replace(rows=[row for row in rows if low <= row.offset < high])
