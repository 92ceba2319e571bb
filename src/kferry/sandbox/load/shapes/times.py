"""Timestamps as they should not be, but are.

Owns the shapes that are about time. All times are fixed, only LogAppendTime is the broker's now.
"""

import random
from collections.abc import Callable, Iterator

from kferry.sandbox.load.record import (
    BEGAN,
    FUTURE,
    HOUR,
    NO_TIMESTAMP,
    WEEK,
    Record,
    filled,
    numbered,
)
from kferry.sandbox.load.shape import PREFIX, Shape, Topic
from kferry.sandbox.load.workbench import Workbench

_EACH = 200
_APPEND_TIME = {"message.timestamp.type": "LogAppendTime"}


def _log_append_time(bench: Workbench) -> None:
    bench.write(numbered(bench.dice(), partitions=2, each=_EACH, size=80))
    compressed = numbered(bench.dice("lz4"), partitions=2, each=_EACH, size=80)
    bench.write(compressed, topic=f"{bench.topic}-lz4", codec="lz4")


def _timestamps(bench: Workbench) -> None:
    times: tuple[Callable[[int, random.Random], int], ...] = (
        lambda _, chance: BEGAN + chance.randrange(WEEK),  # out of order, over a week
        lambda number, _: BEGAN - number * HOUR,  # weeks old, each older than the one before
        lambda number, _: FUTURE + number * HOUR,
        lambda _, __: NO_TIMESTAMP,
        lambda number, _: NO_TIMESTAMP if number % 2 else BEGAN + number,  # both in one batch
    )
    bench.write(_timed(bench.dice(), times))


def _timed(
    chance: random.Random, times: tuple[Callable[[int, random.Random], int], ...]
) -> Iterator[Record]:
    for number in range(_EACH):
        for partition, time in enumerate(times):
            name = f"{partition}/{number}".encode()
            yield Record(
                partition=partition,
                key=name,
                value=filled(chance, name, 40),
                timestamp=time(number, chance),
            )


SHAPES = (
    Shape(
        name="timestamps",
        about="one partition each: out of order, weeks old, in 2100, -1, some -1",
        fill=_timestamps,
        topics=(Topic(name=f"{PREFIX}timestamps", partitions=5),),
    ),
    Shape(
        name="log-append-time",
        about="the broker's time counts, not compressed and lz4",
        fill=_log_append_time,
        topics=(
            Topic(name=f"{PREFIX}log-append-time", partitions=2, configs=_APPEND_TIME),
            Topic(name=f"{PREFIX}log-append-time-lz4", partitions=2, configs=_APPEND_TIME),
        ),
    ),
)
