"""Where a record of the source lies on the target, and back.

Owns the map between the offsets of two logs and the translation of positions. Pure: no I/O, no
asyncio, no Kafka. Applications that keep their own positions may use it, too:

    with open("map.jsonl") as lines:
        maps = load_maps(lines)
    there = maps["orders", 0].offsets.to_target(4711)
"""

from kferry.offsets.chunks import decode_runs, encode_runs
from kferry.offsets.exported import (
    COLUMNS,
    BadExport,
    ExportedMap,
    load_maps,
    to_json_line,
    to_rows,
)
from kferry.offsets.map import NotYet, OffsetMap, Place, Translated
from kferry.offsets.parts import next_records, shares
from kferry.offsets.runs import Run, Runs

__all__ = [
    "COLUMNS",
    "BadExport",
    "ExportedMap",
    "NotYet",
    "OffsetMap",
    "Place",
    "Run",
    "Runs",
    "Translated",
    "decode_runs",
    "encode_runs",
    "load_maps",
    "next_records",
    "shares",
    "to_json_line",
    "to_rows",
]
