"""What a map file tells, put together: for each partition, pairs, what is missing, what is unknown.

Owns the meaning of the entries in their order. Pure: no files, no Kafka.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from kferry.dualwrite.frames import (
    BadFrame,
    Closed,
    ClusterIds,
    Entry,
    Missing,
    Opened,
    Pairs,
    Pending,
    TopicNames,
)

Stretch = tuple[int, int]
"""Offsets of the primary, from the first to before the last."""


@dataclass(slots=True, kw_only=True)
class PartitionPairs:
    """One partition, as far as one file tells. Runs stand in the order of the log."""

    pairs: list[Pairs] = field(default_factory=list)
    missing: list[Missing] = field(default_factory=list)
    unknown: list[Stretch] = field(default_factory=list)
    """The primary has, or may have, records there; whether the secondary does is not known: the
    process ended before it could write that down."""
    known_to: int = 0
    """The primary's offset up to which something was written down."""


@dataclass(slots=True, kw_only=True)
class Written:
    """All that a map file tells."""

    clusters: ClusterIds | None = None
    """None: the producer never reached both."""
    topics: dict[int, TopicNames] = field(default_factory=dict)
    partitions: dict[tuple[str, int], PartitionPairs] = field(default_factory=dict)
    """By the topic's name on the primary, and the partition's number."""
    sessions: int = 0
    closed: bool = True
    """Whether the last session ended in order; one that is still running has not."""

    def secondary_name(self, topic: str) -> str:
        """Return a topic's name on the secondary."""
        return next((t.secondary for t in self.topics.values() if t.primary == topic), topic)


def put_together(entries: Iterable[Entry]) -> Written:
    """Read entries in the order they were written."""
    written = Written()
    pending: dict[tuple[str, int], list[Stretch]] = {}
    torn: dict[tuple[str, int], int] = {}
    for entry in entries:
        match entry:
            case ClusterIds():
                if written.clusters not in {None, entry}:
                    raise BadFrame("it is about two pairs of clusters")
                written.clusters = entry
            case TopicNames():
                written.topics[entry.index] = entry
            case Opened():
                if not written.closed:
                    torn |= {place: one.known_to for place, one in written.partitions.items()}
                written.sessions, written.closed = written.sessions + 1, False
            case Closed():
                written.closed = True
            case _:
                _take(entry, written, pending, torn)
    for place, one in written.partitions.items():
        one.missing.sort(key=lambda gap: gap.primary)
        stretches = sorted(one.unknown + pending.get(place, []))
        runs: list[Pairs | Missing] = [*one.pairs, *one.missing]
        told = [(run.primary, run.primary + run.length) for run in runs]
        one.unknown = without(stretches, told)
    return written


def _take(
    entry: Pairs | Missing | Pending,
    written: Written,
    pending: dict[tuple[str, int], list[Stretch]],
    torn: dict[tuple[str, int], int],
) -> None:
    names = written.topics.get(entry.topic)
    if names is None:
        raise BadFrame(f"topic number {entry.topic} has no name")
    place = names.primary, entry.partition
    one = written.partitions.setdefault(place, PartitionPairs())
    if place in torn and entry.primary >= one.known_to:
        one.unknown.append((torn.pop(place), entry.primary))
    end = entry.primary + entry.length
    one.known_to = max(one.known_to, end)
    match entry:
        case Pairs():
            one.pairs.append(entry)
        case Missing():
            one.missing.append(entry)
        case Pending():
            pending.setdefault(place, []).append((entry.primary, end))


def without(stretches: Iterable[Stretch], taken: Iterable[Stretch]) -> list[Stretch]:
    """Return what is left of stretches after others are taken out; joined, in order."""
    edges: list[tuple[int, int, int]] = []
    for kind, some in ((0, stretches), (1, taken)):
        for start, end in some:
            if start < end:
                edges += [(start, kind, 1), (end, kind, -1)]
    left: list[Stretch] = []
    depth, before = [0, 0], 0
    for at, kind, step in sorted(edges):
        if depth[0] and not depth[1] and at > before:
            if left and left[-1][1] == before:
                left[-1] = left[-1][0], at
            else:
                left.append((before, at))
        depth[kind] += step
        before = at
    return left
