"""Fetched bytes to documents.

Owns what is left out on the way: markers, empty batches, records that are no documents, and what
lies before the offset that was asked for. Sends nothing.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from kferry.ledger.documents import Document, NotADocument, Unreadable, decode
from kferry.ledger.errors import LedgerCorrupt
from kferry.ledger.fate import SentBatch
from kferry.names import TopicPartition
from kferry.records import (
    CorruptBatch,
    Record,
    check_crc,
    decode_legacy,
    magic,
    read_header,
    split_batches,
)
from kferry.records import decode as decode_batch


@dataclass(slots=True, kw_only=True)
class Page:
    """What one fetch brought; `following` is the offset to go on at."""

    following: int
    documents: list[Document] = field(default_factory=list)
    unreadable: list[Unreadable] = field(default_factory=list)


def parse(records: memoryview, partition: TopicPartition, start: int, end: int | None) -> Page:
    """Read what lies from `start` on and before `end`; a slot's number is its partition's."""
    page = Page(following=start)
    try:
        for batch in split_batches(records):
            found, following = _open(batch, page.following)
            for record in found:
                if record.offset >= start and (end is None or record.offset < end):
                    _add(page, partition.partition, record)
            page.following = max(page.following, following)
    except CorruptBatch as error:
        raise LedgerCorrupt(
            f"the ledger {partition.topic}, partition {partition.partition}, "
            f"has a broken batch at {page.following:,}",
            str(error),
            hint=f"look at it with kafka-dump-log; another replica of {partition} may be whole",
        ) from error
    return page


def _open(batch: memoryview, expected: int) -> tuple[list[Record], int]:
    """Return a batch's records and the offset after it."""
    if magic(batch) < 2:  # a topic made with an old message format
        old = decode_legacy(batch)
        return old, max((record.offset + 1 for record in old), default=expected)
    header = read_header(batch)
    check_crc(batch, header)
    if header.control or not header.count:
        return [], header.last_offset + 1
    return decode_batch(batch, header), header.last_offset + 1


def _add(page: Page, slot: int, record: Record) -> None:
    try:
        key, value = decode(record.key, record.value)
    except NotADocument as error:
        page.unreadable.append(Unreadable(slot=slot, offset=record.offset, reason=str(error)))
        return
    page.documents.append(
        Document(key=key, value=value, slot=slot, offset=record.offset, timestamp=record.timestamp)
    )


def sent_batches(records: memoryview) -> Iterator[tuple[SentBatch | None, int]]:
    """Yield whom each batch is from, None for markers, and the offset after it."""
    for batch in split_batches(records):
        header = read_header(batch)
        sent = SentBatch(
            header.base_offset, header.producer_id, header.producer_epoch, header.base_sequence
        )
        yield None if header.control else sent, header.last_offset + 1
