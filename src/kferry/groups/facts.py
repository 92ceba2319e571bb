"""What is known of groups, as values.

Owns the arithmetic of lag. Asks nobody.
"""

from dataclasses import dataclass

from kferry.admin.group_members import GroupType, Member
from kferry.admin.group_offsets import Committed
from kferry.admin.view import Gap
from kferry.names import GroupId, PartitionId, TopicName, TopicPartition


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """What there is to read of a partition. Without offsets, `trouble` says why."""

    start: int | None = None
    end: int | None = None
    """The last stable offset, what a `read_committed` consumer can reach; or, where that was asked
    for, the high watermark."""
    trouble: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionFacts:
    """Where a group stands in one partition. `trouble` says why something is None, or is odd."""

    topic: TopicName
    partition: PartitionId
    offset: int | None
    leader_epoch: int | None = None
    metadata: str = ""
    log_start: int | None = None
    log_end: int | None = None
    lag: int | None = None
    trouble: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupFacts:
    """One group; `members` is None where they could not be asked for."""

    id: GroupId
    type: GroupType
    protocol: str
    """What its members speak: `consumer`, `connect` …; empty where only positions were stored."""
    state: str
    coordinator: int
    members: tuple[Member, ...] | None
    positions: tuple[PositionFacts, ...] | None

    @property
    def lag(self) -> int | None:
        """Records to read up to the last stable offsets, as far as known; None if nothing is."""
        known = [one.lag for one in self.positions or () if one.lag is not None]
        return sum(known) if known else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Groups:
    """All groups of a cluster that may be seen, sorted, and what is missing from the picture."""

    groups: tuple[GroupFacts, ...]
    gaps: tuple[Gap, ...]


def position(partition: TopicPartition, committed: Committed, log: Log) -> PositionFacts:
    """Measure a position against its log."""
    lag = committed.lag
    if lag is None and log.end is not None:
        # A `read_uncommitted` consumer may have passed the last stable offset: nothing is left.
        lag = max(0, log.end - max(committed.offset, log.start or 0))
    return PositionFacts(
        topic=partition.topic,
        partition=partition.partition,
        offset=committed.offset,
        leader_epoch=committed.leader_epoch,
        metadata=committed.metadata,
        log_start=log.start,
        log_end=log.end,
        lag=lag,
        trouble=_trouble(committed, log),
    )


def _trouble(committed: Committed, log: Log) -> str:
    if log.trouble:
        return log.trouble
    if log.start is not None and committed.offset < log.start:
        return f"{log.start - committed.offset:,} before the log's start: those are gone"
    if log.end is not None and committed.offset > log.end:
        return f"{committed.offset - log.end:,} past the last stable offset"
    return ""
