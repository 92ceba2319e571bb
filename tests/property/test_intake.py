"""Whatever lies in a fetched record set: what a committed reader sees arrives, in order."""

from dataclasses import dataclass
from struct import Struct

from hypothesis import given
from hypothesis import strategies as st

from kferry.copying.intake import take
from kferry.copying.item import Item, Rules
from kferry.records import (
    Aborted,
    Codec,
    Record,
    Stamp,
    check_crc,
    decode,
    encode,
    read_header,
)
from kferry.records.header import checksum

_TRANSACTIONAL, _CONTROL = 0x10, 0x20
_ABORT_KEY, _COMMIT_KEY = b"\x00\x00\x00\x00", b"\x00\x00\x00\x01"
_RULES = Rules(max_bytes=1 << 20)


@dataclass(frozen=True)
class Piece:
    """One batch of a log: plain, of a transaction, or a marker."""

    producer: int
    """0: no transaction."""
    marker: bool
    committed: bool
    records: int
    codec: Codec
    hole: int
    """Offsets before it that hold nothing any more."""


def plain(
    records: int, *, producer: int = 0, marker: bool = False, committed: bool = False
) -> Piece:
    return Piece(
        producer=producer,
        marker=marker,
        committed=committed,
        records=records,
        codec=Codec.NONE,
        hole=0,
    )


pieces = st.lists(
    st.builds(
        Piece,
        producer=st.integers(0, 3),
        marker=st.booleans(),
        committed=st.booleans(),
        records=st.integers(1, 4),
        codec=st.sampled_from([Codec.NONE, Codec.NONE, Codec.LZ4, Codec.GZIP]),
        hole=st.sampled_from([0, 0, 0, 0, 3]),
    ),
    max_size=25,
)


def patched(batch: bytearray, *, base: int, attributes: int) -> bytearray:
    Struct(">q").pack_into(batch, 0, base)
    (codec,) = Struct(">h").unpack_from(batch, 21)
    Struct(">h").pack_into(batch, 21, codec | attributes)
    Struct(">I").pack_into(batch, 17, checksum(memoryview(batch)))
    return batch


class Log:
    """A log as a broker would answer it, and what a reader of committed records sees of it."""

    def __init__(self, parts: list[Piece]) -> None:
        self.bytes = bytearray()
        self._aborted: list[tuple[int, Aborted]] = []
        self._batches: list[tuple[int, int]] = []
        """Where each batch ends: its last offset, and the byte behind it."""
        self.end = 0
        self._open: dict[int, list[Record]] = {}
        self._seen: list[Record] = []
        for part in parts:
            self.end += part.hole
            if part.producer and part.marker:
                self._mark(part)
            else:
                self._append(part)
        for producer in list(self._open):  # a broker answers up to the last stable offset only
            self._mark(plain(1, producer=producer, marker=True, committed=True))

    def fetched(self, start: int) -> tuple[memoryview, list[Aborted]]:
        """Answer a fetch: from the batch that holds `start`, with what was aborted from there."""
        at = max((end for last, end in self._batches if last < start), default=0)
        aborted = [one for marker, one in self._aborted if marker >= start]
        return memoryview(self.bytes)[at:], aborted

    @property
    def seen(self) -> list[Record]:
        return sorted(self._seen)

    def _append(self, part: Piece) -> None:
        own = [
            Record(self.end + n, 1000 + n, b"%d" % (self.end + n), b"v" * n, ())
            for n in range(part.records)
        ]
        batch = encode(own, part.codec, Stamp(part.producer or -1, 0, 0))
        attributes = _TRANSACTIONAL if part.producer else 0
        self.bytes += patched(batch, base=self.end, attributes=attributes)
        self.end += part.records
        self._batches.append((self.end - 1, len(self.bytes)))
        if part.producer:
            self._open.setdefault(part.producer, []).extend(own)
        else:
            self._seen += own

    def _mark(self, part: Piece) -> None:
        own = self._open.pop(part.producer, [])
        if part.committed:
            self._seen += own
        elif own:
            self._aborted.append((self.end, Aborted(part.producer, own[0].offset)))
        key = _COMMIT_KEY if part.committed else _ABORT_KEY
        marker = encode([Record(0, 5, key, b"", ())], Codec.NONE, Stamp(part.producer, 0, -1))
        self.bytes += patched(marker, base=self.end, attributes=_TRANSACTIONAL | _CONTROL)
        self._batches.append((self.end, len(self.bytes)))
        self.end += 1


def delivered(items: list[Item]) -> list[Record]:
    """Read what would be sent, with the source offsets it is said to be from."""
    found: list[Record] = []
    for item in items:
        batch = item.parcel.batch
        header = read_header(batch)
        check_crc(batch, header)
        offsets = [start + n for start, count in item.parcel.stretches for n in range(count)]
        records = decode(batch, header)
        assert len(offsets) == len(records) == item.parcel.count
        assert item.source_end > offsets[-1]
        found += [one._replace(offset=at) for at, one in zip(offsets, records, strict=True)]
    return [one._replace(headers=tuple(one.headers)) for one in found]


@given(pieces, st.data())
def test_what_committed_readers_see_arrives_from_wherever_it_is_read(
    parts: list[Piece], data: st.DataObject
) -> None:
    log = Log(parts)
    start = data.draw(st.integers(0, log.end))
    records, aborted = log.fetched(start)
    taken = take(records, position=start, aborted=aborted, rules=_RULES)
    assert taken.bad is None
    assert delivered(taken.items) == [one for one in log.seen if one.offset >= start]
    if log.bytes:
        assert taken.position == max(start, log.end)
    ends = [item.source_end for item in taken.items]
    assert ends == sorted(ends)


@given(pieces, st.data())
def test_a_broken_batch_stops_it_and_all_before_it_arrives(
    parts: list[Piece], data: st.DataObject
) -> None:
    log = Log([part for part in parts if not part.producer] or [plain(1)])
    at = data.draw(st.integers(0, len(log.bytes) - 1))
    log.bytes[at] ^= 1 << data.draw(st.integers(0, 7))
    taken = take(memoryview(log.bytes), position=0, rules=_RULES)
    found = delivered(taken.items)
    expected = log.seen
    offsets = [one.offset for one in found]
    assert offsets == sorted(offsets)
    for one in found:
        # Base offset and leader epoch lie outside of the checksum: only they can change unseen.
        assert any(one[1:] == other[1:] for other in expected)


def test_tiny_batches_are_merged_and_others_pass() -> None:
    tiny = [plain(1)] * 100
    log = Log(tiny)
    (item,) = take(memoryview(log.bytes), position=0, rules=_RULES).items
    assert item.parcel.reencoded
    assert item.parcel.stretches == ((0, 100),)
    (alone,) = take(memoryview(Log(tiny[:1]).bytes), position=0, rules=_RULES).items
    assert not alone.parcel.reencoded
