"""Documents to batches: what belongs together stays together.

Owns how much goes into one batch. A broker appends a batch as a whole or not at all, so a group of
documents inside one is atomic. Pure.
"""

from collections.abc import Iterable, Sequence

from kferry.ledger.documents import Entry, encode
from kferry.records import Record

MOST_BYTES = 512 * 1024
_RECORD_OVERHEAD = 32


def pack(groups: Iterable[Sequence[Entry]], timestamp: int) -> list[list[Record]]:
    """Put groups into as few batches as hold them; one that is too large goes alone."""
    batches: list[list[Record]] = []
    room = 0
    for group in groups:
        pairs = [encode(entry) for entry in group]
        size = sum(len(key) + len(value or b"") + _RECORD_OVERHEAD for key, value in pairs)
        if pairs and (not batches or size > room):
            batches.append([])
            room = MOST_BYTES
        for key, value in pairs:
            batches[-1].append(Record(len(batches[-1]), timestamp, key, value, ()))
        room -= size
    return batches
