"""What a record costs where a batch cannot pass as it is: merged, laid out anew, aligned.

In CPU-seconds of this process: other work on the machine does not count.
"""

import gc
import json
import os
import random
import struct
import time
from collections.abc import Callable, Sequence
from functools import partial

from aiokafka.record._crecords.default_records import DefaultRecordBatchBuilder

from bench.contest.options import Options
from bench.record import Measurement
from kferry.copying.align import Aligner, Wants, Whole
from kferry.names import SourceOffset, TargetOffset
from kferry.records import Codec, Parcel, merge, read_header

_RUNS = 5
_AT_ONCE = 4000
_MERGED = 1 << 20


def run(_: Options) -> Sequence[Measurement]:
    random.seed(1)
    tiny = [_batch(number, [os.urandom(190)]) for number in range(300_000)]
    measured = [
        _time("merge, 300 k one-record batches of 200 B", partial(_merge_all, tiny, Codec.NONE))
    ]
    texts = [_text(number) for number in range(300_000)]
    for codec in Codec:
        sparse = _sparse(texts, codec)
        what = f"re-encode, 180 k JSON records of 300 k, {codec.name.lower()}"
        measured.append(_time(what, partial(_merge_all, sparse, codec, at_once=1)))
    dense = [_batch(at, texts[at : at + 200], Codec.LZ4) for at in range(0, len(texts), 200)]
    merged = _as_batches(
        [
            parcel
            for at in range(0, len(tiny), _AT_ONCE)
            for parcel in merge(tiny[at : at + _AT_ONCE], Codec.NONE, max_bytes=_MERGED)
        ]
    )
    sparse = _sparse(texts, Codec.NONE)
    copied = _as_batches(_merge_all(sparse, Codec.NONE, at_once=1))
    measured += [
        _time("align, 300 k in batches that passed as they are", lambda: _align(dense, dense)),
        _time("align, 300 k one-record batches, merged", lambda: _align(tiny, merged)),
        _time("align, 180 k of 300 k, compacted, laid out anew", lambda: _align(sparse, copied)),
    ]
    return measured


def _time(what: str, once: Callable[[], object]) -> Measurement:
    gc.freeze()  # what is prepared here would never be in memory at once
    seconds = []
    for _ in range(_RUNS):
        began = time.process_time()
        once()
        seconds.append(time.process_time() - began)
    return Measurement(what=what, command="python -m bench recode", seconds=tuple(seconds))


def _text(number: int) -> bytes:
    said = {"id": number, "name": random.choice("abcdef") * 9, "amount": random.random()}
    return json.dumps(said).encode()


def _batch(
    base: int, values: Sequence[bytes], codec: Codec = Codec.NONE, *, keep: float = 1.0
) -> Whole:
    builder = DefaultRecordBatchBuilder(2, int(codec), 0, -1, -1, -1, 1 << 30)
    for ahead, value in enumerate(values):
        if ahead == 0 or random.random() < keep:
            builder.append(ahead, 1_700_000_000_000 + base + ahead, b"key", value, [])
    batch = memoryview(builder.build())
    struct.pack_into(">q", batch, 0, base)
    return Whole(batch, read_header(batch))


def _sparse(texts: Sequence[bytes], codec: Codec) -> list[Whole]:
    return [_batch(at, texts[at : at + 200], codec, keep=0.6) for at in range(0, len(texts), 200)]


def _merge_all(batches: Sequence[Whole], codec: Codec, *, at_once: int = _AT_ONCE) -> list[Parcel]:
    return [
        parcel
        for at in range(0, len(batches), at_once)
        for parcel in merge(batches[at : at + at_once], codec, max_bytes=_MERGED)
    ]


def _as_batches(parcels: Sequence[Parcel]) -> list[Whole]:
    offset, batches = 0, []
    for parcel in parcels:
        struct.pack_into(">q", parcel.batch, 0, offset)
        batches.append(Whole(parcel.batch, read_header(parcel.batch)))
        offset += parcel.count
    return batches


def _align(source: Sequence[Whole], target: Sequence[Whole]) -> None:
    aligner = Aligner(source=SourceOffset(0), target=TargetOffset(0))
    sources, targets = iter(source), iter(target)
    while aligner.wants is not Wants.NOTHING:
        if aligner.wants is Wants.SOURCE:
            aligner.feed_source(next(sources))
        elif (batch := next(targets, None)) is None:
            aligner.end_of_target()
        else:
            aligner.feed_target(batch)
    aligner.result()
