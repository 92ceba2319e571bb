"""Tiny batches, many in a row: found in one pass, before anything is made of each.

Owns the one loop in which every microsecond counts: a topic of one-record batches has as many
batches as records (measured: four times faster than one by one).
"""

from struct import Struct
from typing import NamedTuple

from crc32c import crc32c

from kferry.records.header import CODEC, CRC_FROM, PREFIX, SIZE

TINY = 4096
"""Bytes up to which a batch is tiny. One request carries one batch for each partition: thousands of
tiny ones would cost a round trip each."""

_FIELDS = Struct(">qiibIhi30xi")
"""Of the header what is needed here: base offset, length, leader epoch, magic, checksum,
attributes, last offset delta, count."""


class Tiny(NamedTuple):
    """A dense batch of a run."""

    base_offset: int
    records: int
    leader_epoch: int
    codec: int
    batch: memoryview


Run = list[Tiny]


def tiny_run(records: memoryview, at: int, *, position: int) -> tuple[Run, int]:
    """Take tiny dense batches of one codec from `at` on, as long as they are nothing else.

    Returns them and where the next batch begins. Anything that needs a closer look ends the run:
    markers, transactions, times of brokers, holes, what lies before `position`, bad checksums.
    """
    run: Run = []
    end = len(records)
    unpack, put = _FIELDS.unpack_from, run.append
    codec = -1
    while at + SIZE <= end:
        base, length, epoch, magic, crc, attributes, last_delta, count = unpack(records, at)
        following = at + PREFIX.size + length
        if (
            magic != 2
            or length > TINY - PREFIX.size
            or following > end
            or length < SIZE - PREFIX.size
            or attributes & ~CODEC
            or base < position
            or count != last_delta + 1
            or count < 1
            or (attributes != codec and codec >= 0)
            or crc32c(records[at + CRC_FROM : following]) != crc
        ):
            break
        codec = attributes
        put(Tiny(base, count, epoch, codec, records[at:following]))
        position = base + count
        at = following
    return run, at
