"""What gates ask where applications write both sides themselves.

Owns these questions. Map files are read anew for each: they grow.
Changes nothing but, when a
cutover is taken back, positions on the source.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from kferry.admin.configs import topic_configs
from kferry.admin.offsets import ListedOffset, list_offsets
from kferry.config import TopicSelection
from kferry.dualwrite.written import without
from kferry.groups import GroupFacts
from kferry.ledger import LedgerTopic
from kferry.migration.clusters import Sides
from kferry.migration.dual.groups import ReadFiles, lowest
from kferry.migration.dual.looking import Lowest, look_until_settled
from kferry.migration.dual.told import Files, read_files
from kferry.migration.switching.home import take_home_by_files
from kferry.migration.switching.scope import Scope
from kferry.migration.switching.silence import SilenceWatch
from kferry.names import TopicPartition
from kferry.runbook import both_readings as told
from kferry.runbook import readings
from kferry.runbook.finding import CutoverRequest
from kferry.runbook.operations import Reading
from kferry.units import many, some
from kferry.wire import BrokerError, Cluster

_WRITTEN_S = 2.5
"""After so long a record stands in the map file of whoever wrote it."""
_WATCHED = 3
"""So many times as long as silence is waited for, nobody may have written to the source alone."""
_LARGEST = "max.message.bytes"
_ACCEPT = (
    ". kferry messages query --source … shows them; send them where they belong, or go on without "
    "them with --accept-late"
)


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
            told.known(files, self.scope),
            told.alike(here, {*there}, self.scope),
            await self._largest(),
            told.proven(files),
        ]

    async def complete(self) -> list[Reading]:
        """Is all that groups have yet to read on both sides, and nothing else on the target?"""
        groups, low = await self._lowest()
        watched = self.silence.seconds * _WATCHED
        lately = await self._since(low, watched)
        # Further back than groups stand, to see who has written to the source alone just now.
        both = {place: _lower(at, lately.get(place)) for place, at in low.items()}
        found = await self._look(both, strangers=True)
        return [
            told.older(groups, found),
            told.on_both(groups, found, low),
            told.alone(found, lately, watched),
            told.only_these(found),
        ]

    async def nothing_left(self) -> list[Reading]:
        """Is all that groups had yet to read on the source on the target?"""
        groups, low = await self._lowest()
        return [self._left(groups, await self._look(low), low)]

    async def released(self) -> list[Reading]:
        """Is the source silent, or written to second by who writes to the target first?"""
        groups, low = await self._lowest()
        found = await self._look(low)
        now = asyncio.get_running_loop().time()
        self._ends = [*self._ends, (now, {place: one.end for place, one in found.items()})]
        seen = await self.silence.look(list(found))
        quiet, *others = readings.silence(seen, self.silence.seconds)
        if seen.moving and not seen.unasked:
            quiet = self._second(found, quiet, now)
        ends = {place: one.target_end for place, one in found.items()}
        self._grown_from = self._grown_from or ends
        # Producers are on their way: what is behind the switch may still come.
        left = replace(self._left(groups, found, low), final=False)
        return [quiet, *others, left, readings.grows(self._grown_from, ends)]

    async def take_home(self, ledger: LedgerTopic) -> None:
        """Commit on the source how far groups came on the target."""
        await take_home_by_files(self.source, self.target, ledger, self.scope, self.read)

    def _left(self, groups: Sequence[GroupFacts], found: told.Found, low: Lowest) -> Reading:
        reading = told.on_both(groups, found, low, older=True)
        if reading.passed:
            return reading
        if not self.accept_late or any(one.trouble for one in found.values()):
            return replace(reading, why=reading.why + _ACCEPT)
        measured = f"{reading.measured}; accepted, they stay on the source"
        return replace(reading, passed=True, final=False, measured=measured)

    def _second(self, found: told.Found, quiet: Reading, now: float) -> Reading:
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

    async def _lowest(self) -> tuple[list[GroupFacts], Lowest]:
        """Find from where on some group has yet to read."""
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
        return groups, low

    async def _look(self, low: Lowest, *, strangers: bool = False) -> told.Found:
        _, found = await look_until_settled(
            self.source, self.target, self.read, low, strangers=strangers
        )
        return found

    async def _since(self, low: Lowest, seconds: float) -> dict[TopicPartition, int]:
        """Find what was written lately, of what is written to both sides."""
        files = self.read()
        then = int((time.time() - seconds) * 1000)
        listed = await list_offsets(self.source, low, then)
        return {
            place: max(one.offset, first)
            for place, one in listed.items()
            if isinstance(one, ListedOffset)
            and one.offset >= 0
            and (first := files.first(place)) is not None
        }

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


def _lower(one: int | None, other: int | None) -> int | None:
    return min((at for at in (one, other) if at is not None), default=None)
