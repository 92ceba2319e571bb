"""Message sets of the formats before 0.11, in every codec they know.

Owns the shapes `format-v0` and `format-v1`. The brokers convert what arrives to the format of the
topic, so these are Kafka's own message sets, not ours.
"""

from functools import partial

from kferry.sandbox.load.record import numbered
from kferry.sandbox.load.shape import PREFIX, Shape, Topic
from kferry.sandbox.load.workbench import Workbench

_CODECS = ("none", "gzip", "snappy", "lz4")
_WRITTEN_AS = {0: "0.9.0", 1: "0.10.0"}
_IGNORED_SINCE = (3, 0)


def _fill(bench: Workbench, name: str) -> None:
    for codec in _CODECS:
        wanted = numbered(bench.dice(codec), partitions=2, each=200, size=80)
        # Not idempotent: the old formats have no room for a producer's id.
        with bench.writer(batch=50, codec=codec, idempotent=False) as writer:
            writer.write(f"{name}-{codec}", wanted)


def _shape(magic: int) -> Shape:
    name = f"{PREFIX}format-v{magic}"
    configs = {"message.format.version": _WRITTEN_AS[magic]}
    return Shape(
        name=f"format-v{magic}",
        about=f"message sets of magic {magic}, single and compressed ones",
        fill=partial(_fill, name=name),
        topics=tuple(
            Topic(name=f"{name}-{codec}", partitions=2, configs=configs) for codec in _CODECS
        ),
        before=_IGNORED_SINCE,
        limit="brokers no longer heed message.format.version (KIP-724)",
    )


SHAPES = tuple(map(_shape, _WRITTEN_AS))
