"""Whether a target topic holds nothing but what kferry wrote there.

Owns the comparison of a log with the offset map. Where the map knows a record, kferry wrote it: the
broker told its offset. Everywhere else only markers may lie, and batches of the producer that wrote
the last known record: what came behind the last checkpoint of a copy that was killed.
"""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

from kferry.admin.logs import LogReader
from kferry.admin.offsets import Place, offsets_at
from kferry.migration.maps import Maps
from kferry.names import TopicName, TopicPartition
from kferry.offsets import OffsetMap
from kferry.records import BatchHeader, magic, read_header, split_batches
from kferry.units import many
from kferry.wire import Cluster, Topic, WireError
from kferry.wire.fetch import READ_UNCOMMITTED

_PAGE = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """What a topic holds. `why`: what in it is not ours, or why that cannot be told."""

    records: int
    """Offsets, as far as they are taken."""
    ends: dict[TopicPartition, int]
    why: str = ""


async def holding(target: Cluster, maps: Maps, source: TopicName, topic: Topic) -> Holding:
    """Look at every partition of a target's topic; `source` is its name on the source."""
    places = {
        TopicPartition(topic.name, one.id): TopicPartition(source, one.id)
        for one in topic.partitions
    }
    try:
        starts = await offsets_at(target, places, Place.START)
        ends = await offsets_at(target, places, Place.END)
        why = ""
        for there, here in places.items():
            why = why or await _foreign(
                target, there, maps.map_of(here), starts[there], ends[there]
            )
    except WireError as error:
        return Holding(records=0, ends={}, why=f"it cannot be looked at: {error}")
    return Holding(records=sum(ends[one] - starts[one] for one in places), ends=ends, why=why)


async def _foreign(
    target: Cluster, partition: TopicPartition, known: OffsetMap | None, start: int, end: int
) -> str:
    ours = await _writer(target, partition, known, start)
    foreign = 0
    first = -1
    for low, high in _unknown(known, start, end):
        async for header in _headers(target, partition, low, high):
            if header is None or (not header.control and header.producer_id not in ours):
                foreign += 1
                first = low if first < 0 else first
    if not foreign:
        return ""
    return f"{partition} holds {many(foreign, 'batch')} of others, from offset {first:,} on"


def _unknown(known: OffsetMap | None, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The stretches of a log that no run covers."""
    position = start
    for run in () if known is None else known.runs:
        if run.target > position:
            yield position, min(run.target, end)
        position = max(position, run.target + run.length)
    if position < end:
        yield position, end


async def _writer(
    target: Cluster, partition: TopicPartition, known: OffsetMap | None, start: int
) -> frozenset[int]:
    """Who wrote the last record that the map knows."""
    if known is None or not len(known.runs):
        return frozenset()
    last = known.runs[len(known.runs) - 1]
    at = last.target + last.length - 1
    if at < start:
        return frozenset()
    found = [one async for one in _headers(target, partition, at, at + 1)]
    return frozenset(one.producer_id for one in found if one is not None and one.producer_id >= 0)


async def _headers(
    target: Cluster, partition: TopicPartition, low: int, high: int
) -> AsyncIterator[BatchHeader | None]:
    """Read the batches that reach into a stretch; None is one of the formats before 0.11."""
    log = LogReader(target, partition, low, isolation=READ_UNCOMMITTED, most=_PAGE)
    while log.offset < high:
        page = await log.page()
        before = log.offset
        for batch in split_batches(page.records):
            header = read_header(batch) if magic(batch) >= 2 else None
            first = int.from_bytes(batch[:8], "big", signed=True)
            last = first if header is None else header.last_offset
            if last >= low and first < high:
                yield header
            log.offset = max(log.offset, last + 1)
        if log.offset == before:
            return  # nothing is left there: the log was cleaned up to its end
