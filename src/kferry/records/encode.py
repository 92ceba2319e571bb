"""New batches out of records, and old batches made ours.

Owns the two ways onto the target: a header patched in place, its records untouched, or records laid
out anew. Both carry our producer id, epoch and sequence, and a checksum to match.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from struct import Struct

from aiokafka.record._crecords.default_records import DefaultRecordBatchBuilder

from kferry.records.header import BatchHeader, Codec, checksum
from kferry.records.record import NO_TIMESTAMP, Record

_BASE_OFFSET, _LEADER_EPOCH, _CRC, _ATTRIBUTES = 0, 12, 17, 21
_INT64, _INT32, _UINT32, _INT16 = Struct(">q"), Struct(">i"), Struct(">I"), Struct(">h")
_TIMESTAMPS_AT, _TIMESTAMPS = 27, Struct(">qq")
_PRODUCER_AT, _PRODUCER = 43, Struct(">qhi")

CODEC_ONLY = 0x07
"""The attribute bits that may travel: the codec. The transactional bit would tie records to a
transaction nobody opened; the delete-horizon bit, which the source's cleaner leaves on dense
batches, makes the target drop tombstones at its first cleaning (measured on 4.3.1); LogAppendTime
is the target topic's own business."""

_ROOM = 1 << 30  # the builder's own limit; ours is kept by whoever cuts the records


@dataclass(frozen=True, slots=True)
class Stamp:
    """Who a batch is from: a producer, and the sequence number of its first record."""

    producer_id: int
    epoch: int
    sequence: int


def passes(header: BatchHeader, *, stored_codec: int | None, max_bytes: int) -> bool:
    """Whether a batch may go to the target as it is.

    `stored_codec` is what the target topic stores, None for whatever comes.
    """
    return (
        header.dense
        and header.count > 0
        and not header.control
        and not header.log_append_time
        and stored_codec in {None, header.codec}
        and header.size <= max_bytes
    )


def patch(batch: memoryview, stamp: Stamp) -> None:
    """Make a fetched batch ours, in the buffer it was received into."""
    _INT64.pack_into(batch, _BASE_OFFSET, 0)
    _INT32.pack_into(batch, _LEADER_EPOCH, -1)
    (attributes,) = _INT16.unpack_from(batch, _ATTRIBUTES)
    _INT16.pack_into(batch, _ATTRIBUTES, attributes & CODEC_ONLY)
    _PRODUCER.pack_into(batch, _PRODUCER_AT, stamp.producer_id, stamp.epoch, stamp.sequence)
    _UINT32.pack_into(batch, _CRC, checksum(batch))


def encode(records: Sequence[Record], codec: Codec, stamp: Stamp) -> bytearray:
    """Lay records out as one dense batch of magic 2; their order is kept, their offsets are not."""
    builder = DefaultRecordBatchBuilder(
        2, int(codec), 0, stamp.producer_id, stamp.epoch, stamp.sequence, _ROOM
    )
    # The builder takes a first timestamp of -1 for "none seen yet" and measures from the next one.
    # So such batches are built a little later in time, and their header is set back.
    later = 2 if records[0].timestamp == NO_TIMESTAMP else 0
    for number, record in enumerate(records):
        builder.append(
            number, record.timestamp + later, record.key, record.value, list(record.headers)
        )
    batch: bytearray = builder.build()
    if later:
        first, last = _TIMESTAMPS.unpack_from(batch, _TIMESTAMPS_AT)
        _TIMESTAMPS.pack_into(batch, _TIMESTAMPS_AT, first - later, last - later)
        _UINT32.pack_into(batch, _CRC, checksum(memoryview(batch)))
    return batch
