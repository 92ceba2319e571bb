"""The verbs of `groups`: where every group stands and goes on, and taking it there.

Owns the connections. What is done, and in which order, is `group_sync`'s. The source is only read.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from kferry.config import ClusterSettings, TopicSelection
from kferry.groups import Uncopied
from kferry.migration.group_look import GroupSides, Shown, look, named
from kferry.migration.group_sync import Agree, sync_once
from kferry.migration.status import find
from kferry.wire import open_cluster


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


async def show(request: GroupsRequest) -> Shown:
    """Say where every group stands, and where it would go on. Writes nothing anywhere."""
    async with open_group_sides(request) as sides:
        meant = named(request.groups)
        picture = await look(
            sides, request.selection, meant, to_write=False, uncopied=request.uncopied
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
            uncopied=request.uncopied,
        )


@asynccontextmanager
async def open_group_sides(request: GroupsRequest) -> AsyncIterator[GroupSides]:
    """Connect to both sides and find the ledger."""
    async with open_cluster(request.source) as source, open_cluster(request.target) as target:
        ledger = await find(target, migration=request.migration, source=request.source)
        yield GroupSides(source=source, target=target, ledger=ledger)
