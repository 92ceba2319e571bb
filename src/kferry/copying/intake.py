"""From fetched bytes to batches that the target takes.

Owns what is left out (markers, records of aborted transactions, what lies before the position) and
which way each batch goes: through as it is, or laid out anew. Pure: bytes in, items out; no record
byte is believed before its checksum.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from kferry.copying.item import MERGED, BadSource, Item, Rules, Taken
from kferry.records import (
    BatchHeader,
    Codec,
    CorruptBatch,
    Parcel,
    Record,
    Run,
    batch_at,
    check_crc,
    decode,
    decode_legacy,
    magic,
    merge_run,
    passes,
    read_header,
    recode,
    recode_batch,
    split_batches,
    tiny_run,
)
from kferry.wire.fetch import Aborted

_LEGACY_ATTRIBUTES_AT = 17
_LEGACY_CODEC = 0x07
_CODECS = frozenset(Codec)
_ABORT = 0
"""The type in a marker's key, after two bytes of version."""
_UNKNOWN_EPOCH = -1


class Deliverable(NamedTuple):
    """A batch of which at least a part is to arrive."""

    batch: memoryview
    header: BatchHeader | None
    """None for the formats before 0.11."""
    start: int
    """Records before this offset are not wanted."""

    def records(self) -> list[Record]:
        """Read its wanted records."""
        found = (
            decode_legacy(self.batch) if self.header is None else decode(self.batch, self.header)
        )
        return found if self.start < 0 else [one for one in found if one.offset >= self.start]


@dataclass(slots=True, kw_only=True)
class Sieve:
    """Goes through one fetched record set and keeps what readers of committed records see."""

    position: int
    aborted: Sequence[Aborted] = ()
    leader_epoch: int = -1
    left_out_control: int = 0
    left_out_aborted: int = 0
    passed_over: list[tuple[int, int]] = field(default_factory=list)
    """First and last offsets of what was left out; whoever wants to know takes them from here."""
    _aborted_ids: set[int] = field(default_factory=set)
    _next_aborted: int = 0

    def __post_init__(self) -> None:
        self.aborted = sorted(self.aborted, key=lambda one: one.first_offset)

    def keep(self, records: memoryview) -> Iterator[Deliverable]:
        """Yield what is to arrive; `position` moves along, also behind what is left out."""
        for batch in split_batches(records):
            if (kept := self.sift(batch)) is not None:
                yield kept

    def sift(self, batch: memoryview) -> Deliverable | None:
        """Say what of a batch is to arrive."""
        try:
            return self._legacy(batch) if magic(batch) < 2 else self._current(batch)
        except CorruptBatch as error:
            offset = int.from_bytes(batch[:8], "big", signed=True)
            raise BadSource(offset, str(error)) from error

    def _current(self, batch: memoryview) -> Deliverable | None:
        header = read_header(batch)
        if header.last_offset < self.position:
            return None
        check_crc(batch, header)
        wanted_from, self.position = self.position, header.last_offset + 1
        self.leader_epoch = header.leader_epoch
        self._note_aborted(header.last_offset)
        if header.control:
            self.left_out_control += header.count
            self.passed_over.append((header.base_offset, header.last_offset))
            self._end_transaction(batch, header)
            return None
        if header.transactional and header.producer_id in self._aborted_ids:
            self.left_out_aborted += header.count
            self.passed_over.append((header.base_offset, header.last_offset))
            return None
        if header.count == 0:
            return None
        start = wanted_from if header.base_offset < wanted_from else -1
        return Deliverable(batch=batch, header=header, start=start)

    def _legacy(self, batch: memoryview) -> Deliverable | None:
        # A compressed set carries the offset of its last message, a plain one its own.
        last = int.from_bytes(batch[:8], "big", signed=True)
        if last < self.position:
            return None
        wanted_from, self.position = self.position, last + 1
        return Deliverable(batch=batch, header=None, start=wanted_from)

    def _note_aborted(self, up_to: int) -> None:
        while (
            self._next_aborted < len(self.aborted)
            and self.aborted[self._next_aborted].first_offset <= up_to
        ):
            self._aborted_ids.add(self.aborted[self._next_aborted].producer_id)
            self._next_aborted += 1

    def _end_transaction(self, batch: memoryview, header: BatchHeader) -> None:
        for marker in decode(batch, header):
            if marker.key is not None and int.from_bytes(marker.key[2:4], "big") == _ABORT:
                self._aborted_ids.discard(header.producer_id)


def take(
    records: memoryview, *, position: int, aborted: Sequence[Aborted] = (), rules: Rules
) -> Taken:
    """Make of a fetched record set what is to be sent, in order, up to the first bad batch."""
    intake = _Intake(Sieve(position=position, aborted=aborted), rules)
    bad: BadSource | None = None
    try:
        intake.go_through(records)
    except BadSource as error:
        bad = error
    sieve, items = intake.sieve, intake.items
    if items:
        items[-1].source_end, items[-1].leader_epoch = intake.done_to, sieve.leader_epoch
    return Taken(
        items=items,
        position=intake.done_to,
        leader_epoch=sieve.leader_epoch,
        control=sieve.left_out_control,
        aborted=sieve.left_out_aborted,
        bad=bad,
    )


