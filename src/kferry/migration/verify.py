"""The verb `verify`: is on the target what was on the source?

Owns which partitions are meant, what each is held to, and what the answer is. Writes to neither
cluster. Only what the ledger says was copied is compared; what came later is not copied yet.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Literal, Protocol

from kferry.admin.configs import topic_configs
from kferry.admin.offsets import Place, offsets_at
from kferry.config import ClusterSettings, TopicSelection
from kferry.copying import OWNER, position_key
from kferry.errors import ExitCode
from kferry.ledger import LedgerTopic, read_ledger
from kferry.migration.book import TopicEntry
from kferry.migration.chosen import NoSuchTopic
from kferry.migration.maps import Documents, Maps, insist, merged
from kferry.migration.ownership import plain
from kferry.migration.status import find
from kferry.names import PartitionId, TopicName, TopicPartition
from kferry.offsets import OffsetMap
from kferry.topics.names_near import no_such_topic
from kferry.verify import Difference, Found, Job, Sides, Tally, Task, Throttle
from kferry.wire import BrokerError, Cluster, Topic, open_cluster

Level = Literal["counts", "digest", "records"]
_CHECKPOINT_S = 0.5
_PATIENCE_S = 6.0
"""Longer than a copy at work takes to note what it wrote."""
_NOT_COPIED = "its copy has not begun"


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyRequest:
    """What is to be verified, and how."""

    source: ClusterSettings
    target: ClusterSettings
    migration: str | None = None
    selection: TopicSelection = field(default_factory=TopicSelection)
    """Without any: all that the ledger holds."""
    level: Level = "digest"
    both: bool = True
    rate: int | None = None
    """Bytes per second, over both sides."""
    max_seconds: float | None = None
    producers_moved: bool = False
    """Others write to the target now: records of theirs are no damage."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PartitionVerdict:
    """What was found in one partition."""

    partition: TopicPartition
    """By its name on the source."""
    target_topic: TopicName
    tally: Tally = field(default_factory=Tally)
    differences: tuple[Difference, ...] = ()
    """The first ones; the tally counts all."""
    done: bool = True
    source_range: tuple[int, int] = (0, 0)
    """Offsets that were compared, the last not included."""
    target_range: tuple[int, int] = (0, 0)
    not_copied: int = 0
    """Offsets of the source behind what was copied."""
    trouble: str = ""
    """Why it could not be compared to its end."""

    @property
    def first_difference(self) -> Difference | None:
        """The first one, in the log's order."""
        return self.differences[0] if self.differences else None


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyResult:
    """The answer."""

    migration: str
    level: Level
    source_id: str
    target_id: str
    began: str
    ended: str
    bytes: int
    partitions: tuple[PartitionVerdict, ...]

    @property
    def total(self) -> Tally:
        """All partitions together."""
        total = Tally()
        for one in self.partitions:
            total.add(one.tally)
        return total

    @property
    def done(self) -> bool:
        """Whether everything was compared."""
        return all(one.done for one in self.partitions)

    @property
    def exit_code(self) -> ExitCode:
        """Say it as scripts hear it: a difference weighs more than whatever else there was."""
        if not self.total.clean:
            return ExitCode.DIFFERENCES
        if any(one.trouble for one in self.partitions):
            return ExitCode.FAILED
        return ExitCode.DONE if self.done else ExitCode.STOPPED_EARLY


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyProgress:
    """How far it is."""

    records: int
    total: int
    """Records that the maps say there are."""
    bytes: int
    seconds: float
    differences: int


class VerifyWatch(Protocol):
    """Who looks on."""

    def narrate(self, line: str) -> None:
        """Hear one sentence about what happens."""

    def verified(self, progress: VerifyProgress, /) -> None:
        """See how far it is, about once a second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    """What the ledger and both clusters say before the first record is read."""

    ledger: LedgerTopic
    tasks: tuple[Task, ...]
    troubles: Mapping[TopicPartition, tuple[TopicName, str]]
    """Partitions that cannot be compared: their target topic and why."""
    waiting: Mapping[TopicPartition, TopicName]
    """Partitions whose copy has not begun."""
    ends: Mapping[TopicPartition, int]
    """The sources' last stable offsets."""


