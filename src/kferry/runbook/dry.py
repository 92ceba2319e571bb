"""A cutover looked at beforehand: what it would do, step by step, and what its gates say now.

Owns asking without changing anything.
"""

from dataclasses import dataclass

from kferry.groups import look_there
from kferry.ledger import open_ledger
from kferry.migration.clusters import Sides, open_sides
from kferry.migration.maps import Documents, read_documents
from kferry.migration.switching.fence import look
from kferry.migration.switching.fence_book import read_wish
from kferry.migration.switching.scope import Scope
from kferry.migration.switching.silence import SilenceWatch
from kferry.migration.switching.way_back import takes_back
from kferry.names import TopicName
from kferry.runbook import fencing, readings
from kferry.runbook.finding import CutoverRequest, find
from kferry.runbook.operations import Reading
from kferry.runbook.record import Record
from kferry.runbook.schemes import SCHEMES
from kferry.runbook.steps import Scheme


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """What a dry run has to say."""

    migration: str
    scheme: Scheme
    record: Record
    scope: Scope
    readings: tuple[Reading, ...]


async def dry_run(request: CutoverRequest) -> Planned:
    """Look at everything that can be looked at, and change nothing."""
    async with open_sides(request.copy.source, request.copy.target) as sides:
        migration = request.copy.migration or sides.default_migration
        target = sides.clusters.target
        ledger = await open_ledger(target, migration)
        documents: Documents = {}
        if ledger is not None:
            documents = await read_documents(target, ledger, source=sides.clusters.source)
        record, scope = await find(request, sides, documents, migration)
        return Planned(
            migration=migration,
            scheme=fencing.scheme_of(record),
            record=record,
            scope=scope,
            readings=(
                *await _look(sides, scope, request.silence_s),
                *await _way_back(sides, record),
                *await _fence(sides, record),
            ),
        )


async def _fence(sides: Sides, record: Record) -> list[Reading]:
    wish = read_wish(record.facts)
    if wish is None:
        return []
    topics = [TopicName(name) for name in record.topics]
    return [fencing.feasible(await look(sides.clusters.source, topics, wish))]


async def _look(sides: Sides, scope: Scope, silence_s: float) -> list[Reading]:
    source, target = sides.clusters.source, sides.clusters.target
    groups = await scope.groups_on(source)
    there = await look_there(target, [one.id for one in groups], to_write=False)
    watch = SilenceWatch(cluster=source, seconds=silence_s)
    quiet = readings.silence(await watch.look(await scope.source_partitions(source)), silence_s)
    return [
        readings.groups_found(groups, scope),
        readings.nobody_there(there),
        # One look says nothing of silence.
        *(one for one in quiet if one.gate != "silence"),
    ]


async def _way_back(sides: Sides, record: Record) -> list[Reading]:
    scheme = SCHEMES.get(record.scheme)
    if scheme is None or not scheme.returns:
        return []
    if not record.facts.get("way_back"):
        return [readings.no_way_back()]
    return [readings.can_return(possible=await takes_back(sides.clusters.source))]
