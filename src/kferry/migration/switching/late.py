"""Records that came to the source after it was taken for silent.

Owns finding and counting them, each writer apart, and naming who wrote, as far as the cluster can
tell: batches carry a producer's id, a coordinator knows the name that a transactional one has.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from kferry.admin.offsets import ListedOffset, Place, list_offsets
from kferry.admin.producers import partition_producers
from kferry.admin.stretches import stretches
from kferry.admin.transactions import list_transactions
from kferry.names import TopicPartition
from kferry.records import Unreadable
from kferry.wire import Cluster, WireError

_MOST_READ = 1_000_000
"""Offsets of one partition; where more came, the rest is not counted writer by writer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Writer:
    """One producer and what it wrote too late."""

    id: int
    """-1: it has none, being neither idempotent nor transactional."""
    records: int
    first: int
    last: int
    name: str = ""
    """Its transactional id, where it has one and we may know."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Late:
    """What one partition got too late."""

    partition: TopicPartition
    first: int
    end: int
    writers: tuple[Writer, ...]
    counted_to: int
    """Up to where records were counted."""
    suspects: tuple[int, ...] = ()
    """Where the records themselves could not be read: producers that the leader remembers."""

    @property
    def records(self) -> int:
        """How many, as far as they were counted; markers take offsets and are none."""
        return sum(one.records for one in self.writers)


async def late_writes(source: Cluster, ends: Mapping[TopicPartition, int]) -> list[Late]:
    """Look at what lies behind where the logs ended. Markers alone are no records."""
    now = await list_offsets(source, list(ends), Place.END)
    grown = {
        partition: found.offset
        for partition, end in ends.items()
        if isinstance(found := now[partition], ListedOffset) and found.offset > end
    }
    if not grown:
        return []
    names = await _names(source)
    found_late = await asyncio.gather(
        *(_late(source, one, ends[one], end, names) for one, end in sorted(grown.items()))
    )
    return [one for one in found_late if one.records or one.counted_to < one.end]


async def _late(
    source: Cluster, partition: TopicPartition, first: int, end: int, names: Mapping[int, str]
) -> Late:
    up_to = min(end, first + _MOST_READ)
    try:
        writers = await _writers(source, partition, first, up_to, names)
    except (WireError, Unreadable):
        suspects = await _suspects(source, partition)
        return Late(
            partition=partition,
            first=first,
            end=end,
            writers=(),
            counted_to=first,
            suspects=suspects,
        )
    return Late(partition=partition, first=first, end=end, writers=writers, counted_to=up_to)


async def _writers(
    source: Cluster, partition: TopicPartition, first: int, end: int, names: Mapping[int, str]
) -> tuple[Writer, ...]:
    offsets: dict[int, list[int]] = {}
    async for stretch in stretches(source, partition, first, end, uncommitted=True):
        for kept in stretch.kept:
            producer = -1 if kept.header is None else kept.header.producer_id
            own = [one.offset for one in kept.records() if first <= one.offset < end]
            offsets.setdefault(producer, []).extend(own)
    return tuple(
        Writer(
            id=producer,
            records=len(own),
            first=min(own),
            last=max(own),
            name=names.get(producer, ""),
        )
        for producer, own in sorted(offsets.items())
        if own
    )


async def _names(source: Cluster) -> dict[int, str]:
    """Return the transactional ids by their producers' ids, as far as coordinators tell."""
    found: dict[int, str] = {}
    for listed in (await list_transactions(source)).values():
        if not isinstance(listed, WireError):
            found |= {one.producer_id: one.id for one in listed}
    return found


async def _suspects(source: Cluster, partition: TopicPartition) -> tuple[int, ...]:
    """Return who wrote last, as the leader remembers it; nobody where it cannot be asked."""
    known = (await partition_producers(source, [partition])).get(partition)
    if known is None or isinstance(known, WireError):
        return ()
    newest = sorted(known, key=lambda one: -one.last_timestamp)
    return tuple(one.producer_id for one in newest[:3])