async def verify(
    request: VerifyRequest, *, watch: VerifyWatch, stop: asyncio.Event | None = None
) -> VerifyResult:
    """Compare both sides; writes nothing anywhere."""
    began = _now()
    async with AsyncExitStack() as stack:
        source = await stack.enter_async_context(open_cluster(request.source))
        target = await stack.enter_async_context(open_cluster(request.target))
        data = [
            await stack.enter_async_context(open_cluster(settings))
            for settings in (request.source, request.target)
        ]
        plan = await _plan(source, target, request)
        job = await _job(plan, data, request)
        job.stepped = _telling(job, watch)
        await job.run(stop or asyncio.Event(), seconds=request.max_seconds)
        if job.done:
            await _explain_suspects(job, target, plan.ledger)
        return VerifyResult(
            migration=plan.ledger.migration,
            level=request.level,
            source_id=source.metadata.cluster_id or "unknown",
            target_id=target.metadata.cluster_id or "unknown",
            began=began,
            ended=_now(),
            bytes=sum(one.bytes for one in job.found.values()),
            partitions=_verdicts(plan, job),
        )


async def _plan(source: Cluster, target: Cluster, request: VerifyRequest) -> _Plan:
    ledger = await find(target, migration=request.migration, source=request.source)
    contents = await read_ledger(target, ledger)
    documents = merged(contents)
    insist(documents, target, source)
    maps = Maps.of(documents)
    entries = _chosen(maps, request.selection)
    here = (await source.refresh({one.source for one in entries})).topics
    there = (await target.refresh({one.target for one in entries})).topics
    known: dict[TopicPartition, OffsetMap] = {}
    waiting: dict[TopicPartition, TopicName] = {}
    troubles: dict[TopicPartition, tuple[TopicName, str]] = {}
    for entry in entries:
        trouble = _trouble(entry, here.get(entry.source), there.get(entry.target))
        for number in range(entry.partitions):
            partition = TopicPartition(entry.source, PartitionId(number))
            offsets = maps.map_of(partition)
            if trouble:
                troubles[partition] = (entry.target, trouble)
            elif offsets is None:
                waiting[partition] = entry.target
            else:
                known[partition] = offsets
    goals = {one: goal for one in known if (goal := maps.target_of(one)) is not None}
    logs = await _logs(source, target, known, goals)
    own_times = await _with_times_of_their_own(target, {one.topic for one in goals.values()})
    clean = _clean(plain(contents))
    tasks = tuple(
        Task(
            source=one,
            target=goals[one],
            offsets=offsets,
            source_end=logs.source_ends[one],
            target_start=logs.target_starts[goals[one]],
            target_end=logs.target_ends[goals[one]],
            timestamps=goals[one].topic not in own_times,
            bytes_suffice=request.level != "records",
            producers_moved=request.producers_moved,
            copied_clean=position_key(one) in clean,
        )
        for one, offsets in known.items()
    )
    return _Plan(
        ledger=ledger, tasks=tasks, troubles=troubles, waiting=waiting, ends=logs.source_ends
    )


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


def _trouble(entry: TopicEntry, here: Topic | None, there: Topic | None) -> str:
    """Say why a topic cannot be compared; empty if it can."""
    for side, topic, known in (
        ("source", here, entry.source_id),
        ("target", there, entry.target_id),
    ):
        if topic is None or topic.error_code:
            return f"the {side} does not show the topic: it is gone, or may not be seen"
        if topic.id is not None and known not in {None, "none", str(topic.id)}:
            return f"the topic was deleted and made anew on the {side}"
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Logs:
    """Where logs begin and end, before anything is read: what comes later is not looked at."""

    source_ends: Mapping[TopicPartition, int]
    target_starts: Mapping[TopicPartition, int]
    target_ends: Mapping[TopicPartition, int]


async def _logs(
    source: Cluster,
    target: Cluster,
    known: Mapping[TopicPartition, OffsetMap],
    goals: Mapping[TopicPartition, TopicPartition],
) -> _Logs:
    source_ends, target_starts, target_ends = await asyncio.gather(
        offsets_at(source, known, Place.END, committed=True),
        offsets_at(target, goals.values(), Place.START),
        offsets_at(target, goals.values(), Place.END),
    )
    return _Logs(source_ends=source_ends, target_starts=target_starts, target_ends=target_ends)


async def _with_times_of_their_own(target: Cluster, topics: set[TopicName]) -> set[TopicName]:
    """Return the topics whose records get the broker's time (LogAppendTime)."""
    found = await topic_configs(target, topics)
    return {
        topic
        for topic, configs in found.items()
        if not isinstance(configs, BrokerError)
        and (setting := configs.get("message.timestamp.type")) is not None
        and setting.value == "LogAppendTime"
    }


