"""What of the selected partitions no group has read yet, as values.

Owns the rule where an unconsumed copy starts: at the smallest position of all groups, inside what
the log still has. Asks nobody.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from kferry.admin.group_members import GroupType
from kferry.groups.facts import GroupFacts, Log, PositionFacts
from kferry.names import GroupId, PartitionId, SourceOffset, TopicName, TopicPartition

NO_POSITION = "no group has a position here"
EMPTY = "the partition is empty"
ALL_CONSUMED = "everything is consumed"
SHARE_NOTE = "a share group has no position to start from: it does not count"
_NAMED = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class UnconsumedPartition:
    """One partition; `skip` says why nothing of it is to be copied.

    A partition that is skipped starts at its end, and so can be followed from there. Where the
    log cannot be measured neither is known, and `skip` says why.
    """

    topic: TopicName
    partition: PartitionId
    start: SourceOffset | None
    end: SourceOffset | None
    """The last stable offset."""
    decided_by: GroupId | None = None
    skip: str = ""
    warning: str = ""

    @property
    def records(self) -> int:
        """At most so many: markers and what the cleaner took count, too."""
        return 0 if self.start is None or self.end is None else self.end - self.start


@dataclass(frozen=True, slots=True, kw_only=True)
class UnconsumedRow:
    """What one group has yet to read of one topic; None where it has no position that counts."""

    group: GroupId
    topic: TopicName
    unconsumed: int | None
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Obstacle:
    """Why the numbers may be wrong before they are used: something still runs, or is hidden."""

    kind: Literal["members", "moving", "hidden"]
    subject: str
    message: str
    hint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unconsumed:
    """All selected partitions, the groups that stand in them, and what speaks against starting."""

    partitions: tuple[UnconsumedPartition, ...]
    rows: tuple[UnconsumedRow, ...]
    obstacles: tuple[Obstacle, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def starts(self) -> dict[TopicPartition, SourceOffset]:
        """Where to begin; skipped partitions at their ends, unmeasured ones nowhere."""
        return {
            TopicPartition(one.topic, one.partition): one.start
            for one in self.partitions
            if one.start is not None
        }

    @property
    def records(self) -> int:
        """What is to be copied at most."""
        return sum(one.records for one in self.partitions)


_Positions = Mapping[TopicPartition, Mapping[GroupId, int]]


def partitions_of(
    groups: Iterable[GroupFacts], logs: Mapping[TopicPartition, Log]
) -> tuple[UnconsumedPartition, ...]:
    """Decide for each partition where its copy starts."""
    positions = _counting(groups)
    standing: dict[TopicName, set[GroupId]] = {}
    for partition, found in positions.items():
        standing.setdefault(partition.topic, set()).update(found)
    return tuple(
        _partition(one, logs[one], positions.get(one, {}), standing.get(one.topic, set()))
        for one in sorted(logs)
    )


def rows_of(
    groups: Iterable[GroupFacts], logs: Mapping[TopicPartition, Log]
) -> tuple[UnconsumedRow, ...]:
    """Count for each group and topic what is left to read."""
    counts: dict[TopicName, int] = {}
    for partition in logs:
        counts[partition.topic] = counts.get(partition.topic, 0) + 1
    rows = []
    for group in groups:
        topics: dict[TopicName, list[PositionFacts]] = {}
        for position in group.positions or ():
            if TopicPartition(position.topic, position.partition) in logs:
                topics.setdefault(position.topic, []).append(position)
        rows += [_row(group, topic, topics[topic], logs, counts[topic]) for topic in sorted(topics)]
    return tuple(rows)


def _counting(groups: Iterable[GroupFacts]) -> _Positions:
    """Return the positions that count. No commit is none: it never comes this far."""
    found: dict[TopicPartition, dict[GroupId, int]] = {}
    for group in groups:
        if group.type is not GroupType.SHARE:
            for one in group.positions or ():
                if one.offset is not None:
                    place = TopicPartition(one.topic, one.partition)
                    found.setdefault(place, {})[group.id] = one.offset
    return found


def _partition(
    place: TopicPartition, log: Log, positions: Mapping[GroupId, int], standing: set[GroupId]
) -> UnconsumedPartition:
    if log.start is None or log.end is None:
        return UnconsumedPartition(
            topic=place.topic, partition=place.partition, start=None, end=None, skip=log.trouble
        )
    end = SourceOffset(log.end)
    if not positions:
        left_behind = standing and log.start < log.end
        return UnconsumedPartition(
            topic=place.topic,
            partition=place.partition,
            start=end,
            end=end,
            skip=NO_POSITION if log.start < log.end else EMPTY,
            # A client that commits only what it has read has no position where nothing came for it.
            warning=f"{log.end - log.start:,} records are left behind: {_named(sorted(standing))}, "
            "which stands in other partitions of the topic, has no position in this one"
            if left_behind
            else "",
        )
    committed, group = min((offset, group) for group, offset in positions.items())
    start = SourceOffset(min(max(committed, log.start), log.end))
    expired = _expired(committed, log)
    return UnconsumedPartition(
        topic=place.topic,
        partition=place.partition,
        start=start,
        end=end,
        decided_by=group,
        skip=_nothing_left(expired, log) if start == end else "",
        warning=f"{expired}, and {log.start - committed:,} offsets that {group} had not read "
        "are gone"
        if expired
        else "",
    )


def _nothing_left(expired: str, log: Log) -> str:
    if expired:
        return f"{expired}, which is its end"
    return EMPTY if log.start == log.end == 0 else ALL_CONSUMED


def _expired(committed: int, log: Log) -> str:
    if log.start is None or committed >= log.start:
        return ""
    return (
        f"the committed offset {committed:,} lies in expired data: the log starts at {log.start:,}"
    )


def _row(
    group: GroupFacts,
    topic: TopicName,
    positions: list[PositionFacts],
    logs: Mapping[TopicPartition, Log],
    partitions: int,
) -> UnconsumedRow:
    if group.type is GroupType.SHARE:
        return UnconsumedRow(group=group.id, topic=topic, unconsumed=None, note=SHARE_NOTE)
    known: list[int] = []
    odd: list[str] = []
    for one in positions:
        log = logs[TopicPartition(topic, one.partition)]
        if one.offset is None or log.start is None or log.end is None:
            odd.append(f"partition {one.partition}: {log.trouble or one.trouble}")
            continue
        known.append(max(0, log.end - max(one.offset, log.start)))
        if one.offset < log.start:
            gone = log.start - one.offset
            odd.append(f"partition {one.partition}: {gone:,} before the log's start are gone")
        elif one.offset > log.end:
            past = one.offset - log.end
            odd.append(f"partition {one.partition}: {past:,} past the last stable offset")
    if len(positions) < partitions:
        odd.append(f"no position in {partitions - len(positions):,} of {partitions:,} partitions")
    return UnconsumedRow(
        group=group.id, topic=topic, unconsumed=sum(known) if known else None, note=_first(odd)
    )


def _first(sentences: list[str]) -> str:
    shown = sentences[:_NAMED]
    more = len(sentences) - len(shown)
    return "; ".join([*shown, f"and {more:,} more like these"] if more else shown)


def _named(groups: list[GroupId]) -> str:
    more = len(groups) - _NAMED
    return ", ".join(groups[:_NAMED]) + (f" and {more:,} more" if more > 0 else "")
