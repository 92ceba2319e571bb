"""What it takes to give a migration up: what it left on the target, and taking that away again.

Owns looking first, and the order of undoing: settings, positions, then, with all of it kept in a
file, created topics and last of all the ledger. Killed in between, the same command goes on.
"""

import json
import os
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from kferry.admin.offsets import Place, offsets_at
from kferry.admin.topic_removal import delete_topics
from kferry.config import ClusterSettings, TopicSelection
from kferry.copying import Keeper, Lease, count_positions
from kferry.errors import ExitCode, KferryError
from kferry.groups import Step, take_groups
from kferry.ledger import LedgerTopic, delete_ledger, export_lines, read_ledger
from kferry.migration.book import TopicEntry
from kferry.migration.completing import complete_topics
from kferry.migration.group_undo import TakenBack, look_back, undo
from kferry.migration.maps import Documents, Maps
from kferry.migration.ownership import take_slots
from kferry.migration.switching.only_ours import holding
from kferry.names import TopicPartition
from kferry.units import many
from kferry.wire import Cluster, Topic

_LEASE_S = 10.0
_UNKNOWN_TOPIC = 3


class NotCancelled(KferryError):
    """Something could not be taken away."""

    code = "K258"
    exit_code = ExitCode.FAILED


@dataclass(frozen=True, slots=True, kw_only=True)
class Created:
    """A topic that kferry created. `why`: what keeps it from being deleted."""

    entry: TopicEntry
    topic: Topic
    records: int = 0
    why: str = ""
    ends: dict[TopicPartition, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Leftovers:
    """What a migration has left on its target."""

    ledger: LedgerTopic
    documents: int
    suspended: tuple[TopicEntry, ...]
    """Topics whose settings wait to be given back."""
    positions: tuple[TakenBack, ...]
    created: tuple[Created, ...]

    @property
    def deletable(self) -> list[Created]:
        """Topics that hold nothing but what kferry wrote."""
        return [one for one in self.created if not one.why]

    @property
    def in_the_way(self) -> list[TakenBack]:
        """Positions that cannot be taken back now."""
        return [one for one in self.positions if one.step in {Step.ACTIVE, Step.FAILED}]


async def leftovers(
    target: Cluster, ledger: LedgerTopic, documents: Documents, *, closely: bool
) -> Leftovers:
    """Look at all of it; `closely`: also at what the created topics hold."""
    maps = Maps.of(documents)
    there = (await target.refresh({one.target for one in maps.topics.values()})).topics
    present = {
        name: there[entry.target]
        for name, entry in maps.topics.items()
        if entry.target in there and there[entry.target].error_code != _UNKNOWN_TOPIC
    }
    read = await _read_by(target) if closely else {}
    created = [
        await _created(target, maps, entry, present[name], read, closely=closely)
        for name, entry in sorted(maps.topics.items())
        if entry.created and name in present
    ]
    return Leftovers(
        ledger=ledger,
        documents=len(documents),
        suspended=tuple(
            entry
            for name, entry in sorted(maps.topics.items())
            if entry.suspended and name in present and _same(entry, present[name])
        ),
        positions=tuple(await look_back(target, documents)),
        created=tuple(created),
    )


async def _created(
    target: Cluster,
    maps: Maps,
    entry: TopicEntry,
    topic: Topic,
    read: dict[str, str],
    *,
    closely: bool,
) -> Created:
    if not _same(entry, topic):
        return Created(entry=entry, topic=topic, why="somebody deleted it and made it anew")
    if not closely:
        return Created(entry=entry, topic=topic)
    if entry.target_id is None:
        why = "it cannot be told whether kferry made it"
        return Created(entry=entry, topic=topic, why=why)
    found = await holding(target, maps, entry.source, topic)
    why = found.why
    if not why and entry.target in read:
        why = f"group {read[entry.target]} reads it"
    return Created(entry=entry, topic=topic, records=found.records, ends=found.ends, why=why)


async def _read_by(target: Cluster) -> dict[str, str]:
    """Name for each topic a group with members that read it."""
    groups = (await take_groups(target, TopicSelection())).groups
    return {
        one.topic: group.id
        for group in groups
        for member in group.members or ()
        for one in member.assigned
    }


def _same(entry: TopicEntry, topic: Topic) -> bool:
    return topic.id is None or entry.target_id in {None, "none", str(topic.id)}


async def give_back_settings(
    target: Cluster, ledger: LedgerTopic, entries: Collection[TopicEntry]
) -> None:
    """Give topics their settings back; whoever still copies is shut out."""
    taken = await take_slots(target, ledger)
    for slot in taken.slots:  # their partitions stay as their last owner left them
        slot.others = count_positions(taken.documents[slot.number])
    keeper = Keeper(taken.slots, Lease(_LEASE_S), snapshot=lambda: None, regained=lambda: None)
    try:
        await complete_topics(target, taken.slots[0], entries)
    finally:
        await keeper.finish()


async def take_positions_back(settings: ClusterSettings, migration: str) -> list[TakenBack]:
    """Put every position back as it was; return what was done about each."""
    undone = await undo(
        settings,
        migration=migration,
        source=None,
        selection=TopicSelection(),
        groups=(),
        agree=lambda _name, _steps: True,
    )
    failed = [one for one in undone.positions if one.step in {Step.FAILED, Step.ACTIVE}]
    if failed:
        raise NotCancelled(
            f"{many(len(failed), 'position')} on the target could not be put back",
            "\n".join(f"{one.image.group}, {one.image.place}: {one.reason}" for one in failed[:5]),
            hint="stop what still consumes there, then kferry cancel does the rest",
            changed="Other positions are as they were; the ledger is kept.",
        )
    return list(undone.positions)


async def delete_created(target: Cluster, chosen: Sequence[Created]) -> list[Created]:
    """Delete topics, unless somebody wrote to them since they were looked at."""
    ends = await offsets_at(target, [one for own in chosen for one in own.ends], Place.END)
    still = [one for one in chosen if all(ends[place] == end for place, end in one.ends.items())]
    refusals = await delete_topics(target, [one.topic for one in still])
    failed = {name: str(refusal) for name, refusal in refusals.items() if refusal is not None}
    failed |= {
        one.topic.name: "somebody has written to it just now" for one in chosen if one not in still
    }
    if failed:
        raise NotCancelled(
            f"{many(len(failed), 'topic')} could not be deleted",
            "\n".join(f"{name}: {reason}" for name, reason in sorted(failed.items())),
            hint="mend it, or leave --delete-created out; then kferry cancel does the rest",
            changed=f"{many(len(refusals) - sum(map(bool, refusals.values())), 'other topic')} "
            "deleted; settings and positions are as they were; the ledger is kept.",
        )
    return still


async def export(target: Cluster, ledger: LedgerTopic, path: Path) -> int:
    """Write every document of the ledger to a file, whole or not at all; return how many."""
    contents = await read_ledger(target, ledger)
    lines = list(export_lines(contents))
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            for line in lines:
                file.write(json.dumps(line, ensure_ascii=False) + "\n")
            file.flush()
            os.fsync(file.fileno())
        # Never over another file: a link is refused where a rename would not be.
        os.link(beside, path)
    finally:
        beside.unlink(missing_ok=True)
    return len(lines)


async def forget(target: Cluster, ledger: LedgerTopic, tell: Callable[[str], None]) -> None:
    """Delete the ledger's topic, and see that it is gone."""
    await delete_ledger(target, ledger)
    tell(f"the ledger {ledger.topic} is deleted")
