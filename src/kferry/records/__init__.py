"""Pure functions over the bytes of record batches.

Owns what a batch is, on the wire and on disk: splitting, headers, checksums, records, and the two
ways onto the target. Does no I/O and knows no asyncio; knows neither clusters nor migrations.
"""

from kferry.records.digest import Digested, fold
from kferry.records.encode import Stamp, encode, passes, patch
from kferry.records.header import (
    BatchHeader,
    Codec,
    CorruptBatch,
    batch_at,
    check_crc,
    magic,
    read_header,
    split_batches,
)
from kferry.records.recode import Parcel, RecordTooLarge, merge, merge_run, recode, recode_batch
from kferry.records.record import NO_TIMESTAMP, Header, Record, decode, decode_legacy
from kferry.records.rows import Row, read_rows
from kferry.records.sieve import Aborted, Deliverable, Sieve, Unreadable
from kferry.records.tiny import TINY, Run, Tiny, tiny_run

__all__ = [
    "NO_TIMESTAMP",
    "TINY",
    "Aborted",
    "BatchHeader",
    "Codec",
    "CorruptBatch",
    "Deliverable",
    "Digested",
    "Header",
    "Parcel",
    "Record",
    "RecordTooLarge",
    "Row",
    "Run",
    "Sieve",
    "Stamp",
    "Tiny",
    "Unreadable",
    "batch_at",
    "check_crc",
    "decode",
    "decode_legacy",
    "encode",
    "fold",
    "magic",
    "merge",
    "merge_run",
    "passes",
    "patch",
    "read_header",
    "read_rows",
    "recode",
    "recode_batch",
    "split_batches",
    "tiny_run",
]
