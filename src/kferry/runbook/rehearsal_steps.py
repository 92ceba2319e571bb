"""What a rehearsal tries of each step, on two real clusters.

Owns the questions, step by step. What follows from an answer is said elsewhere.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from kferry.admin.offsets import Place, offsets_at
from kferry.groups import look_there
from kferry.migration.switching.left import left_to_read
from kferry.migration.switching.open_transactions import open_transactions
from kferry.migration.switching.sample import Sample
from kferry.migration.switching.shadow import Shadows
from kferry.migration.switching.silence import Silence, SilenceWatch
from kferry.runbook import group_readings, readings
from kferry.runbook import rehearsal_readings as told
from kferry.runbook.comparing import Comparison
from kferry.runbook.dry import fence_now, unset_now, way_back_now
from kferry.runbook.interruption import Piece, tail
from kferry.runbook.operations import Reading
from kferry.runbook.rehearsal_ground import PATIENCE_S, Ground, insist_on_groups, pause
from kferry.runbook.rehearsal_positions import Positions
from kferry.runbook.rights import rights

_NOT_FENCED = "not put up in a rehearsal; how long the brokers take to learn of it is not measured"
_DRAINED_BY = "consumers do that at their own pace; nothing to try"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """What was measured of a step, and what was left out."""

    readings: Sequence[Reading] = ()
    remark: str = ""


@dataclass(slots=True, kw_only=True)
class Tries:
    """Tries step after step; remembers what the expected interruption is made of."""

    ground: Ground
    silence_s: float
    producers_stopped: bool
    shadows: Shadows
    comparison: Comparison
    narrate: Callable[[str], None]
    stop: asyncio.Event
    samples: list[Sample] = field(default_factory=list)
    took: dict[str, list[Piece]] = field(default_factory=dict)

    async def clear_up(self) -> None:
        """Take away what a rehearsal that was killed has left; insist that all names are free."""
        ids = [group.id for group in await self.ground.groups()]
        await insist_on_groups(self.ground, ids)
        left = await self.shadows.look(ids)
        await self.shadows.insist_on_rights(ids)
        if left:
            self.narrate(f"takes away what a rehearsal that was killed has left: {', '.join(left)}")
            await self.shadows.take_away(left)

    async def of(self, step: str, *, vouched: bool) -> Tried:
        """Try one. `vouched`: a hook has just done what it is about."""
        measures: Mapping[str, Callable[[], Awaitable[Tried]]] = {
            "look": self._look,
            "follow": self._follow,
            "verify": self._verify,
            "silence": self._silence,
            "fence": self._fence,
            "consumers-stop": self._members,
            "tail": self._tail,
            "positions": self._positions,
            "mark": self._mark,
            "arm": self._arm,
            "drain": self._drain,
        }
        tried = await measures[step]() if step in measures else Tried()
        if not (vouched or self.producers_stopped):
            return tried
        return replace(tried, readings=[_with_word(one) for one in tried.readings])

    def _took(self, step: str, what: str, began: float) -> None:
        seconds = time.monotonic() - began
        self.took.setdefault(step, []).append(Piece(step=step, what=what, seconds=seconds))

    async def _look(self) -> Tried:
        ground, scope = self.ground, self.ground.scope
        groups = await self.ground.groups()
        ids = [group.id for group in groups]
        found = [
            group_readings.groups_found(groups, scope),
            group_readings.nobody_there(await look_there(ground.target, ids, to_write=False)),
            await rights(ground.sides, scope, ids, ground.migration),
            *await unset_now(ground.sides, ground.record, scope),
            *await way_back_now(ground.sides, ground.record, scope),
            *await fence_now(ground.sides, ground.record),
        ]
        if not ground.scheme.copies:
            here = await scope.source_partitions(ground.source)
            there = await scope.target_partitions(ground.target, insist=False)
            starts = await offsets_at(ground.target, there, Place.START)
            ends = await offsets_at(ground.target, there, Place.END)
            found.append(readings.empty(scope, here, starts, ends))
        return Tried(readings=found)

    async def _follow(self) -> Tried:
        """Look until a copy at work is near; nobody else could bring it nearer."""
        until = time.monotonic() + PATIENCE_S
        while True:
            behind = await self.ground.behind()
            if behind.reading.passed or not told.copies_now(behind.snapshot):
                return Tried(readings=[behind.reading])
            if time.monotonic() >= until:
                return Tried(readings=[behind.reading])
            await pause(self.stop)

    async def _verify(self) -> Tried:
        return Tried(readings=[await self.comparison.run()])

    async def _silence(self) -> Tried:
        ground = self.ground
        self.took["silence"] = [
            Piece(step="silence", what="ends stand still (--silence)", seconds=self.silence_s)
        ]
        watch = SilenceWatch(cluster=ground.source, seconds=self.silence_s)
        found = await watch.look(await ground.scope.source_partitions(ground.source))
        quiet = [one for one in readings.silence(found, self.silence_s) if one.unsure]
        return Tried(
            readings=[await self._transactions(watch, found), *quiet],
            remark="whether the ends stand still is not waited for",
        )

    async def _transactions(self, watch: SilenceWatch, found: Silence) -> Reading:
        """Tell transactions that end from those that would be waited for in vain."""
        first = found.open
        still = {one: stable for one, (stable, _) in first.items()}
        until = time.monotonic() + self.silence_s
        while still and time.monotonic() < until:
            await pause(self.stop)
            now = (await watch.look(list(still))).open
            still = {one: at for one, at in still.items() if one in now and now[one][0] == at}
        ids = await open_transactions(self.ground.source, still) if still else []
        return told.transactions(first, still, self.silence_s, ids)

    async def _fence(self) -> Tried:
        self.took["fence"] = [Piece(step="fence", what="the fence", seconds=None)]
        return Tried(remark=_NOT_FENCED)

    async def _members(self) -> Tried:
        began = time.monotonic()
        seen = await self.ground.scope.seen_on(self.ground.source)
        self._took("consumers-stop", "members are asked for", began)
        return Tried(readings=[told.members(seen.groups, seen.gaps)])

    async def _tail(self) -> Tried:
        behind = await self.ground.behind()
        found = [behind.reading]
        lag = behind.lag
        if self.ground.scheme.unconsumed:
            left = await left_to_read(
                self.ground.source, self.ground.scope, await self.ground.groups()
            )
            lag = told.unread(left)
            found = [told.left_to_move(lag)]
        compared = self.comparison.pace
        self.took["tail"] = tail(
            lag, copied_per_s=told.pace_of(behind.snapshot) or compared, compared_per_s=compared
        )
        return Tried(readings=found, remark="the copy is not touched")

    async def _positions(self) -> Tried:
        positions = Positions(ground=self.ground, shadows=self.shadows, stop=self.stop)
        found = await positions.run()
        self.samples = positions.samples
        what = "positions are committed and read back"
        self.took["positions"] = [Piece(step="positions", what=what, seconds=positions.seconds)]
        return Tried(readings=found)

    async def _mark(self) -> Tried:
        began = time.monotonic()
        ground = self.ground
        await offsets_at(
            ground.source, await ground.scope.source_partitions(ground.source), Place.END
        )
        # A scheme that copies at the end has perhaps no topic there yet.
        there = await ground.scope.target_partitions(ground.target, insist=False)
        await offsets_at(ground.target, there, Place.END)
        await ground.documents()
        self._took("mark", "ends of both sides are asked for, and written down", began)
        return Tried(remark="nothing is written down")

    async def _arm(self) -> Tried:
        name = self.ground.record.facts.get("way_back")
        if not isinstance(name, str):
            return Tried(readings=[readings.no_way_back()])
        marked = sum(one.seconds or 0.0 for one in self.took.get("mark", ()))
        self.took["arm"] = [
            Piece(
                step="arm",
                what="the way back is made ready (taken to be as long as mark)",
                seconds=marked,
            )
        ]
        return Tried(remark="nothing is made ready on the source; what it takes, `look` has asked")

    async def _drain(self) -> Tried:
        return Tried(remark=_DRAINED_BY)


def _with_word(reading: Reading) -> Reading:
    """Let a hook's, or a person's, word stand for what cannot be measured: of silence only."""
    if not reading.unsure or reading.passed or reading.gate != readings.QUIET:
        return reading
    word = f"{reading.measured}; it is said that their producers will be stopped"
    return replace(reading, passed=True, measured=word, why="")
