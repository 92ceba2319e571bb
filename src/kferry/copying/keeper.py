"""Checkpoints: the ledger is told how far the lanes are, and tells in return that it is still ours.

Owns the slots and when they are written. A ledger that cannot be reached lets the lease run out: no
lane writes any more until it can.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from kferry.admin.producer_ids import ProducerIdentity
from kferry.copying.documents import Documents, Written, write_down
from kferry.copying.lane import Lane
from kferry.copying.lease import Lease
from kferry.ledger import SlotWriter
from kferry.wire import WireError

_EVERY_S = 1.0
_PULSE_S = 2.0
_FINISH_S = 8.0
OWNER = "owner"
SNAPSHOT = "snapshot"


@dataclass(slots=True, kw_only=True, eq=False)
class Slot:
    """A share of the partitions with one identity towards the brokers."""

    number: int
    transactional_id: str | None
    """None where the target grants none: then nobody can be shut out (see `Settler`)."""
    identity: ProducerIdentity
    writer: SlotWriter
    owner: Mapping[str, Any]
    """What we say about ourselves in its ledger partition."""
    clean_before: bool = False
    """Whether the former owner left nothing in doubt."""
    others: int = 0
    """Partitions of this slot that this run leaves alone."""
    lanes: list[Lane] = field(default_factory=list)
    doubt: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def left_clean(self) -> bool:
        """Whether the next owner may go on without settling anything."""
        if self.others and not self.clean_before:
            return False
        return not any(lane.uncertain or lane.in_flight for lane in self.lanes)


class Keeper:
    """Writes checkpoints."""

    def __init__(
        self,
        slots: list[Slot],
        lease: Lease,
        *,
        snapshot: Callable[[], Mapping[str, Any] | None],
        regained: Callable[[], None],
    ) -> None:
        self._slots = slots
        self._lease = lease
        self._snapshot = snapshot
        self._regained = regained
        self._pulse_at = 0.0
        self._busy = asyncio.Lock()
        self._written = 0
        """How many writes the ledger took."""
        self.trouble = ""
        self.silent_since: float | None = None
        """When the ledger was last reached, while it cannot be."""

    async def run(self) -> None:
        """Write checkpoints until cancelled. A ledger that is no longer ours ends everything."""
        while True:
            await asyncio.sleep(_EVERY_S)
            try:
                await self.checkpoint()
            except WireError as error:
                self.trouble = str(error)
                self.silent_since = self.silent_since or self._lease.now()
            else:
                self.trouble, self.silent_since = "", None

    async def checkpoint(self) -> None:
        """Write down what has changed, and give a sign of life."""
        async with self._busy, self._renewed() as began:
            for slot in self._slots:
                await self._write(slot, self._signs_of_life(slot, began))

    async def begin(self) -> None:
        """Write new lanes down and prove every slot ours, before the first record."""
        began = self._lease.now()
        await asyncio.gather(*map(self._prove, self._slots))
        for slot in self._slots:
            await self._write(slot, [])
        self._lease.renew(began)

    async def _prove(self, slot: Slot) -> None:
        await slot.writer.write([[(OWNER, slot.owner)]])
        self._written += 1

    async def prove(self, slot: Slot) -> None:
        """Insist that a slot is still ours: its ledger partition takes a write of ours."""
        async with self._busy, self._renewed():
            await self._prove(slot)

    @asynccontextmanager
    async def _renewed(self) -> AsyncIterator[float]:
        """Renew the lease by what is written within; where it had run out, look who came after us.

        A machine may sleep for longer than the brokers remember that a newcomer shut us out.
        """
        had, began = self._lease.valid, self._lease.now()
        if not had:
            for slot in self._slots:
                await slot.writer.insist(OWNER, "id", slot.owner["id"])
        before = self._written
        yield began
        if self._written > before:
            kept = had and self._lease.valid  # a slow write may have outlasted it
            self._lease.renew(began)
            if not kept:
                self._regained()

    async def finish(self) -> bool:
        """Write down the end, and the last snapshot: clean where nothing is in doubt.

        Whoever asked to stop does not wait for a target that is gone: False, and the next start
        compares.
        """
        try:
            async with asyncio.timeout(_FINISH_S), self._busy:
                await asyncio.gather(*map(self._finish, self._slots))
        except TimeoutError:
            return False
        return True

    async def _finish(self, slot: Slot) -> None:
        owner = {**slot.owner, "state": "stopped", "clean": slot.left_clean}
        last: Documents = [(OWNER, owner)]
        if slot.number == 0 and (snapshot := self._snapshot()) is not None:
            last.append((SNAPSHOT, snapshot))
        await self._write(slot, [last])

    def _signs_of_life(self, slot: Slot, now: float) -> list[Documents]:
        if slot.number != self._slots[0].number or now - self._pulse_at < _PULSE_S:
            return []
        self._pulse_at = now
        snapshot = self._snapshot()
        return [[(OWNER, slot.owner) if snapshot is None else (SNAPSHOT, snapshot)]]

    async def _write(self, slot: Slot, extra: list[Documents]) -> None:
        groups: list[Documents] = []
        written: list[tuple[Lane, Written]] = []
        for lane in slot.lanes:
            if lane.changed:
                own, outcome = write_down(lane)
                groups += own
                written.append((lane, outcome))
                lane.changed = False
        groups += extra
        if not groups:
            return
        try:
            await slot.writer.write(groups)
        except BaseException:
            for lane, _ in written:
                lane.changed = True
            raise
        self._written += 1
        for lane, outcome in written:
            outcome.forget(lane)
