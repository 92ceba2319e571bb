"""Logs that no longer start at 0.

Owns the shapes `trimmed` (somebody deleted records) and `expired` (retention did).
"""

from kferry.sandbox.load.confluent import TopicPartition
from kferry.sandbox.load.record import HOUR, Record, filled, time_of
from kferry.sandbox.load.shape import PREFIX, Shape, Topic
from kferry.sandbox.load.workbench import Workbench

_BATCH = 50
_EACH = 200
_AT_BATCH, _INSIDE_BATCH, _ALL = 100, 125, _EACH

_SEGMENTS = 5
_SEGMENT_BYTES = 100_000
_KEPT = {
    # A record whose time is an hour past its segment's first one rolls the log (KIP-33): segments
    # end where we say, on every version. Then all but the last two are too many.
    "segment.ms": str(HOUR),
    "retention.bytes": str(_SEGMENT_BYTES * 2),
}
_CHECKS_S = 400.0
"""The sandbox's brokers look every second; with their defaults every five minutes."""


def _records(bench: Workbench, partition: int, count: int, *, size: int) -> list[Record]:
    chance = bench.dice(f"{partition}")
    names = (f"{partition}/{number}".encode() for number in range(count))
    return [
        Record(
            partition=partition,
            key=name,
            value=filled(chance, name, size),
            timestamp=time_of(number),
        )
        for number, name in enumerate(names)
    ]


def _trimmed(bench: Workbench) -> None:
    for partition in range(3):
        bench.write(_records(bench, partition, _EACH, size=60), batch=_BATCH)
    bench.delete_records(bench.topic, {0: _AT_BATCH, 1: _INSIDE_BATCH, 2: _ALL})
    bench.notes.append(f"starts {_AT_BATCH}, {_INSIDE_BATCH} (inside a batch), {_ALL} (all gone)")


def _expired(bench: Workbench) -> None:
    with bench.writer(batch=_BATCH) as writer:
        for segment in range(_SEGMENTS):
            writer.write_batch(bench.topic, _segment(bench, segment))
    first_kept = (_SEGMENTS - 2) * _BATCH
    bench.narrate("expired: waiting for retention to remove the oldest segments")
    bench.wait_for_bounds(bench.topic, 0, (first_kept, _SEGMENTS * _BATCH), patience_s=_CHECKS_S)
    bench.commit(
        bench.shape.groups[0], [TopicPartition(bench.topic, 0, _BATCH // 2, metadata="overtaken")]
    )
    bench.notes.append(f"starts at {first_kept}; its group stands at {_BATCH // 2}")


def _segment(bench: Workbench, segment: int) -> list[Record]:
    chance = bench.dice(f"segment-{segment}")
    value_size = _SEGMENT_BYTES // _BATCH
    numbers = range(segment * _BATCH, (segment + 1) * _BATCH)
    return [
        Record(
            partition=0,
            key=f"{number}".encode(),
            value=filled(chance, f"{number}".encode(), value_size),
            timestamp=time_of(segment, every=2 * HOUR),
        )
        for number in numbers
    ]


SHAPES = (
    Shape(
        name="trimmed",
        about="records deleted up to a batch, into the middle of one, and all of them",
        fill=_trimmed,
        topics=(Topic(name=f"{PREFIX}trimmed", partitions=3),),
        since=(0, 11),
        limit="deleting records came with KIP-107",
    ),
    Shape(
        name="expired",
        about="retention took the oldest segments, and the ground under a group's position",
        fill=_expired,
        topics=(Topic(name=f"{PREFIX}expired", configs=_KEPT),),
        groups=(f"{PREFIX}expired",),
    ),
)
