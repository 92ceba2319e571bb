"""The map files of a double write, as offset maps: positions of one side, said in the other's.

Owns what their stretches mean for a reader who moves. Needs no cluster. Where the processes that
wrote a partition put their records in another order on the other side, a position goes to the first
record from which nothing is left out: some are read twice, and that is counted.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from kferry.config import TopicSelection
from kferry.dualwrite import PartitionPairs, read_map
from kferry.dualwrite.errors import MapFileError
from kferry.dualwrite.frames import ClusterIds
from kferry.migration.translate import Pair, found
from kferry.names import PartitionId, SourceOffset, TargetOffset, TopicName, TopicPartition
from kferry.offsets import ExportedMap, OffsetMap, Run, Runs
from kferry.units import many

_NO_RECORDS = "no map file tells of this partition"


@dataclass(slots=True, kw_only=True)
class DualPartition:
    """One partition as all map files together tell of it."""

    target: TopicName
    runs: list[Run]
    missing: list[tuple[int, int]] = field(default_factory=list)
    unknown: list[tuple[int, int]] = field(default_factory=list)
    known_to: int = 0
    open_from: int | None = None
    """From here on a file may not tell yet: its producer runs, or was killed."""

    @property
    def in_order(self) -> bool:
        """Whether records stand in the same order on both sides."""
        pairs = zip(self.runs, self.runs[1:], strict=False)
        return all(one.target + one.length <= other.target for one, other in pairs)

    @property
    def offsets(self) -> OffsetMap:
        """The exact map; only of records in order."""
        end = max((run.target + run.length for run in self.runs), default=0)
        begins = self.runs[0].source if self.runs else self.known_to
        return OffsetMap(
            runs=Runs(self.runs),
            begins=SourceOffset(begins),
            copied_to=SourceOffset(self.known_to),
            target_end=TargetOffset(end),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class DualMaps:
    """All that some map files tell; all are about the same two clusters."""

    clusters: ClusterIds | None
    partitions: dict[TopicPartition, DualPartition]

    def translate(
        self, asked: Iterable[tuple[TopicPartition, int]], *, to_source: bool = False
    ) -> list[Pair]:
        """Translate offsets, in the order they were given; topics by their names on the primary."""
        return [self._pair(place, offset, to_source=to_source) for place, offset in asked]

    def exported(self, selection: TopicSelection) -> list[ExportedMap]:
        """Return the maps of partitions that have an exact one."""
        return [
            ExportedMap(partition=place, target_topic=one.target, offsets=one.offsets)
            for place, one in sorted(self.partitions.items())
            if one.in_order
            and (selection == TopicSelection() or selection.matches(place.topic, internal=False))
        ]

    def left_out(self) -> Iterable[str]:
        """Say what an exported map cannot tell."""
        for place, one in sorted(self.partitions.items()):
            if not one.in_order:
                yield f"{place} is left out: its writers' order differs on the other side"
            elif one.missing:
                records = many(sum(end - start for start, end in one.missing), "record")
                yield f"{place}: {records} missing on the other side"
            for start, end in one.unknown:
                yield f"{place}: of {start:,} to {end - 1:,} it is not known which arrived"

    def _pair(self, place: TopicPartition, offset: int, *, to_source: bool) -> Pair:
        one = self.partitions.get(place)
        answer: tuple[int | None, bool, str]
        if one is None:
            answer = None, False, _NO_RECORDS
        elif to_source:
            answer = _back(one, offset)
        else:
            answer = _forth(one, offset)
        other, exact, reason = answer
        return Pair(
            partition=place,
            target_topic=None if one is None else one.target,
            source_offset=other if to_source else offset,
            target_offset=offset if to_source else other,
            exact=exact,
            reason=reason,
        )


def read_maps(paths: Sequence[Path]) -> DualMaps:
    """Read map files, of one producer process each."""
    clusters: ClusterIds | None = None
    partitions: dict[TopicPartition, DualPartition] = {}
    for path in paths:
        written = read_map(path)
        if written.clusters is not None:
            if clusters not in {None, written.clusters}:
                raise MapFileError(
                    f"{path} is about other clusters than the files before it",
                    f"{written.clusters}, not {clusters}",
                    hint="name the map files of one move only",
                )
            clusters = written.clusters
        for (topic, number), told in written.partitions.items():
            place = TopicPartition(TopicName(topic), PartitionId(number))
            target = TopicName(written.secondary_name(topic))
            one = partitions.setdefault(place, DualPartition(target=target, runs=[]))
            _add(one, told, closed=written.closed)
    for one in partitions.values():
        one.runs.sort()
        _insist_on_one_log(one)
    return DualMaps(clusters=clusters, partitions=partitions)


def _add(one: DualPartition, told: PartitionPairs, *, closed: bool) -> None:
    one.runs += [
        Run(SourceOffset(r.primary), TargetOffset(r.secondary), r.length) for r in told.pairs
    ]
    one.missing += [(run.primary, run.primary + run.length) for run in told.missing]
    one.unknown += told.unknown
    one.known_to = max(one.known_to, told.known_to)
    if not closed:
        ends = [told.known_to] if one.open_from is None else [told.known_to, one.open_from]
        one.open_from = min(ends)


def _insist_on_one_log(one: DualPartition) -> None:
    """Refuse runs that lie over each other: a topic was made anew, or a file is named twice."""
    for before, after in zip(one.runs, one.runs[1:], strict=False):
        if before.source + before.length > after.source:
            raise MapFileError(
                f"the map files tell of offset {after.source:,} of {one.target} twice",
                "a file was named twice, or the topic was made anew while it was written",
                hint="name each file once; after a topic was made anew, begin a new map file",
            )


def _forth(one: DualPartition, offset: int) -> tuple[int | None, bool, str]:
    for start, end in one.unknown:
        if start <= offset < end:
            which = f"which of {start:,} to {end - 1:,} arrived"
            return None, False, f"unknown: a producer was killed before it wrote down {which}"
    if one.open_from is not None and offset >= one.open_from:
        return None, False, f"not yet: the map file tells of what is before {one.open_from:,}"
    other, exact, reason = (
        found(one.offsets, offset, to_source=False) if one.in_order else _least(one, offset)
    )
    if other is None:
        return None, False, reason
    if behind := _from_on(offset, one.missing):
        reason += f"; {many(behind, 'record')} from here on missing on the other side"
    if open_ := _from_on(offset, one.unknown):
        reason += f"; of {many(open_, 'offset')} from here on it is not known what arrived"
    return other, exact and not behind and not open_, reason


def _from_on(offset: int, stretches: Iterable[tuple[int, int]]) -> int:
    return sum(max(0, end - max(start, offset)) for start, end in stretches)


def _back(one: DualPartition, offset: int) -> tuple[int | None, bool, str]:
    if one.in_order:
        return found(one.offsets, offset, to_source=True)
    turned = [Run(SourceOffset(r.target), TargetOffset(r.source), r.length) for r in one.runs]
    return _first(sorted(turned), offset, end=one.known_to)


def _least(one: DualPartition, offset: int) -> tuple[int | None, bool, str]:
    if offset > one.known_to:
        return None, False, f"not yet: the map files tell of what is before {one.known_to:,}"
    end = max(run.target + run.length for run in one.runs)
    return _first(one.runs, offset, end=end)


def _first(runs: Sequence[Run], offset: int, *, end: int) -> tuple[int | None, bool, str]:
    """Return the first place on the other side from which nothing from `offset` on is lost."""
    least = end
    before: list[tuple[int, int]] = []
    for run in runs:
        inside = max(0, offset - run.source)
        if inside < run.length:
            least = min(least, run.target + inside)
        if inside:
            before.append((run.target, run.target + min(inside, run.length)))
    again = sum(max(0, stop - max(start, least)) for start, stop in before)
    if not again:
        return least, True, "the next record: several producers wrote, in the same order here"
    return least, False, f"several producers wrote in another order: {many(again, 'record')} again"
