"""A digest over batches: what was written, and what lies there, told apart by four bytes.

Owns how it is made: of each batch its number of records and its checksum, which covers every byte
of them and which every reader compares with those bytes. So it costs next to nothing while copying.
"""

from struct import Struct
from typing import NamedTuple

from crc32c import crc32c

_FOLDED = Struct(">II")


class Digested(NamedTuple):
    """A stretch of a target log, `end` not included, and the digest over its batches."""

    begin: int
    end: int
    digest: int


def fold(digest: int, count: int, crc: int) -> int:
    """Go on with a digest by one batch."""
    return int(crc32c(_FOLDED.pack(count, crc), digest))
