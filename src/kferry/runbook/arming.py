"""The ledger of the other direction: made from that of this one, looked at, found.

Owns what a walk in one direction does for the one that may come after it.
"""

from dataclasses import dataclass

from kferry.admin.offsets import Place, offsets_at
from kferry.config import ClusterSettings
from kferry.ledger import LedgerTopic, open_ledger
from kferry.migration.book import Manifest
from kferry.migration.clusters import Sides
from kferry.migration.maps import Maps, read_documents
from kferry.migration.switching.scope import Scope
from kferry.migration.switching.turning import Ends, turn
from kferry.migration.switching.way_back import NoWayBack, prepare_way_back
from kferry.runbook import readings
from kferry.runbook.operations import Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One direction: from where to where, and the ledger that lies there."""

    migration: str
    source_settings: ClusterSettings
    target_settings: ClusterSettings
    sides: Sides
    ledger: LedgerTopic
    scope: Scope


async def arm(way: Way, other: str, *, back: bool) -> None:
    """Write the maps of this way, turned round, into the ledger of the other one."""
    source, target, scope = way.sides.clusters.source, way.sides.clusters.target, way.scope
    here = await scope.source_partitions(source)
    ends = await offsets_at(source, here, Place.END)
    there = await offsets_at(target, map(scope.there, here), Place.END)
    await turn(
        Maps.of(await read_documents(target, way.ledger)),
        scope,
        {one: Ends(here=ends[one], there=there[scope.there(one)]) for one in here},
        cluster=source,
        ledger=await other_ledger(way, other) if back else await prepare_way_back(source, other),
        manifest=Manifest(
            migration=other, source_id=way.sides.target_id, target_id=way.sides.source_id
        ),
    )


async def armed(way: Way, other: str) -> Reading:
    """Say whether that ledger knows both logs up to their ends."""
    source = way.sides.clusters.source
    maps = Maps.of(await read_documents(source, await other_ledger(way, other)))
    here = await way.scope.source_partitions(source)
    ends = await offsets_at(source, here, Place.END)
    return readings.way_back({one: maps.map_of(way.scope.there(one)) for one in here}, ends)


async def other_ledger(way: Way, other: str) -> LedgerTopic:
    """Find it."""
    found = await open_ledger(way.sides.clusters.source, other)
    if found is None:
        raise NoWayBack(
            "the ledger of the way back is not there",
            f"{other} on {way.sides.source_id}",
            hint="kferry cutover --no-way-back goes on without",
        )
    return found
