"""One record as people look at it: where it lies, what is in it, and who gets to see it.

Owns the value type. Knows neither how it was found nor how it is shown.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from kferry.names import TopicPartition
from kferry.records import BatchHeader, Deliverable, Row, decode_legacy, read_rows

_LEGACY_ATTRIBUTES_AT = 17
_LEGACY_APPEND_TIME = 0x08


class State(StrEnum):
    """Who gets to see a record."""

    COMMITTED = "committed"
    ABORTED = "aborted"
    """Its transaction was taken back: readers of committed records never get it."""
    OPEN = "open"
    """Of a transaction behind the last stable offset, which may yet be taken back."""
    BEHIND_OPEN = "behind-open"
    """Of no transaction, but readers of committed records wait for an open one before it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A record, and where it lies."""

    partition: TopicPartition
    offset: int
    timestamp: int
    """Milliseconds since 1970; -1 where the record has none."""
    append_time: bool
    """Whether the broker set the time, not the producer."""
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]]
    state: State = State.COMMITTED

    @property
    def size(self) -> int:
        """Bytes of its key, value and headers."""
        return size_of(self)


class Chunk(NamedTuple):
    """The records of one batch, which share what is not their own."""

    rows: Sequence[Row]
    append_time: bool
    state: State

    def message(self, partition: TopicPartition, row: Row) -> Message:
        """Take one of them out."""
        return Message(
            partition=partition,
            offset=row.offset,
            timestamp=row.timestamp,
            append_time=self.append_time,
            key=row.key,
            value=row.value,
            headers=tuple(row.headers),
            state=self.state,
        )


def size_of(row: "Row | Message") -> int:
    """Count the bytes of its key, value and headers."""
    size = len(row.key or b"") + len(row.value or b"")
    if row.headers:
        size += sum(len(name) + len(value or b"") for name, value in row.headers)
    return size


def chunk_of(one: Deliverable, *, unstable: bool) -> Chunk:
    """Read a batch; raises `CorruptBatch`."""
    if one.header is None:
        append_time = bool(one.batch[_LEGACY_ATTRIBUTES_AT] & _LEGACY_APPEND_TIME)
        return Chunk(decode_legacy(one.batch), append_time, _state(one, None, unstable=unstable))
    rows = read_rows(one.batch, one.header)
    return Chunk(rows, one.header.log_append_time, _state(one, one.header, unstable=unstable))


def _state(one: Deliverable, header: BatchHeader | None, *, unstable: bool) -> State:
    if one.aborted:
        return State.ABORTED
    if not unstable:
        return State.COMMITTED
    return State.OPEN if header is not None and header.transactional else State.BEHIND_OPEN
