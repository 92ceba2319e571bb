"""Records as most topics hold them, and a topic that holds none.

Owns the shapes `plain` and `empty`.
"""

from kferry.sandbox.load.record import numbered
from kferry.sandbox.load.shape import PREFIX, Shape, Topic
from kferry.sandbox.load.workbench import Workbench

_PARTITIONS = 3


def _plain(bench: Workbench) -> None:
    each = bench.amount(small=1_000, full=100_000)
    bench.write(numbered(bench.dice(), partitions=_PARTITIONS, each=each, size=64))


def _empty(bench: Workbench) -> None:
    """Write into the middle partition only: beside full ones, too, an empty one must be copied."""
    wanted = numbered(bench.dice(), partitions=_PARTITIONS, each=10, size=64)
    bench.write(record for record in wanted if record.partition == 1)


SHAPES = (
    Shape(
        name="plain",
        about="keys and values, three partitions, batches of 100",
        fill=_plain,
        topics=(Topic(name=f"{PREFIX}plain", partitions=_PARTITIONS),),
    ),
    Shape(
        name="empty",
        about="two empty partitions beside one with records; a topic that never held any",
        fill=_empty,
        topics=(
            Topic(name=f"{PREFIX}empty", partitions=_PARTITIONS),
            Topic(name=f"{PREFIX}empty-topic"),
        ),
    ),
)
