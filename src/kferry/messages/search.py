"""Looking for records across the partitions of a topic, in the order of time.

Owns the merge and the limits. Within a partition records come in the order of the log, which is
what consumers see; between partitions the one with the next time comes first. What was looked at is
known when it stops, so that the next search can go on there.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from enum import StrEnum
from heapq import heappop, heappush

from kferry.admin.stretches import PAGE
from kferry.messages.cursors import Cursor, open_cursor
from kferry.messages.filters import Filters
from kferry.messages.message import Message, size_of
from kferry.messages.places import Spans, Where, find_spans
from kferry.names import PartitionId, TopicPartition
from kferry.records import Unreadable
from kferry.wire import Cluster, WireError

_AT_ONCE = 16
_IN_MEMORY = 32 << 20
_LEAST_PAGE = 16 * 1024


class Limit(StrEnum):
    """Why a search ended before it had seen everything."""

    FOUND = "found"
    RECORDS = "records"
    BYTES = "bytes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """What is looked for, where, and how far at most."""

    where: Where
    filters: Filters = field(default_factory=Filters)
    newest_first: bool = False
    last: int | None = None
    """Only the newest so many records, matching or not."""
    uncommitted: bool = False
    limit: int = 20
    scan_records: int = 1_000_000
    scan_bytes: int = 256 << 20


@dataclass(slots=True, kw_only=True)
class Search:
    """One search; what it says of itself is complete when its records have all been taken."""

    query: Query
    scanned: int = 0
    scanned_bytes: int = 0
    found: int = 0
    hit: Limit | None = None
    """The limit that ended it, if more might have been found without."""
    failures: dict[TopicPartition, WireError | Unreadable] = field(default_factory=dict)
    left: dict[PartitionId, int] = field(default_factory=dict)
    """Where each partition stands that has more to be looked at."""

    async def run(self, cluster: Cluster) -> AsyncIterator[Message]:
        """Yield what is found, as it is found."""
        query = self.query
        newest_first = query.newest_first or query.last is not None
        spans = await find_spans(
            cluster, query.where, newest_first=newest_first, uncommitted=query.uncommitted
        )
        self.failures.update(spans.failures)
        cursors = _cursors(cluster, spans, query, newest_first=newest_first)
        try:
            async for cursor in self._in_time(cursors):
                if not self._may_go_on():
                    break
                assert cursor.row is not None  # noqa: S101 it stands on a record
                self.scanned += 1
                self.scanned_bytes += size_of(cursor.row)
                cursor.pass_row()
                if query.filters.match(cursor.row):
                    self.found += 1
                    yield cursor.message()
        finally:
            if self.hit is not None:
                self.left = {one.span.partition.partition: one.position for one in cursors}

    def _may_go_on(self) -> bool:
        """Whether one more record may be looked at; there is one."""
        query = self.query
        if query.last is not None and self.scanned >= query.last:
            return False
        if self.found >= query.limit:
            self.hit = Limit.FOUND
        elif self.scanned >= query.scan_records:
            self.hit = Limit.RECORDS
        elif self.scanned_bytes >= query.scan_bytes:
            self.hit = Limit.BYTES
        return self.hit is None

    async def _in_time(self, cursors: list[Cursor]) -> AsyncIterator[Cursor]:
        """Yield cursors, each standing on the record whose turn it is."""
        turn = asyncio.Semaphore(_AT_ONCE)

        async def begin(cursor: Cursor) -> bool:
            async with turn:
                return await self._advance(cursor)

        begun = await asyncio.gather(*(begin(one) for one in cursors))
        waiting: list[tuple[int, int]] = []
        for number, there in enumerate(begun):
            if there:
                heappush(waiting, (_rank(cursors[number]), number))
        while waiting:
            _, number = heappop(waiting)
            cursor = cursors[number]
            yield cursor
            if await self._advance(cursor):
                heappush(waiting, (_rank(cursor), number))

    async def _advance(self, cursor: Cursor) -> bool:
        try:
            return await cursor.advance()
        except (WireError, Unreadable) as error:
            self.failures[cursor.span.partition] = error
            return False


def _rank(cursor: Cursor) -> int:
    return -cursor.time if cursor.newest_first else cursor.time


def _cursors(cluster: Cluster, spans: Spans, query: Query, *, newest_first: bool) -> list[Cursor]:
    open_ = [span for span in spans.spans if not span.empty]
    page = max(_LEAST_PAGE, min(PAGE, _IN_MEMORY // max(1, len(open_))))
    return [
        open_cursor(
            cluster,
            span,
            newest_first=newest_first,
            uncommitted=query.uncommitted,
            before=query.where.to_time,
            page=page,
        )
        for span in open_
    ]
