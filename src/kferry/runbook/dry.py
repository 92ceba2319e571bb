"""A cutover looked at beforehand: what it would do, step by step, and what its gates say now.

Owns asking without changing anything.
"""

from dataclasses import dataclass

from kferry.groups import look_there
from kferry.ledger import open_ledger
from kferry.migration.clusters import Sides, open_sides
from kferry.migration.maps import Documents, read_documents
from kferry.migration.switching.at_work import committed_by, look_at_work
from kferry.migration.switching.fence import look
from kferry.migration.switching.fence_book import read_wish
from kferry.migration.switching.scope import Scope
from kferry.migration.switching.silence import SilenceWatch
from kferry.migration.switching.uncommitted import find_unset
from kferry.names import TopicName
from kferry.runbook import fencing, group_readings, readings
from kferry.runbook.both_sides import BothSides, reader, with_files
from kferry.runbook.finding import CutoverRequest, find
from kferry.runbook.operations import Reading
from kferry.runbook.record import Record
from kferry.runbook.returning import can_return
from kferry.runbook.schemes import SCHEMES
from kferry.runbook.steps import Scheme
from kferry.runbook.unset import asks_uncommitted, never_committed, read_choice


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
        request = with_files(request, sides)
        record, scope = await find(request, sides, documents, migration)
        return Planned(
            migration=migration,
            scheme=fencing.scheme_of(record),
            record=record,
            scope=scope,
            readings=(
                *await _look(sides, scope, request.silence_s),
                *await unset_now(sides, record, scope),
                *await _both(request, sides, scope),
                *await way_back_now(sides, record, scope),
                *await fence_now(sides, record),
            ),
        )


async def _both(request: CutoverRequest, sides: Sides, scope: Scope) -> list[Reading]:
    if not request.maps:
        return []
    both = BothSides(
        source=sides.clusters.source,
        target=sides.clusters.target,
        scope=scope,
        read=reader(request, sides),
        silence=SilenceWatch(cluster=sides.clusters.source, seconds=request.silence_s),
    )
    return [*await both.fit(), *await both.complete()]


async def fence_now(sides: Sides, record: Record) -> list[Reading]:
    """Say who would be shut out, if a fence is wished for."""
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
        group_readings.groups_found(groups, scope),
        group_readings.nobody_there(there),
        # One look says nothing of silence.
        *(one for one in quiet if one.gate != "silence"),
    ]


async def unset_now(sides: Sides, record: Record, scope: Scope) -> list[Reading]:
    """Say where groups at work have no position, in schemes that place them."""
    scheme = SCHEMES.get(record.scheme)
    if scheme is None or not asks_uncommitted(scheme):
        return []
    source = sides.clusters.source
    groups = await scope.groups_on(source)
    work = await look_at_work(source, scope, groups)
    places = {group.id: frozenset(committed_by(group)) for group in groups}
    unset = await find_unset(source, scope, work, places)
    return never_committed(unset, read_choice(record.facts))


async def way_back_now(sides: Sides, record: Record, scope: Scope) -> list[Reading]:
    """Say whether records could come back, where the scheme has a way back."""
    scheme = SCHEMES.get(record.scheme)
    if scheme is None or not scheme.returns:
        return []
    other = record.facts.get("way_back")
    if not other:
        return [readings.no_way_back()]
    groups = [one.id for one in await scope.groups_on(sides.clusters.source)]
    return await can_return(sides.clusters.source, scope, groups, str(other))
