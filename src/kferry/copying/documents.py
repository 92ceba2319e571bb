"""How a lane is written down in the ledger, and read back.

Owns the layout of positions and of the offset map's chunks. A chunk may be written ahead of the
position it belongs to: whoever reads cuts it there.
"""

from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from kferry.copying.digests import Digests, cut_at, read_closed, read_growing
from kferry.copying.lane import Gap, Lane
from kferry.errors import KferryError
from kferry.names import PartitionId, TopicName, TopicPartition
from kferry.offsets import Runs, decode_runs, encode_runs
from kferry.records import Digested

Documents = list[tuple[str, Mapping[str, Any] | None]]

_OPEN_CHUNK = 16 * 1024
"""Bytes. The growing chunk is written again at each checkpoint; closed ones never."""
_MOST_GAPS = 1000
_MOST = (1 << 63) - 1
"""No offset is larger."""
_MOST_EPOCH = (1 << 31) - 1
_POSITION = "partition/"


class BadDocument(KferryError):
    """A ledger document that says what cannot be."""

    code = "K420"


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """Where a partition stood at the last checkpoint."""

    begins: int
    copied_to: int
    next_target: int
    chunk: int
    leader_epoch: int
    records: int
    gaps: tuple[Gap, ...]
    growing: Digests | None = None
    """The digest that grows."""


def position_key(partition: TopicPartition) -> str:
    """Return the key of a partition's position. Topic names hold no slash."""
    return f"{_POSITION}{partition.topic}/{partition.partition}"


def count_positions(keys: Iterable[str]) -> int:
    """Return how many partitions these documents know the positions of."""
    return sum(key.startswith(_POSITION) for key in keys)


def runs_key(partition: TopicPartition, chunk: int) -> str:
    """Return the key of a chunk of a partition's offset map."""
    return f"runs/{partition.topic}/{partition.partition}/{chunk}"


def partition_of(key: str) -> TopicPartition | None:
    """Return the partition whose position or map a document is part of; None: of none."""
    kind, _, name = key.partition("/")
    if kind not in {"partition", "runs"}:
        return None
    topic, _, numbers = name.partition("/")
    number = numbers.partition("/")[0]
    return TopicPartition(TopicName(topic), PartitionId(int(number))) if number.isdigit() else None


def whole_map(partition: TopicPartition, position: Position, runs: Runs) -> Documents:
    """Write down a partition with its whole map, as if it had been copied so."""
    chunks = list(encode_runs(runs, most_bytes=_OPEN_CHUNK)) or [b""]
    documents: Documents = [
        (runs_key(partition, number), {"runs": b64encode(chunk).decode()})
        for number, chunk in enumerate(chunks)
        if chunk
    ]
    # Digests are of what a copy saw arrive: this one did not.
    written = replace(position, chunk=len(chunks) - 1, growing=None)
    # The position last: a chunk without one is cut away by whoever reads.
    return [*documents, (position_key(partition), _position(written))]


def digests_key(partition: TopicPartition, number: int) -> str:
    """Return the key of a document with digests of a partition."""
    return f"digests/{partition.topic}/{partition.partition}/{number}"


def write_down(lane: Lane) -> tuple[list[Documents], "Written"]:
    """Write down a lane: groups of documents, of which each must arrive whole, in this order."""
    chunks = list(encode_runs(lane.runs, most_bytes=_OPEN_CHUNK)) or [b""]
    last = lane.chunk + len(chunks) - 1
    groups: list[Documents] = [
        [_chunk(lane, number, chunk)] for number, chunk in enumerate(chunks[:-1], start=lane.chunk)
    ]
    position = Position(
        begins=lane.begins,
        copied_to=lane.copied_to,
        next_target=lane.next_target,
        chunk=last,
        leader_epoch=lane.leader_epoch,
        records=lane.total_records,
        gaps=tuple(lane.gaps[-_MOST_GAPS:]),
        growing=lane.digests,
    )
    digests = [] if lane.digests is None else lane.digests.documents()
    groups += [[(digests_key(lane.source, number), one)] for number, one in digests[:-1]]
    documents: Documents = [(position_key(lane.source), _position(position))]
    documents[:0] = [(digests_key(lane.source, number), one) for number, one in digests[-1:]]
    if chunks[-1]:
        documents.insert(0, _chunk(lane, last, chunks[-1]))
    return [*groups, documents], Written(
        chunk=last,
        closed_runs=len(lane.runs) - len(decode_runs([chunks[-1]] if chunks[-1] else [])),
        digests=0 if lane.digests is None else len(lane.digests.closed),
    )


