"""The verb `messages compare`: one topic on both sides, next to each other.

Owns which record of one side is which of the other: by the ledger's offset map, never by guessing.
Writes nothing.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from kferry.admin.offsets import Place, offsets_at
from kferry.config import ClusterSettings
from kferry.errors import ExitCode, KferryError
from kferry.messages import Ends, Message, ends_of, partitions_of, record_at
from kferry.migration.looking import LIMITS, maps_of, topic_of
from kferry.migration.maps import Maps
from kferry.names import PartitionId, SourceOffset, TargetOffset, TopicName, TopicPartition
from kferry.offsets import NotYet, OffsetMap
from kferry.offsets import Place as MapPlace
from kferry.wire import Cluster, open_cluster

_FIELDS = ("key", "value", "headers", "timestamp")


class NoMap(KferryError):
    """Which record is which, nobody knows: no copy of this migration has been here."""

    code = "K274"
    exit_code = ExitCode.USAGE


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What is compared."""

    source: ClusterSettings
    target: ClusterSettings
    topic: TopicName
    """By its name on the source."""
    migration: str | None = None
    partitions: tuple[PartitionId, ...] = ()
    seconds: float = 5.0
    """Between two looks at the ends; 0: no rates."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One partition on one side."""

    ends: Ends
    per_minute: float | None
    """Offsets by which it grew, while it was looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One partition on both sides. None: it is not there, or nobody knows."""

    source: TopicPartition
    target: TopicPartition
    here: Side | None
    there: Side | None
    copied_to: int | None
    """The source offset that the copy's last checkpoint stands at."""
    lag: int | None
    newest_copied: int | None
    """The source offset of the last record copied."""
    newest_same: bool | None
    """Whether the last record copied is on the target what it is on the source."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Paired:
    """One record on both sides."""

    source: TopicPartition
    target: TopicPartition
    here: Message | None
    there: Message | None
    place: str
    """What lies at the offset that was asked for: `record`, `hole`, `end`, `before-start`,
    `not-yet`."""
    differs: tuple[str, ...]

    @property
    def same(self) -> bool:
        """Whether both are there and nothing differs."""
        return self.here is not None and self.there is not None and not self.differs


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sides:
    source: Cluster
    target: Cluster
    topic: TopicName
    target_topic: TopicName
    maps: Maps | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """All partitions that were meant, and whether a copy is known."""

    migration_known: bool
    partitions: Sequence[Compared]


async def compare(wanted: Comparison) -> Overview:
    """Look at both ends of each partition on both sides, and at how fast they grow."""
    async with _open(wanted) as sides:
        here = await partitions_of(sides.source, sides.topic, wanted.partitions)
        everywhere = await partitions_of(sides.target, sides.target_topic, ())
        there = [one for one in everywhere if one.partition in {p.partition for p in here}]
        (source_ends, source_pace), (target_ends, target_pace) = await asyncio.gather(
            _look(sides.source, here, wanted.seconds), _look(sides.target, there, wanted.seconds)
        )
        compared = []
        for one in here:
            other = TopicPartition(sides.target_topic, one.partition)
            offsets = None if sides.maps is None else sides.maps.map_of(one)
            ends = source_ends[one]
            compared.append(
                Compared(
                    source=one,
                    target=other,
                    here=Side(ends=ends, per_minute=source_pace.get(one)),
                    there=Side(ends=target_ends[other], per_minute=target_pace.get(other))
                    if other in target_ends
                    else None,
                    copied_to=None if offsets is None else offsets.copied_to,
                    lag=None if offsets is None else max(0, ends.end - offsets.copied_to),
                    newest_copied=_newest_copied(offsets),
                    newest_same=await _newest_same(sides, one, offsets),
                )
            )
        return Overview(migration_known=sides.maps is not None, partitions=compared)


async def pair(
    wanted: Comparison, partition: PartitionId, offset: int, *, on_target: bool
) -> Paired:
    """Find one record on the other side, and look at both."""
    async with _open(wanted) as sides:
        await partitions_of(sides.source, sides.topic, [partition])
        source = TopicPartition(sides.topic, partition)
        target = TopicPartition(sides.target_topic, partition)
        offsets = None if sides.maps is None else sides.maps.map_of(source)
        if offsets is None:
            known = "has not begun" if sides.maps is not None else "is not known"
            raise NoMap(
                f"the copy of {source} {known}, so nobody can tell which record is which",
                hint="kferry status shows the migrations of this target; -m NAME names one",
                changed="Nothing was read.",
            )
        if on_target:
            return await _from_target(sides, source, target, offsets, offset)
        return await _from_source(sides, source, target, offsets, offset)


@asynccontextmanager
async def _open(wanted: Comparison) -> AsyncIterator[_Sides]:
    async with AsyncExitStack() as stack:
        source = await stack.enter_async_context(open_cluster(wanted.source, LIMITS))
        target = await stack.enter_async_context(open_cluster(wanted.target, LIMITS))
        maps = await maps_of(target, source=wanted.source, migration=wanted.migration)
        entry = None if maps is None else maps.topics.get(wanted.topic)
        name = wanted.topic if entry is None else entry.target
        await topic_of(source, wanted.topic)
        await topic_of(target, name)
        yield _Sides(source=source, target=target, topic=wanted.topic, target_topic=name, maps=maps)


async def _look(
    cluster: Cluster, partitions: Sequence[TopicPartition], seconds: float
) -> tuple[dict[TopicPartition, Ends], dict[TopicPartition, float]]:
    """Look at the ends; and how far they moved in so many seconds."""
    clock = asyncio.get_running_loop().time
    if not seconds:
        return await ends_of(cluster, partitions), {}
    before = await offsets_at(cluster, partitions, Place.END, committed=True)
    began = clock()
    await asyncio.sleep(seconds)
    ends = await ends_of(cluster, partitions)
    minutes = (clock() - began) / 60
    return ends, {one: (found.end - before[one]) / minutes for one, found in ends.items()}


def _newest_copied(offsets: OffsetMap | None) -> int | None:
    if offsets is None or not len(offsets.runs):
        return None
    run = offsets.runs[len(offsets.runs) - 1]
    return run.source + run.length - 1


async def _newest_same(
    sides: _Sides, source: TopicPartition, offsets: OffsetMap | None
) -> bool | None:
    """Compare the last record that the map knows."""
    if offsets is None or not len(offsets.runs):
        return None
    run = offsets.runs[len(offsets.runs) - 1]
    target = TopicPartition(sides.target_topic, source.partition)
    here = await _exactly_at(sides.source, source, run.source + run.length - 1)
    there = await _exactly_at(sides.target, target, run.target + run.length - 1)
    if here is None or there is None:
        return None
    return not _differences(here, there)


async def _from_source(
    sides: _Sides, source: TopicPartition, target: TopicPartition, offsets: OffsetMap, offset: int
) -> Paired:
    found = offsets.to_target(SourceOffset(offset))
    here = await record_at(sides.source, source, offset)
    if isinstance(found, NotYet):
        return _paired(source, target, here, None, "not-yet")
    if found.place is MapPlace.END:
        return _paired(source, target, here, None, found.place)
    if found.place is not MapPlace.RECORD:
        back = offsets.to_source(TargetOffset(found.offset))
        here = await _exactly_at(sides.source, source, back.offset)
    there = await _exactly_at(sides.target, target, found.offset)
    return _paired(source, target, here, there, found.place)


async def _from_target(
    sides: _Sides, source: TopicPartition, target: TopicPartition, offsets: OffsetMap, offset: int
) -> Paired:
    there = await record_at(sides.target, target, offset)
    if offset >= offsets.target_end:
        return _paired(source, target, None, there, "not-yet")
    found = offsets.to_source(TargetOffset(offset))
    here = await _exactly_at(sides.source, source, found.offset)
    return _paired(source, target, here, there, found.place)


async def _exactly_at(cluster: Cluster, partition: TopicPartition, offset: int) -> Message | None:
    found = await record_at(cluster, partition, offset)
    return found if found is not None and found.offset == offset else None


def _paired(
    source: TopicPartition,
    target: TopicPartition,
    here: Message | None,
    there: Message | None,
    place: str,
) -> Paired:
    differs = () if here is None or there is None else _differences(here, there)
    return Paired(
        source=source, target=target, here=here, there=there, place=place, differs=differs
    )


def _differences(here: Message, there: Message) -> tuple[str, ...]:
    return tuple(name for name in _FIELDS if getattr(here, name) != getattr(there, name))
