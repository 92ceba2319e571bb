"""A copy while it runs: wishes heard, new topics and partitions taken in, progress told.

Owns what happens once a second beside the flow of records. Which topics are meant was chosen
before; here only what has come since is looked for.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from kferry.admin.offsets import ListedOffset, Place, list_offsets
from kferry.admin.topic_changes import create_partitions
from kferry.config import Beginning, TopicSelection
from kferry.copying import OWNER, Engine, Lane
from kferry.errors import KferryError
from kferry.ledger import LedgerLost, LedgerTail
from kferry.migration.book import TopicEntry
from kferry.migration.chosen import choose
from kferry.migration.drift import Drift
from kferry.migration.lanes import LaneMaker, Way, rules_of
from kferry.migration.ownership import newer_owner
from kferry.migration.preparing import Preparer
from kferry.migration.reporting import Reporter
from kferry.migration.requests import CopyRequest, Watch
from kferry.migration.wishes import WISH, read_wish
from kferry.names import PartitionId, TopicName, TopicPartition
from kferry.topics import Topics, take_topics
from kferry.wire import Cluster, Metadata, WireError

_LOOK_EVERY = 5
"""Beats between two looks for new topics and partitions."""
_COMPARE_EVERY = 30
"""Beats between two looks at the settings of topics."""
_ANOTHER_TOPIC = frozenset({"topic-deleted", "topic-recreated", "source-truncated"})
"""Why a lane stopped whose topic may have been made anew."""


@dataclass(slots=True, kw_only=True)
class Beat:
    """What is done once a second."""

    request: CopyRequest
    watch: Watch
    stop: asyncio.Event
    reporter: Reporter
    maker: LaneMaker
    preparer: Preparer
    tail: LedgerTail
    entries: dict[TopicName, TopicEntry]
    """All topics of the migration."""
    scope: set[TopicName]
    """Those that this run copies."""
    told: Callable[[dict[TopicName, TopicEntry]], None]
    asked_to_stop: bool = False
    _beats: int = 0
    _drift: Drift = field(default_factory=Drift)
    _said: set[str] = field(default_factory=set)

    async def once(self, engine: Engine) -> None:
        """Hear wishes, look for what is new, tell how far it is."""
        self._beats += 1
        try:
            await self._hear(engine)
            if self._beats % _LOOK_EVERY == 0:
                await self._look(engine)
        except WireError as error:
            self._say(f"looking around failed and will be tried again: {error}")
        self.watch.snapshot(self.reporter.take(engine))
        for lane in engine.lanes:
            if lane.trouble is not None:
                self._say(f"{lane.source} stopped: {lane.trouble.reason}")

    async def _hear(self, engine: Engine) -> None:
        for document in await self.tail.poll(seconds=0):
            if document.key == OWNER and newer_owner(engine.slots[0].owner, document.value):
                raise _taken_over(document.value)
            if document.key != WISH:
                continue
            wish = read_wish(document.value)
            if wish is None:
                continue
            self.watch.narrate(f"asked through the ledger: {wish.kind} {wish.value or ''}".rstrip())
            match wish.kind:
                case "rate":
                    engine.change_rate(wish.value)
                case "pause":
                    engine.pause(paused=True)
                case "resume":
                    engine.pause(paused=False)
                case "stop":
                    self.asked_to_stop = True
                    self.stop.set()

    async def _look(self, engine: Engine) -> None:
        """Take in partitions and topics that the source has got meanwhile."""
        source = engine.clusters.source
        everything = self.request.selection != TopicSelection()
        metadata = await source.refresh(None if everything else self.scope)
        await self._grow(engine, metadata)
        await _set_goals(source, [lane for lane in engine.lanes if lane.goal is None])
        if everything:
            await self._meet(engine, metadata)
        if self._beats % _COMPARE_EVERY == 0:
            for line in await self._drift.look(source, self.scope):
                self.watch.narrate(line)

    async def _grow(self, engine: Engine, metadata: Metadata) -> None:
        """Give every partition a lane: new ones, and those that could not be asked before."""
        lanes = {lane.source for lane in engine.lanes}
        # Partitions of what may be another topic by now are not ours; the others are.
        stopped = {
            lane.source.topic
            for lane in engine.lanes
            if lane.trouble is not None and lane.trouble.code in _ANOTHER_TOPIC
        }
        wanted: list[Way] = []
        larger: dict[TopicName, int] = {}
        for name in sorted(self.scope):
            entry, topic = self.entries[name], metadata.topics.get(name)
            if topic is None or topic.error_code or name in stopped:
                continue
            ways = [
                Way(
                    source=TopicPartition(name, partition.id),
                    target=TopicPartition(entry.target, partition.id),
                    size=0,
                )
                for partition in topic.partitions
            ]
            missing = [way for way in ways if way.source not in lanes]
            wanted += missing
            if missing and len(ways) > entry.partitions:
                larger[entry.target] = len(ways)
        if not wanted:
            return
        await self._enlarge(engine, larger)
        await self._begin(engine, wanted)

    async def _enlarge(self, engine: Engine, counts: Mapping[TopicName, int]) -> None:
        if not counts:
            return
        target = engine.clusters.target
        there = (await target.refresh(set(counts))).topics
        fewer = {
            name: count
            for name, count in counts.items()
            if name in there and len(there[name].partitions) < count
        }
        for name, refusal in (await create_partitions(target, fewer)).items() if fewer else ():
            if refusal is None:
                self.watch.narrate(f"{name} on the target has {fewer[name]} partitions now, too")
            else:
                self._say(f"{name} on the target cannot have more partitions: {refusal}")

    async def _meet(self, engine: Engine, metadata: Metadata) -> None:
        """Take in topics that match and were not there before, from their beginning."""
        new = {
            name
            for name, topic in metadata.topics.items()
            if name not in self.entries
            and not topic.error_code
            and self.request.selection.matches(name, internal=topic.internal)
        }
        if not new:
            return
        for name in sorted(new):  # one by one: what is refused does not hold up the others
            try:
                await self._take_in(engine, name)
            except WireError:
                raise
            except KferryError as error:
                self._say(f"{name} is new on the source and cannot be copied: {error}")

    async def _take_in(self, engine: Engine, name: TopicName) -> None:
        source, target = engine.clusters.source, engine.clusters.target
        topics = await take_topics(source, TopicSelection(exact=frozenset({name})), rate_seconds=0)
        chosen = await choose(
            source,
            target,
            Topics(topics=topics.topics, gaps=()),
            self.entries,
            mapping=self.request.mapping,
            append=self.request.append,
            suspend_retention=self.request.suspend_retention,
        )
        prepared = await self.preparer.prepare(
            chosen, suspend_retention=self.request.suspend_retention
        )
        for one in prepared.stopped:
            self._say(f"{one.topic} is new on the source and cannot be copied: {one.reason}")
        for note in prepared.notes:
            self._say(note)
        added = {facts.name: entry for facts, entry in prepared.topics}
        self.entries |= added
        self.scope |= added.keys()
        self.told(self.entries)
        ways = [
            Way(
                source=TopicPartition(facts.name, PartitionId(one.partition)),
                target=TopicPartition(entry.target, PartitionId(one.partition)),
                size=one.bytes or 0,
            )
            for facts, entry in prepared.topics
            for one in facts.partitions
        ]
        if added:
            self.watch.narrate(f"{name} is new on the source: it is copied from its beginning")
        await self._begin(engine, ways)

    async def _begin(self, engine: Engine, wanted: list[Way]) -> None:
        rules = await rules_of(engine.clusters.target, {way.target.topic for way in wanted})
        lanes, unready = await self.maker.make(wanted, rules, Beginning())
        for one in unready:
            self._say(f"{one.partition} cannot be copied yet: {one.reason}")
        await _set_goals(engine.clusters.source, lanes)
        await engine.take_in(lanes)

    def _say(self, line: str) -> None:
        """Say something once."""
        if line not in self._said:
            self._said.add(line)
            self.watch.narrate(line)


def _taken_over(owner: Mapping[str, Any] | None) -> LedgerLost:
    named = f"{(owner or {}).get('host', '?')}, process {(owner or {}).get('pid', '?')}"
    return LedgerLost(
        "another process has taken over",
        named,
        changed="What this process had written stays, and is continued there.",
        hint="kferry status shows how far it is",
    )


async def _set_goals(source: Cluster, lanes: list[Lane]) -> None:
    """What came after the command began, or could not be asked then, has its end as it is now."""
    ends = await list_offsets(source, [lane.source for lane in lanes], Place.END, committed=True)
    for lane in lanes:
        end = ends[lane.source]
        if isinstance(end, ListedOffset):
            lane.goal, lane.end = end.offset, max(lane.end, end.offset)
