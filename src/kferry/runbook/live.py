"""The operations of a runbook on two real clusters and a ledger.

Owns putting together what migrations can do and measure. In which order, and what follows from a
measurement, is the runner's business.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from kferry.admin.offsets import Place, offsets_at
from kferry.groups import GroupFacts, Step, look_there
from kferry.ledger import LedgerTopic
from kferry.migration.group_look import GroupSides, named
from kferry.migration.group_sync import sync_once
from kferry.migration.group_undo import undo
from kferry.migration.maps import Maps, read_documents
from kferry.migration.switching.at_work import look_at_work, read_at_work
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
from kferry.migration.switching.scope import GroupsWatch, Scope
from kferry.migration.switching.silence import SilenceWatch
from kferry.migration.switching.starts import commit_starts
from kferry.migration.switching.uncommitted import Choice, Unset, find_unset, places_of, settle
from kferry.migration.switching.way_back import delete_ledger, prepare_way_back
from kferry.names import TopicName, TopicPartition
from kferry.runbook import fencing, group_readings, readings
from kferry.runbook.arming import Way, arm, armed, other_ledger
from kferry.runbook.back import WAY_BACK
from kferry.runbook.both_sides import BothSides, DualGates
from kferry.runbook.flow import Flow
from kferry.runbook.operations import Reading
from kferry.runbook.returning import can_return
from kferry.runbook.steps import Scheme
from kferry.runbook.unset import asks_uncommitted, never_committed
from kferry.wire import Cluster


@dataclass(slots=True, kw_only=True)
class Live(DualGates):
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
    uncommitted: Choice | None = None
    """Where groups at work go on that have no position; None: nobody said."""
    both: BothSides | None = None
    fence_around: Fence | None = None
    """Around the topics of the way there's source, if one was asked for."""
    _compared: Reading | None = None
    _drain: group_readings.Drain = field(default_factory=group_readings.Drain)
    _here: GroupsWatch = field(init=False)
    _there: GroupsWatch = field(init=False)

    def __post_init__(self) -> None:
        self._here = GroupsWatch(cluster=self.source, scope=self.scope)
        self._there = GroupsWatch(cluster=self.target, scope=self.scope, of_target=True)

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
    def _group_sides(self) -> GroupSides:
        return GroupSides(source=self.source, target=self.target, ledger=self.ledger)

    @property
    def _back(self) -> bool:
        return self.scheme.name == WAY_BACK.name

    async def begin(self) -> None:
        groups = await self.scope.groups_on(self.source)
        work = await look_at_work(self.source, self.scope, groups)
        documents = await read_documents(self.target, self.ledger)
        await self.book.note(work.documents(documents))
        await self.keep_images()

    async def _returns(self, groups: Sequence[GroupFacts]) -> list[Reading]:
        """Say whether records and positions may come back, where they shall."""
        if self.other is None or self._back:
            return []
        return await can_return(self.source, self.scope, [one.id for one in groups], self.other)

    async def fit(self) -> list[Reading]:
        groups = await self.scope.groups_on(self.source)
        there = await look_there(self.target, [group.id for group in groups], to_write=False)
        fence = None if self._back or self.fence_around is None else await self.fence_around.whom()
        found = [
            group_readings.groups_found(groups, self.scope),
            group_readings.nobody_there(there),
            *never_committed(await self._unset(), self.uncommitted),
            *await self._returns(groups),
            *([] if fence is None else [fencing.feasible(fence)]),
        ]
        if self.other is not None and not self._back and all(one.passed for one in found):
            # Now, while nobody waits; and not before all else is known to be well.
            await prepare_way_back(self.source, self.other)
        return found

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
            groups = (await self._here.look()).groups
            left = await left_to_read(self.source, self.scope, groups)
            if any(one.trouble for one in left):
                return [self._drain.reading(left, awaited=await self._awaited())]
            ends = first_unread(left)
        late = await late_writes(self.source, ends)
        return [readings.nothing_late(late, accepted=self.accept_late)]

    async def consumers_gone(self) -> list[Reading]:
        return [await _gone(self._here, "source")]

    async def consumers_left_target(self) -> list[Reading]:
        return [await _gone(self._there, "target")]

    async def drained(self) -> list[Reading]:
        groups = (await self._here.look()).groups
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
        if not self.scheme.copies and self.both is None:
            return await self._starts()
        # Again at each look: what is committed is committed once, and what waited may be there now.
        shown = await sync_once(
            self._group_sides,
            selection=self.scope.selection,
            meant=named(self.scope.groups),
            # What groups did on the target counts, even where somebody set one back there.
            force=self._back,
            files=None if self.both is None else self.both.read,
        )
        partitions = await self.scope.source_partitions(self.source)
        unset = await self._unset()
        troubles = await settle(self._group_sides, self.scope, unset, self.uncommitted)
        at_work = set(await self._awaited())
        return [
            group_readings.positions(shown.moves, self.scope, partitions, at_work),
            *never_committed(unset, self.uncommitted, troubles),
        ]

    async def _unset(self) -> list[Unset]:
        """Find where groups that were at work never committed."""
        if not asks_uncommitted(self.scheme):
            return []
        work = read_at_work(await read_documents(self.target, self.ledger))
        places = await places_of(self.source, work)
        return await find_unset(self.source, self.scope, work, places)

    async def commit_starts(self) -> None:
        await self.positions_committed()
        await self.keep_images()

    async def _starts(self) -> list[Reading]:
        groups = await self.scope.groups_on(self.source)
        begun = await commit_starts(self.target, self.ledger, self.scope, groups)
        return [group_readings.starts(begun)]

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
        group_readings.insist_on_undone(failed)

    async def positions_home(self) -> None:
        if self.both is not None:
            await self.both.take_home(self.ledger)
            return
        # A copy that was killed wrote more than its ledger knows, and groups have read it: settled
        # first, the map knows every record they can have seen.
        await self.flow.to_the_end()
        await take_home(self.source, self.target, self.ledger, self.scope)

    async def consumers_there(self) -> list[Reading]:
        work = read_at_work(await read_documents(self.target, self.ledger))
        seen = await self.scope.seen_on(
            self.target, of_target=True, among=lambda group: group in work.reads
        )
        partitions = await self.scope.target_partitions(self.target)
        return [group_readings.there(work.reads, seen.groups, partitions, self.scope)]

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
        if self.other is not None:
            await arm(self.way, self.other, back=self._back)

    async def armed(self) -> list[Reading]:
        if self.other is None:
            return [readings.no_way_back()]
        # Rights may have gone since the step `look`, and behind the hand-over it is too late.
        groups = [] if self._back else await self.scope.groups_on(self.source)
        # What is so still was said then.
        worse = [one for one in await self._returns(groups) if not one.passed]
        return [await armed(self.way, self.other), *worse]

    async def disarm(self) -> None:
        if self.other is not None and not self._back:
            await delete_ledger(self.source, self.other)

    async def turn_round(self) -> None:
        await self.arm()

    async def turn_again(self) -> None:
        if self.other is not None:
            ledger = await other_ledger(self.way, self.other)
            await hand_over(self.source, ledger, self.scope.exchanged)

    async def _awaited(self) -> list[str]:
        """Name the groups that were at work when the cutover began."""
        return read_at_work(await read_documents(self.target, self.ledger)).groups

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


async def _gone(watch: GroupsWatch, side: str) -> Reading:
    """Say whether nobody consumes any more; before it is called so, all groups are looked at."""
    seen = await watch.look()
    told = group_readings.gone(seen.groups, side, seen.gaps)
    if told.passed and watch.partial:
        seen = await watch.look(whole=True)
        told = group_readings.gone(seen.groups, side, seen.gaps)
    return told
