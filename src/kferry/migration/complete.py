"""The verb `complete`: target topics get the settings that they shall have.

Owns what must be true before: nobody copies, and somebody agreed. Retention and the cleaner begin
to work on what was copied; no record is written or taken here.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kferry.config import ClusterSettings, TopicSelection
from kferry.copying import Keeper, Lease, count_positions
from kferry.errors import ExitCode, KferryError
from kferry.ledger import LedgerTopic, append, read_ledger
from kferry.migration.book import TopicEntry, read_topics
from kferry.migration.completing import complete_topics
from kferry.migration.final_report import final_report
from kferry.migration.going import NOTHING_GOES, Outlook, outlook
from kferry.migration.maps import Documents, insist
from kferry.migration.ownership import Held, insist_on_free, plain, take_slots
from kferry.migration.status import find
from kferry.migration.switching.book import insist_on_none_open, ways_back_of
from kferry.migration.switching.fence import FORGOTTEN, lift_fence
from kferry.migration.switching.fence_book import read_fence
from kferry.migration.switching.way_back import delete_ledger
from kferry.units import many
from kferry.wire import Cluster, open_cluster

_LEASE_S = 10.0
_MOST_NAMED = 10


async def insist_on_rest(target: Cluster, ledger: LedgerTopic) -> None:
    """Refuse to go on while somebody copies."""
    try:
        await insist_on_free(target, ledger)
    except Held as held:
        raise Held(
            held.title,
            held.detail,
            hint=f"stop it first: kferry control stop -m {ledger.migration}",
        ) from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Completed:
    """What was done. `agreed`: False where somebody said no."""

    migration: str
    agreed: bool
    topics: tuple[TopicEntry, ...]
    """Those whose settings were restored; before agreement, those that wait."""
    outlook: Outlook = NOTHING_GOES
    """What retention takes from here on."""
    report: Mapping[str, Any] = field(default_factory=dict)
    """What is worth keeping of the migration."""


class LeftOnSource(KferryError):
    """Something of ours is on a source that was not named."""

    code = "K263"
    exit_code = ExitCode.USAGE


class StillNeeded(KferryError):
    """Groups have yet to read what would go."""

    code = "K256"
    exit_code = ExitCode.REFUSED


async def complete(
    target: ClusterSettings,
    *,
    migration: str | None,
    source: ClusterSettings | None,
    selection: TopicSelection,
    agree: Callable[[str, Sequence[TopicEntry], Outlook], bool],
    force: bool = False,
) -> Completed:
    """Restore the settings of every chosen topic that waits for it.

    `force`: also if that takes records from groups that have yet to read them.
    """
    async with open_cluster(target) as cluster:
        ledger = await find(cluster, migration=migration, source=source)
        documents = plain(await read_ledger(cluster, ledger, [0]))[0]
        insist_on_none_open(documents)
        _insist_on_way_to_source(source, documents)
        entries = read_topics(documents)
        waiting = [
            entry
            for name, entry in sorted(entries.items())
            if entry.suspended and selection.matches(name, internal=False)
        ]
        last = len(waiting) == sum(entry.suspended for entry in entries.values())
        if not waiting:
            if last:
                await _tidy_source(source, cluster, ledger, documents)
            report = final_report(ledger.migration, documents)
            return Completed(migration=ledger.migration, agreed=True, topics=(), report=report)
        await insist_on_rest(cluster, ledger)
        found = await outlook(cluster, waiting)
        if not force:
            _insist_on_nobody_behind(found)
        if not agree(ledger.migration, waiting, found):
            return Completed(migration=ledger.migration, agreed=False, topics=tuple(waiting))
        if last:
            await _tidy_source(source, cluster, ledger, documents)
        taken = await take_slots(cluster, ledger)
        for slot in taken.slots:  # their partitions stay as their last owner left them
            slot.others = count_positions(taken.documents[slot.number])
        keeper = Keeper(taken.slots, Lease(_LEASE_S), snapshot=lambda: None, regained=lambda: None)
        try:
            done = await complete_topics(cluster, taken.slots[0], waiting)
        finally:
            await keeper.finish()
        documents = plain(await read_ledger(cluster, ledger, [0]))[0]
        return Completed(
            migration=ledger.migration,
            agreed=True,
            topics=tuple(done),
            outlook=found,
            report=final_report(ledger.migration, documents),
        )


async def _tidy_source(
    source: ClusterSettings | None, target: Cluster, ledger: LedgerTopic, documents: Documents
) -> None:
    """Leave nothing of ours on the source: nobody else would know whose it is."""
    fenced, ways_back = read_fence(documents) is not None, ways_back_of(documents)
    if source is None or not (fenced or ways_back):
        return
    async with open_cluster(source) as cluster:
        insist(documents, target, cluster)
        if fenced:
            await lift_fence(cluster, documents)
        for name in ways_back:
            await delete_ledger(cluster, name)
    if fenced:
        await append(target, ledger, 0, [FORGOTTEN])


def _insist_on_way_to_source(source: ClusterSettings | None, documents: Documents) -> None:
    if source is not None:
        return
    left = ["rules that keep producers out"] if read_fence(documents) is not None else []
    left += ["the ledger of the way back"] if ways_back_of(documents) else []
    if left:
        raise LeftOnSource(
            f"there is something of ours on the source: {' and '.join(left)}",
            "It is taken away with the end of the migration; from there on there is no way back.",
            hint="name the source, too, with --source or --source-config",
            changed="Nothing was changed.",
        )


def _insist_on_nobody_behind(found: Outlook) -> None:
    if not found.behind:
        return
    groups = {one.group for one in found.behind}
    raise StillNeeded(
        f"{many(len(groups), 'group')} on the target would lose records not read yet",
        "\n".join(
            f"{one.group}, {one.place}: at {one.position:,}, and up to {one.up_to:,} may go"
            for one in found.behind[:_MOST_NAMED]
        ),
        hint="let them catch up, or --force; --topic leaves topics for later",
    )
