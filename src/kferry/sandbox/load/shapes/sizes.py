"""Batches of one record, and records from 100 bytes to a megabyte.

Owns the shapes that are about size. `--scale full` makes the small ones by the million.
"""

from kferry.sandbox.load.record import numbered
from kferry.sandbox.load.shape import PREFIX, Shape, Topic
from kferry.sandbox.load.workbench import Workbench

_MIB = 2**20
_ROOMY = {"max.message.bytes": str(2 * _MIB)}
"""A mebibyte is more than a topic takes by default (1,048,588 bytes with its batch header)."""
_PARTITIONS = 4


def _one_record_batches(bench: Workbench) -> None:
    each = bench.amount(small=250, full=25_000)
    bench.write(numbered(bench.dice(), partitions=2, each=each, size=200), batch=1)


def _hundred_bytes(bench: Workbench) -> None:
    each = bench.amount(small=2_500, full=250_000)
    wanted = numbered(bench.dice(), partitions=_PARTITIONS, each=each, size=100)
    bench.write(wanted, batch=500, codec="lz4")


def _a_kilobyte(bench: Workbench) -> None:
    each = bench.amount(small=500, full=250_000)
    wanted = numbered(bench.dice(), partitions=_PARTITIONS, each=each, size=1_000)
    bench.write(wanted, batch=100)


def _a_mebibyte(bench: Workbench) -> None:
    each = bench.amount(small=3, full=100)
    bench.write(numbered(bench.dice(), partitions=2, each=each, size=_MIB), batch=1)


SHAPES = (
    Shape(
        name="one-record-batches",
        about="every record alone in its batch",
        fill=_one_record_batches,
        topics=(Topic(name=f"{PREFIX}one-record-batches", partitions=2),),
    ),
    Shape(
        name="records-100b",
        about="100-byte values, lz4 (noise: it hardly shrinks), batches of 500",
        fill=_hundred_bytes,
        topics=(Topic(name=f"{PREFIX}records-100b", partitions=_PARTITIONS),),
    ),
    Shape(
        name="records-1kb",
        about="1,000-byte values, not compressed, batches of 100",
        fill=_a_kilobyte,
        topics=(Topic(name=f"{PREFIX}records-1kb", partitions=_PARTITIONS),),
    ),
    Shape(
        name="records-1mb",
        about="values of 1 MiB: more than a topic takes by default",
        fill=_a_mebibyte,
        topics=(Topic(name=f"{PREFIX}records-1mb", partitions=2, configs=_ROOMY),),
    ),
)
