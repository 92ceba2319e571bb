"""From fetched bytes to batches that the target takes.

Owns which way each batch goes: through as it is, or laid out anew. What is left out of a log is
the sieve's. Pure: bytes in, items out; no record byte is believed before its checksum.
"""

from collections.abc import Sequence

from kferry.copying.item import MERGED, BadSource, Item, Rules, Taken
from kferry.records import (
    Aborted,
    BatchHeader,
    Codec,
    CorruptBatch,
    Deliverable,
    Parcel,
    Record,
    Run,
    Sieve,
    batch_at,
    magic,
    merge_run,
    passes,
    recode,
    recode_batch,
    tiny_run,
)

_LEGACY_ATTRIBUTES_AT = 17
_LEGACY_CODEC = 0x07
_CODECS = frozenset(Codec)
_UNKNOWN_EPOCH = -1


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
