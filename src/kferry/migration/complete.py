"""The verb `complete`: target topics get the settings that they shall have.

Owns what must be true before: nobody copies, and somebody agreed. Retention and the cleaner begin
to work on what was copied; no record is written or taken here.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from kferry.config import ClusterSettings, TopicSelection
from kferry.copying import Keeper, Lease, count_positions
from kferry.ledger import LedgerTopic, read_ledger
from kferry.migration.book import TopicEntry, read_topics
from kferry.migration.completing import complete_topics
from kferry.migration.ownership import Held, insist_on_free, plain, take_slots
from kferry.migration.status import find
from kferry.wire import Cluster, open_cluster

_LEASE_S = 10.0


async def _insist_on_rest(target: Cluster, ledger: LedgerTopic) -> None:
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


async def complete(
    target: ClusterSettings,
    *,
    migration: str | None,
    source: ClusterSettings | None,
    selection: TopicSelection,
    agree: Callable[[str, Sequence[TopicEntry]], bool],
) -> Completed:
    """Restore the settings of every chosen topic that waits for it."""
    async with open_cluster(target) as cluster:
        ledger = await find(cluster, migration=migration, source=source)
        entries = read_topics(plain(await read_ledger(cluster, ledger, [0]))[0])
        waiting = [
            entry
            for name, entry in sorted(entries.items())
            if entry.suspended and selection.matches(name, internal=False)
        ]
        if not waiting:
            return Completed(migration=ledger.migration, agreed=True, topics=())
        await _insist_on_rest(cluster, ledger)
        if not agree(ledger.migration, waiting):
            return Completed(migration=ledger.migration, agreed=False, topics=tuple(waiting))
        taken = await take_slots(cluster, ledger)
        for slot in taken.slots:  # their partitions stay as their last owner left them
            slot.others = count_positions(taken.documents[slot.number])
        keeper = Keeper(taken.slots, Lease(_LEASE_S), snapshot=lambda: None, regained=lambda: None)
        try:
            done = await complete_topics(cluster, taken.slots[0], waiting)
        finally:
            await keeper.finish()
        return Completed(migration=ledger.migration, agreed=True, topics=tuple(done))
