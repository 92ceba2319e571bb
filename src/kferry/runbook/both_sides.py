"""What gates ask where applications write both sides themselves.

Owns these questions, and what is said of the answers. Map files are read anew for each: they grow.
Changes nothing but, when a
cutover is taken back, positions on the source.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from kferry.admin.configs import topic_configs
from kferry.config import TopicSelection
from kferry.dualwrite.written import without
from kferry.groups import GroupFacts
from kferry.ledger import LedgerTopic
from kferry.migration.clusters import Sides
from kferry.migration.dual.groups import ReadFiles, lowest
from kferry.migration.dual.joined import Joined, Lack, Why
from kferry.migration.dual.looking import look_until_settled
from kferry.migration.dual.standing import lack_words, strangers
from kferry.migration.dual.told import Files, read_files
from kferry.migration.switching.home import take_home_by_files
from kferry.migration.switching.scope import Scope
from kferry.migration.switching.silence import SilenceWatch
from kferry.names import TopicPartition
from kferry.runbook import readings
from kferry.runbook.finding import CutoverRequest
from kferry.runbook.operations import Reading
from kferry.units import many, some
from kferry.wire import BrokerError, Cluster

_WRITTEN_S = 2.5
"""After so long a record stands in the map file of whoever wrote it."""
_LARGEST = "max.message.bytes"
_ACCEPT = (
    ". kferry messages query --source … shows them; send them where they belong, or go on without "
    "them with --accept-late"
)
_Found = Mapping[TopicPartition, Joined]


def with_files(request: CutoverRequest, sides: Sides) -> CutoverRequest:
    """Let the map files say what topics are called on the target, and which ones are meant."""
    if not request.maps:
        return request
    topics = reader(request, sides)().topics
    selection = request.copy.selection
    if selection == TopicSelection():
        selection = TopicSelection(exact=frozenset(topics))
    mapping = {**request.copy.mapping, **topics}
    return replace(request, copy=replace(request.copy, selection=selection, mapping=mapping))


def reader(request: CutoverRequest, sides: Sides) -> ReadFiles:
    """Return what reads the map files that were named, as they are by then."""

    def read() -> Files:
        return read_files(request.maps, source_id=sides.source_id, target_id=sides.target_id)

    return read


@dataclass(slots=True, kw_only=True)
class BothSides:
    """Asks both clusters and the map files."""

    source: Cluster
    target: Cluster
    scope: Scope
    read: ReadFiles
    silence: SilenceWatch
    accept_late: bool = False
    """Whether records that only the source has may stay there, once producers have let go."""
    _ends: list[tuple[float, dict[TopicPartition, int]]] = field(default_factory=list)
    _grown_from: dict[TopicPartition, int] = field(default_factory=dict)

    async def fit(self) -> list[Reading]:
        """Are the topics alike, and are their map files here?"""
        here = await self.scope.source_partitions(self.source)
        there = await self.scope.target_partitions(self.target, insist=False)
        files = self.read()
        return [
            _known(files, self.scope),
            _alike(here, {*there}, self.scope),
            await self._largest(),
            _proven(files),
        ]

    async def complete(self) -> list[Reading]:
        """Is all that groups have yet to read on both sides, and nothing else on the target?"""
        groups, found = await self._look(strangers=True)
        return [
            _older(groups, found),
            _on_both(groups, found),
            _only_these(found),
        ]

    async def nothing_left(self) -> list[Reading]:
        """Is all that groups had yet to read on the source on the target?"""
        groups, found = await self._look(strangers=False)
        return [self._left(groups, found)]

    async def released(self) -> list[Reading]:
        """Is the source silent, or written to second by who writes to the target first?"""
        groups, found = await self._look(strangers=False)
        now = asyncio.get_running_loop().time()
        self._ends = [*self._ends, (now, {place: one.end for place, one in found.items()})]
        seen = await self.silence.look(list(found))
        quiet, *others = readings.silence(seen, self.silence.seconds)
        if seen.moving and not seen.unasked:
            quiet = self._second(found, quiet, now)
        ends = {place: one.target_end for place, one in found.items()}
        self._grown_from = self._grown_from or ends
        # Producers are on their way: what is behind the switch may still come.
        left = replace(self._left(groups, found), final=False)
        return [quiet, *others, left, readings.grows(self._grown_from, ends)]

    async def take_home(self, ledger: LedgerTopic) -> None:
        """Commit on the source how far groups came on the target."""
        await take_home_by_files(self.source, self.target, ledger, self.scope, self.read)

    def _left(self, groups: Sequence[GroupFacts], found: _Found) -> Reading:
        reading = _on_both(groups, found, older=True)
        if reading.passed:
            return reading
        if not self.accept_late or any(one.trouble for one in found.values()):
            return replace(reading, why=reading.why + _ACCEPT)
        measured = f"{reading.measured}; accepted, they stay on the source"
        return replace(reading, passed=True, final=False, measured=measured)

    def _second(self, found: _Found, quiet: Reading, now: float) -> Reading:
        """Say whether what was written to the source lately was all written there second."""
        long = self.silence.seconds
        before = [ends for at, ends in self._ends if at <= now - long - _WRITTEN_S]
        until = [ends for at, ends in self._ends if at <= now - _WRITTEN_S]
        if not before or not until:
            return quiet
        first, last = before[-1], until[-1]
        self._ends = [one for one in self._ends if one[1] is first or one[0] > now - 2 * long - 60]
        alone = 0
        for place, one in found.items():
            grown = (first.get(place, 0), last.get(place, 0))
            alone += sum(end - start for start, end in without([grown], one.back))
        if alone:
            return replace(
                quiet,
                measured=f"{many(alone, 'record')} written to the source first, or alone, within "
                f"{long:,.0f} s",
            )
        measured = f"for {long:,.0f} s it was written to second only, behind the target"
        return replace(quiet, passed=True, measured=measured, why="")

    async def _look(self, *, strangers: bool) -> tuple[list[GroupFacts], _Found]:
        groups = await self.scope.groups_on(self.source)
        positions = [(group, one) for group in groups for one in group.positions or ()]
        files = self.read()
        known = files.topics
        read = {one.topic for _, one in positions}
        low: dict[TopicPartition, int | None] = {
            # Where a group never committed it may begin anywhere: all that was written to both.
            place: files.first(place) if place.topic in read else None
            for place in await self.scope.source_partitions(self.source)
            if place.topic in known
        }
        low |= {
            place: at
            for place, at in lowest(positions, self.scope.topics).items()
            if place.topic in known
        }
        _, found = await look_until_settled(
            self.source, self.target, self.read, low, strangers=strangers
        )
        return groups, found

    async def _largest(self) -> Reading:
        ours = await topic_configs(self.source, self.scope.topics)
        theirs = await topic_configs(self.target, self.scope.topics.values())
        smaller, untold = [], []
        for name, other in self.scope.topics.items():
            here, there = ours[name], theirs[other]
            sizes = [
                None if isinstance(one, BrokerError) or _LARGEST not in one else one[_LARGEST].value
                for one in (here, there)
            ]
            if sizes[0] is None or sizes[1] is None:
                untold.append(str(name))
            elif int(sizes[1]) < int(sizes[0]):
                smaller.append(f"{other} takes {int(sizes[1]):,} bytes, {name} {int(sizes[0]):,}")
        why = [some(smaller)] if smaller else []
        if untold:
            why.append(f"could not be asked: {some(untold)}")
        return Reading(
            gate="largest records",
            passed=not smaller,
            final=bool(smaller),
            measured=f"{len(self.scope.topics) - len(smaller) - len(untold):,} of "
            f"{many(len(self.scope.topics), 'topic')} take as large ones on the target",
            why="; ".join(why),
        )


class DualGates:
    """These questions as operations of a runbook; other schemes do not ask them."""

    __slots__ = ()
    both: BothSides | None
    """Where applications write both sides."""

    async def fit_for_both(self) -> list[Reading]:
        """Are both sides alike, and are the map files here?"""
        return [] if self.both is None else await self.both.fit()

    async def on_both_sides(self) -> list[Reading]:
        """Is all that groups have yet to read on both sides, and nothing else on the target?"""
        return [] if self.both is None else await self.both.complete()

    async def nothing_left(self) -> list[Reading]:
        """Is all that groups had yet to read on the source on the target?"""
        return [] if self.both is None else await self.both.nothing_left()

    async def released(self) -> list[Reading]:
        """Is the source silent, or written to second?"""
        return [] if self.both is None else await self.both.released()


def _known(files: Files, scope: Scope) -> Reading:
    unknown = sorted(str(name) for name in scope.topics if name not in files.topics)
    return Reading(
        gate="map files",
        passed=not unknown,
        final=bool(unknown),
        measured=f"{len(scope.topics) - len(unknown):,} of {many(len(scope.topics), 'topic')} in "
        f"{many(len(files.paths), 'file')}",
        why=f"none tells of {some(unknown)}: name those of its applications with --map, or leave "
        "the topic out with --topic"
        if unknown
        else "",
    )


def _alike(here: Sequence[TopicPartition], there: set[TopicPartition], scope: Scope) -> Reading:
    wanted = {scope.there(one) for one in here}
    apart = sorted({str(one.topic) for one in wanted ^ there})
    return Reading(
        gate="partitions",
        passed=not apart,
        final=bool(apart),
        measured=f"{len(wanted & there):,} of {many(len(wanted), 'partition')} on both sides",
        why=f"not there, or with another number of partitions: {some(apart)}" if apart else "",
    )


def _proven(files: Files) -> Reading:
    proven = len(files.paths) - len(files.unproven)
    names = some(str(one) for one in files.unproven)
    return Reading(
        gate="writers",
        passed=True,
        measured=f"{many(proven, 'application')} of {len(files.paths):,} may write to both sides, "
        "their pairs prove it",
        why=f"no pair yet, so it is not known whether they may: {names}" if names else "",
    )


def _older(groups: Sequence[GroupFacts], found: _Found) -> Reading:
    """Say who has yet to read what is older than the double write."""
    waiting: list[str] = []
    stuck: list[str] = []
    for group, place, lacks in _unread(groups, found):
        count = sum(one.records for one in lacks if one.why is Why.BEFORE)
        if count:
            told = f"{group.id} {count:,} of {place}"
            (waiting if group.members else stuck).append(told)
    why = ""
    if waiting or stuck:
        why = (
            f"still to be read on the source: {some([*waiting, *stuck], 5)}. They are older than "
            "what was written to both sides, and are not on the target"
        )
        if stuck:
            why += f"; without a consumer that would read them: {some(stuck)}"
    return Reading(
        gate="older records",
        passed=not why,
        final=bool(stuck),
        measured="read by every group"
        if not why
        else f"left to read for {many(len(waiting) + len(stuck), 'position')}",
        why=why,
    )


def _on_both(groups: Sequence[GroupFacts], found: _Found, *, older: bool = False) -> Reading:
    """Say whether the target has what groups have yet to read; `older`: also what was before."""
    why, records, final = [], 0, False
    for place, one in sorted(found.items()):
        if one.trouble:
            why.append(f"{place}: {one.trouble}")
        lacks = [lack for lack in one.lacking(0) if older or lack.why is not Why.BEFORE]
        if not lacks:
            continue
        records += sum(lack.records for lack in lacks)
        # Once groups have moved, nobody reads on here: what is not coming will not heal.
        final = final or any(lack.why is not Why.WAITING for lack in lacks)
        who = some(_who_waits(groups, place, lacks[-1].end))
        why.append(
            f"{place}: {lack_words(lacks)}"
            + (
                f"; to be read still by {who} (past {lacks[-1].end:,} nothing is missing)"
                * bool(who)
            )
        )
    kept = sum(
        max(0, run.source + run.length - max(run.source, one.start))
        for one in found.values()
        for run in one.runs
    )
    return Reading(
        gate="both sides",
        passed=not why,
        final=final,
        measured=f"{many(records, 'record')} on the source alone that groups have yet to read; "
        f"{kept:,} on both sides",
        why="; ".join(why[:5]),
    )


def _only_these(found: _Found) -> Reading:
    strange = [(place, one) for place, one in sorted(found.items()) if one.strangers]
    return Reading(
        gate="target's writers",
        passed=not strange,
        final=bool(strange),
        measured=f"{many(sum(one.strangers for _, one in strange), 'record')} on the target that "
        "the source does not have",
        why="; ".join(f"{place}: {strangers(one)}" for place, one in strange[:3]),
    )


def _unread(
    groups: Sequence[GroupFacts], found: _Found
) -> list[tuple[GroupFacts, TopicPartition, list[Lack]]]:
    out = []
    for group in groups:
        for one in group.positions or ():
            place = TopicPartition(one.topic, one.partition)
            if place in found and one.offset is not None:
                out.append((group, place, found[place].lacking(one.offset)))
    return out


def _who_waits(groups: Sequence[GroupFacts], place: TopicPartition, end: int) -> list[str]:
    return [
        str(group.id)
        for group in groups
        for one in group.positions or ()
        if TopicPartition(one.topic, one.partition) == place
        and one.offset is not None
        and one.offset < end
    ]
