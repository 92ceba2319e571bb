"""Fetching: one loop for each source broker, over all lanes it leads.

Owns the fetch session and what each answer means for a lane. What a broker cannot tell now is asked
again after a look at the metadata; what it can never tell again stops the lane, or becomes a gap.
"""

import asyncio
import contextlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from kferry.copying.budget import Bucket, Budget
from kferry.copying.intake import take
from kferry.copying.lane import Lane, Phase, Trouble
from kferry.copying.session import FetchSession
from kferry.names import BrokerId, TopicPartition
from kferry.wire import Cluster, WireError, error_name
from kferry.wire.fastpath import send_fetch
from kferry.wire.fetch import API_KEY, FetchAnswer, Fetched, FetchFrom

_LONG_WAIT_MS, _SHORT_WAIT_MS = 500, 10
_AT_ONCE = 4 << 20
_OF_ONE = 1 << 20
_MOST_OF_ONE = 4 << 20
_LEAST_ROOM = 256 * 1024
_PAUSE_S = 0.2
_SESSIONS_SINCE = 7
_OUT_OF_RANGE = 1
_DENIED = 29


@dataclass(slots=True, kw_only=True, eq=False)
class Reader:
    """The loop for one broker. `stale` is called with lanes whose leader must be looked up."""

    broker: BrokerId
    cluster: Cluster
    lanes: set[Lane] = field(default_factory=set)
    budget: Budget
    bucket: Bucket
    paused: Callable[[], bool]
    stale: Callable[[Iterable[Lane]], None]
    out_of_range: Callable[[Lane], None]
    given: Callable[[Lane], None]
    prefer: Callable[[Lane, BrokerId | None], None]
    """Told which replica to read a lane from (KIP-392); None: from its leader again."""
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    throttled_ms: int = 0
    _withheld: bool = False
    _asked: dict[Lane, FetchFrom] = field(default_factory=dict)

    async def run(self) -> None:
        """Fetch until cancelled."""
        while True:
            await self._wanted()  # a broker that leads nothing of ours is left alone
            try:
                connection = await self.cluster.connection(self.broker)
                newest = connection.versions.ranges.get(API_KEY, (0, 0))[1]
                session = FetchSession(incremental=newest >= _SESSIONS_SINCE)
                while not connection.closed:
                    wanted = await self._wanted()
                    await asyncio.sleep(connection.muted_for)  # a quota of the source
                    most = self.bucket.most(min(_AT_ONCE, self.budget.left))
                    question = session.ask(
                        wanted,
                        max_wait_ms=_SHORT_WAIT_MS if self._withheld else _LONG_WAIT_MS,
                        max_bytes=most,
                        rack=self.cluster.settings.rack,
                    )
                    answer = await send_fetch(
                        connection, question, seconds=self.cluster.limits.request
                    )
                    session.answered(answer)
                    await self._take_all(answer, session)
                    connection = await self.cluster.connection(self.broker)
            except WireError as error:
                for lane in self.lanes:
                    lane.hindrance = f"source: {error}"
                self.stale(self.lanes)
                await asyncio.sleep(_PAUSE_S)  # a broker in trouble is not to be hammered

    async def _wanted(self) -> dict[TopicPartition, FetchFrom]:
        """Wait until there is something to ask for, and room for it."""
        while True:
            self.wake.clear()
            pause = self.bucket.wait_s
            if not pause and not self.paused() and self.budget.left >= _LEAST_ROOM:
                wanted = self._open_lanes()
                if wanted:
                    return wanted
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause or None):
                    await self.wake.wait()

    def _open_lanes(self) -> dict[TopicPartition, FetchFrom]:
        open_ = [lane for lane in self.lanes if lane.phase is Phase.FLOWING and not lane.withheld]
        share = max(_LEAST_ROOM, min(_MOST_OF_ONE, self.budget.limit // max(1, len(open_))))
        wanted = {lane.source: self._from(lane) for lane in open_ if lane.held < share}
        # Lanes in doubt may stay so for hours: they are no reason to ask a hundred times a second.
        self._withheld = len(wanted) < len(open_)
        return wanted

    def _from(self, lane: Lane) -> FetchFrom:
        """Say where a lane stands; the same object as before while it stands there.

        Of thousands of partitions most stand still: telling so must cost nothing.
        """
        known = self._asked.get(lane)
        if known is None or known.offset != lane.fetched_to:
            known = self._asked[lane] = FetchFrom(
                partition=lane.source, offset=lane.fetched_to, max_bytes=_OF_ONE
            )
        return known

    async def _take_all(self, answer: FetchAnswer, session: FetchSession) -> None:
        by_source = {lane.source: lane for lane in self.lanes}
        self.throttled_ms += answer.throttle_ms
        stale: list[Lane] = []
        for fetched in answer.partitions:
            lane = by_source.get(fetched.partition)
            if lane is None or lane.phase is not Phase.FLOWING or lane.withheld:
                continue
            if session.offset(fetched.partition) != lane.fetched_to:
                continue  # it went back in the meantime: what came would leave a gap
            if fetched.error_code:
                self._failed(lane, fetched, stale)
            else:
                self._take(lane, fetched)
            if len(fetched.records) > _LEAST_ROOM:
                await asyncio.sleep(0)  # let batches go out while others are taken apart
        if stale:
            self.stale(stale)
            await asyncio.sleep(_PAUSE_S)  # an election takes a moment

    def _take(self, lane: Lane, fetched: Fetched) -> None:
        lane.end = max(lane.end, fetched.stable_end)
        if not fetched.records:
            if fetched.preferred_replica >= 0 and fetched.preferred_replica != self.broker:
                self.prefer(lane, BrokerId(fetched.preferred_replica))
            return
        self.bucket.spend(len(fetched.records))
        before = lane.fetched_to
        taken = take(
            fetched.records, position=lane.fetched_to, aborted=fetched.aborted, rules=lane.rules
        )
        if taken.position > before:
            lane.receive(taken)
        if taken.bad is not None:  # what lies before it is good, and arrives
            lane.stop_after_the_rest(
                Trouble(code="bad-source", reason=str(taken.bad), offset=taken.bad.offset)
            )
        if taken.position > before or taken.bad is not None:
            self.given(lane)

    def _failed(self, lane: Lane, fetched: Fetched, stale: list[Lane]) -> None:
        code = fetched.error_code
        name = error_name(code)
        self.prefer(lane, None)  # a follower may not have what its leader has
        if code == _OUT_OF_RANGE:
            self.out_of_range(lane)
        elif code == _DENIED:
            lane.stop(Trouble(code="denied", reason="Read on the source topic is missing"))
        else:
            lane.hindrance = f"source: {name}"
            stale.append(lane)
