"""A copy at work: readers, writers, settlers and the keeper, held together until they are done.

Owns the life of the tasks and what one tells another. Knows neither which topics are wanted nor how
anything looks; it is given lanes, and pushes facts out.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from kferry.copying.budget import Bucket, Budget
from kferry.copying.keeper import Keeper, Slot
from kferry.copying.lane import Lane, Phase
from kferry.copying.lease import Lease
from kferry.copying.overseer import Overseer
from kferry.copying.places import Places
from kferry.copying.reader import Reader
from kferry.copying.routes import Routes, Side
from kferry.copying.settler import Settler
from kferry.copying.writer import Writer
from kferry.errors import ExitCode, KferryError
from kferry.names import BrokerId, TopicName
from kferry.wire import Cluster, WireError

_TICK_S = 0.2
_DRAIN_S = 8.0
"""Of the ten seconds in which a stop must be over."""
_MARGIN_MS = 10 * 60 * 1000
_DAY_MS = 24 * 3600 * 1000


class TargetSilent(KferryError):
    """The target did not answer for longer than anybody wants to wait."""

    code = "K450"
    exit_code = ExitCode.TRY_AGAIN


@dataclass(frozen=True, slots=True, kw_only=True)
class Clusters:
    """The two sides, each with connections for data and others for questions."""

    source: Cluster
    source_data: Cluster
    target: Cluster
    target_data: Cluster


@dataclass(slots=True, kw_only=True)
class Settings:
    """How a copy is to behave."""

    until_caught_up: bool
    record_gaps: bool = False
    rate: int | None = None
    relaxed: bool = False
    """Five batches in flight even where the broker may have forgotten us (`pipelining`)."""
    remembered_ms: int = _DAY_MS
    """The target's `producer.id.expiration.ms`."""
    patience_s: float = 300.0
    """How long a copy that is to end bears a target that does not answer."""
    lease_s: float = 10.0
    memory: int = 24 << 20
    """Bytes between the two clusters; beside it stands what Python itself takes."""


