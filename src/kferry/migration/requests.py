"""What is asked of a migration, and what it answers: values only.

Owns the seam between the command line and the verbs. Does nothing and knows no cluster.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal, Protocol

from kferry.config import ClusterSettings, TopicSelection
from kferry.config.migration_file import OnGap, Pipelining
from kferry.config.plan_settings import TopicWishes
from kferry.config.starts import Beginning, FromEnd, Since, Start, Unconsumed
from kferry.errors import ExitCode
from kferry.names import TopicName
from kferry.progress import Gap, Snapshot, Stopped, TopicProgress

__all__ = [
    "Arrived",
    "Beginning",
    "CopyRequest",
    "CopyResult",
    "FromEnd",
    "OnGap",
    "Pipelining",
    "Since",
    "Start",
    "Unconsumed",
    "Watch",
    "Wish",
    "WishKind",
]

WishKind = Literal["rate", "pause", "resume", "stop"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyRequest:
    """A copy as it was asked for. What is not said has the default of the command line."""

    source: ClusterSettings
    target: ClusterSettings
    migration: str | None = None
    """None: the name that follows from the source's cluster id."""
    selection: TopicSelection
    mapping: Mapping[TopicName, TopicName] = field(default_factory=lambda: MappingProxyType({}))
    """Source name → target name; whatever is not in it keeps its name."""
    wishes: TopicWishes = field(default_factory=TopicWishes)
    """What topics that are made shall be on the target."""
    start: Start = field(default_factory=Beginning)
    until_caught_up: bool = False
    complete: bool = False
    rate: int | None = None
    """Bytes per second; None: as fast as it goes."""
    append: bool = False
    suspend_retention: bool = False
    on_gap: OnGap = "stop"
    live: bool = False
    takeover: bool = True
    within_cutover: bool = False
    """Whether a cutover asks, beside which nobody else may copy."""
    pipelining: Pipelining = "safe"
    dry_run: bool = False
    slots: int = 8
    replication: int | None = None
    """Copies of the ledger; None: min(3, brokers)."""


class Watch(Protocol):
    """Who looks on while a migration works."""

    def narrate(self, line: str) -> None:
        """Hear one sentence about what happens."""

    def snapshot(self, snapshot: Snapshot, /) -> None:
        """See how far it is, about once a second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrived:
    """For `--unconsumed`: what one group had not read of one topic, and how much of it arrived."""

    group: str
    topic: str
    unconsumed: int
    arrived: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyResult:
    """How a copy ended. Counts are of this run, `total_records` of the whole copy."""

    migration: str
    exit_code: ExitCode
    records: int = 0
    bytes: int = 0
    batches: int = 0
    partitions: int = 0
    seconds: float = 0.0
    passthrough_batches: int = 0
    reencoded_batches: int = 0
    skipped_control: int = 0
    skipped_aborted: int = 0
    gaps: tuple[Gap, ...] = ()
    total_records: int = 0
    stopped: tuple[Stopped, ...] = ()
    interrupted: bool = False
    topics: tuple[TopicProgress, ...] = ()
    notes: tuple[str, ...] = ()
    retention_suspended: tuple[str, ...] = ()
    """Target topics whose retention still waits for `--complete`."""
    listing: tuple[str, ...] = ()
    """What a dry run found, line by line."""
    arrived: tuple[Arrived, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """Something a running copy is asked for. `value` is bytes per second, for `rate` alone.

    A rate without a value lifts the limit.
    """

    kind: WishKind
    value: int | None = None
