"""One log read from a place on, for comparing: its data, and nothing else.

Owns the fetching, one page ahead, and what readers of committed records do not see. Written apart
from what the copy reads with, so that a fault there is not repeated here.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from kferry.admin.logs import LogReader, is_local
from kferry.admin.offsets import Place, offsets_at
from kferry.names import TopicPartition
from kferry.records import (
    Aborted,
    CorruptBatch,
    Unreadable,
    magic,
    read_header,
    read_rows,
    split_batches,
)
from kferry.verify.pieces import Piece, piece_of
from kferry.wire import BrokerError, Cluster, WireError
from kferry.wire.fetch import READ_COMMITTED, READ_UNCOMMITTED, Fetched
from kferry.wire.retry import Pauses, may_pass

_WAIT_MS = 100
_REMOTE_WAIT_MS = 5000
_OUT_OF_RANGE = 1
_OFFSET_NOT_AVAILABLE = 78
_ABORT = 0

Spend = Callable[[int], Awaitable[None]]
"""Called with the bytes that were read; returns when more may be read."""

Refresh = Callable[[], Awaitable[object]]
"""Looks up who leads, for everything that is read beside this."""


@dataclass(slots=True, kw_only=True)
class _Page:
    """What one fetch brought."""

    pieces: list[Piece]
    following: int
    """Where to fetch next."""
    size: int


class Log:
    """Reads one partition forward. `committed`: what was taken back is left out."""

    def __init__(
        self,
        cluster: Cluster,
        partition: TopicPartition,
        offset: int,
        *,
        committed: bool,
        spend: Spend,
        refresh: Refresh,
        page_bytes: int,
    ) -> None:
        self._cluster = cluster
        self._partition = partition
        self._committed = committed
        self._look_up = refresh
        self._spend = spend
        self._reader = LogReader(
            cluster,
            partition,
            offset,
            isolation=READ_COMMITTED if committed else READ_UNCOMMITTED,
            most=page_bytes,
        )
        self._position = offset
        self._pieces: deque[Piece] = deque()
        self._ahead: asyncio.Task[_Page] | None = None
        self._until = 0
        self.start = 0
        """The newest log start that was seen."""
        self.bytes = 0

    async def read(self, begin: int, end: int, *, until: int) -> list[Piece]:
        """Return the batches with offsets from `begin` to before `end`.

        Both only grow from call to call; `until` is how far there will be something to read.
        """
        self._until = until
        while self._pieces and self._pieces[0].last < begin:
            self._pieces.popleft()
        self._position = max(self._position, begin if not self._pieces else self._position)
        while self._position < end:
            await self._next_page()
        found = []
        for piece in self._pieces:
            if piece.first >= end:
                break
            if piece.last >= begin:
                found.append(piece)
        while self._pieces and self._pieces[0].last < end:
            self._pieces.popleft()
        return found

    async def close(self) -> None:
        """Drop what was fetched ahead."""
        if self._ahead is not None:
            self._ahead.cancel()
            await asyncio.gather(self._ahead, return_exceptions=True)
            self._ahead = None

    async def _next_page(self) -> None:
        task, self._ahead = self._ahead, None
        page = await (self._fetch(self._position) if task is None else task)
        if page.following <= self._position:  # fetched ahead of a jump
            return
        self._position = page.following
        self._pieces += page.pieces
        self.bytes += page.size
        await self._spend(page.size)
        if self._position < self._until:
            self._ahead = asyncio.create_task(self._fetch(self._position))

    async def _fetch(self, offset: int) -> _Page:
        pauses = Pauses(self._cluster.limits)
        self._reader.offset, self._reader.wait_ms = offset, _WAIT_MS
        while True:
            try:
                fetched = await self._reader.page()
                self.start = max(self.start, fetched.log_start_offset)
                page = self._sorted_out(fetched, offset)
                if page.following > offset:
                    return page
                if (end := await self._nothing_there(fetched, offset)) is not None:
                    return _Page(pieces=[], following=end, size=0)
                self._reader.wait_ms = _REMOTE_WAIT_MS
                error: WireError = BrokerError(_OFFSET_NOT_AVAILABLE, str(self._partition))
            except BrokerError as found:
                if found.error_code == _OUT_OF_RANGE:
                    return await self._jump(offset)
                error = found
            except WireError as found:
                error = found
            if not may_pass(error) or pauses.over:
                raise error
            await pauses.pause()
            await self._refresh()

    async def _refresh(self) -> None:
        try:
            await self._look_up()
        except WireError as error:
            if not may_pass(error):
                raise

    def _sorted_out(self, fetched: Fetched, offset: int) -> _Page:
        pieces, following = [], offset
        aborted = _TakenBack(fetched.aborted if self._committed else ())
        for batch in split_batches(fetched.records):
            base = int.from_bytes(batch[:8], "big", signed=True)
            try:
                if magic(batch) >= 2 and aborted.leaves_out(batch):
                    following = max(following, read_header(batch).last_offset + 1)
                    continue
                piece = piece_of(batch, start=offset)
            except CorruptBatch as error:
                raise Unreadable(base, str(error)) from error
            following = max(following, piece.last + 1)
            if piece.last >= offset and (piece.header is None or piece.header.count):
                pieces.append(piece)
        return _Page(pieces=pieces, following=following, size=len(fetched.records))

    async def _nothing_there(self, fetched: Fetched, offset: int) -> int | None:
        """Return how far there is really nothing; None: look again.

        A new leader may not know yet how far its log is committed, and a broker that waits for its
        remote storage in vain answers with nothing as well (KIP-405).
        """
        end = fetched.stable_end if self._committed else fetched.high_watermark
        listed = await offsets_at(
            self._cluster, [self._partition], Place.END, committed=self._committed
        )
        if end < listed[self._partition]:
            return None
        if end > offset and not await is_local(self._cluster, self._partition, offset):
            return None
        return max(end, self._until)

    async def _jump(self, offset: int) -> _Page:
        """Go on where the log begins now; one that ends before has nothing more."""
        start = (await offsets_at(self._cluster, [self._partition], Place.START))[self._partition]
        self.start = max(self.start, start)
        following = start if start > offset else max(self._until, offset + 1)
        return _Page(pieces=[], following=following, size=0)


class _TakenBack:
    """Which batches of a page readers of committed records do not see (KIP-98)."""

    def __init__(self, aborted: Sequence[Aborted]) -> None:
        self._coming = deque(sorted(aborted, key=lambda one: one.first_offset))
        self._open: set[int] = set()

    def leaves_out(self, batch: memoryview) -> bool:
        """Whether a batch is a marker, or was taken back."""
        header = read_header(batch)
        while self._coming and self._coming[0].first_offset <= header.last_offset:
            self._open.add(self._coming.popleft().producer_id)
        if header.control:
            if header.producer_id in self._open and _is_abort(batch):
                self._open.discard(header.producer_id)
            return True
        return header.transactional and header.producer_id in self._open


def _is_abort(marker: memoryview) -> bool:
    rows = read_rows(marker, read_header(marker))
    return bool(rows and rows[0].key) and int.from_bytes((rows[0].key or b"")[2:4], "big") == _ABORT
