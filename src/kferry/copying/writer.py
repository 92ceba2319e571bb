"""Producing: one loop for each target broker, over all lanes it leads.

Owns which batches go into a request, and what each answer means for a lane: acknowledged, in doubt,
or refused for good. Sends nothing again: what is in doubt is settled first.
"""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field

from kferry.copying.lane import Lane, Phase, Trouble, now_ms
from kferry.names import BrokerId
from kferry.wire import Cluster, Connection, WireError, error_name
from kferry.wire.fastpath import submit_produce
from kferry.wire.produce import Batch, ProduceAnswer, Produced

_REQUESTS = 5
_REQUEST_BYTES = 1 << 20
_TIMEOUT_MS = 20_000
"""How long the broker may wait for its replicas; less than we wait for the broker."""
_PAUSE_S = 0.2

_REFUSED = {
    2: "the broker calls the batch corrupt",
    10: "the broker takes no batch of this size (max.message.bytes)",
    18: "the broker takes no batch of this size (segment.bytes)",
    29: "Write on the target topic is missing",
    31: "IdempotentWrite on the target cluster is missing",
    32: "a timestamp lies outside of what the target allows (message.timestamp.*)",
    43: "the target stores a format too old for these records",
    44: "a policy of the target forbids it",
    76: "the target does not know this compression",
    87: "the target refuses a record (a compacted topic wants keys)",
}
"""Answers that will be the same the next time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sent:
    lane: Lane
    generation: int
    first_offset: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Request:
    sent: list[_Sent]
    answer: Coroutine[None, None, ProduceAnswer]


@dataclass(slots=True, kw_only=True, eq=False)
class Writer:
    """The loop for one broker."""

    broker: BrokerId
    cluster: Cluster
    lanes: set[Lane] = field(default_factory=set)
    may_write: Callable[[], bool]
    """The lease: whether we have heard from our ledger lately."""
    remembered_ms: float
    doubted: Callable[[Lane], None]
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    throttled_ms: int = 0
    _ready: dict[Lane, None] = field(default_factory=dict)
    _pending: asyncio.Queue[_Request] = field(default_factory=asyncio.Queue)
    _requests: int = 0

    def offer(self, lane: Lane) -> None:
        """Say that a lane has something to send."""
        self._ready[lane] = None
        self.wake.set()

    def release(self, lane: Lane) -> None:
        """Let go of a lane that another broker leads."""
        self.lanes.discard(lane)
        self._ready.pop(lane, None)

    @property
    def busy(self) -> bool:
        """Whether answers are awaited."""
        return self._requests > 0

    async def run(self) -> None:
        """Produce until cancelled."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._collect())
                await self._send_all()
        finally:
            while not self._pending.empty():
                self._pending.get_nowait().answer.close()

    async def _send_all(self) -> None:
        while True:
            self.wake.clear()
            if not self._ready or self._requests >= _REQUESTS:
                await self.wake.wait()
                continue
            connection = await self._connection()
            if connection is None:
                continue
            await connection.writable()
            if pause := connection.muted_for:
                await asyncio.sleep(pause)
                continue
            if not self.may_write() or not self._send(connection):
                await self.wake.wait()

    async def _collect(self) -> None:
        """Take the answers in the order of the requests.

        A task for each would not do: one that starts late finds its answer there and goes on at
        once, before another whose answer came first has been woken (measured).
        """
        while True:
            request = await self._pending.get()
            try:
                answer = await request.answer
            except WireError as error:
                self._lost(request.sent, error)
            else:
                self._answered(request.sent, answer)
            self._requests -= 1
            self.wake.set()

    async def _connection(self) -> Connection | None:
        try:
            return await self.cluster.connection(self.broker)
        except WireError as error:
            for lane in list(self._ready):
                lane.hindrance = f"target: {error}"
                self.doubted(lane)
            await asyncio.sleep(_PAUSE_S)
            return None

    def _send(self, connection: Connection) -> bool:
        """Send what may go; without a pause between numbering the batches and the socket."""
        now, size = now_ms(), 0
        batches: list[Batch] = []
        sent: list[_Sent] = []
        for lane in list(self._ready):
            if not lane.queue or lane.phase is not Phase.FLOWING:
                del self._ready[lane]
            elif lane.may_send(now, self.remembered_ms) and size < _REQUEST_BYTES:
                item = lane.next_item()
                size += item.size
                batches.append(Batch(lane.target, [item.parcel.batch]))
                sent.append(
                    _Sent(
                        lane=lane,
                        generation=lane.generation,
                        first_offset=item.parcel.stretches[0][0],
                    )
                )
                # Behind the others: each gets its turn when a request is full.
                del self._ready[lane]
                self._ready[lane] = None
        if not batches:
            return False
        try:
            answer = submit_produce(
                connection,
                batches,
                seconds=self.cluster.limits.request,
                timeout_ms=_TIMEOUT_MS,
            )
        except WireError as error:
            self._lost(sent, error)
        else:
            self._requests += 1
            self._pending.put_nowait(_Request(sent=sent, answer=answer))
        return True

    def _answered(self, sent: list[_Sent], answer: ProduceAnswer) -> None:
        self.throttled_ms += answer.throttle_ms
        found = {one.partition: one for one in answer.partitions}
        for one in sent:
            if one.generation == one.lane.generation and one.lane.phase is Phase.FLOWING:
                self._outcome(one, found.get(one.lane.target))

    def _lost(self, sent: list[_Sent], error: WireError) -> None:
        for one in sent:
            if one.generation == one.lane.generation:
                one.lane.doubt(f"target: {error}")
                self.doubted(one.lane)

    def _outcome(self, sent: _Sent, produced: Produced | None) -> None:
        lane = sent.lane
        if produced is None:
            lane.doubt("target: the broker's answer left this partition out")
            self.doubted(lane)
        elif produced.error_code == 0:
            self._acknowledged(lane, produced.base_offset)
        elif produced.error_code in _REFUSED:
            name = error_name(produced.error_code)
            detail = produced.error_message or _REFUSED[produced.error_code]
            reason = f"{name}: {detail}"
            lane.stop(Trouble(code="refused", reason=reason, offset=sent.first_offset))
        else:
            lane.doubt(f"target: {error_name(produced.error_code)}")
            self.doubted(lane)

    def _acknowledged(self, lane: Lane, base_offset: int) -> None:
        if base_offset != lane.next_target:
            reason = (
                f"somebody else writes to {lane.target}: a batch got offset {base_offset:,} "
                f"instead of {lane.next_target:,}"
            )
            lane.stop(Trouble(code="foreign-writer", reason=reason, offset=lane.copied_to))
            return
        lane.arrived(base_offset)
        if lane.queue:
            self._ready[lane] = None
