"""Where a lane stands in a source log that changed under it.

Owns the answer to "out of range": records that are gone become a gap or stop the lane, a log that
was cut back (an unclean election) always stops it. Never a silent jump.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping

from kferry.admin.leader_epochs import EpochEnd, ends_of_epochs
from kferry.admin.logs import LogReader, is_local
from kferry.admin.offsets import ListedOffset, Place, list_offsets
from kferry.copying.lane import Lane, Phase, Trouble
from kferry.names import TopicName, TopicPartition
from kferry.wire import Cluster, Metadata, Outcomes, UnsupportedApi, WireError
from kferry.wire.fetch import READ_COMMITTED

_PAUSE_S = 0.5
_LOOKS = 20
_A_BATCH = 1
"""Bytes: a broker gives one batch at least, and there may be thousands of lanes to look at."""
_REMOTE = "source: its remote storage has not given out what comes next"


def remade(side: str, lane: Lane, topic: TopicName, known: str, now: str) -> Trouble:
    """Say that a topic is another one of the same name (KIP-516)."""
    reason = f"{topic} on the {side} was deleted and made anew: topic id {known} before, {now} now"
    return Trouble(code="topic-recreated", reason=reason, offset=lane.copied_to)


class Places:
    """Looks lanes up, one batch of questions at a time."""

    def __init__(
        self,
        source: Cluster,
        *,
        ids: Mapping[TopicName, str],
        record_gaps: bool,
        looked: Callable[[Lane], None],
    ) -> None:
        self._source = source
        self._ids = ids
        self._record_gaps = record_gaps
        self._looked = looked
        self._waiting: dict[Lane, None] = {}
        self._short: dict[Lane, int] = {}
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
        try:
            metadata = await self._source.refresh({lane.source.topic for lane in lanes})
        except WireError as error:
            for lane in lanes:
                lane.hindrance = f"source: {error}"
            return lanes
        self._stop_remade(lanes, metadata)
        lanes = [lane for lane in lanes if lane.phase is not Phase.STOPPED]
        partitions = [lane.source for lane in lanes]
        # As it is when the questions are asked: what is in flight may arrive before the answers.
        copied = {lane: lane.copied_to for lane in lanes}
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
            try:
                stable = await self._nothing_until(lane, start.offset, end.offset)
            except WireError as error:
                lane.hindrance = f"source: {error}"
                again.append(lane)
                continue
            if stable is not None and lane.phase is Phase.FLOWING:
                lane.pass_over(stable)
            if self._may_wake_up(lane, copied[lane], end.offset, kept):
                again.append(lane)
                continue
            self._judge(lane, copied[lane], start, end, kept)
            lane.looking = False
            self._looked(lane)
        return again

    def _stop_remade(self, lanes: Iterable[Lane], metadata: Metadata) -> None:
        """The log of another topic of the same name tells nothing about ours."""
        for lane in lanes:
            name = lane.source.topic
            known, topic = self._ids.get(name), metadata.topics.get(name)
            now = None if topic is None or topic.id is None else str(topic.id)
            if known is not None and now is not None and now != known:
                lane.stop(remade("source", lane, name, known, now))

    async def _ends_of_epochs(self, lanes: list[Lane]) -> Outcomes[TopicPartition, EpochEnd]:
        known = {lane.source: lane.leader_epoch for lane in lanes if lane.leader_epoch >= 0}
        return await ends_of_epochs(self._source, known) if known else {}

    async def _nothing_until(self, lane: Lane, start: int, end: int) -> int | None:
        """Return the stable end if the log holds nothing before it: the cleaner took the last ones.

        No fetch ever gets past such a place; readers stand before it for ever.
        """
        if not start <= lane.fetched_to < end:
            return None
        log = LogReader(
            self._source, lane.source, lane.fetched_to, isolation=READ_COMMITTED, most=_A_BATCH
        )
        page = await log.page()
        stable = page.stable_end
        if page.records or stable <= log.offset:
            return None
        if not await is_local(self._source, lane.source, log.offset):
            lane.hindrance = _REMOTE
            return None
        return stable if lane.fetched_to == log.offset else None

    def _may_wake_up(self, lane: Lane, copied: int, end: int, kept: int | None) -> bool:
        """Whether a log that seems to end too early may just not know better yet.

        Before 2.2 a new leader tells a high watermark from before it was one (KIP-207). What the
        epochs say is sure.
        """
        sure = kept is not None and 0 <= kept < copied
        if end >= copied or sure:
            self._short.pop(lane, None)
            return False
        self._short[lane] = self._short.get(lane, 0) + 1
        lane.hindrance = f"source: {lane.source} ends before what was copied; looking again"
        return self._short[lane] < _LOOKS

    def _judge(
        self, lane: Lane, copied: int, start: ListedOffset, end: ListedOffset, kept: int | None
    ) -> None:
        if lane.phase is Phase.STOPPED:
            return
        log_end = end.offset if kept is None or kept < 0 else min(end.offset, kept)
        if log_end < copied:
            lost = copied - log_end
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
