"""The verb `verify`: is on the target what was on the source?

Owns the run: where it begins, in which order, when it ends, and what the answer is. Writes to
neither cluster. Only what the ledger says was copied is compared; what came later is not yet.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from kferry.copying import position_key
from kferry.ledger import LedgerTopic, read_ledger
from kferry.migration.maps import Maps, merged
from kferry.migration.ownership import plain
from kferry.migration.status import find
from kferry.migration.verify_plan import Plan, clean_documents, make_plan
from kferry.migration.verify_report import OtherReport, found_in, read_report, write_report
from kferry.migration.verify_values import (
    Level,
    PartitionVerdict,
    VerifyProgress,
    VerifyRequest,
    VerifyResult,
    VerifyWatch,
)
from kferry.names import TopicPartition
from kferry.offsets import OffsetMap
from kferry.verify import Difference, Found, Job, Sides, Tally, Task, Throttle, count
from kferry.wire import Cluster, open_cluster

__all__ = [
    "Level",
    "PartitionVerdict",
    "VerifyProgress",
    "VerifyRequest",
    "VerifyResult",
    "VerifyWatch",
    "verify",
]

_LOOK_S = 0.5
_PATIENCE_S = 6.0
"""Longer than a copy at work takes to note what it wrote."""
_FOLLOW_S = 2.0
_KEEP_S = 5.0
"""Between two writes of an unfinished report."""


async def verify(
    request: VerifyRequest, *, watch: VerifyWatch, stop: asyncio.Event | None = None
) -> VerifyResult:
    """Compare both sides; writes nothing anywhere but the report, if one is asked for."""
    stop = stop or asyncio.Event()
    async with _opened(request) as run:
        run.watch = watch
        run.look_back()
        deadline = None if request.max_seconds is None else time.monotonic() + request.max_seconds
        while True:
            await run.round(stop, deadline)
            if not request.follow or stop.is_set() or run.out_of_time(deadline):
                return run.result(final=True)
            await run.wait(stop, deadline)


@asynccontextmanager
async def _opened(request: VerifyRequest) -> "AsyncIterator[_Run]":
    async with AsyncExitStack() as stack:
        source = await stack.enter_async_context(open_cluster(request.source))
        target = await stack.enter_async_context(open_cluster(request.target))
        # Connections for data apart from those for questions: a long fetch holds up no question.
        source_data = await stack.enter_async_context(open_cluster(request.source))
        target_data = await stack.enter_async_context(open_cluster(request.target))
        ledger = await find(target, migration=request.migration, source=request.source)
        yield _Run(
            request=request,
            ledger=ledger,
            source=source,
            target=target,
            source_data=source_data,
            target_data=target_data,
            began=_now(),
        )


@dataclass(slots=True, kw_only=True)
class _Run:
    """One run, which may be many rounds where it follows a copy."""

    request: VerifyRequest
    ledger: LedgerTopic
    source: Cluster
    target: Cluster
    source_data: Cluster
    target_data: Cluster
    watch: VerifyWatch | None = None
    began: str = ""
    plan: Plan | None = None
    job: Job | None = None
    known: dict[TopicPartition, Found] = field(default_factory=dict)
    checked: dict[TopicPartition, str] = field(default_factory=dict)
    """When partitions were compared to their end, in this round or the one before."""
    seconds: float = 0.0
    """How long was compared."""
    resumed: bool = False
    """What is known comes from a report, and a run that was stopped."""
    _clock: float = field(default_factory=time.monotonic)
    _told: float = field(default_factory=time.monotonic)
    _kept: float = field(default_factory=time.monotonic)

    def look_back(self) -> None:
        """Take up what a report knows: an unfinished round goes on, a finished one begins anew."""
        path = self.request.report
        if path is None or not path.exists():
            return
        report = read_report(path)
        mine = (self.ledger.migration, self.request.level, self.request.both)
        if (report.migration, report.level, report.both) != mine:
            raise OtherReport(
                f"{path} is a report about something else",
                f"it is of migration {report.migration}, level {report.level}"
                f"{', both sides' if report.both else ''}",
                hint="name another file with --report, or move this one away",
            )
        self._insist(report)
        self.resumed = not report.done
        for one in report.partitions:
            self.checked[one.partition] = one.checked_at
            if not report.done and not one.trouble and one.source_range[1]:
                self.known[one.partition] = found_in(one)
        if not report.done:
            self.began = report.began

    def _insist(self, report: VerifyResult) -> None:
        for side, said, cluster in (
            ("source", report.source_id, self.source),
            ("target", report.target_id, self.target),
        ):
            if said != _id(cluster):
                raise OtherReport(
                    f"{self.request.report} is a report about other clusters",
                    f"its {side} is {said}, and the {side} answers as {_id(cluster)}",
                    hint="name another file with --report",
                )

    async def round(self, stop: asyncio.Event, deadline: float | None) -> None:
        """Compare everything that is copied by now and was not compared yet."""
        plan = self.plan = await make_plan(self.source, self.target, self.ledger, self.request)
        tasks = sorted(plan.tasks, key=lambda one: (self.checked.get(one.source, ""), one.source))
        if self.request.level == "counts":
            self._count(plan)
            return
        for task in tasks:
            found = self.known.get(task.source)
            # Compacted ones are compared in one go: which keys are in question is not written down.
            anew = self.resumed and (task.source_compacts or task.target_compacts)
            if found is not None and (anew or found.source_to > task.offsets.copied_to):
                del self.known[task.source]
            elif found is not None:
                found.done_at = None
        self.resumed = False
        job = self.job = Job(
            tasks=tasks,
            sides=await self._sides(tasks),
            throttle=Throttle(self.request.rate),
            found=self.known,
            stepped=self._stepped,
        )
        self._keep()
        try:
            left = None if deadline is None else max(0.0, deadline - time.monotonic())
            began = time.perf_counter()
            await job.run(stop, seconds=left)
            self.seconds += time.perf_counter() - began
            if job.done:
                await self._explain_suspects(job)
        finally:
            self._keep()

    def _count(self, plan: Plan) -> None:
        for task in plan.tasks:
            tally = count(
                task.offsets,
                source_start=plan.source_starts[task.source],
                target_start=task.target_start,
                target_end=task.target_end,
            )
            found = Found(source_to=task.offsets.copied_to, tally=tally, done_at=time.time())
            self.known[task.source] = found
        self._keep()

    async def _sides(self, tasks: list[Task]) -> Sides:
        here = {one.source.topic for one in tasks}
        there = {one.target.topic for one in tasks}
        sides = Sides(
            source=self.source_data,
            target=self.target_data,
            refresh_source=lambda: self.source_data.refresh(here),
            refresh_target=lambda: self.target_data.refresh(there),
        )
        await asyncio.gather(sides.refresh_source(), sides.refresh_target())
        return sides

    async def wait(self, stop: asyncio.Event, deadline: float | None) -> None:
        """Give the copy time to do something."""
        left = _FOLLOW_S if deadline is None else min(_FOLLOW_S, deadline - time.monotonic())
        try:
            async with asyncio.timeout(max(0.0, left)):
                await stop.wait()
        except TimeoutError:
            pass

    def out_of_time(self, deadline: float | None) -> bool:
        """Whether it has worked as long as it may."""
        return deadline is not None and time.monotonic() >= deadline

    def _stepped(self) -> None:
        now = time.monotonic()
        if now - self._kept >= _KEEP_S:
            self._kept = now
            self._keep()
        if now - self._told >= 1 and self.watch is not None:
            self._told = now
            self.watch.verified(self._progress(now))

    def _progress(self, now: float) -> VerifyProgress:
        total = Tally()
        for one in self.known.values():
            total.add(one.tally)
        return VerifyProgress(
            records=total.same + total.differ + total.only_source + total.expired_source,
            total=sum(one.offsets.runs.records for one in self.plan.tasks) if self.plan else 0,
            bytes=sum(one.bytes for one in self.known.values()),
            seconds=now - self._clock,
            differences=total.differ + total.only_source + total.only_target,
        )

    def _keep(self) -> None:
        if self.request.report is not None:
            write_report(self.request.report, self.result())

    async def _explain_suspects(self, job: Job) -> None:
        """Find out whose the records behind the maps' ends are; what is nobody's is a difference.

        A copy at work notes what it wrote within a second or two.
        """
        ours = {number for one in job.found.values() for number in one.ours}
        deadline = time.monotonic() + _PATIENCE_S
        while any(job.found[task.source].suspects for task in job.tasks):
            contents = await read_ledger(self.target, self.ledger)
            maps, clean = Maps.of(merged(contents)), clean_documents(plain(contents))
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
            await asyncio.sleep(_LOOK_S)
        for found in job.found.values():
            for one in found.suspects:
                found.tally.only_target += one.records
                by = f" (producer id {one.producer_id})" if one.producer_id >= 0 else ""
                found.note([Difference(None, one.offset, f"not written by this copy{by}")])
                found.judged_to = one.offset + one.records - 1
            found.suspects.clear()

    def result(self, *, final: bool = False) -> VerifyResult:
        """Return what is known by now."""
        assert self.plan is not None  # noqa: S101 every round begins with one
        plan, maps, request = self.plan, self.plan.maps, self.request
        verdicts = [
            PartitionVerdict(
                partition=one,
                target_topic=maps.topics[one.topic].target,
                done=one in plan.waiting,
                not_copied=int(one in plan.waiting),
                trouble=plan.troubles.get(one, ""),
            )
            for one in (*plan.troubles, *plan.waiting)
        ]
        verdicts += [self._verdict(task, plan) for task in plan.tasks]
        return VerifyResult(
            migration=self.ledger.migration,
            level=request.level,
            both=request.both,
            source_id=_id(self.source),
            target_id=_id(self.target),
            began=self.began,
            ended=_now(),
            bytes=sum(one.bytes for one in self.known.values()),
            partitions=tuple(sorted(verdicts, key=lambda one: one.partition)),
            seconds=round(self.seconds, 3),
            followed=request.follow and final,
            report=request.report,
        )

    def _verdict(self, task: Task, plan: Plan) -> PartitionVerdict:
        partition, offsets = task.source, task.offsets
        found = self.known.get(partition) or Found(source_to=task.begins)
        entry = plan.maps.topics[partition.topic]
        if found.done_at is not None:
            self.checked[partition] = _time(found.done_at)
        return PartitionVerdict(
            partition=partition,
            target_topic=entry.target,
            source_topic_id=entry.source_id,
            target_topic_id=entry.target_id,
            tally=replace(found.tally),
            differences=tuple(found.differences),
            done=found.done,
            source_range=(task.begins, found.source_to),
            target_range=(_first_target(offsets), offsets.target_end),
            not_copied=max(0, task.source_end - offsets.copied_to),
            digest=found.digest,
            producers=tuple(sorted(found.ours)),
            judged_to=found.judged_to,
            checked_at=self.checked.get(partition, ""),
            trouble=self.job.troubles.get(partition, "") if self.job is not None else "",
        )


def _explain(found: Found, offsets: OffsetMap | None, ours: set[int], *, settled: bool) -> None:
    copied_to = 0 if offsets is None else offsets.target_end
    found.suspects = [
        one
        for one in found.suspects
        if one.offset >= copied_to and (settled or one.producer_id not in ours)
    ]


def _first_target(offsets: OffsetMap) -> int:
    return offsets.runs[0].target if len(offsets.runs) else offsets.target_end


def _id(cluster: Cluster) -> str:
    return cluster.metadata.cluster_id or "unknown"


def _now() -> str:
    return _time(time.time())


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
