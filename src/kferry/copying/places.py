"""Where a lane stands in a source log that changed under it.

Owns the answer to "out of range": records that are gone become a gap or stop the lane, a log that
was cut back (an unclean election) always stops it. Never a silent jump.
"""

import asyncio
from collections.abc import Callable

from kferry.admin.leader_epochs import EpochEnd, ends_of_epochs
from kferry.admin.offsets import ListedOffset, Place, list_offsets
from kferry.copying.lane import Lane, Phase, Trouble
from kferry.names import TopicPartition
from kferry.wire import Cluster, Outcomes, UnsupportedApi, WireError

_PAUSE_S = 0.5


class Places:
    """Looks lanes up, one batch of questions at a time."""

    def __init__(
        self, source: Cluster, *, record_gaps: bool, looked: Callable[[Lane], None]
    ) -> None:
        self._source = source
        self._record_gaps = record_gaps
        self._looked = looked
        self._waiting: dict[Lane, None] = {}
        self._asked = asyncio.Event()

    def look(self, lane: Lane) -> None:
        """Look a lane up; nothing is fetched for it until that is done."""
        lane.looking = True
        lane.refetch()
        self._waiting[lane] = None
        self._asked.set()

    async def run(self) -> None:
        """Look lanes up until cancelled."""
        while True:
            await self._asked.wait()
            self._asked.clear()
            lanes, self._waiting = list(self._waiting), {}
            if again := await self._look_up(lanes):
                await asyncio.sleep(_PAUSE_S)
                self._waiting |= dict.fromkeys(again)
                self._asked.set()

    async def _look_up(self, lanes: list[Lane]) -> list[Lane]:
        """Judge lanes by where their logs begin and end; return those that could not be asked."""
        partitions = [lane.source for lane in lanes]
        starts, ends, epochs = await asyncio.gather(
            list_offsets(self._source, partitions, Place.START),
            list_offsets(self._source, partitions, Place.END),
            self._ends_of_epochs(lanes),
        )
        again: list[Lane] = []
        for lane in lanes:
            start, end, epoch = starts[lane.source], ends[lane.source], epochs.get(lane.source)
            if isinstance(start, WireError) or isinstance(end, WireError):
                failure = start if isinstance(start, WireError) else end
                lane.hindrance = f"source: {failure}"
                again.append(lane)
                continue
            if isinstance(epoch, WireError) and not isinstance(epoch, UnsupportedApi):
                lane.hindrance = f"source: {epoch}"
                again.append(lane)
                continue
            kept = epoch.end_offset if isinstance(epoch, EpochEnd) else None
            self._judge(lane, start, end, kept)
            lane.looking = False
            self._looked(lane)
        return again

    async def _ends_of_epochs(self, lanes: list[Lane]) -> Outcomes[TopicPartition, EpochEnd]:
        known = {lane.source: lane.leader_epoch for lane in lanes if lane.leader_epoch >= 0}
        return await ends_of_epochs(self._source, known) if known else {}

    def _judge(self, lane: Lane, start: ListedOffset, end: ListedOffset, kept: int | None) -> None:
        if lane.phase is Phase.STOPPED:
            return
        log_end = end.offset if kept is None or kept < 0 else min(end.offset, kept)
        if log_end < lane.copied_to:
            lost = lane.copied_to - log_end
            reason = (
                f"the source lost {lost:,} offsets from {log_end:,} on that were copied already "
                "(an unclean election, or a topic made anew); the target still has them"
            )
            lane.stop(Trouble(code="source-truncated", reason=reason, offset=log_end))
        elif lane.phase is Phase.FLOWING and lane.fetched_to < start.offset:
            first, last = lane.fetched_to, start.offset - 1
            reason = (
                f"offsets {first:,} to {last:,} were gone from the source before they were copied"
            )
            if self._record_gaps:
                lane.leap(start.offset, "gone from the source before they were copied")
            else:
                reason += f" ({last - first + 1:,}); on_gap says to stop"
                lane.stop(Trouble(code="source-gap", reason=reason, offset=first))
            lane.changed = True
