"""The verb `copy`: from two clusters and a selection to records on the target.

Owns the order of a copy: look and refuse first, then take the ledger, then make topics ready, then
let records flow, then say how it ended. Each of these is done elsewhere.
"""

import asyncio
import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field

from kferry.admin.offsets import ListedOffset, Place, list_offsets
from kferry.config import Start
from kferry.config import Unconsumed as UnconsumedStart
from kferry.copying import Engine, Lane, Phase, Settings, count_positions
from kferry.errors import ExitCode, KferryError
from kferry.ledger import LedgerTail, LedgerTopic, create_ledger, open_ledger, read_ledger
from kferry.migration.arrivals import Unread, look_at_unread
from kferry.migration.book import Manifest, TopicEntry, read_manifest, read_topics
from kferry.migration.chosen import Chosen, choose, look_at_source
from kferry.migration.clusters import Sides, open_sides
from kferry.migration.completing import complete_topics
from kferry.migration.lanes import LaneMaker, Starts, rules_of, ways
from kferry.migration.ownership import Taken, insist_on_free, plain, take_slots
from kferry.migration.preparing import Prepared, Preparer
from kferry.migration.reporting import Reporter, gaps_of, stopped_of
from kferry.migration.requests import CopyRequest, CopyResult, Watch
from kferry.migration.running import Beat
from kferry.migration.switching.book import insist_on_nobody
from kferry.migration.target_memory import remembered_ms
from kferry.names import TopicName
from kferry.progress import State, Stopped
from kferry.topics import Topics
from kferry.units import many, some
from kferry.wire import Cluster

_MOST_NAMED = 5


async def copy(
    request: CopyRequest, *, watch: Watch, stop: asyncio.Event | None = None
) -> CopyResult:
    """Copy what was asked for, until it is there or `stop` is set."""
    stop = stop or asyncio.Event()
    async with open_sides(request.source, request.target) as sides:
        return await _Copy(request, watch, stop, sides).run()


