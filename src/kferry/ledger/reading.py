"""A ledger read from its beginning, folded by key.

Owns the way from slot to slot's contents. Reads up to the high watermark as it stood at the call;
what comes later is for `tail`. Holes and markers are passed over. Asks only leaders.
"""

import asyncio
from collections.abc import Iterable, Mapping

from kferry.admin.offsets import Place, offsets_at
from kferry.ledger.documents import Document, Unreadable
from kferry.ledger.fate import SentBatch
from kferry.ledger.leader import at_leader
from kferry.ledger.parsing import parse, sent_batches
from kferry.ledger.topic import LedgerTopic
from kferry.names import TopicPartition
from kferry.wire import BrokerError, Cluster, Connection
from kferry.wire.fastpath import send_fetch
from kferry.wire.fetch import READ_UNCOMMITTED, Fetched, FetchFrom, FetchQuestion

PAGE_BYTES = 1 << 20
_LAGS = 78  # OFFSET_NOT_AVAILABLE: a new leader has yet to learn how far its log is committed
_THROTTLED = 89


class Contents(dict[int, dict[str, Document]]):
    """Per slot, the newest document of each key; taken away ones are not there.

    `ends` is how far each slot was read, `unreadable` what was left out.
    """

    def __init__(self) -> None:
        super().__init__()
        self.ends: dict[int, int] = {}
        self.unreadable: list[Unreadable] = []


async def read_ledger(
    cluster: Cluster, ledger: LedgerTopic, slots: Iterable[int] | None = None
) -> Contents:
    """Read some slots, or all."""
    chosen = sorted(set(range(ledger.slots) if slots is None else slots))
    partitions = [ledger.partition(slot) for slot in chosen]
    # Leaders are asked for the ends, not told by the first fetch: after an election only this call
    # waits until the new leader knows of everything that was acknowledged (KIP-207).
    starts, ends = await asyncio.gather(
        offsets_at(cluster, partitions, Place.START), offsets_at(cluster, partitions, Place.END)
    )
    contents = Contents()

    async def read(slot: int, partition: TopicPartition) -> None:
        found = contents[slot]
        position, end = starts[partition], ends[partition]
        while position < end:
            fetched = await _fetch(cluster, partition, position)
            page = parse(fetched.records, partition, position, end)
            for document in page.documents:
                if document.value is None:
                    found.pop(document.key, None)
                else:
                    found[document.key] = document
            contents.unreadable += page.unreadable
            position = page.following if page.following > position else end

    for slot, partition in zip(chosen, partitions, strict=True):
        contents[slot], contents.ends[slot] = {}, ends[partition]
    await asyncio.gather(*map(read, chosen, partitions))
    return contents


async def fetch_slots(
    connection: Connection, offsets: Mapping[TopicPartition, int], *, seconds: float
) -> dict[TopicPartition, Fetched]:
    """Fetch what is there. A broker made to wait for more would hold up what else it is asked."""
    question = FetchQuestion(
        partitions=[
            FetchFrom(partition=partition, offset=offset, max_bytes=PAGE_BYTES)
            for partition, offset in offsets.items()
        ],
        max_wait_ms=0,
        min_bytes=1,
        max_bytes=4 * PAGE_BYTES,
        isolation=READ_UNCOMMITTED,
    )
    answer = await send_fetch(connection, question, seconds=seconds)
    if answer.error_code:
        raise BrokerError(answer.error_code, f"Fetch at {connection.where}")
    return {one.partition: one for one in answer.partitions if one.partition in offsets}


async def sent_since(cluster: Cluster, partition: TopicPartition, start: int) -> list[SentBatch]:
    """Return the headers of what is in a slot from an offset on, markers left out."""
    position, end = start, (await offsets_at(cluster, [partition], Place.END))[partition]
    found: list[SentBatch] = []
    while position < end:
        fetched = await _fetch(cluster, partition, position)
        before, position = position, end
        for sent, following in sent_batches(fetched.records):
            position = max(before, following)
            if sent is not None:
                found.append(sent)
    return found


async def _fetch(cluster: Cluster, partition: TopicPartition, position: int) -> Fetched:
    """Fetch from a place below the high watermark: nothing there means cleaned away to the end."""

    async def ask(connection: Connection) -> Fetched:
        answer = await fetch_slots(
            connection, {partition: position}, seconds=cluster.limits.request
        )
        fetched = answer.get(partition)
        if fetched is None or fetched.error_code:  # none: a quota held everything back
            raise BrokerError(fetched.error_code if fetched else _THROTTLED, str(partition))
        if not fetched.records and fetched.high_watermark <= position:
            raise BrokerError(_LAGS, str(partition))
        return fetched

    return await at_leader(cluster, partition, ask)
