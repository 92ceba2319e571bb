"""Digests of what arrived, taken while it is copied, so that the target alone tells of damage.

Owns the stretches of one lane: those that are closed, and the one that grows. Only batches that the
target acknowledged count. What had to be settled has none: nobody saw it arrive.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from struct import Struct
from typing import Any

from kferry.records import Digested, fold

_MOST_RECORDS = 64 * 1024
_MOST_BYTES = 16 << 20
_IN_A_DOCUMENT = 500
_CRC_AT, _CRC = 17, Struct(">I")
_MOST = (1 << 63) - 1


@dataclass(slots=True, kw_only=True)
class Digests:
    """What the digests of one lane are by now."""

    begin: int
    """Where the growing stretch begins on the target."""
    end: int
    digest: int = 0
    records: int = 0
    size: int = 0
    closed: list[Digested] = field(default_factory=list)
    """Those of the newest document; the ones before are in documents that do not change."""
    number: int = 0
    """Of the newest document."""
    noted: int = 0
    """How many of the closed ones the ledger has: what did not change is not written again."""

    def arrived(self, batch: memoryview, count: int, end: int) -> None:
        """Take a batch that was acknowledged; `end` is the target offset behind it."""
        (crc,) = _CRC.unpack_from(batch, _CRC_AT)
        self.digest = fold(self.digest, count, crc)
        self.records += count
        self.size += len(batch)
        self.end = end
        if self.records >= _MOST_RECORDS or self.size >= _MOST_BYTES:
            self.cut(end)

    def cut(self, begin: int) -> None:
        """Close the growing stretch, and begin another one at an offset of the target."""
        if self.records:
            self.closed.append(Digested(self.begin, self.end, self.digest))
        self.begin = self.end = begin
        self.digest = self.records = self.size = 0

    def written(self, closed: int) -> None:
        """Note that so many closed ones are in the ledger: a full document is left behind."""
        full = closed // _IN_A_DOCUMENT
        del self.closed[: full * _IN_A_DOCUMENT]
        self.number += full
        self.noted = closed - full * _IN_A_DOCUMENT

    def documents(self) -> list[tuple[int, Mapping[str, Any]]]:
        """Lay the closed ones out, by the numbers of their documents, if there are new ones."""
        if len(self.closed) == self.noted:
            return []
        return [
            (self.number + number, {"digests": [list(one) for one in part]})
            for number in range(-(-len(self.closed) // _IN_A_DOCUMENT))
            if (part := self.closed[number * _IN_A_DOCUMENT : (number + 1) * _IN_A_DOCUMENT])
        ]

    def growing(self) -> list[int]:
        """Lay out the one that grows."""
        return [
            self.number + len(self.closed) // _IN_A_DOCUMENT,
            self.begin,
            self.end,
            self.digest,
            self.records,
            self.size,
        ]


def read_growing(value: object, *, end: int) -> Digests | None:
    """Read the growing stretch of a position; None where there is none that fits."""
    if not isinstance(value, list) or len(value) != 6 or not all(map(_is_number, value)):
        return None
    number, begin, until, digest, records, size = value
    if not begin <= until <= end:
        return None
    return Digests(begin=begin, end=until, digest=digest, records=records, size=size, number=number)


def read_closed(value: Mapping[str, Any] | None) -> list[Digested]:
    """Read a document of closed stretches; what cannot be read is as if it were not there."""
    found = [] if value is None else value.get("digests")
    if not isinstance(found, list):
        return []
    return [
        Digested(*one)
        for one in found
        if isinstance(one, list) and len(one) == 3 and all(map(_is_number, one))
    ]


def cut_at(stretches: Iterable[Digested], end: int) -> list[Digested]:
    """Leave out what was noted ahead of the position it belongs to."""
    return [one for one in stretches if one.end <= end]


def _is_number(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MOST
