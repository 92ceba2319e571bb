"""Pure functions over the bytes of record batches.

Owns what a batch is, on the wire and on disk: splitting, headers, checksums. Does no I/O and knows
no asyncio; knows neither clusters nor migrations.
"""

from kferry.records.header import BatchHeader, CorruptBatch, check_crc, read_header, split_batches

__all__ = ["BatchHeader", "CorruptBatch", "check_crc", "read_header", "split_batches"]
