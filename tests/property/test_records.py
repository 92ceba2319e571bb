"""Whatever happens to a batch on its way, its records stay the same; whatever lies is refused."""

import struct
import sys

import pytest
from aiokafka.record._crecords.default_records import DefaultRecordBatchBuilder
from aiokafka.record._crecords.legacy_records import LegacyRecordBatchBuilder
from hypothesis import given, settings
from hypothesis import strategies as st

from kferry.records import (
    Codec,
    CorruptBatch,
    Record,
    Stamp,
    check_crc,
    decode,
    decode_legacy,
    encode,
    passes,
    patch,
    read_header,
    split_batches,
)
from kferry.records.header import checksum

codecs = st.sampled_from(list(Codec))
timestamps = st.integers(-1, 2**45)
headers = st.lists(st.tuples(st.text(max_size=5), st.none() | st.binary(max_size=8)), max_size=3)
content = st.tuples(
    timestamps, st.none() | st.binary(max_size=20), st.none() | st.binary(max_size=60), headers
)
contents = st.lists(content, min_size=1, max_size=20)
stamps = st.builds(
    Stamp, st.integers(0, 2**62), st.integers(0, 2**15 - 1), st.integers(0, 2**31 - 1)
)


@st.composite
def batches(draw: st.DrawFn) -> tuple[bytearray, list[Record]]:
    """A batch as a source may hold it: at any offset, with or without holes, any bit set."""
    dense = draw(st.booleans())
    records: list[Record] = []
    offset = 0
    for timestamp, key, value, own_headers in draw(contents):
        if not records and timestamp == -1:
            timestamp = 0  # noqa: PLW2901 this builder cannot: see `encode`
        records.append(Record(offset, timestamp, key, value, own_headers))
        offset += 1 if dense else draw(st.integers(1, 5))
    builder = DefaultRecordBatchBuilder(2, int(draw(codecs)), 0, 7, 1, 3, 1 << 20)
    for record in records:
        builder.append(
            record.offset, record.timestamp, record.key, record.value, list(record.headers)
        )
    batch = builder.build()
    base = draw(st.integers(0, 2**40))
    struct.pack_into(">q", batch, 0, base)
    (attributes,) = struct.unpack_from(">h", batch, 21)
    struct.pack_into(">h", batch, 21, attributes | draw(st.sampled_from([0, 0x10, 0x40, 0x50])))
    struct.pack_into(">I", batch, 17, checksum(memoryview(batch)))
    return batch, [record._replace(offset=base + record.offset) for record in records]


def without_offsets(records: list[Record]) -> list[tuple[object, ...]]:
    return [tuple(record[1:]) for record in records]


def read(batch: bytes | bytearray) -> list[Record]:
    view = memoryview(batch)
    header = read_header(view)
    check_crc(view, header)
    return decode(view, header)


@given(batches())
def test_a_batch_is_read_with_its_offsets_timestamps_and_headers(
    made: tuple[bytearray, list[Record]],
) -> None:
    batch, records = made
    assert read(batch) == records


@given(batches(), stamps)
def test_a_patched_batch_holds_the_same_records_under_our_name(
    made: tuple[bytearray, list[Record]], stamp: Stamp
) -> None:
    batch, records = made
    before = read_header(memoryview(batch))
    patch(memoryview(batch), stamp)
    header = read_header(memoryview(batch))
    assert without_offsets(read(batch)) == without_offsets(records)
    assert (header.producer_id, header.producer_epoch, header.base_sequence) == (
        stamp.producer_id,
        stamp.epoch,
        stamp.sequence,
    )
    assert (header.base_offset, header.leader_epoch) == (0, -1)
    assert header.attributes == before.codec
    assert (header.count, header.size, header.max_timestamp) == (
        before.count,
        before.size,
        before.max_timestamp,
    )


