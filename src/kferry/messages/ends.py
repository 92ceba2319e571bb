"""The first and the last record of each partition.

Owns finding them where a log begins or ends with what is no record. Compares nothing.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass

from kferry.admin.offsets import Place, offsets_at
from kferry.messages.cursors import Span, open_cursor
from kferry.messages.message import Message
from kferry.names import TopicPartition
from kferry.wire import Cluster

_AT_ONCE = 16
_PAGE = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Ends:
    """Where a partition begins and ends for readers of committed records, and what lies there."""

    start: int
    end: int
    first: Message | None
    last: Message | None


async def ends_of(
    cluster: Cluster, partitions: Iterable[TopicPartition]
) -> dict[TopicPartition, Ends]:
    """Look at both ends of each partition."""
    wanted = list(partitions)
    starts, ends = await asyncio.gather(
        offsets_at(cluster, wanted, Place.START),
        offsets_at(cluster, wanted, Place.END, committed=True),
    )
    turn = asyncio.Semaphore(_AT_ONCE)

    async def one(partition: TopicPartition) -> Ends:
        span = Span(partition=partition, start=starts[partition], end=ends[partition])
        async with turn:
            return Ends(
                start=span.start,
                end=span.end,
                first=await _end(cluster, span, newest_first=False),
                last=await _end(cluster, span, newest_first=True),
            )

    found = await asyncio.gather(*map(one, wanted))
    return dict(zip(wanted, found, strict=True))


async def record_at(cluster: Cluster, partition: TopicPartition, offset: int) -> Message | None:
    """Return the record at an offset, or the first committed one behind it."""
    end = (await offsets_at(cluster, [partition], Place.END, committed=True))[partition]
    start = (await offsets_at(cluster, [partition], Place.START))[partition]
    span = Span(partition=partition, start=max(start, offset), end=end)
    return await _end(cluster, span, newest_first=False)


async def _end(cluster: Cluster, span: Span, *, newest_first: bool) -> Message | None:
    cursor = open_cursor(cluster, span, newest_first=newest_first, uncommitted=False, page=_PAGE)
    return cursor.message() if await cursor.advance() else None
