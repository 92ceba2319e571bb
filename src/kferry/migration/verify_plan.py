"""What is to be verified: the partitions that are meant, and what each is held to.

Owns the questions to the ledger and to both clusters before the first record is read.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kferry.admin.offsets import Place, offsets_at
from kferry.config import TopicSelection
from kferry.copying import OWNER, position_key
from kferry.ledger import LedgerTopic, read_ledger
from kferry.migration.book import TopicEntry
from kferry.migration.chosen import NoSuchTopic
from kferry.migration.maps import Documents, Maps, insist, merged
from kferry.migration.ownership import plain
from kferry.migration.turned import own_since
from kferry.migration.verify_values import VerifyRequest
from kferry.names import PartitionId, TopicName, TopicPartition
from kferry.offsets import OffsetMap
from kferry.topics.effective import effective_configs
from kferry.topics.names_near import no_such_topic
from kferry.verify import Task
from kferry.wire import Cluster, Topic, WireError

_TIMES = "message.timestamp.type"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What the ledger and both clusters say before the first record is read."""

    maps: Maps
    tasks: tuple[Task, ...]
    source_starts: Mapping[TopicPartition, int]
    troubles: Mapping[TopicPartition, str]
    """Why partitions cannot be compared."""
    waiting: frozenset[TopicPartition]
    """Partitions whose copy has not begun."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Logs:
    """Where logs begin and end, before anything is read: what comes later is not looked at."""

    source_starts: Mapping[TopicPartition, int]
    source_ends: Mapping[TopicPartition, int]
    target_starts: Mapping[TopicPartition, int]
    target_ends: Mapping[TopicPartition, int]


async def make_plan(
    source: Cluster, target: Cluster, ledger: LedgerTopic, request: VerifyRequest
) -> Plan:
    """Find out what there is to verify."""
    contents = await read_ledger(target, ledger)
    documents = merged(contents)
    insist(documents, target, source)
    maps = Maps.of(documents)
    entries = _chosen(maps, request.selection)
    known, troubles, waiting = await _sorted_out(source, target, maps, entries)
    goals = {one: goal for one in known if (goal := maps.target_of(one)) is not None}
    logs = await _logs(source, target, goals)
    here = await _settings(source, {one.topic for one in goals})
    there = await _settings(target, {one.topic for one in goals.values()})
    clean = clean_documents(plain(contents))
    tasks = tuple(
        Task(
            source=one,
            target=goals[one],
            offsets=offsets,
            source_end=logs.source_ends[one],
            target_start=logs.target_starts[goals[one]],
            target_end=logs.target_ends[goals[one]],
            timestamps=there[goals[one].topic].get(_TIMES) != "LogAppendTime",
            # Where retention takes old segments too, a key may be gone from the source for good.
            source_compacts=_cleanup(here[one.topic]) == {"compact"},
            target_compacts="compact" in _cleanup(there[goals[one].topic]),
            bytes_suffice=request.level != "records",
            source_start=logs.source_starts[one],
            digests=() if request.both else maps.digests_of(one),
            producers_moved=request.producers_moved,
            copied_clean=position_key(one) in clean,
            # What went the other way since: aborted records lie there, too, and are no damage.
            since=max(request.since.get(one, 0), own_since(documents, one) or 0),
        )
        for one, offsets in known.items()
    )
    return Plan(
        maps=maps,
        tasks=tasks,
        source_starts=logs.source_starts,
        troubles=troubles,
        waiting=frozenset(waiting),
    )


def clean_documents(slots: Mapping[int, Documents]) -> set[str]:
    """Return the documents of slots that nobody writes to, and that were left with no doubt."""
    found: set[str] = set()
    for own in slots.values():
        owner: Mapping[str, Any] = own.get(OWNER, {})
        if owner.get("state") == "stopped" and owner.get("clean") is True:
            found |= own.keys()
    return found


def _chosen(maps: Maps, selection: TopicSelection) -> list[TopicEntry]:
    """Return the topics that are meant, of those that the ledger holds."""
    absent = sorted(selection.exact - maps.topics.keys())
    unmatched = selection.unmatched(maps.topics)
    if absent or (unmatched and not selection.exact):
        names = [no_such_topic(name, list(maps.topics)) for name in absent]
        raise NoSuchTopic(
            "; ".join(names) or f"no topic of the migration matches {', '.join(unmatched)}",
            "only what was copied can be verified",
            hint="kferry status shows the topics of a migration",
        )
    return [
        entry
        for name, entry in sorted(maps.topics.items())
        if name in selection.exact or selection.matches(name, internal=False)
    ]


async def _sorted_out(
    source: Cluster, target: Cluster, maps: Maps, entries: list[TopicEntry]
) -> tuple[dict[TopicPartition, OffsetMap], dict[TopicPartition, str], set[TopicPartition]]:
    """Tell partitions with a map from those that cannot be compared, or not yet."""
    here = (await source.refresh({one.source for one in entries})).topics
    there = (await target.refresh({one.target for one in entries})).topics
    known: dict[TopicPartition, OffsetMap] = {}
    troubles: dict[TopicPartition, str] = {}
    waiting: set[TopicPartition] = set()
    for entry in entries:
        trouble = _trouble(entry, here.get(entry.source), there.get(entry.target))
        for number in range(entry.partitions):
            partition = TopicPartition(entry.source, PartitionId(number))
            offsets = maps.map_of(partition)
            if trouble:
                troubles[partition] = trouble
            elif offsets is None:
                waiting.add(partition)
            else:
                known[partition] = offsets
    return known, troubles, waiting


def _trouble(entry: TopicEntry, here: Topic | None, there: Topic | None) -> str:
    """Say why a topic cannot be compared; empty if it can."""
    sides = (("source", here, entry.source_id), ("target", there, entry.target_id))
    for side, topic, known in sides:
        if topic is None or topic.error_code:
            return f"the {side} does not show the topic: it is gone, or may not be seen"
        if topic.id is not None and known not in {None, "none", str(topic.id)}:
            return f"the topic was deleted and made anew on the {side}"
    return ""


async def _logs(
    source: Cluster, target: Cluster, goals: Mapping[TopicPartition, TopicPartition]
) -> _Logs:
    source_starts, source_ends, target_starts, target_ends = await asyncio.gather(
        offsets_at(source, goals, Place.START),
        offsets_at(source, goals, Place.END, committed=True),
        offsets_at(target, goals.values(), Place.START),
        offsets_at(target, goals.values(), Place.END),
    )
    return _Logs(
        source_starts=source_starts,
        source_ends=source_ends,
        target_starts=target_starts,
        target_ends=target_ends,
    )


async def _settings(cluster: Cluster, topics: set[TopicName]) -> dict[TopicName, Mapping[str, str]]:
    """Return what topics are told; empty where that may not be seen, or asked (before 0.11)."""
    return {
        topic: {}
        if isinstance(configs, WireError)
        else {name: one.value for name, one in configs.items() if one.value is not None}
        for topic, configs in (await effective_configs(cluster, topics)).items()
    }


def _cleanup(settings: Mapping[str, str]) -> set[str]:
    return {word.strip() for word in settings.get("cleanup.policy", "").split(",")}
