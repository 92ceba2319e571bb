"""Whether a cluster's logs stand still, and whether that can be told at all.

Owns the watch over their ends. A partition that is written to every few minutes looks silent for
ten seconds, too: where its records come further apart than the time watched, nothing is told.
"""

import time
from collections.abc import Collection
from dataclasses import dataclass, field

from kferry.admin.offsets import ListedOffset, Place, list_offsets
from kferry.names import TopicPartition
from kferry.wire import Cluster

_LOOK_BACK_S = 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """What was seen just now."""

    moving: tuple[TopicPartition, ...]
    """Whose end has moved within the time that was watched, or was not watched for so long."""
    open: dict[TopicPartition, tuple[int, int]]
    """Where a transaction is open: the last stable offset, and the end."""
    untold: tuple[TopicPartition, ...]
    """Where records come too far apart to tell."""
    unasked: dict[TopicPartition, str]
    ends: dict[TopicPartition, int]
    shortest_s: float
    """How long the partition that moved last has stood still."""


@dataclass(slots=True, kw_only=True)
class SilenceWatch:
    """Looks again and again at the ends of the same logs."""

    cluster: Cluster
    seconds: float
    _ends: dict[TopicPartition, int] = field(default_factory=dict)
    _since: dict[TopicPartition, float] = field(default_factory=dict)
    _pace: dict[TopicPartition, float] = field(default_factory=dict)
    """Mean seconds between two records, lately."""

    async def look(self, partitions: Collection[TopicPartition]) -> Silence:
        """Look once."""
        ends = await list_offsets(self.cluster, partitions, Place.END)
        stable = await list_offsets(self.cluster, partitions, Place.END, committed=True)
        await self._learn_pace(partitions)
        now = time.monotonic()
        unasked, found, open_ = {}, {}, {}
        for partition in partitions:
            end, last_stable = ends[partition], stable[partition]
            if not isinstance(end, ListedOffset):
                unasked[partition] = str(end)
                self._since.pop(partition, None)
                continue
            found[partition] = end.offset
            if self._ends.get(partition) != end.offset or partition not in self._since:
                self._since[partition] = now
            self._ends[partition] = end.offset
            if isinstance(last_stable, ListedOffset) and last_stable.offset < end.offset:
                open_[partition] = (last_stable.offset, end.offset)
        still = {partition: now - self._since[partition] for partition in found}
        return Silence(
            moving=tuple(one for one, seconds in still.items() if seconds < self.seconds),
            open=open_,
            untold=tuple(one for one in found if self._pace.get(one, 0.0) > self.seconds),
            unasked=unasked,
            ends=found,
            shortest_s=min(still.values(), default=0.0),
        )

    async def _learn_pace(self, partitions: Collection[TopicPartition]) -> None:
        """Learn how often records came, from what was written in the last hour."""
        new = [one for one in partitions if one not in self._pace]
        if not new:
            return
        since = int((time.time() - _LOOK_BACK_S) * 1000)
        then = await list_offsets(self.cluster, new, since)
        ends = await list_offsets(self.cluster, new, Place.END)
        for partition in new:
            first, end = then[partition], ends[partition]
            if not isinstance(first, ListedOffset) or not isinstance(end, ListedOffset):
                continue
            count = end.offset - first.offset if first.offset >= 0 else 0
            self._pace[partition] = _LOOK_BACK_S / count if count > 0 else float("inf")
