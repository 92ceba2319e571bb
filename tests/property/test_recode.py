"""However records are dealt out anew: the same ones, in order, and it is known where each was."""

import random
import struct
import sys
from itertools import pairwise

import pytest
from aiokafka.record._crecords.default_records import DefaultRecordBatchBuilder
from hypothesis import assume, given
from hypothesis import strategies as st

from kferry.records import (
    BatchHeader,
    Codec,
    CorruptBatch,
    Parcel,
    Record,
    RecordTooLarge,
    Stamp,
    check_crc,
    decode,
    encode,
    merge,
    patch,
    read_header,
    recode,
    recode_batch,
)
from kferry.records.header import checksum

codecs = st.sampled_from(list(Codec))
timestamps = st.integers(-(2**40), 2**45) | st.sampled_from([-1, 0, 1])
headers = st.lists(
    st.tuples(st.sampled_from(["", "a", "ä"]), st.none() | st.binary(max_size=8)), max_size=3
)
content = st.tuples(
    timestamps, st.none() | st.binary(max_size=20), st.none() | st.binary(max_size=60), headers
)
ROOMY = 1 << 20
SMALL = st.integers(260, 700)
STAMP = Stamp(7, 3, 11)

Pair = tuple[memoryview, BatchHeader]


@st.composite
def logs(draw: st.DrawFn, *, most: int = 40) -> list[Record]:
    """Records with holes between their offsets."""
    offset = draw(st.integers(0, 2**40))
    records = []
    for one in draw(st.lists(content, min_size=1, max_size=most)):
        records.append(Record(offset, *one))
        offset += 1 + draw(st.sampled_from([0, 0, 0, 1, 5]))
    return records


@st.composite
def batches(draw: st.DrawFn) -> tuple[list[Pair], list[Record]]:
    """A log cut into batches, each with its own codec and attributes, some with LogAppendTime."""
    records = draw(logs())
    pairs: list[Pair] = []
    seen: list[Record] = []
    while records:
        size = draw(st.integers(1, len(records)))
        log_append_time = draw(st.booleans())
        own, records = records[:size], records[size:]
        batch = as_stored(own, draw(codecs), log_append_time=log_append_time)
        header = read_header(batch)
        pairs.append((batch, header))
        if log_append_time:
            own = [one._replace(timestamp=header.max_timestamp) for one in own]
        seen += own
    return pairs, seen


def as_stored(records: list[Record], codec: Codec, *, log_append_time: bool = False) -> memoryview:
    """A batch as a source holds it after its cleaner was there."""
    builder = DefaultRecordBatchBuilder(2, int(codec), 0, 7, 1, 3, ROOMY)
    base = records[0].offset
    first, last = records[0].timestamp, max(one.timestamp for one in records)
    for one in records:
        # This builder cannot begin with -1: see `encode`.
        builder.append(
            one.offset - base, one.timestamp + 2**41, one.key, one.value, list(one.headers)
        )
    batch = memoryview(builder.build())
    struct.pack_into(">q", batch, 0, base)
    struct.pack_into(">h", batch, 21, codec | (0x08 if log_append_time else 0) | 0x50)
    struct.pack_into(">qq", batch, 27, first, last)
    struct.pack_into(">I", batch, 17, checksum(batch))
    return batch


def read(parcel: Parcel) -> list[Record]:
    """Read a parcel back with the source's offsets, as a consumer of the stamped batch would."""
    patch(parcel.batch, STAMP)
    header = read_header(parcel.batch)
    check_crc(parcel.batch, header)
    assert header.dense
    assert not header.log_append_time
    assert (header.base_offset, header.producer_id, header.base_sequence) == (0, 7, 11)
    assert header.count == parcel.count == sum(count for _, count in parcel.stretches)
    records = decode(parcel.batch, header)
    assert parcel.max_timestamp == header.max_timestamp == max(one.timestamp for one in records)
    offsets = [first + ahead for first, count in parcel.stretches for ahead in range(count)]
    return [one._replace(offset=at) for one, at in zip(records, offsets, strict=True)]


def read_all(parcels: list[Parcel]) -> list[Record]:
    return [record for parcel in parcels for record in read(parcel)]


@given(logs(), codecs)
def test_recoded_records_are_the_same_in_order_and_keep_track_of_their_offsets(
    records: list[Record], codec: Codec
) -> None:
    parcels = recode(records, codec, max_bytes=ROOMY)
    assert read_all(parcels) == records
    assert len(parcels) == 1
    assert read_header(parcels[0].batch).codec == codec
    assert parcels[0].reencoded


@given(batches(), codecs)
def test_merged_batches_hold_what_readers_saw_before(
    made: tuple[list[Pair], list[Record]], codec: Codec
) -> None:
    pairs, seen = made
    before = [bytes(batch) for batch, _ in pairs]
    parcels = merge(pairs, codec, max_bytes=ROOMY)
    assert read_all(parcels) == seen
    assert len(parcels) == 1
    assert [bytes(batch) for batch, _ in pairs] == before


@given(batches(), codecs)
def test_one_batch_is_laid_out_anew_like_many(
    made: tuple[list[Pair], list[Record]], codec: Codec
) -> None:
    pairs, seen = made
    parcels = [one for pair in pairs for one in recode_batch(*pair, codec, max_bytes=ROOMY)]
    assert read_all(parcels) == seen


@given(batches(), st.data())
def test_records_before_the_start_are_left_out(
    made: tuple[list[Pair], list[Record]], data: st.DataObject
) -> None:
    pairs, seen = made
    start = data.draw(st.integers(seen[0].offset, seen[-1].offset + 1))
    parcels = merge(pairs, Codec.NONE, max_bytes=ROOMY, start=start)
    assert read_all(parcels) == [one for one in seen if one.offset >= start]


