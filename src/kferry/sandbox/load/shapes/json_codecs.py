"""JSON documents with keys, in every codec.

Owns the shapes `json-none` to `json-zstd`.
"""

from functools import partial

from kferry.sandbox.load.record import dice, orders
from kferry.sandbox.load.shape import PREFIX, Shape, Topic
from kferry.sandbox.load.workbench import Workbench

_CODECS = ("none", "gzip", "snappy", "lz4", "zstd")
_ZSTD_SINCE = (2, 1)
_PARTITIONS = 3


def _fill(bench: Workbench, codec: str) -> None:
    each = bench.amount(small=400, full=100_000)
    # All codecs hold the same records: what differs between two topics is the codec alone.
    chance = dice(bench.seed, "json")
    documents = orders(chance, partitions=_PARTITIONS, each=each)
    bench.write(documents, codec=codec, batch=50)


def _shape(codec: str) -> Shape:
    packed = "not compressed" if codec == "none" else f"compressed with {codec}"
    return Shape(
        name=f"json-{codec}",
        about=f"JSON with keys, {packed}",
        fill=partial(_fill, codec=codec),
        topics=(Topic(name=f"{PREFIX}json-{codec}", partitions=_PARTITIONS),),
        since=_ZSTD_SINCE if codec == "zstd" else (0,),
        limit="zstd came with KIP-110" if codec == "zstd" else "",
    )


SHAPES = tuple(map(_shape, _CODECS))
