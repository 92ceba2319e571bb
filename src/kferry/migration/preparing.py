"""The target's topics made ready: created or suspended, and written down before either.

Owns the order that survives a crash: what `complete` must set is in the ledger before a topic is
touched. One topic that cannot be made does not hold up the others.
"""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from kferry.config.plan_settings import TopicWishes
from kferry.copying import Slot
from kferry.errors import KferryError
from kferry.migration.book import TopicEntry
from kferry.migration.chosen import Chosen, insist_on_empty
from kferry.names import TopicName
from kferry.progress import Stopped
from kferry.topics import (
    Suspension,
    TargetTopic,
    TopicFacts,
    TopicPair,
    counterparts,
    create_missing,
    suspend,
    suspensions,
)
from kferry.topics.planning_wishes import as_wished
from kferry.wire import Cluster


@dataclass(slots=True, kw_only=True)
class Prepared:
    """The topics that can be copied, and those that cannot."""

    topics: list[tuple[TopicFacts, TopicEntry]] = field(default_factory=list)
    stopped: list[Stopped] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


class Preparer:
    """Makes topics ready for one process."""

    def __init__(self, source: Cluster, target: Cluster, slot: Slot, wishes: TopicWishes) -> None:
        self._source, self._target = source, target
        self._slot = slot
        self._wishes = wishes

    async def prepare(self, chosen: Chosen, *, suspend_retention: bool) -> Prepared:
        """Make every chosen topic ready."""
        prepared = Prepared(topics=[])
        unmade = [(facts, entry) for facts, entry in chosen.known if entry.target_id is None]
        made = await self._counterparts(chosen.missing)
        await self._create(made, chosen.missing, prepared)
        await self._take_over(chosen.existing, prepared, suspend_retention=suspend_retention)
        await self._again(unmade, prepared)
        prepared.topics += [(facts, entry) for facts, entry in chosen.known if entry.target_id]
        return prepared

    async def _counterparts(self, pairs: Sequence[TopicPair]) -> list[TargetTopic]:
        """Tell what missing topics must be: as on the source, or as kferry.yaml wishes."""
        wished = [
            TopicPair(source=as_wished(one.source, self._wishes), target=one.target)
            for one in pairs
        ]
        return await counterparts(
            self._source, self._target, wished, replication=self._wishes.replication
        )

    async def _create(
        self, made: list[TargetTopic], pairs: Sequence[TopicPair], prepared: Prepared
    ) -> None:
        facts = {pair.target: pair.source for pair in pairs}
        entries = {
            one.target: TopicEntry(
                source=one.source,
                target=one.target,
                source_id=facts[one.target].id,
                target_id=None,
                partitions=one.partitions,
                created=True,
                finish=one.finished,
            )
            for one in made
        }
        if not entries:
            return
        await self.write(entries.values())
        failures = await create_missing(self._target, made)
        prepared.notes += [f"{one.target}: {note}" for one in made for note in one.notes]
        await self._identified(
            [(facts[name], entry) for name, entry in entries.items() if failures[name] is None],
            prepared,
        )
        for name, failure in failures.items():
            if failure is not None:
                prepared.stopped.append(_stopped(facts[name].name, failure))

    async def _again(self, unmade: list[tuple[TopicFacts, TopicEntry]], prepared: Prepared) -> None:
        """Topics that were written down by somebody who died before they were made, or seen."""
        if not unmade:
            return
        metadata = await self._target.refresh({entry.target for _, entry in unmade})
        there = [
            (facts, entry)
            for facts, entry in unmade
            if (topic := metadata.topics.get(entry.target)) is not None and not topic.error_code
        ]
        await self._insist_on_ours(there)
        await self._identified(there, prepared)
        pairs = [
            TopicPair(source=facts, target=entry.target)
            for facts, entry in unmade
            if (facts, entry) not in there
        ]
        made = await self._counterparts(pairs)
        await self._create(made, pairs, prepared)

    async def _insist_on_ours(self, there: list[tuple[TopicFacts, TopicEntry]]) -> None:
        """What we meant to make is empty if we made it; what we meant to suspend is suspended."""
        await insist_on_empty(
            self._target,
            [
                TopicPair(source=facts, target=entry.target)
                for facts, entry in there
                if entry.created
            ],
        )
        ours = [entry.target for _, entry in there if entry.finish and not entry.created]
        await self._suspend(await self._suspensions(ours))

    async def _suspensions(self, topics: Sequence[TopicName]) -> dict[TopicName, Suspension]:
        """Tell what must change on topics of others; one that cannot be looked at is an error."""
        wanted: dict[TopicName, Suspension] = {}
        for name, found in (await suspensions(self._target, topics) if topics else {}).items():
            if isinstance(found, KferryError):
                raise found
            wanted[name] = found
        return wanted

    async def _suspend(self, wanted: Mapping[TopicName, Suspension]) -> None:
        for failure in (await suspend(self._target, wanted)).values():
            if failure is not None:
                raise failure

    async def _take_over(
        self, pairs: Sequence[TopicPair], prepared: Prepared, *, suspend_retention: bool
    ) -> None:
        """Take topics that others have made, with their retention suspended if that is wished."""
        if not pairs:
            return
        names = [pair.target for pair in pairs]
        wanted = await self._suspensions(names) if suspend_retention else {}
        entries = [
            (
                pair.source,
                TopicEntry(
                    source=pair.source.name,
                    target=pair.target,
                    source_id=pair.source.id,
                    target_id=None,
                    partitions=len(pair.source.partitions),
                    created=False,
                    finish=wanted[pair.target].before if pair.target in wanted else {},
                ),
            )
            for pair in pairs
        ]
        await self.write(entry for _, entry in entries)
        await self._suspend(wanted)
        prepared.notes += [
            f"{name}: retention is suspended until `kferry complete`" for name in wanted
        ]
        await self._identified(entries, prepared)

    async def _identified(
        self, topics: list[tuple[TopicFacts, TopicEntry]], prepared: Prepared
    ) -> None:
        """Add the ids that the target gave its topics."""
        if not topics:
            return
        metadata = await self._target.refresh({entry.target for _, entry in topics})
        # Brokers before 2.8 give topics no ids: that they were seen is noted all the same.
        full = [
            (
                facts,
                dataclasses.replace(
                    entry, target_id=str(metadata.topics[entry.target].id or "none")
                ),
            )
            for facts, entry in topics
        ]
        await self.write(entry for _, entry in full)
        prepared.topics += full

    async def write(self, entries: Iterable[TopicEntry]) -> None:
        """Write topics down."""
        groups = [[entry.document()] for entry in entries]
        if groups:
            await self._slot.writer.write(groups)


def _stopped(topic: str, failure: KferryError) -> Stopped:
    return Stopped(topic=topic, partition=-1, offset=None, reason=str(failure), code=failure.code)
