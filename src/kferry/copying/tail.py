"""What lies on the target behind the last checkpoint, aligned with the source.

Owns the driving of the alignment: pages of both logs in, a lane that may go on out. Everything
before our marker counts; behind it nobody but us can write.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import NamedTuple

from kferry.admin.logs import LogReader, is_local
from kferry.admin.offsets import Place, offsets_at
from kferry.admin.producer_ids import ProducerIdentity
from kferry.copying.ahead import Content, content_of
from kferry.copying.align import Aligner, Mismatch, Wants, Whole
from kferry.copying.item import BadSource
from kferry.copying.lane import Lane, Phase
from kferry.names import SourceOffset, TargetOffset, TopicPartition
from kferry.records import (
    BatchHeader,
    CorruptBatch,
    Deliverable,
    Sieve,
    check_crc,
    magic,
    read_header,
    read_rows,
    split_batches,
)
from kferry.wire import BrokerError, Cluster
from kferry.wire.fetch import READ_COMMITTED, READ_UNCOMMITTED, Fetched

_OUT_OF_RANGE = 1
_REQUEST_TIMED_OUT = 7
_MARKER_S = 60.0
_SHORT_PAGE = 64 * 1024
_CURRENT = 2
_REMOTE_WAIT_MS = 5000
_LOST_S = 10.0
"""A log that ends before what was acknowledged may just be waking up; after this long it is not."""


class CannotSettle(Exception):
    """The two logs do not fit together; no guess is made."""

    def __init__(self, code: str, reason: str, offset: int) -> None:
        super().__init__(reason)
        self.code, self.reason, self.offset = code, reason, offset


class _LeftOut(NamedTuple):
    """Source offsets that never held a record to copy."""

    first: int
    last: int


class _EndOfSource(NamedTuple):
    """Nothing more there, up to its stable end."""

    end: int


async def settle_tail(
    source: Cluster,
    target: Cluster,
    lane: Lane,
    identity: ProducerIdentity,
    *,
    end: int | None = None,
) -> None:
    """Find out how far a lane is; it may go on afterwards, behind the marker of `identity`.

    Where there is no marker, `end` is where the log was at rest.
    """
    tail = _Tail(target, lane, identity, end, await _last_copied(source, lane))
    aligner = Aligner(source=SourceOffset(lane.copied_to), target=TargetOffset(lane.next_target))
    batches, ahead = tail.batches(), _ahead(source, lane)
    try:
        while aligner.wants is not Wants.NOTHING:
            if aligner.wants is Wants.TARGET:
                whole = await anext(batches, None)
                if whole is None:
                    aligner.end_of_target()
                else:
                    aligner.feed_target(whole)
            else:
                _feed(aligner, await anext(ahead))
    except Mismatch as error:
        raise CannotSettle("foreign-records", str(error), error.source_offset) from error
    except (BadSource, CorruptBatch) as error:
        raise CannotSettle("bad-records", str(error), lane.copied_to) from error
    found = aligner.result()
    if lane.phase is Phase.STOPPED:  # somebody gave it up meanwhile
        return
    for run in found.runs:
        lane.runs.append(run.source, run.target, run.length)
    lane.total_records += found.matched + found.vanished
    if lane.owned:  # in flight when the doubt came: written by this run
        lane.counts.records += found.matched + found.vanished
    lane.settled(identity, next_target=tail.following, copied_to=found.resume)


def _feed(aligner: Aligner, found: "Deliverable | _LeftOut | _EndOfSource") -> None:
    match found:
        case _LeftOut(first, last):
            aligner.left_out(first, last)
        case _EndOfSource(end):
            aligner.end_of_source(end)
        case Deliverable(header=None):
            aligner.feed_source(found.records())
        case Deliverable(batch=batch, header=header) if header is not None:
            aligner.feed_source(Whole(batch, header))


class _Tail:
    """The target from the last checkpoint to our marker."""

    def __init__(
        self,
        target: Cluster,
        lane: Lane,
        identity: ProducerIdentity,
        end: int | None,
        last: "_Last | None",
    ) -> None:
        self._target = target
        self._lane = lane
        self._identity = identity
        self._end = end
        self._last = last
        self.following = -1
        """The offset that the next record will get, once it is known."""

    async def batches(self) -> AsyncIterator[Whole]:
        """Yield the data batches before the marker."""
        lane = self._lane
        log = LogReader(self._target, lane.target, await self._first(), isolation=READ_UNCOMMITTED)
        clock = asyncio.get_running_loop().time
        began = clock()
        while self.following < 0:
            if self._end is not None and log.offset >= self._end:
                self.following = self._end
                break
            page = await self._page(log)
            for batch in split_batches(page.records):
                header = read_header(batch)
                log.offset = header.last_offset + 1
                self._compare(batch, header)
                if self._is_our_marker(header):
                    self.following = header.base_offset + 1
                    break
                if not header.control and header.last_offset >= lane.next_target and header.count:
                    yield Whole(batch, header)
            if not page.records:
                await self._bear(page, clock() - began)
        lost_last = self._end is None and self.following == lane.next_target
        if self.following < lane.next_target or lost_last:
            raise self._lost(self.following - (self._end is None))

    async def _first(self) -> int:
        """Return where to read from."""
        lane = self._lane
        start = await _start_of(self._target, lane.target)
        if start > lane.next_target:
            lost = f"offsets {lane.next_target:,} to {start - 1:,} of {lane.target} are gone"
            raise CannotSettle(
                "target-trimmed",
                f"{lost} from the target before they could be compared: its retention is at work",
                lane.copied_to,
            )
        # Earlier by what was acknowledged last: a log that was cut back has something else there.
        first = lane.next_target - 1 if self._last is None else self._last.target
        return max(start, min(first, lane.next_target - 1))

    def _compare(self, batch: memoryview, header: BatchHeader) -> None:
        """Insist on the last record that was acknowledged, which the ledger says lies here.

        Ends alone do not tell: markers, and what others write, fill a log up again.
        """
        last = self._last
        if last is None or not header.base_offset <= last.target <= header.last_offset:
            return
        if header.control:
            raise self._lost(last.target)
        found = _row_at(batch, header, last.target)
        if found is not None and last.content is not None and found != last.content:
            raise self._lost(last.target)

    async def _page(self, log: LogReader) -> Fetched:
        try:
            return await log.page()
        except BrokerError as error:
            if error.error_code == _OUT_OF_RANGE:
                raise self._lost(log.offset) from error
            raise

    async def _bear(self, page: Fetched, waited: float) -> None:
        """Wait for the marker, but not for ever."""
        if page.high_watermark < self._lane.next_target and waited > _LOST_S:
            # A new leader that has yet to learn how far its log is committed refuses to tell.
            end = await _end_of(self._target, self._lane.target)
            if end < self._lane.next_target:
                raise self._lost(end)
        if waited > _MARKER_S:
            raise BrokerError(_REQUEST_TIMED_OUT, f"the marker in {self._lane.target}")

    def _is_our_marker(self, header: BatchHeader) -> bool:
        ours = (self._identity.id, self._identity.epoch)
        found = (header.producer_id, header.producer_epoch)
        return self._end is None and header.control and found == ours

    def _lost(self, end: int) -> CannotSettle:
        lane = self._lane
        return CannotSettle(
            "target-truncated",
            f"{lane.target} ends at {end:,} and had acknowledged everything before "
            f"{lane.next_target:,}: the target lost records (an unclean election, or a disk)",
            lane.copied_to,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Last:
    """The last record that the ledger says is on the target."""

    target: int
    content: Content | None
    """None where the source no longer has it."""


async def _last_copied(source: Cluster, lane: Lane) -> _Last | None:
    """Look the last record up in the source."""
    if not len(lane.runs):
        return None
    run = lane.runs[len(lane.runs) - 1]
    offset = run.source + run.length - 1
    content = await _content_at(source, lane.source, offset)
    return _Last(target=run.target + run.length - 1, content=content)


async def _content_at(source: Cluster, partition: TopicPartition, offset: int) -> Content | None:
    log = LogReader(source, partition, offset, isolation=READ_UNCOMMITTED, most=_SHORT_PAGE)
    try:
        page = await log.page()
    except BrokerError as error:
        if error.error_code == _OUT_OF_RANGE:
            return None
        raise
    with contextlib.suppress(CorruptBatch):  # whoever copies it will say so
        for batch in split_batches(page.records):
            if magic(batch) == _CURRENT and (header := read_header(batch)).last_offset >= offset:
                return _row_at(batch, header, offset)
    return None


def _row_at(batch: memoryview, header: BatchHeader, offset: int) -> Content | None:
    if header.control or not header.count:
        return None
    check_crc(batch, header)
    rows = [row for row in read_rows(batch, header) if row.offset == offset]
    return content_of(rows, timestamps=True)[0] if rows else None


async def _ahead(
    source: Cluster, lane: Lane
) -> "AsyncIterator[Deliverable | _LeftOut | _EndOfSource]":
    """Yield what the source has from the checkpoint on."""
    log = LogReader(source, lane.source, lane.copied_to, isolation=READ_COMMITTED)
    while True:
        try:
            page = await log.page()
        except BrokerError as error:
            if error.error_code != _OUT_OF_RANGE:
                raise
            start = await _start_of(source, lane.source)
            if start <= log.offset:
                raise CannotSettle(
                    "source-truncated",
                    f"{lane.source} ends before {log.offset:,}, which was copied already",
                    lane.copied_to,
                ) from error
            log.offset = start  # trimmed meanwhile: those records are on the target, or nowhere
            continue
        sieve = Sieve(position=log.offset, aborted=page.aborted)
        for one in sieve.keep(page.records):
            while sieve.passed_over:
                yield _LeftOut(*sieve.passed_over.pop(0))
            yield one
        while sieve.passed_over:
            yield _LeftOut(*sieve.passed_over.pop(0))
        if sieve.position == log.offset:
            if (end := await _end_behind(source, lane.source, page, log)) is None:
                continue
            yield _EndOfSource(end)
        log.offset = sieve.position


async def _end_behind(
    source: Cluster, partition: TopicPartition, page: Fetched, log: LogReader
) -> int | None:
    """Return where the source ends if really nothing more is there; None: look again."""
    end = page.stable_end
    # A new leader may not know yet how far its log is committed; this call waits for that.
    if end < await _end_of(source, partition):
        return None
    if end > log.offset and not await is_local(source, partition, log.offset):
        log.wait_ms = _REMOTE_WAIT_MS
        return None
    return max(end, log.offset)


async def _start_of(cluster: Cluster, partition: TopicPartition) -> int:
    return (await offsets_at(cluster, [partition], Place.START))[partition]


async def _end_of(cluster: Cluster, partition: TopicPartition) -> int:
    return (await offsets_at(cluster, [partition], Place.END, committed=True))[partition]