@dataclass(slots=True, kw_only=True, eq=False)
class Engine:
    """One process's copy."""

    clusters: Clusters
    settings: Settings
    document: Callable[[], Mapping[str, Any] | None]
    """The newest snapshot, for the ledger."""
    slots: list[Slot]
    source_ids: dict[TopicName, str] = field(default_factory=dict)
    target_ids: dict[TopicName, str] = field(default_factory=dict)
    paused: bool = False
    budget: Budget = field(init=False)
    bucket: Bucket = field(init=False)
    lease: Lease = field(init=False)
    keeper: Keeper = field(init=False)
    routes: Routes = field(init=False)
    overseer: Overseer = field(init=False)
    _places: Places = field(init=False)
    _loops: list[asyncio.Task[None]] = field(default_factory=list)
    _untold: list[Lane] = field(default_factory=list)
    """Lanes that the ledger may not know yet: they must not flow before it does."""

    def __post_init__(self) -> None:
        self.budget = Budget(self.settings.memory)
        self.bucket = Bucket(self.settings.rate)
        self.lease = Lease(self.settings.lease_s)
        self.keeper = Keeper(
            self.slots, self.lease, snapshot=self.document, regained=self._regained
        )

    @property
    def lanes(self) -> list[Lane]:
        """All lanes of all slots."""
        return [lane for slot in self.slots for lane in slot.lanes]

    async def run(
        self, stop: asyncio.Event, *, every_second: Callable[[], Awaitable[None]]
    ) -> None:
        """Copy until caught up, or until asked to stop; `finish` is the caller's.

        `every_second` is called about once a second: for progress, wishes, new topics.
        """
        # New lanes are written down, and every slot proven ours, before the first record.
        await self.keeper.begin()
        try:
            async with asyncio.TaskGroup() as group:
                tasks = self._start(group, every_second)
                await self._until_done(stop)
                await self._drain()
                for task in (*tasks, *self._loops):
                    task.cancel()
        except* KferryError as errors:
            raise _first(errors) from None

    async def finish(self) -> bool:
        """Leave the last checkpoint behind, if the target takes it; nothing is written after it."""
        return await self.keeper.finish()

    @property
    def readers(self) -> Iterable[Reader]:
        """The loops at the source's brokers."""
        return self.routes.readers.values()

    @property
    def writers(self) -> Iterable[Writer]:
        """The loops at the target's brokers."""
        return self.routes.writers.values()

    @property
    def health(self) -> str:
        """What is wrong with the clusters, if anything is."""
        behind = {side: number for side, number in self.routes.under_replicated.items() if number}
        if not behind:
            return ""
        said = " and ".join(
            f"{number:,} {side} partitions lack replicas" for side, number in behind.items()
        )
        return said if self.bucket.brake is None else f"at half the pace: {said}"

    async def take_in(self, lanes: Iterable[Lane]) -> None:
        """Take in lanes while running; the ledger knows them before anything is written."""
        for lane in lanes:
            self.slots[lane.slot].lanes.append(lane)
            self._untold.append(lane)
        await self._tell()

    async def _tell(self) -> None:
        """Let new lanes flow, once they are written down; where that fails, they wait."""
        if not self._untold:
            return
        new = list(self._untold)
        await self.keeper.checkpoint()
        del self._untold[: len(new)]
        self.routes.add(new)
        for lane in new:
            if lane.phase is Phase.DOUBT:
                self.slots[lane.slot].doubt.set()

    def change_rate(self, rate: int | None) -> None:
        """Go at another rate."""
        self.bucket.change(rate)
        self.routes.wake_all()

    def pause(self, *, paused: bool) -> None:
        """Fetch nothing more, or again."""
        self.paused = paused
        self.routes.wake_all()

    def _start(
        self, group: asyncio.TaskGroup, every_second: Callable[[], Awaitable[None]]
    ) -> list[asyncio.Task[None]]:
        source = Side(
            name="source",
            cluster=self.clusters.source_data,
            topic_of=lambda lane: lane.source.topic,
            ids=self.source_ids,
        )
        target = Side(
            name="target",
            cluster=self.clusters.target_data,
            topic_of=lambda lane: lane.target.topic,
            ids=self.target_ids,
        )
        self._places = Places(
            self.clusters.source,
            ids=self.source_ids,
            record_gaps=self.settings.record_gaps,
            looked=self._may_be_read,
        )
        self.overseer = Overseer(
            self.bucket,
            patience=int(self.settings.patience_s) if self.settings.until_caught_up else None,
            look=self._places.look,
        )
        self.routes = Routes(
            source,
            target,
            make_reader=self._make_reader,
            make_writer=self._make_writer,
            spawn=lambda work: self._loops.append(group.create_task(work)),
            doubted=self._doubted,
            epoch_changed=self._places.look,
        )
        self.routes.add(self.lanes)
        settlers = [
            Settler(
                slot,
                source=self.clusters.source,
                target=self.clusters.target,
                keeper=self.keeper,
                settled=self._may_be_read,
            )
            for slot in self.slots
        ]
        for slot in self.slots:
            slot.doubt.set()
        works = [
            self.routes.keep(source),
            self.routes.keep(target),
            self.keeper.run(),
            self._places.run(),
            self._beat(every_second),
            *(settler.run() for settler in settlers),
        ]
        return [group.create_task(work) for work in works]

    async def _beat(self, every_second: Callable[[], Awaitable[None]]) -> None:
        while True:
            self.overseer.beat(
                self.lanes, behind=sum(self.routes.under_replicated.values()), paused=self.paused
            )
            with contextlib.suppress(WireError):  # the keeper says so, too
                await self._tell()
            await every_second()
            await asyncio.sleep(1.0)

    async def _until_done(self, stop: asyncio.Event) -> None:
        while not stop.is_set() and not self._finished():
            self._insist_on_target()
            try:
                async with asyncio.timeout(_TICK_S):
                    await stop.wait()
            except TimeoutError:
                continue

    def _finished(self) -> bool:
        lanes = self.lanes
        if all(lane.phase is Phase.STOPPED for lane in lanes):
            # Without a single lane there is nothing to catch up with; who follows waits for some.
            return bool(lanes) or self.settings.until_caught_up
        return self.settings.until_caught_up and all(
            lane.phase is Phase.STOPPED or (lane.phase is Phase.FLOWING and lane.caught_up)
            for lane in lanes
        )

    def _insist_on_target(self) -> None:
        since = self.keeper.silent_since
        if not self.settings.until_caught_up or since is None:
            return
        silent = self.lease.now() - since
        if silent > self.settings.patience_s:
            raise TargetSilent(
                f"the target has not taken a checkpoint for {silent:.0f} s",
                self.keeper.trouble,
                hint="when it answers again, run the same command: it goes on where this one was",
                changed="What was acknowledged before is on the target.",
            )

    async def _drain(self) -> None:
        """Let what is in flight arrive; nothing new is fetched or sent."""
        self.pause(paused=True)
        for lane in self.lanes:
            lane.refetch()
        deadline = self.lease.now() + _DRAIN_S
        while any(lane.in_flight for lane in self.lanes) and self.lease.now() < deadline:
            await asyncio.sleep(0.01)
            for lane in self.lanes:
                lane.refetch()

    def _make_reader(self, broker: BrokerId) -> Reader:
        reader = Reader(
            broker=broker,
            cluster=self.clusters.source_data,
            budget=self.budget,
            bucket=self.bucket,
            paused=lambda: self.paused,
            stale=lambda _: self.routes.source.stale.set(),
            out_of_range=self._places.look,
            given=self._given,
            prefer=self.routes.prefer,
        )
        self.budget.waiting.add(reader.wake)
        return reader

    def _make_writer(self, broker: BrokerId) -> Writer:
        remembered = self.settings.remembered_ms - _MARGIN_MS
        return Writer(
            broker=broker,
            cluster=self.clusters.target_data,
            may_write=self._may_write,
            remembered_ms=float("inf") if self.settings.relaxed else remembered,
            doubted=self._doubted,
        )

    def _may_write(self) -> bool:
        if self.lease.valid:
            return True
        # We were away: nothing that waits may go out before the ledger says that it is ours.
        for lane in self.lanes:
            if lane.phase is Phase.FLOWING:
                lane.doubt("the ledger was out of reach")
        self.clusters.target_data.drop_connections()
        return False

    def _regained(self) -> None:
        for slot in self.slots:
            slot.doubt.set()
        self.routes.wake_all()

    def _given(self, lane: Lane) -> None:
        if lane.queue:
            self.routes.offer(lane)

    def _doubted(self, lane: Lane) -> None:
        self.slots[lane.slot].doubt.set()
        self.routes.target.stale.set()

    def _may_be_read(self, lane: Lane) -> None:
        """Settled, or looked up: its reader waits for nothing else."""
        self.routes.wake_reader(lane)


def _first(errors: BaseExceptionGroup[KferryError]) -> KferryError:
    for error in errors.exceptions:
        return _first(error) if isinstance(error, BaseExceptionGroup) else error
    raise errors
