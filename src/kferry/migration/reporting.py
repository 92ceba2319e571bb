"""What a running copy looks like from outside: one frozen snapshot a second.

Owns the way from lanes to the values that every face shows, and what is said to limit the pace.
"""

import dataclasses
import socket
import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from os import getpid
from typing import Any

from kferry.copying import Engine, Lane, Phase
from kferry.names import TopicName
from kferry.progress import (
    Gap,
    Pace,
    Snapshot,
    State,
    Stopped,
    Throttled,
    TopicProgress,
    TopicState,
    to_json,
)

_BUSY = 0.85
_FULL = 0.6
_MOST_TOPICS = 500
_FAR_S = 5


@dataclass(slots=True, kw_only=True)
class Reporter:
    """Takes snapshots of one engine."""

    migration: str
    source_id: str
    target_id: str
    suspended: tuple[str, ...] = ()
    newest: Snapshot | None = None
    _records: Pace = field(default_factory=Pace)
    _bytes: Pace = field(default_factory=Pace)
    _offsets: Pace = field(default_factory=Pace)
    _ends: Pace = field(default_factory=Pace)
    _by_topic: dict[TopicName, Pace] = field(default_factory=lambda: defaultdict(Pace))
    _cpu: tuple[float, float] = field(
        default_factory=lambda: (time.monotonic(), time.process_time())
    )

    def document(self) -> Mapping[str, Any] | None:
        """Return the newest snapshot as the ledger keeps it: a document has its limits."""
        newest = self.newest
        if newest is None:
            return None
        topics = sorted(newest.topics, key=lambda one: one.lag, reverse=True)
        return to_json(
            dataclasses.replace(
                newest,
                topics=tuple(topics[:_MOST_TOPICS]),
                stopped=newest.stopped[:_MOST_TOPICS],
                gaps=newest.gaps[:_MOST_TOPICS],
                retention_suspended=newest.retention_suspended[:_MOST_TOPICS],
            )
        )

    def take(self, engine: Engine, *, state: State | None = None) -> Snapshot:
        """Look at the engine now."""
        now = time.monotonic()
        lanes = engine.lanes
        by_topic: dict[TopicName, list[Lane]] = defaultdict(list)
        for lane in lanes:
            by_topic[lane.source.topic].append(lane)
        topics = tuple(
            self._topic(own, now, paused=engine.paused, ended=state) for own in by_topic.values()
        )
        records = sum(topic.records for topic in topics)
        size = sum(topic.bytes for topic in topics)
        copied = sum(topic.copied for topic in topics)
        total = sum(topic.total for topic in topics)
        lag = sum(topic.lag for topic in topics)
        for pace, count in (
            (self._records, records),
            (self._bytes, size),
            (self._offsets, copied),
            (self._ends, total),
        ):
            pace.add(now, count)
        shown = state or _state(lanes, paused=engine.paused)
        limited, reason = self._limit(engine, topics, shown, now)
        self.newest = Snapshot(
            migration=self.migration,
            source_cluster=self.source_id,
            target_cluster=self.target_id,
            owner=f"{socket.gethostname()}, process {getpid()}",
            taken_at=datetime.now(UTC).isoformat(timespec="seconds"),
            state=shown,
            limited_by=limited,
            reason=reason,
            topics=topics,
            stopped=stopped_of(lanes),
            gaps=gaps_of(lanes),
            records=records,
            bytes=size,
            records_per_second=round(self._records.rate),
            bytes_per_second=round(self._bytes.rate),
            lag=lag,
            copied=copied,
            total=total,
            remaining_seconds=self._offsets.remaining(copied, total)
            if shown in {"copying", "paused"}
            else None,
            rate_limit=engine.bucket.rate,
            throttled_ms=Throttled(
                source=sum(one.throttled_ms for one in engine.readers),
                target=sum(one.throttled_ms for one in engine.writers),
            ),
            retention_suspended=self.suspended,
        )
        return self.newest

    def _topic(
        self, lanes: list[Lane], now: float, *, paused: bool, ended: State | None
    ) -> TopicProgress:
        first = lanes[0]
        records = sum(lane.counts.records for lane in lanes)
        pace = self._by_topic[first.source.topic]
        pace.add(now, records)
        return TopicProgress(
            source=first.source.topic,
            target=first.target.topic,
            partitions=len(lanes),
            copied=sum(lane.copied_to - lane.begins for lane in lanes),
            total=sum(_end(lane) - lane.begins for lane in lanes),
            lag=sum(lane.lag for lane in lanes),
            records=records,
            bytes=sum(lane.counts.bytes for lane in lanes),
            rate=pace.rate,
            state=_ended(lanes) if ended else _state(lanes, paused=paused),
            reason=next((lane.hindrance for lane in lanes if lane.hindrance), ""),
        )

    def _too_slow(self, lag: int) -> str:
        """Say so where the source grows at least as fast as it is copied, and is far ahead."""
        grows, goes = self._ends.rate, self._offsets.rate
        if not self._ends.long_enough or grows < goes or goes <= 0 or lag < _FAR_S * goes:
            return ""
        return (
            f"the source grows by {grows:,.0f} offsets/s and {goes:,.0f} are copied: at this rate "
            "it will never catch up"
        )

    def _limit(
        self, engine: Engine, topics: tuple[TopicProgress, ...], state: State, now: float
    ) -> tuple[str, str]:
        wall, cpu = self._cpu
        self._cpu = (now, time.process_time())
        busy = (self._cpu[1] - cpu) / max(now - wall, 1e-3)
        hindrance = next((topic.reason for topic in topics if topic.reason), "")
        lag = sum(topic.lag for topic in topics)
        reason = engine.keeper.trouble or engine.health or hindrance or self._too_slow(lag)
        if state != "copying":
            return "nothing", reason
        if engine.bucket.rate and engine.bucket.wait_s > 0:
            return "rate", reason
        if busy > _BUSY:
            return "cpu", reason
        if engine.budget.held > _FULL * engine.budget.limit:
            return "target", reason
        return "source", reason


def stopped_of(lanes: list[Lane]) -> tuple[Stopped, ...]:
    """Return the partitions that cannot go on."""
    return tuple(
        Stopped(
            topic=lane.source.topic,
            partition=lane.source.partition,
            offset=lane.trouble.offset,
            reason=lane.trouble.reason,
            code=lane.trouble.code,
        )
        for lane in lanes
        if lane.trouble is not None
    )


def gaps_of(lanes: list[Lane]) -> tuple[Gap, ...]:
    """Return what was gone from the source before it was copied."""
    return tuple(
        Gap(
            topic=lane.source.topic,
            partition=lane.source.partition,
            first=gap.first,
            last=gap.last,
            reason=gap.reason,
        )
        for lane in lanes
        for gap in lane.gaps
    )


def _end(lane: Lane) -> int:
    return max(lane.end, lane.copied_to, lane.goal or 0)


def _ended(lanes: list[Lane]) -> TopicState:
    """At the end of a run a topic is done, or it was stopped before."""
    return "done" if all(lane.caught_up for lane in lanes) else "stopped"


def _state(lanes: list[Lane], *, paused: bool) -> TopicState:
    """Say what lanes are at: those of one topic, or all."""
    going = [lane for lane in lanes if lane.phase is not Phase.STOPPED]
    if not going:
        return "stopped"
    if paused:
        return "paused"
    if any(lane.phase is Phase.DOUBT for lane in going):
        return "settling"
    return "copying" if any(lane.lag for lane in going) else "following"
