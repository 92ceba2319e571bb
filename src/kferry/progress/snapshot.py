"""What is known of a running copy at one moment.

Owns the value types. Computes nothing and asks nobody; whoever takes a snapshot fills it in.
"""

from dataclasses import dataclass, field
from typing import Literal

State = Literal["starting", "settling", "copying", "following", "paused", "stopped", "done"]
TopicState = Literal["copying", "following", "done", "stopped", "settling", "paused"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicProgress:
    """One topic. Counts of offsets, not of records, unless they say so."""

    source: str
    target: str
    partitions: int
    copied: int
    """Source offsets passed since the copy's beginning, earlier runs included."""
    total: int
    """Source offsets from the copy's beginning to the end as it was last seen."""
    lag: int
    records: int
    """Written in this run."""
    bytes: int
    rate: float
    """Records per second, lately."""
    state: TopicState
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopped:
    """A partition that cannot go on; the others do."""

    topic: str
    partition: int
    offset: int | None
    reason: str
    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Source offsets that were not there to be copied; both ends are part of it."""

    topic: str
    partition: int
    first: int
    last: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Throttled:
    """How long brokers made us wait in this run, in milliseconds."""

    source: int = 0
    target: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The whole copy at one moment; the same for a line, a page, JSON and metrics."""

    migration: str
    source_cluster: str
    target_cluster: str
    taken_at: str
    """ISO 8601 in UTC."""
    state: State
    owner: str = ""
    """Which process copies, so that people find it."""
    limited_by: str = "nothing"
    """`source`, `target`, `rate`, `cpu`, `nothing`, or plain words."""
    reason: str = ""
    topics: tuple[TopicProgress, ...] = ()
    stopped: tuple[Stopped, ...] = ()
    gaps: tuple[Gap, ...] = ()
    records: int = 0
    """Written in this run, as are `bytes`."""
    bytes: int = 0
    records_per_second: int = 0
    bytes_per_second: int = 0
    lag: int = 0
    copied: int = 0
    total: int = 0
    remaining_seconds: float | None = None
    """None before 1 %, and while following."""
    rate_limit: int | None = None
    """Bytes per second that were asked for; None: as fast as it goes."""
    throttled_ms: Throttled = field(default_factory=Throttled)
    retention_suspended: tuple[str, ...] = ()
    """Target topics whose retention waits for `--complete`."""
