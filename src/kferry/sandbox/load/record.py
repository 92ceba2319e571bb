"""One record as a shape wants it written, and the pieces that records are made of.

Pure and deterministic: the same seed makes the same records on every machine. Nothing here depends
on the clock, so times are counted from a fixed moment. Knows no cluster.
"""

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass

BEGAN = 1_709_251_200_000
"""1 March 2024, 00:00 UTC, in milliseconds: weeks ago, whenever this runs."""
FUTURE = 4_102_444_800_000
"""1 January 2100, 00:00 UTC."""
NO_TIMESTAMP = -1
SECOND, HOUR, WEEK = 1_000, 3_600_000, 604_800_000

Header = tuple[str, bytes | None]

_CITIES = ("Aachen", "Göteborg", "İzmir", "Łódź", "München", "São Paulo", "東京", "Zürich")


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One record and the partition it belongs into; null is not empty."""

    partition: int
    key: bytes | None
    value: bytes | None
    timestamp: int
    headers: tuple[Header, ...] = ()


def dice(seed: int, name: str) -> random.Random:
    """Return the source of chance for one purpose, independent of all others."""
    return random.Random(f"{seed}/{name}")  # noqa: S311  # not a secret


def time_of(number: int, *, every: int = SECOND) -> int:
    """Return the time of the record with this number in its partition."""
    return BEGAN + number * every


def numbered(
    chance: random.Random, *, partitions: int, each: int, size: int, key: bool = True
) -> Iterator[Record]:
    """Make records that say who they are, filled up to `size` bytes of value with noise."""
    for number in range(each):
        for partition in range(partitions):
            name = f"{partition}/{number}".encode()
            yield Record(
                partition=partition,
                key=name if key else None,
                value=filled(chance, name, size),
                timestamp=time_of(number),
            )


def filled(chance: random.Random, name: bytes, size: int) -> bytes:
    """Return `size` bytes that begin with `name`."""
    return (name + b" " + chance.randbytes(max(0, size - len(name) - 1)))[:size]


def orders(chance: random.Random, *, partitions: int, each: int) -> Iterator[Record]:
    """Make JSON documents with keys, as business applications write them."""
    for number in range(each):
        for partition in range(partitions):
            customer = f"customer-{partition}-{chance.randrange(each // 4 + 1)}"
            document = {
                "order": f"{partition}/{number}",
                "customer": customer,
                "city": chance.choice(_CITIES),
                "items": [
                    {"sku": f"{chance.randrange(10**6):06}", "count": chance.randint(1, 9)}
                    for _ in range(chance.randint(1, 5))
                ],
                "cents": chance.randrange(10**6),
                "gift": chance.random() < 0.1,
            }
            yield Record(
                partition=partition,
                key=customer.encode(),
                value=json.dumps(document, ensure_ascii=False).encode(),
                timestamp=time_of(number),
            )
