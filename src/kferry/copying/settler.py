"""Settling: before a log is continued, it is known what it holds (design §6, rule 2).

Owns the order of the steps: prove that the slot is ours, shut former writers out with a marker in
every partition, wait for the marker, read and align what lies before it. Writes no record.
"""

import asyncio
from collections.abc import Callable

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
from kferry.wire import Cluster, WireError

_AT_ONCE = 16
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
        stopped: Callable[[Lane], None],
    ) -> None:
        self._slot = slot
        self._source, self._target = source, target
        self._keeper = keeper
        self._settled, self._stopped = settled, stopped
        self._room = asyncio.Semaphore(_AT_ONCE)

    async def run(self) -> None:
        """Settle until cancelled; what cannot be settled now is tried again, ever more slowly."""
        pause = _FIRST_PAUSE_S
        while True:
            if not self._in_doubt():
                self._slot.doubt.clear()
                await self._slot.doubt.wait()
                pause = _FIRST_PAUSE_S
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

    def _in_doubt(self) -> list[Lane]:
        return [lane for lane in self._slot.lanes if lane.phase is Phase.DOUBT]

    async def _settle(self, lanes: list[Lane]) -> None:
        await self._keeper.prove(self._slot)
        led = await self._led(lanes)
        if not led:
            return
        identity = await init_producer_id(self._target, self._slot.transactional_id)
        outcomes = await abort_empty_transaction(
            self._target, self._slot.transactional_id, identity, [lane.target for lane in led]
        )
        self._slot.identity = identity
        async with asyncio.TaskGroup() as group:
            for lane in led:
                if (refusal := outcomes[lane.target]) is not None:
                    lane.hindrance = f"settling: {refusal}"
                else:
                    group.create_task(self._one(lane, identity))

    async def _led(self, lanes: list[Lane]) -> list[Lane]:
        """Leave out partitions without a leader: their marker would hold up all the others."""
        metadata = await self._target.refresh({lane.target.topic for lane in lanes})
        led = [lane for lane in lanes if metadata.leader(lane.target) is not None]
        for lane in lanes:
            if lane not in led:
                lane.hindrance = f"settling: {lane.target} has no leader just now"
        return led

    async def _one(self, lane: Lane, identity: ProducerIdentity) -> None:
        async with self._room:
            try:
                await settle_tail(self._source, self._target, lane, identity)
            except WireError as error:
                lane.hindrance = f"settling: {error}"
            except CannotSettle as error:
                lane.stop(Trouble(code=error.code, reason=error.reason, offset=error.offset))
                self._stopped(lane)
            except KferryError:
                raise
            else:
                self._settled(lane)
