"""All map files of a move, put together for one direction: source to target.

Owns finding the files, turning round those whose primary is the target, and the refusal of files
about other clusters. Asks no cluster. Files grow while they are read: each look reads them anew.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from kferry.dualwrite import PartitionPairs, Written, read_map
from kferry.dualwrite.errors import MapFileError
from kferry.dualwrite.frames import HEAD, ClusterIds
from kferry.dualwrite.written import Stretch
from kferry.errors import ExitCode, KferryError, UsageError
from kferry.names import PartitionId, SourceOffset, TargetOffset, TopicName, TopicPartition
from kferry.offsets import Run


class OtherClusters(KferryError):
    """A map file is about other clusters than those that are named."""

    code = "K277"
    exit_code = ExitCode.REFUSED


@dataclass(slots=True, kw_only=True)
class Told:
    """One partition of the source, as all files together tell of it."""

    target: TopicName
    runs: list[Run] = field(default_factory=list)
    back: list[Stretch] = field(default_factory=list)
    """Offsets of the source that were written there second: their primary is the target."""
    missing: list[Stretch] = field(default_factory=list)
    """The target did not acknowledge them."""
    unknown: list[Stretch] = field(default_factory=list)
    """Their writer ended before it wrote down whether they arrived."""
    waiting: list[Stretch] = field(default_factory=list)
    """Sent to the target and not answered for yet, or their writer was killed just then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """What some map files tell."""

    paths: tuple[Path, ...]
    partitions: Mapping[TopicPartition, Told]
    """By their names on the source."""
    unproven: tuple[Path, ...]
    """Files without a single pair: their writers never wrote to both sides."""

    @property
    def topics(self) -> dict[TopicName, TopicName]:
        """Name the target's topics by those of the source."""
        return {place.topic: one.target for place, one in self.partitions.items()}

    def first(self, place: TopicPartition) -> int | None:
        """Return the source's offset from which on a partition was written to both sides."""
        told = self.partitions.get(place)
        return None if told is None else min((run.source for run in told.runs), default=None)


def read_files(named: Sequence[Path], *, source_id: str, target_id: str) -> Files:
    """Read map files, and all that lie in folders."""
    paths = find_files(named)
    partitions: dict[TopicPartition, Told] = {}
    unproven = []
    for path in paths:
        written = read_map(path)
        turned = _insist(path, written.clusters, source_id, target_id)
        if not any(one.pairs for one in written.partitions.values()):
            unproven.append(path)
        _add(partitions, written, turned=turned)
    for place, one in partitions.items():
        one.runs.sort()
        _insist_on_one_log(place, one.runs)
    return Files(paths=paths, partitions=partitions, unproven=tuple(unproven))


def find_files(named: Sequence[Path]) -> tuple[Path, ...]:
    """Return the files that are meant, each once; of a folder, those that are map files."""
    found: dict[Path, Path] = {}
    for path in named:
        if not path.is_dir():
            found.setdefault(path.resolve(), path)
            continue
        own = [one for one in sorted(path.iterdir()) if _is_map(one)]
        if not own:
            raise UsageError(
                f"there is no map file in {path}",
                hint="name the folder that holds the files of DualProducer(map_file=...)",
            )
        for one in own:
            found.setdefault(one.resolve(), one)
    return tuple(found.values())


def _is_map(path: Path) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(len(HEAD)) == HEAD


def _insist(path: Path, clusters: ClusterIds | None, source_id: str, target_id: str) -> bool:
    """Refuse a file about others; return whether it was written in the other direction."""
    if clusters is None or clusters == ClusterIds(primary=source_id, secondary=target_id):
        return False
    if clusters == ClusterIds(primary=target_id, secondary=source_id):
        return True
    raise OtherClusters(
        f"{path} is about other clusters",
        f"It pairs {clusters.primary} with {clusters.secondary}; the source is {source_id}, the "
        f"target {target_id}.",
        hint="name the map files of the applications that write these two",
    )


def _add(partitions: dict[TopicPartition, Told], written: Written, *, turned: bool) -> None:
    for (name, number), told in written.partitions.items():
        other = written.secondary_name(name)
        here, there = (other, name) if turned else (name, other)
        place = TopicPartition(TopicName(here), PartitionId(number))
        one = partitions.setdefault(place, Told(target=TopicName(there)))
        if one.target != there:
            raise MapFileError(
                f"the map files do not agree on what {here} is called on the target",
                f"{one.target} and {there}",
                hint="name the map files of one move only",
            )
        if turned:
            runs = [(run.secondary, run.primary, run.length) for run in told.pairs]
            one.back += [(start, start + length) for start, _, length in runs]
        else:
            runs = [(run.primary, run.secondary, run.length) for run in told.pairs]
            _add_gaps(one, told, closed=written.closed)
        one.runs += [Run(SourceOffset(s), TargetOffset(t), length) for s, t, length in runs]


def _add_gaps(one: Told, told: PartitionPairs, *, closed: bool) -> None:
    one.missing += [(run.primary, run.primary + run.length) for run in told.missing]
    for stretch in told.unknown:
        # Behind an answer nothing waits: within a partition they come in the log's order.
        waits = not closed and stretch[1] >= told.known_to
        (one.waiting if waits else one.unknown).append(stretch)


def _insist_on_one_log(place: TopicPartition, runs: Iterable[Run]) -> None:
    """Refuse offsets that are told of twice: the topic was made anew, or a file was copied."""
    for of in (0, 1):
        end = -1
        for run in sorted(runs, key=lambda one: one[of]):
            if run[of] < end:
                side = "target" if of else "source"
                raise MapFileError(
                    f"the map files tell of offset {run[of]:,} of {place} on the {side} twice",
                    "a copy of a file was named beside it, or the topic was made anew while it "
                    "was written",
                    hint="name each file once; after a topic was made anew, begin new map files",
                )
            end = run[of] + run.length
