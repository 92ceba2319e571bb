"""A range of one partition, read to its end: what a reader of it would see, batch by batch.

Owns how reading goes on: over moved leaders, over what is deleted meanwhile, over places where a
log holds nothing any more. Memory: one page. Knows nothing of what is done with the records.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import NamedTuple

from kferry.admin.logs import LogReader, is_local
from kferry.admin.offsets import Place, offsets_at
from kferry.names import TopicPartition
from kferry.records import Deliverable, Sieve
from kferry.wire import BrokerError, Cluster, WireError
from kferry.wire.fetch import READ_COMMITTED, READ_UNCOMMITTED, Fetched
from kferry.wire.retry import Pauses, may_pass

PAGE = 1 << 20
_OUT_OF_RANGE = 1
_REQUEST_TIMED_OUT = 7
_REMOTE_WAIT_MS = 5000


class Stretch(NamedTuple):
    """What one fetch told. Its batches may reach beyond the range: records behind it do not count.

    Offsets from `start` to `position` are dealt with; not all of them need have a record.
    """

    start: int
    position: int
    kept: Sequence[Deliverable]
    unstable: bool = False
    """Behind the last stable offset: readers of committed records do not get there yet."""
    size: int = 0
    """Bytes that were fetched."""
    trimmed: bool = False
    """Nothing was read: the log begins at `position` by now."""


async def stretches(
    cluster: Cluster,
    partition: TopicPartition,
    start: int,
    end: int,
    *,
    uncommitted: bool = False,
    most: int = PAGE,
) -> AsyncIterator[Stretch]:
    """Read from `start` up to `end`, which was an end of the log a moment ago.

    `uncommitted`: records of aborted and open transactions come, too; of the aborted ones it is
    said as far as the brokers know.
    """
    log = LogReader(cluster, partition, start, isolation=READ_COMMITTED, most=most)
    pauses = Pauses(cluster.limits)
    while log.offset < end:
        before = log.offset
        try:
            one = await _next(cluster, partition, log, end, uncommitted=uncommitted)
        except WireError as error:
            if not may_pass(error) or pauses.over:
                raise
            await pauses.pause()
            await _look_again(cluster, partition)
            continue
        if one is not None:
            yield one
        if log.offset > before:
            pauses = Pauses(cluster.limits)
        elif pauses.over:
            raise BrokerError(_REQUEST_TIMED_OUT, f"reading {partition} at {before:,}")
        else:
            await asyncio.sleep(0)


async def _next(
    cluster: Cluster, partition: TopicPartition, log: LogReader, end: int, *, uncommitted: bool
) -> Stretch | None:
    start = log.offset
    try:
        page = await log.page()
        if uncommitted and not page.records and start >= page.stable_end >= 0:
            log.isolation = READ_UNCOMMITTED
            page = await log.page()
    except BrokerError as error:
        if error.error_code != _OUT_OF_RANGE:
            raise
        log.offset = await _start_now(cluster, partition, start, error)
        return Stretch(start, log.offset, (), trimmed=True)
    sieve = Sieve(position=start, aborted=page.aborted, keep_aborted=uncommitted)
    kept = list(sieve.keep(page.records))
    if sieve.position == start and not await _nothing_there(cluster, partition, log, page, end):
        return None
    log.offset = max(sieve.position, end if sieve.position == start else 0)
    unstable = log.isolation == READ_UNCOMMITTED
    return Stretch(start, log.offset, kept, unstable=unstable, size=len(page.records))


async def _nothing_there(
    cluster: Cluster, partition: TopicPartition, log: LogReader, page: Fetched, end: int
) -> bool:
    """Whether an empty page means that nothing is left before `end`: the cleaner took the last."""
    known_to = page.stable_end if log.isolation == READ_COMMITTED else page.high_watermark
    if known_to < end:
        return False  # a new leader that has yet to learn how far its log is committed
    if await is_local(cluster, partition, log.offset):
        return True
    log.wait_ms = _REMOTE_WAIT_MS
    return False


async def _start_now(
    cluster: Cluster, partition: TopicPartition, offset: int, error: BrokerError
) -> int:
    """Return where a log begins that no longer has an offset; it may also have been cut back."""
    start = (await offsets_at(cluster, [partition], Place.START))[partition]
    if start <= offset:
        raise error
    return start


async def _look_again(cluster: Cluster, partition: TopicPartition) -> None:
    try:
        await cluster.refresh({partition.topic})
    except WireError as error:
        if not may_pass(error):
            raise
