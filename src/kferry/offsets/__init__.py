"""Where a record of the source lies on the target, and back.

Owns the map between the offsets of two logs and the translation of positions. Pure: no I/O, no
asyncio, no Kafka.
"""

from kferry.offsets.chunks import decode_runs, encode_runs
from kferry.offsets.map import NotYet, OffsetMap, Place, Translated
from kferry.offsets.runs import Run, Runs

__all__ = [
    "NotYet",
    "OffsetMap",
    "Place",
    "Run",
    "Runs",
    "Translated",
    "decode_runs",
    "encode_runs",
]
