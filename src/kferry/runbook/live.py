"""The operations of a runbook on two real clusters and a ledger.

Owns putting together what migrations can do and measure. In which order, and what follows from a
measurement, is the runner's business.
"""

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from kferry.admin.offsets import Place, offsets_at
from kferry.config import ClusterSettings
from kferry.groups import Step, look_there
from kferry.ledger import LedgerTopic, open_ledger
from kferry.migration.book import Manifest
from kferry.migration.clusters import Sides
from kferry.migration.group_look import GroupSides, named
from kferry.migration.group_sync import sync_once
from kferry.migration.group_undo import undo
from kferry.migration.maps import Maps, read_documents
from kferry.migration.switching.book import (
    CutoverBook,
    Switch,
    as_partitions,
    ends_of,
    read_switches,
    switch_key,
)
from kferry.migration.switching.fence import Fence
from kferry.migration.switching.handed_over import hand_over
from kferry.migration.switching.home import take_home
from kferry.migration.switching.late import late_writes
from kferry.migration.switching.left import first_unread, left_to_read
from kferry.migration.switching.open_transactions import open_transactions
from kferry.migration.switching.scope import Scope
from kferry.migration.switching.silence import SilenceWatch
from kferry.migration.switching.starts import commit_starts
from kferry.migration.switching.turning import Ends, turn
from kferry.migration.switching.way_back import NoWayBack, delete_ledger, prepare_way_back
from kferry.names import TopicName, TopicPartition
from kferry.runbook import fencing, readings
from kferry.runbook.back import WAY_BACK
from kferry.runbook.flow import Flow
from kferry.runbook.operations import Reading
from kferry.runbook.steps import Scheme
from kferry.wire import Cluster


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One direction: from where to where, and the ledger that lies there."""

    migration: str
    source_settings: ClusterSettings
    target_settings: ClusterSettings
    sides: Sides
    ledger: LedgerTopic
    scope: Scope


@dataclass(slots=True, kw_only=True)
class Live:
    """Operations that change things."""

    scheme: Scheme
    way: Way
    other: str | None
    """The migration of the other direction, whose ledger is on our source; None: there is none."""
    flow: Flow
    book: CutoverBook
    """Writes to the ledger of this way."""
    silence: SilenceWatch
    compare: Callable[[], Awaitable[Reading]]
    """Compares what was copied, as far as it was not compared before."""
    keep_images: Callable[[], Awaitable[None]]
    """Keeps beside the ledger what a way back needs."""
    accept_late: bool = False
    """Whether records that came to the source behind the switch may stay there."""
    fence_around: Fence | None = None
    """Around the topics of the way there's source, if one was asked for."""
    _compared: Reading | None = None
    _drain: readings.Drain = field(default_factory=readings.Drain)

    @property
    def source(self) -> Cluster:
        return self.way.sides.clusters.source

    @property
    def target(self) -> Cluster:
        return self.way.sides.clusters.target

    @property
    def scope(self) -> Scope:
        return self.way.scope

    @property
    def ledger(self) -> LedgerTopic:
        return self.way.ledger

    @property
    def _back(self) -> bool:
        return self.scheme.name == WAY_BACK.name

    async def begin(self) -> None:
        groups = await self.scope.groups_on(self.source)
        active = sorted(group.id for group in groups if group.members)
        await self.book.note([(_ACTIVE, {"groups": active, "at": int(time.time() * 1000)})])
        if self.other is not None and not self._back:
            # Now, while nobody waits: what is missing shows before anything stands still.
            await prepare_way_back(self.source, self.other)
        await self.keep_images()

    async def fit(self) -> list[Reading]:
        groups = await self.scope.groups_on(self.source)
        there = await look_there(self.target, [group.id for group in groups], to_write=False)
        fence = None if self._back or self.fence_around is None else await self.fence_around.whom()
        return [
            readings.groups_found(groups, self.scope),
            readings.nobody_there(there),
            *([] if fence is None else [fencing.feasible(fence)]),
        ]

    async def empty_targets(self) -> list[Reading]:
        here = await self.scope.source_partitions(self.source)
        there = await self.scope.target_partitions(self.target, insist=False)
        starts = await offsets_at(self.target, there, Place.START)
        ends = await offsets_at(self.target, there, Place.END)
        return [readings.empty(self.scope, here, starts, ends)]

    async def caught_up(self) -> list[Reading]:
        return [self.flow.caught_up()]

    async def verify(self) -> None:
        self._compared = await self.compare()

    async def verified(self) -> list[Reading]:
        if self._compared is None:
            await self.verify()
        return [] if self._compared is None else [self._compared]

    async def silent(self) -> list[Reading]:
        found = await self.silence.look(await self.scope.source_partitions(self.source))
        told = readings.silence(found, self.silence.seconds)
        if (
            found.open
            and not self._back
            and self.fence_around is not None
            and self.fence_around.wish.anyway
        ):
            return fencing.despite_open(told, await open_transactions(self.source, found.open))
        return told

    async def still_silent(self) -> list[Reading]:
        if not self.scheme.copies:
            return await self.drained()
        late = await late_writes(self.source, await self._switched_at())
        return [readings.nothing_late(late)]

    async def nothing_late(self) -> list[Reading]:
        if self.scheme.copies:
            ends = await self._switched_at()
        else:
            # What was there before was read there; what no group has read came too late for it.
            groups = await self.scope.groups_on(self.source)
            left = await left_to_read(self.source, self.scope, groups)
            if any(one.trouble for one in left):
                return [self._drain.reading(left, awaited=await self._awaited())]
            ends = first_unread(left)
        late = await late_writes(self.source, ends)
        return [readings.nothing_late(late, accepted=self.accept_late)]

    async def consumers_gone(self) -> list[Reading]:
        groups, gaps = await self.scope.seen_on(self.source)
        return [readings.gone(groups, "source", gaps)]

    async def consumers_left_target(self) -> list[Reading]:
        groups, gaps = await self.scope.seen_on(self.target, of_target=True)
        return [readings.gone(groups, "target", gaps)]

    async def drained(self) -> list[Reading]:
        groups = await self.scope.groups_on(self.source)
        left = await left_to_read(self.source, self.scope, groups)
        return [self._drain.reading(left, awaited=await self._awaited())]

    async def copy_tail(self) -> None:
        self._compared = None
        await self.flow.to_the_end()
        await self.verify()

    async def tail_copied(self) -> list[Reading]:
        partitions = await self.scope.source_partitions(self.source)
        ends = await offsets_at(self.source, partitions, Place.END)
        return [readings.copied(await self._copied_to(partitions), ends)]

    async def commit_positions(self) -> None:
        await self.positions_committed()
        await self.keep_images()

    async def positions_committed(self) -> list[Reading]:
        if not self.scheme.copies:
            return await self._starts()
        # Again at each look: what is committed is committed once, and what waited may be there now.
        shown = await sync_once(
            GroupSides(source=self.source, target=self.target, ledger=self.ledger),
            selection=self.scope.selection,
            meant=named(self.scope.groups),
            # What groups did on the target counts, even where somebody set one back there.
            force=self._back,
        )
        partitions = await self.scope.source_partitions(self.source)
        return [readings.positions(shown.moves, self.scope, partitions)]

    async def commit_starts(self) -> None:
        await self.positions_committed()
        await self.keep_images()

    async def _starts(self) -> list[Reading]:
        groups = await self.scope.groups_on(self.source)
        begun = await commit_starts(self.target, self.ledger, self.scope, groups)
        return [readings.starts(begun)]

    async def take_positions_back(self) -> None:
        undone = await undo(
            self.way.target_settings,
            migration=self.way.migration,
            source=self.way.source_settings,
            selection=self.scope.selection,
            groups=self.scope.groups,
            agree=lambda _name, _steps: True,
            force=True,
            names=self.scope.exchanged.topics,
        )
        failed = [one for one in undone.positions if one.step in {Step.FAILED, Step.ACTIVE}]
        readings.insist_on_undone(failed)

    async def positions_home(self) -> None:
        # A copy that was killed wrote more than its ledger knows, and groups have read it: settled
        # first, the map knows every record they can have seen.
        await self.flow.to_the_end()
        await take_home(self.source, self.target, self.ledger, self.scope)

    async def consumers_there(self) -> list[Reading]:
        awaited = await self._awaited()
        here = await self.scope.groups_on(self.source)
        there = await self.scope.groups_on(self.target, of_target=True)
        partitions = await self.scope.target_partitions(self.target)
        return [readings.there(awaited, here, there, partitions, self.scope)]

    async def mark_switch(self) -> None:
        here = await self.scope.source_partitions(self.source)
        there = await self.scope.target_partitions(self.target)
        ends = await offsets_at(self.target, there, Place.END)
        last = (
            await self._copied_to(here)
            if self.scheme.copies
            else await offsets_at(self.source, here, Place.END)
        )
        at = datetime.now(UTC).isoformat(timespec="milliseconds")
        await self.book.note(
            [
                Switch(
                    topic=name,
                    target=other,
                    at=at,
                    source_ends=ends_of(last, name),
                    target_ends=ends_of(ends, other),
                ).document()
                for name, other in self.scope.topics.items()
            ]
        )

    async def unmark(self) -> None:
        await self.book.note([(switch_key(name), None) for name in self.scope.topics])

    async def target_grows(self) -> list[Reading]:
        before: dict[TopicPartition, int] = {}
        for switch in await self._switches():
            before |= as_partitions(switch.target, switch.target_ends)
        now = await offsets_at(self.target, list(before), Place.END)
        return [readings.grows(before, now)]

    async def backlog(self) -> list[Reading]:
        partitions = await self.scope.target_partitions(self.target)
        starts = await offsets_at(self.target, partitions, Place.START)
        ends = await offsets_at(self.target, partitions, Place.END)
        return [readings.waiting(sum(ends.values()) - sum(starts.values()))]

    async def hand_over(self) -> None:
        await self.flow.rest()
        if not self._back:
            await hand_over(self.target, self.ledger, self.scope)

    async def fence(self) -> None:
        if self.fence_around is not None:
            whom = await self.fence_around.whom()
            for line in fencing.announced(whom):
                self.fence_around.narrate(line)
            await self.fence_around.put_up()

    async def fenced(self) -> list[Reading]:
        if self.fence_around is None:
            return []
        whom = await self.fence_around.whom()
        held = await self.fence_around.measure(whom) if whom.authorizer else None
        found = await self.silence.look(await self.scope.source_partitions(self.source))
        return fencing.fenced(whom, held, found, self.silence.seconds)

    async def lift_fence(self) -> None:
        if self.fence_around is not None:
            await self.fence_around.lift()

    async def fence_lifted(self) -> list[Reading]:
        left = self.fence_around is not None and await self.fence_around.stands()
        return [fencing.lifted(left=left)]

    async def arm(self) -> None:
        if self.other is None:
            return
        here = await self.scope.source_partitions(self.source)
        ends = await offsets_at(self.source, here, Place.END)
        there = await offsets_at(self.target, map(self.scope.there, here), Place.END)
        await turn(
            Maps.of(await read_documents(self.target, self.ledger)),
            self.scope,
            {one: Ends(here=ends[one], there=there[self.scope.there(one)]) for one in here},
            cluster=self.source,
            ledger=await self._other_ledger()
            if self._back
            else await prepare_way_back(self.source, self.other),
            manifest=Manifest(
                migration=self.other,
                source_id=self.way.sides.target_id,
                target_id=self.way.sides.source_id,
            ),
        )

    async def armed(self) -> list[Reading]:
        if self.other is None:
            return [readings.no_way_back()]
        maps = Maps.of(await read_documents(self.source, await self._other_ledger()))
        here = await self.scope.source_partitions(self.source)
        ends = await offsets_at(self.source, here, Place.END)
        known = {one: maps.map_of(self.scope.there(one)) for one in here}
        return [readings.way_back(known, ends)]

    async def disarm(self) -> None:
        if self.other is not None and not self._back:
            await delete_ledger(self.source, self.other)

    async def turn_round(self) -> None:
        await self.arm()

    async def turn_again(self) -> None:
        await hand_over(self.source, await self._other_ledger(), self.scope.exchanged)

    async def _other_ledger(self) -> LedgerTopic:
        found = None if self.other is None else await open_ledger(self.source, self.other)
        if found is None:
            raise NoWayBack(
                "the ledger of the way back is not there",
                f"{self.other} on {self.way.sides.source_id}",
                hint="kferry cutover --no-way-back goes on without",
            )
        return found

    async def _awaited(self) -> list[str]:
        """Name the groups that were at work when the cutover began."""
        documents = await read_documents(self.target, self.ledger)
        return [str(name) for name in documents.get(_ACTIVE, {}).get("groups", [])]

    async def _copied_to(self, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        maps = Maps.of(await read_documents(self.target, self.ledger))
        found = {}
        for partition in partitions:
            known = maps.map_of(partition)
            found[partition] = 0 if known is None else int(known.copied_to)
        return found

    async def _switches(self) -> list[Switch]:
        documents = await read_documents(self.target, self.ledger)
        return [one for one in read_switches(documents) if one.topic in self.scope.topics]

    async def _switched_at(self) -> dict[TopicPartition, int]:
        # Partitions that were added since had nothing then.
        ends = dict.fromkeys(await self.scope.source_partitions(self.source), 0)
        for switch in await self._switches():
            ends |= as_partitions(TopicName(switch.topic), switch.source_ends)
        return ends


_ACTIVE = "cutover/active"