@dataclass(slots=True)
class _Copy:
    """One run of the verb."""

    request: CopyRequest
    watch: Watch
    stop: asyncio.Event
    sides: Sides
    notes: list[str] = field(default_factory=list)

    @property
    def source(self) -> Cluster:
        return self.sides.clusters.source

    @property
    def target(self) -> Cluster:
        return self.sides.clusters.target

    async def run(self) -> CopyResult:
        request = self.request
        migration = request.migration or self.sides.default_migration
        ledger = await open_ledger(self.target, migration)
        entries = await self._known(ledger)
        topics = await look_at_source(self.source, request.selection, entries)
        topics = self._without_switched(topics, entries)
        if not topics.topics:
            return self._nothing(migration, "no topic is left to copy")
        chosen = await self._choose(topics, entries)
        if completed := [entry.target for _, entry in chosen.known if entry.completed]:
            self._note(
                f"{some(completed)}: completed before; their own retention is at work on what is "
                "copied now"
            )
        for hazard in chosen.hazards:
            self._note(f"{hazard.topic}: {hazard.message}")
        unread = await self._unread(topics)
        if request.dry_run:
            return self._listing(migration, chosen, unread)
        if ledger is not None and not request.takeover:
            await insist_on_free(self.target, ledger)
        return await self._copy(ledger, migration, topics, entries, chosen, unread)

    async def _known(self, ledger: LedgerTopic | None) -> dict[TopicName, TopicEntry]:
        """Read what the migration holds, and insist that it is between these clusters."""
        if ledger is None:
            return {}
        documents = plain(await read_ledger(self.target, ledger, [0]))[0]
        manifest = read_manifest(documents)
        if manifest is not None:
            manifest.insist(source_id=self.sides.source_id, target_id=self.sides.target_id)
        if not self.request.within_cutover:
            await insist_on_nobody(self.target, ledger, documents)
        return read_topics(documents)

    def _without_switched(self, topics: Topics, entries: Mapping[TopicName, TopicEntry]) -> Topics:
        """What was handed over belongs to the target's producers: nothing is copied there."""
        switched = [
            one.name for one in topics.topics if one.name in entries and entries[one.name].switched
        ]
        if not switched:
            return topics
        self._note(f"{some(switched)}: handed over to the target, and not copied any more")
        left = tuple(one for one in topics.topics if one.name not in switched)
        return dataclasses.replace(topics, topics=left)

    async def _unread(self, topics: Topics) -> Unread | None:
        if not isinstance(self.request.start, UnconsumedStart):
            return None
        unread = await look_at_unread(self.source, topics, live=self.request.live)
        if not self.request.dry_run:
            for line in unread.listing:
                self.watch.narrate(line)
        return unread

    async def _choose(self, topics: Topics, entries: Mapping[TopicName, TopicEntry]) -> Chosen:
        request = self.request
        return await choose(
            self.source,
            self.target,
            topics,
            entries,
            mapping=request.mapping,
            append=request.append,
            suspend_retention=request.suspend_retention,
        )

    async def _copy(  # noqa: PLR0917 one caller
        self,
        ledger: LedgerTopic | None,
        migration: str,
        topics: Topics,
        known: Mapping[TopicName, TopicEntry],
        chosen: Chosen,
        unread: Unread | None,
    ) -> CopyResult:
        request = self.request
        if ledger is None:
            ledger = await create_ledger(
                self.target, migration, slots=request.slots, replication=request.replication
            )
        taken = await take_slots(self.target, ledger)
        first = taken.slots[0]
        if first.transactional_id is None:
            self._note(
                "the target grants no transactional id to this user: a former process that is "
                "still at work cannot be shut out, only waited for; make sure that none is"
            )
        await self._sign(taken, migration)
        entries = read_topics(taken.documents[0])
        if entries != known:  # whoever owned the slots before us has added topics since we looked
            chosen = await self._choose(topics, entries)
        preparer = Preparer(self.source, self.target, first, request.wishes)
        prepared = await preparer.prepare(chosen, suspend_retention=request.suspend_retention)
        for note in prepared.notes:
            self._note(note)
        entries |= {facts.name: entry for facts, entry in prepared.topics}
        reporter = Reporter(
            migration=migration, source_id=self.sides.source_id, target_id=self.sides.target_id
        )
        engine, maker, failed = await self._engine(taken, prepared, reporter, unread)
        reporter.suspended = _suspended(entries)
        beat = Beat(
            request=request,
            watch=self.watch,
            stop=self.stop,
            reporter=reporter,
            maker=maker,
            preparer=preparer,
            tail=LedgerTail(self.target, ledger, [0], taken.ends),
            entries=entries,
            scope={facts.name for facts, _ in prepared.topics},
            told=lambda now: setattr(reporter, "suspended", _suspended(now)),
        )
        self._announce(engine)
        others = entries.keys() - beat.scope
        if left_alone := sorted(name for name in others if not entries[name].switched):
            self._note(
                f"{many(len(left_alone), 'other topic')} of this migration are left alone: "
                f"{some(left_alone)}"
            )
        loop = asyncio.get_running_loop()
        began = loop.time()
        await engine.run(self.stop, every_second=lambda: beat.once(engine))
        seconds = loop.time() - began
        complete = request.complete and not self._interrupted(engine)
        if complete and not any(lane.trouble for lane in engine.lanes):
            try:
                done = await complete_topics(
                    self.target, first, [entries[facts.name] for facts, _ in prepared.topics]
                )
            except KferryError:  # the records are there all the same: leave the ledger in order
                reporter.take(engine, state="stopped")
                await engine.finish()
                raise
            entries |= {entry.source: entry for entry in done}
            reporter.suspended = _suspended(entries)
        result = self._result(
            migration, engine, reporter, [*prepared.stopped, *failed], seconds, unread
        )
        if not await engine.finish():
            self._note("the target did not take the last checkpoint: the next start compares")
        return dataclasses.replace(result, notes=tuple(self.notes))

    async def _sign(self, taken: Taken, migration: str) -> None:
        """Write down which clusters this is between, unless that is written already."""
        manifest = read_manifest(taken.documents[0])
        if manifest is not None:
            manifest.insist(source_id=self.sides.source_id, target_id=self.sides.target_id)
            return
        ours = Manifest(
            migration=migration, source_id=self.sides.source_id, target_id=self.sides.target_id
        )
        await taken.slots[0].writer.write([[ours.document()]])

    async def _engine(
        self, taken: Taken, prepared: Prepared, reporter: Reporter, unread: Unread | None
    ) -> tuple[Engine, LaneMaker, list[Stopped]]:
        request = self.request
        settings = Settings(
            until_caught_up=request.until_caught_up,
            record_gaps=request.on_gap == "record",
            rate=request.rate,
            relaxed=request.pipelining == "relaxed",
            remembered_ms=await remembered_ms(self.target),
        )
        engine = Engine(
            clusters=self.sides.clusters,
            settings=settings,
            document=reporter.document,
            slots=taken.slots,
            source_ids={
                facts.name: entry.source_id
                for facts, entry in prepared.topics
                if entry.source_id is not None
            },
        )
        maker = LaneMaker(self.source, self.target, taken, engine.budget)
        rules = await rules_of(self.target, [entry.target for _, entry in prepared.topics])
        start: Start | Starts = request.start if unread is None else Starts(offsets=unread.starts)
        wanted = [way for facts, entry in prepared.topics for way in ways(facts, entry)]
        lanes, unready = await maker.make(wanted, rules, start)
        await self._set_goals(lanes)
        for slot in taken.slots:
            slot.lanes += [lane for lane in lanes if lane.slot == slot.number]
            held = count_positions(taken.documents[slot.number])
            slot.others = held - sum(lane.resumed for lane in slot.lanes)
        failed = [
            Stopped(
                topic=one.partition.topic,
                partition=one.partition.partition,
                offset=None,
                reason=one.reason,
                code="unavailable",
            )
            for one in unready
        ]
        return engine, maker, failed

    async def _set_goals(self, lanes: list[Lane]) -> None:
        """The last stable offsets as they stand now are what "caught up" means."""
        partitions = [lane.source for lane in lanes]
        # In this order: what is written between the two is no open transaction.
        ends = await list_offsets(self.source, partitions, Place.END)
        stable = await list_offsets(self.source, partitions, Place.END, committed=True)
        open_: list[Lane] = []
        for lane in lanes:
            goal, end = stable[lane.source], ends[lane.source]
            if isinstance(goal, ListedOffset):
                lane.goal, lane.end = goal.offset, goal.offset
                if isinstance(end, ListedOffset) and end.offset > goal.offset:
                    open_.append(lane)
            else:
                lane.hindrance = f"source: {goal}"
        if open_:
            places = some((f"{one.source} since offset {one.end:,}" for one in open_), _MOST_NAMED)
            self._note(
                f"transactions are open on {places}; what is behind waits for their end "
                "(kferry inspect producers names whose they are)"
            )

    def _announce(self, engine: Engine) -> None:
        lanes = engine.lanes
        left = sum(max(0, (lane.goal or 0) - lane.copied_to) for lane in lanes)
        doubt = sum(lane.phase is Phase.DOUBT for lane in lanes)
        self.watch.narrate(
            f"{many(len(lanes), 'partition')} of "
            f"{many(len({lane.source.topic for lane in lanes}), 'topic')}, "
            f"{many(left, 'offset')} to copy"
        )
        if doubt:
            self.watch.narrate(
                f"the last run was cut short or taken over: {many(doubt, 'partition')} compared "
                "with the source before anything is written"
            )

    def _interrupted(self, engine: Engine) -> bool:
        return self.request.until_caught_up and not all(
            lane.caught_up or lane.phase is Phase.STOPPED for lane in engine.lanes
        )

    def _result(  # noqa: PLR0917 one caller
        self,
        migration: str,
        engine: Engine,
        reporter: Reporter,
        failed: list[Stopped],
        seconds: float,
        unread: Unread | None,
    ) -> CopyResult:
        lanes = engine.lanes
        going = {(lane.source.topic, lane.source.partition) for lane in lanes}
        unready = (one for one in failed if (one.topic, one.partition) not in going)
        stopped = (*unready, *stopped_of(lanes))
        interrupted = self._interrupted(engine)
        state: State = (
            "stopped" if stopped or interrupted or not self.request.until_caught_up else "done"
        )
        last = reporter.take(engine, state=state)
        return CopyResult(
            migration=migration,
            exit_code=_exit_code(stopped, interrupted=interrupted),
            records=last.records,
            bytes=last.bytes,
            batches=sum(lane.counts.batches for lane in lanes),
            partitions=len(lanes),
            seconds=round(seconds, 3),
            passthrough_batches=sum(lane.counts.passed for lane in lanes),
            reencoded_batches=sum(lane.counts.reencoded for lane in lanes),
            skipped_control=sum(lane.counts.control for lane in lanes),
            skipped_aborted=sum(lane.counts.aborted for lane in lanes),
            gaps=gaps_of(lanes),
            total_records=sum(lane.total_records for lane in lanes),
            stopped=stopped,
            interrupted=interrupted,
            topics=last.topics,
            notes=tuple(self.notes),
            retention_suspended=reporter.suspended,
            arrived=() if unread is None else unread.arrived(lanes),
        )

    def _listing(self, migration: str, chosen: Chosen, unread: Unread | None) -> CopyResult:
        lines = list(unread.listing) if unread is not None else []
        lines += [
            f"{pair.source.name}: would be created as {pair.target} with "
            f"{len(pair.source.partitions)} partitions"
            for pair in chosen.missing
        ]
        lines += [
            f"{pair.source.name}: would be copied to {pair.target}, which is there and empty"
            for pair in chosen.existing
        ]
        lines += [f"{facts.name}: would go on where it is" for facts, _ in chosen.known]
        return CopyResult(
            migration=migration,
            exit_code=ExitCode.DONE,
            partitions=sum(len(facts.partitions) for facts in chosen.topics),
            notes=tuple(self.notes),
            listing=tuple(lines),
        )

    def _nothing(self, migration: str, why: str) -> CopyResult:
        self._note(f"nothing to do: {why}")
        return CopyResult(migration=migration, exit_code=ExitCode.DONE, notes=tuple(self.notes))

    def _note(self, line: str) -> None:
        if line not in self.notes:
            self.notes.append(line)
            self.watch.narrate(line)


def _suspended(entries: Mapping[TopicName, TopicEntry]) -> tuple[str, ...]:
    return tuple(sorted(entry.target for entry in entries.values() if entry.suspended))


def _exit_code(stopped: tuple[Stopped, ...], *, interrupted: bool) -> ExitCode:
    if stopped:
        return ExitCode.FAILED
    return ExitCode.STOPPED_EARLY if interrupted else ExitCode.DONE