def _position(position: Position) -> Mapping[str, Any]:
    growing = {} if position.growing is None else {"digests": position.growing.growing()}
    return {
        "begins": position.begins,
        "source": position.copied_to,
        "target": position.next_target,
        "chunk": position.chunk,
        "epoch": position.leader_epoch,
        "records": position.records,
        "gaps": [[gap.first, gap.last, gap.reason] for gap in position.gaps],
        **growing,
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What of a lane's map need not be kept in memory once the ledger has it."""

    chunk: int
    closed_runs: int
    digests: int = 0

    def forget(self, lane: Lane) -> None:
        """Drop the closed part."""
        if self.closed_runs:
            lane.runs = Runs(list(lane.runs)[self.closed_runs :])
        lane.chunk = self.chunk
        if lane.digests is not None:
            lane.digests.written(self.digests)


def _chunk(lane: Lane, number: int, chunk: bytes) -> tuple[str, Mapping[str, Any]]:
    return runs_key(lane.source, number), {"runs": b64encode(chunk).decode()}


def read_position(key: str, value: Mapping[str, Any]) -> Position:
    """Read a position; what cannot be is an error, not a guess."""
    try:
        numbers = {
            name: _number(value[name])
            for name in ("begins", "source", "target", "chunk", "records")
        }
        gaps = tuple(
            Gap(first=_number(first), last=_number(last), reason=str(reason))
            for first, last, reason in value.get("gaps", ())
        )
        epoch = -1 if value.get("epoch", -1) == -1 else min(_number(value["epoch"]), _MOST_EPOCH)
    except (KeyError, TypeError, ValueError) as error:
        raise BadDocument(
            f"the ledger's document {key} cannot be read",
            str(error),
            hint="look at it with `kferry ledger show`; nothing was copied",
        ) from None
    return Position(
        begins=numbers["begins"],
        copied_to=numbers["source"],
        next_target=numbers["target"],
        chunk=numbers["chunk"],
        leader_epoch=epoch,
        records=numbers["records"],
        gaps=gaps,
        growing=read_growing(value.get("digests"), end=numbers["target"]),
    )


def resumed_digests(
    partition: TopicPartition, position: Position, values: Mapping[str, Mapping[str, Any] | None]
) -> Digests | None:
    """Read the digests that go on growing; None where an older release copied without."""
    if position.growing is not None:
        value = values.get(digests_key(partition, position.growing.number))
        position.growing.closed = cut_at(read_closed(value), position.next_target)
        position.growing.noted = len(position.growing.closed)
    return position.growing


def read_digests(
    partition: TopicPartition, position: Position, values: Mapping[str, Mapping[str, Any] | None]
) -> list[Digested]:
    """Read all digests of a partition, as far as its position."""
    growing = position.growing
    if growing is None:
        return []
    found: list[Digested] = []
    for number in range(growing.number + 1):
        found += read_closed(values.get(digests_key(partition, number)))
    if growing.records:
        found.append(Digested(growing.begin, growing.end, growing.digest))
    return cut_at(found, position.next_target)


def read_runs(
    partition: TopicPartition, position: Position, values: Mapping[str, Mapping[str, Any] | None]
) -> Runs:
    """Read the open chunk of a partition's map, cut where its position is."""
    return _cut(decode_runs(_chunks(partition, [position.chunk], values)), position)


def read_all_runs(
    partition: TopicPartition, position: Position, values: Mapping[str, Mapping[str, Any] | None]
) -> Runs:
    """Read the whole map of a partition, as far as its position."""
    numbers = range(position.chunk + 1)
    return _cut(decode_runs(_chunks(partition, numbers, values)), position)


def _chunks(
    partition: TopicPartition,
    numbers: "range | list[int]",
    values: Mapping[str, Mapping[str, Any] | None],
) -> Iterator[bytes]:
    for number in numbers:
        key = runs_key(partition, number)
        value = values.get(key)
        if value is None:
            continue
        try:
            yield b64decode(value["runs"], validate=True)
        except (KeyError, TypeError, ValueError) as error:
            raise BadDocument(
                f"the ledger's document {key} cannot be read",
                str(error),
                hint="the offset map of this partition is damaged; nothing was copied",
            ) from None


def _cut(runs: Runs, position: Position) -> Runs:
    kept = Runs()
    for run in runs:
        length = min(run.length, position.next_target - run.target)
        if length > 0:
            kept.append(run.source, run.target, length)
    return kept


def _number(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= _MOST:
        raise ValueError(f"{value!r} where a number was expected")
    return value
