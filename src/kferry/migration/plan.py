"""The verb `plan`: from two clusters and wishes to everything that would be done.

Owns the look at both sides and what the migration remembers, put together. Writes nothing, and
creates no ledger.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from kferry.access import plan_access
from kferry.admin.view import Gap
from kferry.config.renaming import Renaming
from kferry.copying import position_key
from kferry.ledger import LedgerTopic, ledger_topic, open_ledger, read_ledger
from kferry.migration.book import TopicEntry, read_manifest, read_topics
from kferry.migration.chosen import NoSuchTopic
from kferry.migration.clusters import Sides, open_sides
from kferry.migration.ownership import plain
from kferry.migration.plan_around import plan_applications, return_notes, take_size
from kferry.migration.planning import PlanRequest
from kferry.migration.strangers import made_by_others
from kferry.names import PartitionId, TopicName, TopicPartition
from kferry.plans import Action, Item, Plan, fingerprint
from kferry.topics import Topics, take_topics
from kferry.topics.names_near import no_such_topic
from kferry.topics.planning import plan_topics
from kferry.topics.planning_items import Kept

_SEEN = frozenset({"topics", "topic configs"})
"""What is missing from a plan when it cannot be seen; sizes and times are missing from a size."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A plan, and what an apply must know of what it was made from."""

    plan: Plan
    entries: Mapping[TopicName, TopicEntry]
    source_ids: Mapping[TopicName, str | None]


async def plan(request: PlanRequest) -> Plan:
    """Tell what would be done."""
    async with open_sides(request.source, request.target) as sides:
        return (await make(sides, request)).plan


async def make(sides: Sides, request: PlanRequest, *, sized: bool = True) -> Made:
    """Tell what would be done, on sides that are open; `sized`: and how much there is to copy."""
    source, target = sides.clusters.source, sides.clusters.target
    migration = request.migration or sides.default_migration
    ledger = await open_ledger(target, migration)
    entries = await _known(sides, ledger)
    topics = await _look(sides, request, rate_seconds=request.rate_seconds if sized else 0)
    found = await plan_topics(
        source,
        target,
        topics,
        wishes=request.topics,
        mapping=request.mapping,
        kept=await _kept(sides, ledger, entries),
        suspend_retention=request.suspend_retention,
    )
    items = (
        *found.items,
        *await plan_applications(source, topics.topics, request.selection),
        *await plan_access(
            source,
            target,
            request.access,
            _called(request.mapping, found.names),
            request.selection,
        ),
    )
    size = (
        await take_size(
            source,
            target,
            topics.topics,
            planned=found.items,
            names=dict(found.names),
            rate=request.rate,
        )
        if sized
        else {}
    )
    return Made(
        plan=Plan(
            migration=migration,
            source_id=sides.source_id,
            target_id=sides.target_id,
            source_release=(await source.any_connection()).versions.release,
            target_release=(await target.any_connection()).versions.release,
            made_at=datetime.now(UTC).isoformat(timespec="seconds"),
            items=items,
            notes=(
                *_notes(topics.gaps),
                *_about_created(found.items, migration),
                *await return_notes(source, topics.topics),
            ),
            size=size,
            asked=request.asked,
            facts_hash=fingerprint(items),
        ),
        entries=entries,
        source_ids={one.name: one.id for one in topics.topics},
    )


async def _known(sides: Sides, ledger: LedgerTopic | None) -> dict[TopicName, TopicEntry]:
    if ledger is None:
        return {}
    documents = plain(await read_ledger(sides.clusters.target, ledger, [0]))[0]
    manifest = read_manifest(documents)
    if manifest is not None:
        manifest.insist(source_id=sides.source_id, target_id=sides.target_id)
    entries = read_topics(documents)
    others = await made_by_others(sides.clusters.target, entries.values())
    return {name: one for name, one in entries.items() if name not in others}


async def _kept(
    sides: Sides, ledger: LedgerTopic | None, entries: Mapping[TopicName, TopicEntry]
) -> dict[TopicName, Kept]:
    """Tell what is remembered of topics; where positions lie is asked only if it matters."""
    target = sides.clusters.target
    there = (await target.refresh({one.target for one in entries.values()})).topics
    gone = [
        one
        for one in entries.values()
        if one.target_id and (one.target not in there or there[one.target].error_code)
    ]
    positions: set[str] = set()
    if gone and ledger is not None:
        for own in plain(await read_ledger(target, ledger)).values():
            positions |= own.keys()
    return {
        name: Kept(
            target=one.target,
            source_id=one.source_id,
            target_id=one.target_id,
            created=one.created,
            finish=one.finish if one.suspended else {},
            copied=one not in gone or _has_position(one, positions),
        )
        for name, one in entries.items()
    }


def _has_position(entry: TopicEntry, keys: set[str]) -> bool:
    return any(
        position_key(TopicPartition(entry.source, PartitionId(number))) in keys
        for number in range(entry.partitions)
    )


async def _look(sides: Sides, request: PlanRequest, *, rate_seconds: float) -> Topics:
    """Look at the selected topics; one that surely does not exist was mistyped."""
    source, selection = sides.clusters.source, request.selection
    topics = await take_topics(source, selection, rate_seconds=rate_seconds)
    names = {one.name for one in topics.topics}
    hidden = {name for gap in topics.gaps if gap.hint for name in gap.concerns}
    absent = sorted(selection.exact - names - hidden)
    unmatched = selection.unmatched(names)
    if absent or (unmatched and not names):
        everything = list((await source.refresh(None)).topics)
        raise NoSuchTopic(
            "; ".join(no_such_topic(name, everything) for name in absent)
            or f"no topic of the source matches {', '.join(unmatched)}",
            "; ".join(_sentence(gap) for gap in topics.gaps if gap.subject == "topics"),
            hint="kferry inspect topics shows what there is",
        )
    return topics


def _called(
    mapping: Mapping[TopicName, TopicName], known: Mapping[TopicName, TopicName]
) -> Mapping[TopicName, TopicName]:
    """Put the names of known topics on top of a mapping that may know patterns."""
    return mapping | known if isinstance(mapping, Renaming) else {**mapping, **known}


def _about_created(items: Iterable[Item], migration: str) -> Iterator[str]:
    """Say what is done with topics that nobody would guess."""
    if any(item.action is Action.CREATE for item in items):
        yield (
            "created topics keep every record until `kferry complete`: retention, cleaner and "
            "limits on times wait; what they get then is written down in the topic "
            f"{ledger_topic(migration)}"
        )


def _notes(gaps: tuple[Gap, ...]) -> list[str]:
    return [_sentence(gap) for gap in gaps if gap.subject in _SEEN]


def _sentence(gap: Gap) -> str:
    return f"{gap.subject}: {gap.reason}{f' ({gap.hint})' if gap.hint else ''}"
