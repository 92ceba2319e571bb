"""What apply writes down of topics: just what a copy would, so that a later one finds it.

Owns the ledger's creation and signature by a process that is not its owner. Whoever copies has the
slots to itself: while somebody does, nothing is written here.
"""

import dataclasses
from collections.abc import Iterable, Mapping

from kferry.ledger import LedgerTopic, append, create_ledger, open_ledger, read_ledger
from kferry.migration.book import Manifest, TopicEntry, read_manifest
from kferry.migration.clusters import Sides
from kferry.migration.ownership import Held, insist_on_free, plain
from kferry.migration.planning import PlanRequest
from kferry.names import TopicName
from kferry.topics.applying import TopicWork
from kferry.wire import Cluster

_NO_ID = "none"
"""Brokers before 2.8 give topics no ids: what has none was still seen."""


class Book:
    """A migration's memory of its topics, written by nobody's owner."""

    def __init__(
        self, sides: Sides, ledger: LedgerTopic, entries: Mapping[TopicName, TopicEntry]
    ) -> None:
        self._target = sides.clusters.target
        self._ledger = ledger
        self._entries = dict(entries)

    async def remember(
        self, works: Iterable[TopicWork], source_ids: Mapping[TopicName, str | None]
    ) -> None:
        """Write down what `complete` must set, before a topic is touched."""
        await self._write(
            entry
            for work in works
            if (entry := self._entry(work, source_ids.get(work.source))) is not None
        )

    async def seen(self, works: Iterable[TopicWork]) -> None:
        """Write down the ids that the target gave its new topics."""
        made = {work.target: work.source for work in works if work.creates}
        there = (await self._target.refresh(set(made))).topics
        await self._write(
            dataclasses.replace(
                self._entries[source], target_id=str(there[target].id or "") or _NO_ID
            )
            for target, source in made.items()
            if target in there
        )

    def _entry(self, work: TopicWork, source_id: str | None) -> TopicEntry | None:
        known = self._entries.get(work.source)
        if work.creates:
            return TopicEntry(
                source=work.source,
                target=work.target,
                source_id=source_id,
                target_id=None,
                partitions=work.partitions or 1,
                created=True,
                finish=work.finish,
            )
        if known is None or not work.finish:
            return None
        return dataclasses.replace(known, finish={**known.finish, **work.finish})

    async def _write(self, entries: Iterable[TopicEntry]) -> None:
        written = list(entries)
        self._entries |= {entry.source: entry for entry in written}
        if written:
            documents = [entry.document() for entry in written]
            await append(self._target, self._ledger, 0, documents)


async def open_book(
    sides: Sides,
    request: PlanRequest,
    *,
    migration: str,
    entries: Mapping[TopicName, TopicEntry],
) -> Book:
    """Open the ledger for writing, made and signed if it was not there."""
    target = sides.clusters.target
    ledger = await open_ledger(target, migration)
    if ledger is None:
        ledger = await create_ledger(
            target, migration, slots=request.slots, replication=request.replication
        )
    else:
        await _insist_on_free(target, ledger)
    await _sign(sides, ledger, migration)
    return Book(sides, ledger, entries)


async def _insist_on_free(target: Cluster, ledger: LedgerTopic) -> None:
    try:
        await insist_on_free(target, ledger)
    except Held as held:
        raise Held(
            held.title,
            f"{held.detail}; it keeps the book of the topics",
            hint="it creates the topics that it copies by itself; or stop it first: "
            f"kferry control stop -m {ledger.migration}",
        ) from None


async def _sign(sides: Sides, ledger: LedgerTopic, migration: str) -> None:
    """Write down which clusters this is between; the first one to say so counts."""
    ours = Manifest(migration=migration, source_id=sides.source_id, target_id=sides.target_id)
    target = sides.clusters.target
    for attempt in range(2):
        manifest = read_manifest(plain(await read_ledger(target, ledger, [0]))[0])
        if manifest is not None:
            manifest.insist(source_id=sides.source_id, target_id=sides.target_id)
            return
        if attempt == 0:
            await append(target, ledger, 0, [ours.document()])