def _clean(slots: Mapping[int, Documents]) -> set[str]:
    """Return the documents of slots that nobody writes to, and that were left with no doubt."""
    found: set[str] = set()
    for own in slots.values():
        owner: Mapping[str, Any] = own.get(OWNER, {})
        if owner.get("state") == "stopped" and owner.get("clean") is True:
            found |= own.keys()
    return found


async def _job(plan: _Plan, data: Sequence[Cluster], request: VerifyRequest) -> Job:
    source, target = data
    here = {one.source.topic for one in plan.tasks}
    there = {one.target.topic for one in plan.tasks}
    sides = Sides(
        source=source,
        target=target,
        refresh_source=lambda: source.refresh(here),
        refresh_target=lambda: target.refresh(there),
    )
    await asyncio.gather(sides.refresh_source(), sides.refresh_target())
    return Job(tasks=plan.tasks, sides=sides, throttle=Throttle(request.rate))


def _telling(job: Job, watch: VerifyWatch) -> "_Teller":
    return _Teller(job=job, watch=watch, total=sum(one.offsets.runs.records for one in job.tasks))


@dataclass(slots=True, kw_only=True)
class _Teller:
    """Tells how far a job is, once a second at most."""

    job: Job
    watch: VerifyWatch
    total: int
    began: float = field(default_factory=time.monotonic)
    told: float = field(default_factory=time.monotonic)

    def __call__(self) -> None:
        now = time.monotonic()
        if now - self.told < 1:
            return
        self.told = now
        total = Tally()
        for one in self.job.found.values():
            total.add(one.tally)
        differences = total.differ + total.only_source + total.only_target
        self.watch.verified(
            VerifyProgress(
                records=total.same + total.differ + total.only_source + total.expired_source,
                total=self.total,
                bytes=sum(one.bytes for one in self.job.found.values()),
                seconds=now - self.began,
                differences=differences,
            )
        )


async def _explain_suspects(job: Job, target: Cluster, ledger: LedgerTopic) -> None:
    """Find out whose the records behind the maps' ends are; what is nobody's is a difference.

    A copy at work notes what it wrote within a second or two.
    """
    ours = {number for one in job.found.values() for number in one.ours}
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        contents = await read_ledger(target, ledger)
        maps, clean = Maps.of(merged(contents)), _clean(plain(contents))
        for task in job.tasks:
            settled = position_key(task.source) in clean
            _explain(job.found[task.source], maps.map_of(task.source), ours, settled=settled)
        pending = [
            task
            for task in job.tasks
            if job.found[task.source].suspects and position_key(task.source) not in clean
        ]
        if not pending or time.monotonic() > deadline:
            break
        await asyncio.sleep(_CHECKPOINT_S)
    for found in job.found.values():
        for one in found.suspects:
            found.tally.only_target += one.records
            by = f" (producer id {one.producer_id})" if one.producer_id >= 0 else ""
            found.note([Difference(None, one.offset, f"not written by this copy{by}")])
        found.suspects.clear()


def _explain(found: Found, offsets: OffsetMap | None, ours: set[int], *, settled: bool) -> None:
    copied_to = 0 if offsets is None else offsets.target_end
    found.suspects = [
        one
        for one in found.suspects
        if one.offset >= copied_to and (settled or one.producer_id not in ours)
    ]


def _verdicts(plan: _Plan, job: Job) -> tuple[PartitionVerdict, ...]:
    verdicts = [
        PartitionVerdict(partition=one, target_topic=topic, done=False, trouble=trouble)
        for one, (topic, trouble) in plan.troubles.items()
    ]
    verdicts += [
        PartitionVerdict(partition=one, target_topic=topic, not_copied=1, trouble="")
        for one, topic in plan.waiting.items()
    ]
    for task in plan.tasks:
        found = job.found[task.source]
        verdict = PartitionVerdict(
            partition=task.source,
            target_topic=task.target.topic,
            tally=replace(found.tally),
            differences=tuple(found.differences),
            done=found.done,
            source_range=(task.offsets.begins, found.source_to),
            target_range=(_first_target(task.offsets), task.offsets.target_end),
            not_copied=max(0, plan.ends[task.source] - task.offsets.copied_to),
            trouble=job.troubles.get(task.source, ""),
        )
        verdicts.append(verdict)
    return tuple(sorted(verdicts, key=lambda one: one.partition))


def _first_target(offsets: OffsetMap) -> int:
    return offsets.runs[0].target if len(offsets.runs) else offsets.target_end


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