@given(contents, stamps, codecs)
def test_a_re_encoded_batch_is_dense_and_holds_the_same_records(
    made: list[tuple[int, bytes | None, bytes | None, list[tuple[str, bytes | None]]]],
    stamp: Stamp,
    codec: Codec,
) -> None:
    records = [Record(3 * number, *one) for number, one in enumerate(made)]
    batch = encode(records, codec, stamp)
    header = read_header(memoryview(batch))
    assert without_offsets(read(batch)) == without_offsets(records)
    assert (header.dense, header.codec, header.count) == (True, codec, len(records))
    assert header.base_sequence == stamp.sequence
    assert header.max_timestamp == max(record.timestamp for record in records)
    assert passes(header, stored_codec=None, max_bytes=header.size)


@given(batches())
def test_only_what_the_target_would_keep_as_it_is_passes(
    made: tuple[bytearray, list[Record]],
) -> None:
    header = read_header(memoryview(made[0]))
    assert passes(header, stored_codec=header.codec, max_bytes=header.size) == header.dense
    assert not passes(header, stored_codec=(header.codec + 1) % 5, max_bytes=header.size)
    assert not passes(header, stored_codec=None, max_bytes=header.size - 1)


@given(st.lists(batches(), min_size=1, max_size=4), st.data())
def test_a_record_set_is_cut_into_whole_batches_and_a_torn_last_one_is_left_out(
    made: list[tuple[bytearray, list[Record]]], data: st.DataObject
) -> None:
    whole = [bytes(batch) for batch, _ in made]
    torn = data.draw(st.integers(0, len(whole[-1]) - 1))
    record_set = b"".join([*whole, whole[-1][:torn]])
    assert [bytes(batch) for batch in split_batches(memoryview(record_set))] == whole


@given(batches(), st.data())
@settings(max_examples=300)
def test_one_flipped_bit_is_noticed(
    made: tuple[bytearray, list[Record]], data: st.DataObject
) -> None:
    batch, records = made
    # What lies before the checksum's range is the broker's: base offset and leader epoch.
    position = data.draw(st.integers(16, len(batch) - 1))
    batch[position] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(CorruptBatch):
        read(batch)
    assert records


@given(batches(), st.data())
def test_a_batch_that_lies_with_a_right_checksum_is_corrupt_not_a_crash(
    made: tuple[bytearray, list[Record]], data: st.DataObject
) -> None:
    batch, records = made
    position = data.draw(st.integers(23, len(batch) - 1))
    batch[position] ^= data.draw(st.integers(1, 255))
    struct.pack_into(">I", batch, 17, checksum(memoryview(batch)))
    try:
        found = read(batch)
    except CorruptBatch:
        return
    assert len(found) == len(records)


@given(st.binary(max_size=120))
def test_garbage_is_corrupt_not_a_crash(garbage: bytes) -> None:
    try:
        for batch in split_batches(memoryview(garbage)):
            read_header(batch)
    except CorruptBatch:
        pass


@pytest.mark.parametrize("magic", [0, 1])
@given(
    pairs=st.lists(
        st.tuples(st.none() | st.binary(max_size=9), st.none() | st.binary(max_size=30)),
        min_size=1,
        max_size=8,
    ),
    codec=st.sampled_from([Codec.NONE, Codec.GZIP, Codec.SNAPPY]),
)
def test_message_sets_of_old_formats_are_read(
    magic: int, pairs: list[tuple[bytes | None, bytes | None]], codec: Codec
) -> None:
    builder = LegacyRecordBatchBuilder(magic, int(codec), 1 << 20)
    for number, (key, value) in enumerate(pairs):
        builder.append(number, 1000 + number if magic else None, key, value)
    message_set = memoryview(bytes(builder.build()))
    records = [record for one in split_batches(message_set) for record in decode_legacy(one)]
    assert [(record.key, record.value) for record in records] == pairs
    expected = [1000 + number if magic else -1 for number in range(len(pairs))]
    assert [record.timestamp for record in records] == expected
    damaged = bytearray(message_set)
    damaged[-1] ^= 1
    with pytest.raises(CorruptBatch):
        [decode_legacy(one) for one in split_batches(memoryview(damaged))]


def test_the_compiled_codec_is_in_use() -> None:
    """The pure Python one would be twenty times slower, and silently so."""
    for module in (DefaultRecordBatchBuilder.__module__, LegacyRecordBatchBuilder.__module__):
        assert (sys.modules[module].__file__ or "").endswith((".so", ".pyd"))
