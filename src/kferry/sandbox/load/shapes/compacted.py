"""Compacted topics over which the cleaner has really gone.

Owns the shapes `compacted*`. Each waits until the cleaner has done all it may: what it leaves is
the same each time, only the delete horizons it writes (KIP-534) are the broker's now.
"""

import random
from collections.abc import Iterable, Iterator, Sequence

from kferry.sandbox.load.cleaner import cleaned
from kferry.sandbox.load.record import BEGAN, FUTURE, HOUR, Record, filled
from kferry.sandbox.load.shape import PREFIX, Shape, Topic
from kferry.sandbox.load.workbench import Workbench

_COMPACT = {
    "cleanup.policy": "compact",
    "min.cleanable.dirty.ratio": "0.01",
    # The cleaner leaves the active segment alone. A record whose time is an hour past its segment's
    # first one begins a new segment (KIP-33): one segment for each generation of ours.
    "segment.ms": str(HOUR),
    "delete.retention.ms": str(30 * 24 * HOUR),  # tombstones outlive the sandbox
}
_KEYS = 100
_DELETED = range(10)
_CLEANS_S = 120.0
"""The sandbox's brokers clean every half second; with their defaults every 15 s."""
_IDEMPOTENCE_SINCE = (0, 11)
_TRANSACTIONS: tuple[tuple[Sequence[int], bool, bool], ...] = (
    # keys (a tombstone is ~key), whether it is committed, whether the cleaner runs after it
    (range(20), True, False),
    (range(10, 30), False, False),
    ((0, 1, 2, ~3, ~4), True, False),
    (range(3), True, True),
    (range(5, 8), True, False),
    (range(8, 10), True, True),
)


def _compacted(bench: Workbench) -> None:
    for partition in range(2):
        with bench.writer(batch=50) as writer:
            for number, keys in enumerate(_generations(bench.dice(f"{partition}"))):
                writer.write_batch(
                    bench.topic, _generation(bench, number, keys, partition=partition, since=BEGAN)
                )
    _wait(bench)


def _generations(chance: random.Random) -> Iterator[Iterable[int]]:
    """Return which keys each generation writes; a negative one is a tombstone for ~key."""
    yield range(_KEYS)
    yield chance.sample(range(_KEYS), 60)
    # Tombstones alone: the cleaner takes nothing from this batch, so it stays dense, and from
    # Kafka 3.1 on carries the delete horizon all the same.
    yield [~key for key in _DELETED]
    yield [*chance.sample(range(len(_DELETED), _KEYS), 30), *(~key for key in range(20, 25))]
    yield chance.sample(range(30, _KEYS), 5)  # stays in the active segment, not cleaned


def _generation(
    bench: Workbench, number: int, keys: Iterable[int], *, since: int, partition: int = 0
) -> Iterator[Record]:
    chance = bench.dice(f"{partition}/{number}")
    for key in keys:
        deleted = key < 0
        name = f"key-{~key if deleted else key}".encode()
        yield Record(
            partition=partition,
            key=name,
            value=None if deleted else filled(chance, name, 60),
            timestamp=since + number * 2 * HOUR,
        )


def _emptied(bench: Workbench) -> None:
    """Leave a batch without records: the last one of a producer that brokers still remember.

    They forget producers by the time of their records (measured), so all is in the future here.
    """
    with bench.writer() as first, bench.writer() as second:
        first.write_batch(bench.topic, _generation(bench, 0, range(10), since=FUTURE))
        second.write_batch(bench.topic, _generation(bench, 1, range(10), since=FUTURE))
        second.write_batch(bench.topic, _generation(bench, 2, range(3), since=FUTURE))
    _wait(bench)


def _with_transactions(bench: Workbench) -> None:
    """Clean twice: a marker gets its delete horizon when its transaction's records have gone.

    In the future, because markers carry the broker's now: they must not begin segments.
    """
    end = 0
    with bench.transactional_writer("writer") as writer:
        for number, (keys, committed, clean) in enumerate(_TRANSACTIONS):
            writer.begin()
            writer.write_batch(bench.topic, _generation(bench, number, keys, since=FUTURE))
            (writer.commit if committed else writer.abort)()
            end += len(keys) + 1
            bench.wait_for_bounds(bench.topic, 0, (0, end))
            if clean:
                _wait(bench)


def _wait(bench: Workbench) -> None:
    bench.narrate(f"{bench.shape.name}: waiting for the log cleaner")
    bench.wait_until(
        lambda: cleaned(bench.cluster, bench.topic),
        f"the cleaner's work on {bench.topic}",
        patience_s=_CLEANS_S,
    )


SHAPES = (
    Shape(
        name="compacted",
        about="cleaned: holes, tombstones, and from Kafka 3.1 on delete horizons",
        fill=_compacted,
        topics=(Topic(name=f"{PREFIX}compacted", partitions=2, configs=_COMPACT),),
    ),
    Shape(
        name="compacted-emptied",
        about="cleaned: a batch that has lost all its records but stays",
        fill=_emptied,
        topics=(Topic(name=f"{PREFIX}compacted-emptied", configs=_COMPACT),),
        since=_IDEMPOTENCE_SINCE,
        limit="idempotent producers came with KIP-98",
    ),
    Shape(
        name="compacted-transactions",
        about="cleaned: committed and aborted transactions and their markers",
        fill=_with_transactions,
        topics=(Topic(name=f"{PREFIX}compacted-transactions", configs=_COMPACT),),
        since=_IDEMPOTENCE_SINCE,
        limit="transactions came with KIP-98",
    ),
)