class _Intake:
    """The way through one record set; `done_to` is how far what was made of it reaches."""

    def __init__(self, sieve: Sieve, rules: Rules) -> None:
        self.sieve = sieve
        self.items: list[Item] = []
        self.done_to = sieve.position
        self._rules = rules
        self._legacy = _Legacy(rules)

    def go_through(self, records: memoryview) -> None:
        """Take batch after batch."""
        at = 0
        while True:
            run, following = tiny_run(records, at, position=self.sieve.position)
            if len(run) > 1:
                self._merge(run)
                at = following
                continue
            batch = _next(records, at, self.sieve.position)
            if batch is None:
                break
            at += len(batch)
            self._take(batch)
        self._flush()

    def _merge(self, run: Run) -> None:
        self._flush()
        self.items += _merged(run, self._rules)
        last = run[-1]
        self.sieve.position = last.base_offset + last.records
        self.sieve.leader_epoch = last.leader_epoch
        self.done_to = self.sieve.position

    def _take(self, batch: memoryview) -> None:
        if magic(batch) >= 2:
            self._flush()
        one = self.sieve.sift(batch)
        if one is not None and one.header is None:
            self.items += self._legacy.add(one)
            return  # done once it is laid out
        if one is not None and one.header is not None:
            self.items += _from_batch(one, one.header, self._rules)
        self.done_to = self.sieve.position

    def _flush(self) -> None:
        self.items += self._legacy.flush()
        self.done_to = self.sieve.position


def _from_batch(one: Deliverable, header: BatchHeader, rules: Rules) -> list[Item]:
    if one.start < 0 and passes(header, stored_codec=rules.stored_codec, max_bytes=rules.max_bytes):
        parcel = Parcel(
            batch=one.batch,
            stretches=((header.base_offset, header.count),),
            count=header.count,
            max_timestamp=header.max_timestamp,
            reencoded=False,
        )
        return [_item(parcel, header.leader_epoch, header)]
    try:
        codec = Codec(header.codec if rules.stored_codec is None else rules.stored_codec)
        parcels = recode_batch(
            one.batch, header, codec, max_bytes=rules.max_bytes, start=max(0, one.start)
        )
    except ValueError as error:  # CorruptBatch and RecordTooLarge among them
        raise BadSource(getattr(error, "offset", header.base_offset), str(error)) from error
    return [_item(parcel, header.leader_epoch, None) for parcel in parcels]


class _Legacy:
    """Message sets of old formats, one record each as a rule, gathered into batches."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._records: list[Record] = []
        self._codec = Codec.NONE

    def add(self, one: Deliverable) -> list[Item]:
        """Take one; what was gathered in another codec comes out."""
        records = _read(one)
        number = one.batch[_LEGACY_ATTRIBUTES_AT] & _LEGACY_CODEC
        if number not in _CODECS:
            raise BadSource(records[0].offset if records else 0, f"compression {number} is unknown")
        codec = Codec(number)
        done = self.flush() if codec != self._codec else []
        self._codec = codec
        self._records += records
        return done

    def flush(self) -> list[Item]:
        """Give out what was gathered."""
        records, self._records = self._records, []
        if not records:
            return []
        stored = self._rules.stored_codec
        codec = self._codec if stored is None else Codec(stored)
        try:
            parcels = recode(records, codec, max_bytes=self._rules.max_bytes)
        except ValueError as error:
            raise BadSource(getattr(error, "offset", records[0].offset), str(error)) from error
        return [_item(parcel, _UNKNOWN_EPOCH, None) for parcel in parcels]


def _merged(run: Run, rules: Rules) -> list[Item]:
    """Lay out tiny batches as few."""
    first, last = run[0], run[-1]
    try:
        codec = Codec(first.codec if rules.stored_codec is None else rules.stored_codec)
        parcels = merge_run(run, codec, max_bytes=min(rules.max_bytes, MERGED))
    except ValueError as error:
        raise BadSource(getattr(error, "offset", first.base_offset), str(error)) from error
    return [_item(parcel, last.leader_epoch, None) for parcel in parcels]


def _next(records: memoryview, at: int, position: int) -> memoryview | None:
    try:
        return batch_at(records, at)
    except CorruptBatch as error:
        raise BadSource(position, str(error)) from error


def _read(one: Deliverable) -> list[Record]:
    try:
        return one.records()
    except CorruptBatch as error:
        offset = int.from_bytes(one.batch[:8], "big", signed=True)
        raise BadSource(offset, str(error)) from error


def _item(parcel: Parcel, leader_epoch: int, header: BatchHeader | None) -> Item:
    last_start, last_count = parcel.stretches[-1]
    return Item(
        parcel=parcel, source_end=last_start + last_count, leader_epoch=leader_epoch, header=header
    )
