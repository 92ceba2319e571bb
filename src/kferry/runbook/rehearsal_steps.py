"""What a rehearsal tries of each step, on two real clusters.

Owns the questions, and the one thing that is written: shadow groups on the target. What follows
from an answer is said elsewhere.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from difflib import get_close_matches

from kferry.admin.offsets import Place, offsets_at
from kferry.errors import ExitCode, KferryError
from kferry.groups import GroupFacts, Groups, look_there, take_groups
from kferry.groups import Step as Fate
from kferry.ledger import LedgerTopic
from kferry.migration.clusters import Sides
from kferry.migration.group_look import GroupSides, Picture, look, named
from kferry.migration.maps import Documents, Maps, read_documents
from kferry.migration.status import snapshot_of
from kferry.migration.switching.left import left_to_read
from kferry.migration.switching.open_transactions import open_transactions
from kferry.migration.switching.sample import Sample, Start, compare_next
from kferry.migration.switching.scope import Scope
from kferry.migration.switching.shadow import Shadows
from kferry.migration.switching.silence import Silence, SilenceWatch
from kferry.migration.switching.starts import places_of
from kferry.names import GroupId, TopicPartition
from kferry.progress import Snapshot
from kferry.runbook import readings
from kferry.runbook import rehearsal_readings as told
from kferry.runbook.comparing import Comparison
from kferry.runbook.dry import fence_now, unset_now, way_back_now
from kferry.runbook.interruption import Piece, tail
from kferry.runbook.operations import Reading, Stopped
from kferry.runbook.record import Record
from kferry.runbook.rights import rights
from kferry.runbook.steps import Scheme
from kferry.units import some
from kferry.wire import Cluster

_PATIENCE_S = 10.0
"""How long a copy at work is given to write down what groups have read already."""
_AGAIN_S = 0.5
_NOT_FENCED = "not put up in a rehearsal; how long the brokers take to learn of it is not measured"
_DRAINED_BY = "consumers do that at their own pace; nothing to try"


class NoSuchGroup(KferryError):
    """A group was named that is not there."""

    code = "K280"
    exit_code = ExitCode.USAGE


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """Both clusters, the ledger if there is one, and what is to be rehearsed."""

    migration: str
    sides: Sides
    ledger: LedgerTopic | None
    record: Record
    scope: Scope
    scheme: Scheme

    @property
    def source(self) -> Cluster:
        """Where applications are."""
        return self.sides.clusters.source

    @property
    def target(self) -> Cluster:
        """Where they will be."""
        return self.sides.clusters.target

    async def documents(self) -> Documents:
        """Read the ledger as it is now."""
        if self.ledger is None:
            return {}
        return await read_documents(self.target, self.ledger, source=self.source)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """What was measured of a step, and what was left out."""

    readings: Sequence[Reading] = ()
    remark: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Behind:
    """How far the copy is behind, and who copies."""

    lag: int
    snapshot: Snapshot | None

    topics: Collection[str]

    @property
    def reading(self) -> Reading:
        return told.caught_up(self.lag, self.snapshot, self.topics)


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
        ids = [group.id for group in await self.ground.scope.groups_on(self.ground.source)]
        _insist_on_groups(self.ground.scope.groups, ids)
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

    async def _groups(self) -> list[GroupFacts]:
        return await self.ground.scope.groups_on(self.ground.source)

    async def _look(self) -> Tried:
        ground, scope = self.ground, self.ground.scope
        groups = await self._groups()
        ids = [group.id for group in groups]
        found = [
            readings.groups_found(groups, scope),
            readings.nobody_there(await look_there(ground.target, ids, to_write=False)),
            await rights(ground.sides, scope, ids),
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
        until = time.monotonic() + _PATIENCE_S
        while True:
            behind = await self._behind()
            if behind.reading.passed or not told.copies_now(behind.snapshot):
                return Tried(readings=[behind.reading])
            if time.monotonic() >= until:
                return Tried(readings=[behind.reading])
            await self._pause()

    async def _behind(self) -> _Behind:
        ground = self.ground
        partitions = await ground.scope.source_partitions(ground.source)
        # Before the maps: a copy at work can only have come further since.
        starts = await offsets_at(ground.source, partitions, Place.START)
        ends = await offsets_at(ground.source, partitions, Place.END, committed=True)
        documents = await ground.documents()
        maps = Maps.of(documents)
        lag = 0
        for one in partitions:
            known = maps.map_of(one)
            lag += max(0, ends[one] - (starts[one] if known is None else known.copied_to))
        snapshot = None if ground.ledger is None else snapshot_of(ground.ledger, documents)
        return _Behind(lag=lag, snapshot=snapshot, topics=ground.scope.topics)

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
            await self._pause()
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
        behind = await self._behind()
        found = [behind.reading]
        lag = behind.lag
        if self.ground.scheme.unconsumed:
            left = await left_to_read(self.ground.source, self.ground.scope, await self._groups())
            lag = told.unread(left)
            found = [told.left_to_move(lag)]
        compared = self.comparison.pace
        self.took["tail"] = tail(
            lag, copied_per_s=told.pace_of(behind.snapshot) or compared, compared_per_s=compared
        )
        return Tried(readings=found, remark="the copy is not touched")

    async def _positions(self) -> Tried:
        if not self.ground.scheme.copies:
            return await self._starts()
        picture, began = await self._picture()
        if picture is None:
            return Tried(readings=[told.none_to_try()])
        moves = picture.moves()
        wanted: dict[GroupId, dict[TopicPartition, int]] = {}
        for move in moves:
            if move.place is not None and move.standing.target_offset is not None:
                own = wanted.setdefault(move.standing.group, {})
                own[move.place] = move.standing.target_offset
        there = await self.shadows.commit(wanted)
        self._took("positions", "positions are committed and read back", began)
        starts: dict[GroupId, list[Start]] = {}
        for move in moves:
            one, place = move.standing, move.place
            if place is None or one.target_offset is None or one.source_offset is None:
                continue
            starts.setdefault(one.group, []).append(
                Start(
                    source=TopicPartition(one.topic, one.partition),
                    source_offset=one.source_offset,
                    target=place,
                    target_offset=there[one.group][place],
                )
            )
        self.samples = await compare_next(
            self.ground.sides.clusters, picture.maps, starts, stop=self.stop
        )
        partitions = await self.ground.scope.source_partitions(self.ground.source)
        at_work = {group.id for group in await self._groups() if group.members}
        return Tried(
            readings=[
                told.places(moves, self.ground.scope, partitions, at_work),
                told.records(self.samples),
            ]
        )

    async def _starts(self) -> Tried:
        ground, began = self.ground, time.monotonic()
        logs = await offsets_at(
            ground.target, await ground.scope.target_partitions(ground.target), Place.START
        )
        groups = await self._groups()
        wanted = {group.id: places_of(group, ground.scope, logs) for group in groups}
        await self.shadows.commit(wanted)
        self._took("positions", "positions are committed and read back", began)
        return Tried(readings=[told.starts(len(groups), sum(map(len, wanted.values())))])

    async def _picture(self) -> tuple[Picture | None, float]:
        """Look where groups go on; a copy at work gets a moment to write down what it did.

        Also tells when the last look began: a cutover has no copy at work by then.
        """
        ground, began = self.ground, time.monotonic()
        if ground.ledger is None:
            return None, began
        meant = named(ground.scope.groups)
        sides = GroupSides(source=ground.source, target=ground.target, ledger=ground.ledger)
        # Positions of one moment: those of a group at work would always be ahead of the ledger.
        found: Groups = await take_groups(ground.source, ground.scope.selection, meant)
        until = time.monotonic() + _PATIENCE_S
        while True:
            began = time.monotonic()
            documents = await ground.documents()
            maps = Maps.of(documents)
            picture = await look(
                sides, ground.scope.selection, meant, to_write=False, maps=maps, found=found
            )
            waits = any(move.step is Fate.WAITS for move in picture.moves())
            if not waits or not told.copies_now(snapshot_of(ground.ledger, documents)):
                break
            if time.monotonic() >= until:
                break
            await self._pause()
        if ground.scheme.unconsumed and not any(
            name in maps.topics for name in ground.scope.topics
        ):
            return None, began
        return picture, began

    async def _mark(self) -> Tried:
        began = time.monotonic()
        ground = self.ground
        await offsets_at(
            ground.source, await ground.scope.source_partitions(ground.source), Place.END
        )
        await offsets_at(
            ground.target, await ground.scope.target_partitions(ground.target), Place.END
        )
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

    async def _pause(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(_AGAIN_S):
                await self.stop.wait()
        if self.stop.is_set():
            raise Stopped


def _insist_on_groups(patterns: Collection[str], found: Collection[GroupId]) -> None:
    """Refuse to compare nothing and call it well: a name may be mistyped."""
    missing = [one for one in patterns if not any(map(named((one,)), found))]
    if missing:
        near = {close for one in missing for close in get_close_matches(one, found, 1)}
        raise NoSuchGroup(
            f"no group on these topics of the source is called {some(missing)}",
            f"near: {some(near)}" if near else "",
            hint="kferry inspect groups shows what there is",
        )


def _with_word(reading: Reading) -> Reading:
    """Let a hook's, or a person's, word stand for what cannot be measured: of silence only."""
    if not reading.unsure or reading.passed or reading.gate != readings.QUIET:
        return reading
    word = f"{reading.measured}; it is said that their producers will be stopped"
    return replace(reading, passed=True, measured=word, why="")
