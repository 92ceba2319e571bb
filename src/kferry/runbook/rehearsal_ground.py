"""What a rehearsal stands on: both clusters, the ledger as it is read, and what is rehearsed.

Owns the questions that several of its parts ask. Writes nothing.
"""

import asyncio
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass, replace
from difflib import get_close_matches

from kferry.admin.offsets import Place, offsets_at
from kferry.errors import ExitCode, KferryError
from kferry.groups import GroupFacts
from kferry.ledger import LedgerTopic
from kferry.migration.clusters import Sides
from kferry.migration.group_look import named
from kferry.migration.maps import Documents, Maps, read_documents
from kferry.migration.status import snapshot_of
from kferry.migration.switching.scope import Scope
from kferry.names import GroupId
from kferry.progress import Snapshot
from kferry.runbook import rehearsal_readings as told
from kferry.runbook.operations import Reading, Stopped
from kferry.runbook.record import Record
from kferry.runbook.steps import Scheme
from kferry.units import some
from kferry.wire import Cluster

PATIENCE_S = 10.0
"""How long a copy at work is given to write down what groups have read already."""
_AGAIN_S = 0.5


class NoSuchGroup(KferryError):
    """A group was named that is not there."""

    code = "K280"
    exit_code = ExitCode.USAGE


@dataclass(frozen=True, slots=True, kw_only=True)
class Behind:
    """How far the copy is behind, and who copies."""

    lag: int
    snapshot: Snapshot | None
    topics: Collection[str]

    @property
    def reading(self) -> Reading:
        """Say whether that is near enough."""
        return told.caught_up(self.lag, self.snapshot, self.topics)


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

    async def groups(self) -> list[GroupFacts]:
        """Return the groups that it is about, as they are now."""
        return await self.scope.groups_on(self.source)

    async def behind(self) -> Behind:
        """Measure how far the copy is behind."""
        partitions = await self.scope.source_partitions(self.source)
        # Before the maps: a copy at work can only have come further since.
        starts = await offsets_at(self.source, partitions, Place.START)
        ends = await offsets_at(self.source, partitions, Place.END, committed=True)
        documents = await self.documents()
        maps = Maps.of(documents)
        lag = 0
        for one in partitions:
            known = maps.map_of(one)
            lag += max(0, ends[one] - (starts[one] if known is None else known.copied_to))
        snapshot = None if self.ledger is None else snapshot_of(self.ledger, documents)
        return Behind(lag=lag, snapshot=snapshot, topics=self.scope.topics)


async def insist_on_groups(ground: Ground, found: Collection[GroupId]) -> None:
    """Refuse to compare nothing and call it well: a name may be mistyped."""
    scope = ground.scope
    missing = [one for one in scope.groups if not any(map(named((one,)), found))]
    if missing:
        others = [one.id for one in await replace(scope, groups=()).groups_on(ground.source)]
        near = {close for one in missing for close in get_close_matches(one, others, 1)}
        raise NoSuchGroup(
            f"no group on these topics of the source is called {some(missing)}",
            f"near: {some(near)}" if near else "",
            hint="kferry inspect groups shows what there is",
        )


async def pause(stop: asyncio.Event) -> None:
    """Wait a moment; raise when asked to stop."""
    with suppress(TimeoutError):
        async with asyncio.timeout(_AGAIN_S):
            await stop.wait()
    if stop.is_set():
        raise Stopped
