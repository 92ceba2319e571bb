"""Settling: before a log is continued, it is known what it holds (design §6, rule 2).

Owns the order of the steps: prove that the slot is ours, shut former writers out with a marker in
every partition, wait for the marker, read and align what lies before it. Writes no record.
"""

import asyncio
import contextlib
from collections.abc import Callable

from kferry.admin.offsets import ListedOffset, Place, list_offsets
from kferry.admin.producer_ids import (
    Fenced,
    ProducerIdentity,
    abort_empty_transaction,
    init_producer_id,
)
from kferry.copying.keeper import Keeper, Slot
from kferry.copying.lane import Lane, Phase, Trouble
from kferry.copying.tail import CannotSettle, settle_tail
from kferry.errors import KferryError
from kferry.names import TopicPartition
from kferry.wire import Cluster, WireError

_AT_ONCE = 16
_USE_S = 3600.0
_AT_REST_S = 5.0
"""Longer than a request takes that was on its way when its connection was closed."""
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.1, 5.0


class Settler:
    """Settles the lanes of one slot, whenever some are in doubt."""

    def __init__(
        self,
        slot: Slot,
        *,
        source: Cluster,
        target: Cluster,
        keeper: Keeper,
        settled: Callable[[Lane], None],
    ) -> None:
        self._slot = slot
        self._source, self._target = source, target
        self._keeper = keeper
        self._settled = settled
        self._room = asyncio.Semaphore(_AT_ONCE)

    async def run(self) -> None:
        """Settle until cancelled; what cannot be settled now is tried again, ever more slowly."""
        pause = _FIRST_PAUSE_S
        while True:
            if not self._in_doubt():
                pause = _FIRST_PAUSE_S
                await self._until_in_doubt()
                continue
            try:
                await self._settle(self._in_doubt())
            except (WireError, Fenced) as error:
                # Fenced: somebody took a newer epoch; whether the slot is theirs, the ledger says.
                for lane in self._in_doubt():
                    lane.hindrance = f"settling: {error}"
            if self._in_doubt():
                await asyncio.sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE_S)

    async def _until_in_doubt(self) -> None:
        """Wait; meanwhile keep our transactional id from being forgotten.

        After a week of disuse (`transactional.id.expiration.ms`) a newcomer would get a producer id
        that has nothing to do with ours, and could not shut us out.
        """
        self._slot.doubt.clear()
        try:
            async with asyncio.timeout(_USE_S):
                await self._slot.doubt.wait()
        except TimeoutError:
            if self._slot.transactional_id is None:
                return
            with contextlib.suppress(WireError, Fenced):
                await self._keeper.prove(self._slot)
                self._slot.identity = await init_producer_id(
                    self._target, self._slot.transactional_id
                )

    def _in_doubt(self) -> list[Lane]:
        return [lane for lane in self._slot.lanes if lane.phase is Phase.DOUBT]

    async def _settle(self, lanes: list[Lane]) -> None:
        await self._keeper.prove(self._slot)
        led = await self._led(lanes)
        if not led:
            return
        if self._slot.transactional_id is None:
            await self._settle_without_a_fence(led)
        else:
            await self._settle_behind_a_fence(led, self._slot.transactional_id)

    async def _settle_behind_a_fence(self, lanes: list[Lane], transactional_id: str) -> None:
        """Put a marker into each log: what comes late from a former writer is refused."""
        identity = await init_producer_id(self._target, transactional_id)
        outcomes = await abort_empty_transaction(
            self._target, transactional_id, identity, [lane.target for lane in lanes]
        )
        self._slot.identity = identity
        async with asyncio.TaskGroup() as group:
            for lane in lanes:
                if (refusal := outcomes[lane.target]) is not None:
                    lane.hindrance = f"settling: {refusal}"
                else:
                    group.create_task(self._one(lane, identity))

    async def _settle_without_a_fence(self, lanes: list[Lane]) -> None:
        """Wait until the logs stand still; who would write after that is not kept from it."""
        identity = await init_producer_id(self._target, None)
        ends = await self._ends_at_rest([lane.target for lane in lanes])
        self._slot.identity = identity
        async with asyncio.TaskGroup() as group:
            for lane in lanes:
                end = ends[lane.target]
                if isinstance(end, WireError):
                    lane.hindrance = f"settling: {end}"
                else:
                    group.create_task(self._one(lane, identity, end=end))

    async def _ends_at_rest(
        self, partitions: list[TopicPartition]
    ) -> dict[TopicPartition, int | WireError]:
        before: dict[TopicPartition, int | WireError] = {}
        while True:
            found = await list_offsets(self._target, partitions, Place.END)
            ends = {
                one: listed.offset if isinstance(listed, ListedOffset) else listed
                for one, listed in found.items()
            }
            known = [one for one in partitions if not isinstance(ends[one], WireError)]
            if before and all(before.get(one) == ends[one] for one in known):
                return ends
            before = ends
            await asyncio.sleep(_AT_REST_S)

    async def _led(self, lanes: list[Lane]) -> list[Lane]:
        """Leave out partitions without a leader: their marker would hold up all the others."""
        metadata = await self._target.refresh({lane.target.topic for lane in lanes})
        led = [lane for lane in lanes if metadata.leader(lane.target) is not None]
        for lane in lanes:
            if lane not in led:
                lane.hindrance = f"settling: {lane.target} has no leader just now"
        return led

    async def _one(self, lane: Lane, identity: ProducerIdentity, *, end: int | None = None) -> None:
        async with self._room:
            try:
                await settle_tail(self._source, self._target, lane, identity, end=end)
            except WireError as error:
                lane.hindrance = f"settling: {error}"
            except CannotSettle as error:
                lane.stop(Trouble(code=error.code, reason=error.reason, offset=error.offset))
            except KferryError:
                raise
            else:
                self._settled(lane)