@given(logs(), codecs, SMALL)
def test_what_does_not_fit_is_cut_and_each_part_fits(
    records: list[Record], codec: Codec, max_bytes: int
) -> None:
    parcels = recode(records, codec, max_bytes=max_bytes)
    assert read_all(parcels) == records
    assert all(len(parcel.batch) <= max_bytes for parcel in parcels)
    if codec is Codec.NONE:
        for one, following in pairwise(parcels):
            whole = [*read(one), read(following)[0]]
            assert len(encode(whole, codec, STAMP)) > max_bytes, "cut earlier than it had to be"


def test_a_batch_may_be_full_to_the_last_byte() -> None:
    records = [Record(at, at, b"k", b"v", []) for at in range(4)]
    (whole,) = recode(records, Codec.NONE, max_bytes=10_000)
    assert len(recode(records, Codec.NONE, max_bytes=len(whole.batch))) == 1
    assert len(recode(records, Codec.NONE, max_bytes=len(whole.batch) - 1)) == 2


@given(st.integers(2, 60), codecs)
def test_what_shrinks_a_lot_goes_into_few_batches_none_of_which_is_too_large(
    number: int, codec: Codec
) -> None:
    records = [Record(at, at, b"", b"same" * 500, []) for at in range(number)]
    parcels = recode(records, codec, max_bytes=4000)
    assert read_all(parcels) == records
    assert all(len(parcel.batch) <= 4000 for parcel in parcels)
    if codec is not Codec.NONE:
        assert len(parcels) <= 1 + -(-number // 12)


@given(logs(most=10), codecs, st.data())
def test_a_record_that_fits_nowhere_is_named(
    records: list[Record], codec: Codec, data: st.DataObject
) -> None:
    place = data.draw(st.integers(0, len(records) - 1))
    large = random.Random(place).randbytes(3000)
    records[place] = records[place]._replace(value=large)
    with pytest.raises(RecordTooLarge) as caught:
        recode(records, codec, max_bytes=2000)
    assert caught.value.offset == records[place].offset
    assert caught.value.size > 3000


def test_a_record_that_fits_only_when_compressed_hard_does_go() -> None:
    words = [b"%d" % (number * number % 977) for number in range(3000)]
    record = Record(5, 1, None, b" ".join(words), [])
    for codec in (Codec.GZIP, Codec.LZ4, Codec.ZSTD):
        size = len(recode([record], codec, max_bytes=ROOMY)[0].batch)
        (parcel,) = recode([record], codec, max_bytes=size - 1)
        assert len(parcel.batch) < size
        assert read(parcel) == [record]


@given(batches(), st.data())
def test_a_batch_that_lies_with_a_right_checksum_is_corrupt_and_nothing_comes_of_it(
    made: tuple[list[Pair], list[Record]], data: st.DataObject
) -> None:
    pairs, seen = made
    index = data.draw(st.integers(0, len(pairs) - 1))
    batch = pairs[index][0]
    position = data.draw(st.integers(23, len(batch) - 1))
    batch[position] ^= data.draw(st.integers(1, 255))
    try:
        pairs[index] = (batch, read_header(batch))
        found = read_all(merge(pairs, Codec.NONE, max_bytes=ROOMY))
    except CorruptBatch:
        return
    assert len(found) == len(seen)


@given(batches())
def test_batches_in_the_wrong_order_are_refused(made: tuple[list[Pair], list[Record]]) -> None:
    pairs, _ = made
    assume(len(pairs) > 1)
    with pytest.raises(CorruptBatch):
        merge(pairs[::-1], Codec.NONE, max_bytes=ROOMY)


def test_records_whose_offsets_go_back_inside_a_batch_are_refused() -> None:
    batch = as_stored([Record(0, 5, b"k", b"v", []), Record(4, 5, b"k", b"v", [])], Codec.NONE)
    view = bytearray(batch)
    # A third record that stands between the others; the header is made to fit.
    last = len(view)
    view += bytes(view[-(len(view) - 61) // 2 :])
    view[last + 3] = 2 << 1
    struct.pack_into(">i", view, 8, len(view) - 12)
    struct.pack_into(">i", view, 57, 3)
    struct.pack_into(">I", view, 17, checksum(memoryview(view)))
    header = read_header(memoryview(view))
    with pytest.raises(CorruptBatch, match="comes after"):
        merge([(memoryview(view), header)], Codec.NONE, max_bytes=ROOMY)


@pytest.mark.parametrize(("at", "lie"), [(23, 3), (57, 1), (57, 3)])
def test_a_header_that_covers_other_records_than_there_are_is_refused(at: int, lie: int) -> None:
    """Its last offset, or its count."""
    batch = as_stored([Record(0, 5, b"k", b"v", []), Record(4, 5, b"k", b"v", [])], Codec.NONE)
    struct.pack_into(">i", batch, at, lie)
    with pytest.raises(CorruptBatch):
        recode_batch(batch, read_header(batch), Codec.NONE, max_bytes=ROOMY)


def test_nothing_comes_of_nothing() -> None:
    assert merge([], Codec.ZSTD, max_bytes=ROOMY) == []
    assert recode([], Codec.NONE, max_bytes=ROOMY) == []


def test_the_compiled_codec_does_the_work() -> None:
    module = sys.modules[DefaultRecordBatchBuilder.__module__]
    assert (module.__file__ or "").endswith((".so", ".pyd"))
