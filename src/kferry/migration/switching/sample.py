"""The next records of groups, read on both sides and compared one by one.

Owns how many are taken from where. Which record is which, the copy's maps say; how two records are
compared is `verify`'s. Reads without a group, and writes nothing.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kferry.admin.offsets import Place, offsets_at
from kferry.copying import Clusters
from kferry.migration.maps import Maps
from kferry.names import GroupId, TopicPartition
from kferry.offsets import OffsetMap, next_records, shares
from kferry.topics.effective import effective_configs
from kferry.verify import Difference, Job, Sides, Tally, Task, Throttle
from kferry.wire import Cluster, WireError

RECORDS = 100
"""Of each group."""
_TIMES, _CLEANUP = "message.timestamp.type", "cleanup.policy"


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """Where a group goes on in one partition, on both sides."""

    source: TopicPartition
    source_offset: int
    target: TopicPartition
    target_offset: int
    """As it was read back from the shadow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Apart:
    """A place where the next records are not the same."""

    group: GroupId
    partition: TopicPartition
    """By its name on the source."""
    difference: Difference


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """What became of one group's next records."""

    group: GroupId
    positions: int
    tally: Tally
    apart: tuple[Apart, ...] = ()
    troubles: tuple[str, ...] = ()
    """What could not be read."""

    @property
    def same(self) -> bool:
        """Whether everything that was read is the same."""
        return self.tally.clean and not self.apart and not self.troubles


@dataclass(frozen=True, slots=True, kw_only=True)
class _Logs:
    """What both sides said of the partitions before anything was read."""

    source_starts: Mapping[TopicPartition, int]
    source_ends: Mapping[TopicPartition, int]
    target_starts: Mapping[TopicPartition, int]
    settings: Mapping[str, Mapping[str, str]]
    """Of the target's topics."""


async def compare_next(
    clusters: Clusters,
    maps: Maps,
    starts: Mapping[GroupId, Sequence[Start]],
    *,
    stop: asyncio.Event,
    most: int = RECORDS,
) -> list[Sample]:
    """Compare the next records of each group."""
    everywhere = {one.source: one.target for own in starts.values() for one in own}
    logs = await _look(clusters.source, clusters.target, everywhere)
    sides = Sides(
        source=clusters.source_data,
        target=clusters.target_data,
        refresh_source=lambda: clusters.source_data.refresh({one.topic for one in everywhere}),
        refresh_target=lambda: clusters.target_data.refresh(
            {one.topic for one in everywhere.values()}
        ),
    )
    await asyncio.gather(sides.refresh_source(), sides.refresh_target())
    found = []
    for group, own in sorted(starts.items()):
        if stop.is_set():
            break
        found.append(
            await _one(group, own, maps=maps, logs=logs, sides=sides, stop=stop, most=most)
        )
    return found


async def _one(
    group: GroupId,
    starts: Sequence[Start],
    *,
    maps: Maps,
    logs: _Logs,
    sides: Sides,
    stop: asyncio.Event,
    most: int,
) -> Sample:
    there = {one: offsets for one in starts if (offsets := maps.map_of(one.source)) is not None}
    longest = {
        one: next_records(offsets, one.source_offset, most) for one, offsets in there.items()
    }
    wanted = shares({one: part.runs.records for one, part in longest.items()}, most)
    parts = {one: next_records(there[one], one.source_offset, wanted[one]) for one in there}
    apart = [
        Apart(
            group=group,
            partition=one.source,
            difference=Difference(
                one.source_offset,
                one.target_offset,
                f"the next record lies at {part.runs[0].target:,} on the target, by the copy's map",
            ),
        )
        for one, part in parts.items()
        if len(part.runs) and part.runs[0].target != one.target_offset
    ]
    tasks = [_task(one, part, logs) for one, part in parts.items() if len(part.runs)]
    job = Job(tasks=tasks, sides=sides, throttle=Throttle(None))
    await job.run(stop)
    total = Tally()
    for task in tasks:
        total.add(job.found[task.source].tally)
        apart += [
            Apart(group=group, partition=task.source, difference=one)
            for one in job.found[task.source].differences
        ]
    return Sample(
        group=group,
        positions=len(starts),
        tally=total,
        apart=tuple(apart),
        troubles=tuple(f"{one}: {why}" for one, why in sorted(job.troubles.items())),
    )


def _task(start: Start, part: OffsetMap, logs: _Logs) -> Task:
    settings = logs.settings[start.target.topic]
    return Task(
        source=start.source,
        target=start.target,
        offsets=part,
        source_start=logs.source_starts[start.source],
        source_end=logs.source_ends[start.source],
        target_start=logs.target_starts[start.target],
        target_end=part.target_end,
        timestamps=settings.get(_TIMES) != "LogAppendTime",
        target_compacts="compact" in settings.get(_CLEANUP, ""),
        # Every record is looked at, whatever the batches' bytes say.
        bytes_suffice=False,
        since=part.begins,
    )


async def _look(
    source: Cluster, target: Cluster, places: Mapping[TopicPartition, TopicPartition]
) -> _Logs:
    source_starts, source_ends, target_starts, configs = await asyncio.gather(
        offsets_at(source, places, Place.START),
        offsets_at(source, places, Place.END, committed=True),
        offsets_at(target, places.values(), Place.START),
        effective_configs(target, {one.topic for one in places.values()}),
    )
    return _Logs(
        source_starts=source_starts,
        source_ends=source_ends,
        target_starts=target_starts,
        settings={
            topic: {}
            if isinstance(found, WireError)
            else {name: one.value for name, one in found.items() if one.value is not None}
            for topic, found in configs.items()
        },
    )
