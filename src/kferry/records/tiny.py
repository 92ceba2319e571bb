"""Tiny batches, many in a row: found in one pass, before anything is made of each.

Owns the one loop in which every microsecond counts: a topic of one-record batches has as many
batches as records (measured: three times faster than one by one).
"""

from crc32c import crc32c

from kferry.records.header import CODEC, CRC_FROM, HEADER, PREFIX, SIZE, BatchHeader

TINY = 4096
"""Bytes up to which a batch is tiny. One request carries one batch for each partition: thousands of
tiny ones would cost a round trip each."""

Run = list[tuple[memoryview, BatchHeader]]


def tiny_run(records: memoryview, at: int, *, position: int) -> tuple[Run, int]:
    """Take tiny dense batches of one codec from `at` on, as long as they are nothing else.

    Returns them and where the next batch begins. Anything that needs a closer look ends the run:
    markers, transactions, times of brokers, holes, what lies before `position`, bad checksums.
    """
    run: Run = []
    end = len(records)
    unpack, make = HEADER.unpack_from, BatchHeader._make
    codec = -1
    while at + SIZE <= end:
        fields = unpack(records, at)
        base, length, epoch, magic, crc, attributes, last_delta = fields[:7]
        following = at + PREFIX.size + length
        if (
            magic != 2
            or length > TINY - PREFIX.size
            or following > end
            or length < SIZE - PREFIX.size
            or attributes & ~CODEC
            or base < position
            or not 0 < fields[12] == last_delta + 1
            or (attributes != codec and codec >= 0)
        ):
            break
        batch = records[at:following]
        if crc32c(batch[CRC_FROM:]) != crc:
            break
        codec = attributes
        run.append((batch, make((base, length, epoch, crc, attributes, *fields[6:]))))
        position = base + last_delta + 1
        at = following
    return run, at
