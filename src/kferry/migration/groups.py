"""The verbs of `groups`: where every group stands and goes on, and taking it there.

Owns the connections. What is done, and in which order, is `group_sync`'s. The source is only read.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from kferry.config import ClusterSettings, TopicSelection
from kferry.groups import Uncopied
from kferry.ledger import LedgerTopic, create_ledger, ledger_topic, open_ledger
from kferry.migration.clusters import default_name
from kferry.migration.dual.groups import ReadFiles
from kferry.migration.dual.told import read_files
from kferry.migration.group_look import GroupSides, Shown, look, named
from kferry.migration.group_sync import Agree, sync_once
from kferry.migration.maps import Maps, read_documents
from kferry.migration.signing import sign
from kferry.migration.status import find
from kferry.wire import Cluster, open_cluster


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupsRequest:
    """Which groups of which migration."""

    source: ClusterSettings
    target: ClusterSettings
    migration: str | None
    selection: TopicSelection
    groups: tuple[str, ...] = ()
    """Names or globs; none means all."""
    uncopied: Uncopied | None = None
    """Where groups go on in topics that are not copied; None: nowhere."""
    files: tuple[Path, ...] = ()
    """Map files of applications that write both sides, or folders of them; then these lead to the
    target, and no ledger need be there."""

    def reads(self, sides: GroupSides) -> ReadFiles | None:
        """Return what reads the map files anew, if there are any."""
        if not self.files:
            return None
        ids = [one.metadata.cluster_id or "unknown" for one in (sides.source, sides.target)]
        return partial(read_files, self.files, source_id=ids[0], target_id=ids[1])


async def show(request: GroupsRequest) -> Shown:
    """Say where every group stands, and where it would go on. Writes nothing anywhere."""
    async with open_group_sides(request) as sides:
        meant = named(request.groups)
        picture = await look(
            sides,
            request.selection,
            meant,
            to_write=False,
            maps=await _known(request, sides),
            uncopied=request.uncopied,
            files=request.reads(sides),
        )
        return picture.shown(sides.ledger.migration, picture.moves())


async def sync(request: GroupsRequest, *, agree: Agree, force: bool = False) -> Shown:
    """Commit on the target where every inactive group goes on, and read it back."""
    async with open_group_sides(request) as sides:
        return await sync_once(
            sides,
            selection=request.selection,
            meant=named(request.groups),
            force=force,
            agree=agree,
            maps=await _known(request, sides),
            uncopied=request.uncopied,
            files=request.reads(sides),
        )


@asynccontextmanager
async def open_group_sides(request: GroupsRequest) -> AsyncIterator[GroupSides]:
    """Connect to both sides and find the ledger."""
    async with open_cluster(request.source) as source, open_cluster(request.target) as target:
        if request.files:
            yield _perhaps_without_ledger(request, source, target)
            return
        ledger = await find(target, migration=request.migration, source=request.source)
        yield GroupSides(source=source, target=target, ledger=ledger)


def _perhaps_without_ledger(request: GroupsRequest, source: Cluster, target: Cluster) -> GroupSides:
    """Applications that write both sides need no copy, and so no ledger until now."""
    source_id = source.metadata.cluster_id or "unknown"
    target_id = target.metadata.cluster_id or "unknown"
    name = request.migration or default_name(source_id)

    async def make() -> LedgerTopic:
        ledger = await create_ledger(target, name)
        documents = await read_documents(target, ledger, source=source)
        await sign(target, ledger, documents, source_id=source_id, target_id=target_id)
        return ledger

    return GroupSides(
        source=source,
        target=target,
        ledger=LedgerTopic(migration=name, topic=ledger_topic(name), slots=0),
        make=make,
    )


async def _known(request: GroupsRequest, sides: GroupSides) -> Maps | None:
    """Read the ledger where one need not be there; None: whoever looks reads it."""
    if not request.files:
        return None
    ledger = await open_ledger(sides.target, sides.ledger.migration)
    if ledger is None:
        return Maps.of({})
    return Maps.of(await read_documents(sides.target, ledger, source=sides.source))
