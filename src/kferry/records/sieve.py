"""What readers of committed records see of a fetched record set.

Owns what is left out (markers, records of aborted transactions, what lies before the position), for
batches of every format. Pure; no record byte is believed before its checksum.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from kferry.records.header import (
    BatchHeader,
    CorruptBatch,
    check_crc,
    magic,
    read_header,
    split_batches,
)
from kferry.records.record import Record, decode, decode_legacy

_ABORT = 0
"""The type in a marker's key, after two bytes of version."""


class Unreadable(Exception):
    """A batch that cannot be read: where it lies, and why."""

    def __init__(self, offset: int, reason: str) -> None:
        super().__init__(f"offset {offset:,}: {reason}")
        self.offset, self.reason = offset, reason


@dataclass(frozen=True, slots=True)
class Aborted:
    """A transaction whose records, from `first_offset` on, were taken back."""

    producer_id: int
    first_offset: int


class Deliverable(NamedTuple):
    """A batch of which at least a part is to arrive."""

    batch: memoryview
    header: BatchHeader | None
    """None for the formats before 0.11."""
    start: int
    """Records before this offset are not wanted."""
    aborted: bool = False
    """Of a transaction that was taken back; only who asked for such ones gets them."""

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
    keep_aborted: bool = False
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
            raise Unreadable(offset, str(error)) from error

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
        aborted = header.transactional and header.producer_id in self._aborted_ids
        if aborted and not self.keep_aborted:
            self.left_out_aborted += header.count
            self.passed_over.append((header.base_offset, header.last_offset))
            return None
        if header.count == 0:
            return None
        start = wanted_from if header.base_offset < wanted_from else -1
        return Deliverable(batch=batch, header=header, start=start, aborted=aborted)

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
