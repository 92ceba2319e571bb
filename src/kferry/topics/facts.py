"""What is known of topics, as values.

Owns the arithmetic from partitions up. Whatever could not be asked is None. Asks nobody.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from kferry.admin.view import Gap
from kferry.names import TopicName

_N = TypeVar("_N", int, float)


def total(numbers: Iterable[_N | None]) -> _N | None:
    """Add up what is known; nothing known is None, not 0."""
    known = [number for number in numbers if number is not None]
    return sum(known[1:], known[0]) if known else None


@dataclass(frozen=True, slots=True, kw_only=True)
class PartitionFacts:
    """One partition. Whatever could not be asked is None."""

    partition: int
    leader: int | None
    replicas: tuple[int, ...]
    in_sync: tuple[int, ...]
    start: int | None
    end: int | None
    """The high watermark: the offset after the last record that every replica in sync has."""
    bytes: int | None
    records_per_second: float | None
    newest_ms: int | None
    """The newest timestamp of a record, in milliseconds since 1970; None, too, if it is empty."""

    @property
    def records(self) -> int | None:
        """At most so many: compaction and transactions leave holes between start and end."""
        return None if self.start is None or self.end is None else self.end - self.start


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicFacts:
    """One topic. `cleanup_policy` and `set_configs` are None where configs could not be asked."""

    name: TopicName
    id: str | None
    internal: bool
    cleanup_policy: str | None
    set_configs: Mapping[str, str | None] | None
    """What was set on the topic itself; a secret value is None."""
    partitions: tuple[PartitionFacts, ...]

    @property
    def replication(self) -> int:
        """How many copies the best-kept partition has; they differ only during a reassignment."""
        return max((len(one.replicas) for one in self.partitions), default=0)

    @property
    def bytes(self) -> int | None:
        """Size on disk of the leaders' copies."""
        return total(one.bytes for one in self.partitions)

    @property
    def records(self) -> int | None:
        """At most so many."""
        return total(one.records for one in self.partitions)

    @property
    def records_per_second(self) -> float | None:
        """How fast it grows."""
        return total(one.records_per_second for one in self.partitions)

    @property
    def newest_ms(self) -> int | None:
        """The newest timestamp in any partition."""
        known = [one.newest_ms for one in self.partitions if one.newest_ms is not None]
        return max(known, default=None)

    @property
    def leaderless(self) -> int:
        """How many partitions nobody leads just now."""
        return sum(one.leader is None for one in self.partitions)

    @property
    def under_replicated(self) -> int:
        """How many partitions miss a copy."""
        return sum(len(one.in_sync) < len(one.replicas) for one in self.partitions)


@dataclass(frozen=True, slots=True, kw_only=True)
class Topics:
    """The selected topics of a cluster, sorted by name, and what is missing from the picture."""

    topics: tuple[TopicFacts, ...]
    gaps: tuple[Gap, ...]
