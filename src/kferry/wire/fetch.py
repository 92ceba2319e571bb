"""The fetch call on the fast path: record bytes stay where the socket put them.

Owns the layout of Fetch v3 to v11, which Kafka 0.10.2 to 4.3 understand, as pure functions. The
records of an answer are views into its buffer. Sends nothing; `Connection.submit` does.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from kferry.names import PartitionId, TopicName, TopicPartition
from kferry.records import Aborted
from kferry.wire.primitives import Reader, by_topic, string

API_KEY = 1
OLDEST, NEWEST = 3, 11

READ_UNCOMMITTED, READ_COMMITTED = 0, 1
NO_SESSION = (0, -1)
_NOBODY = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchFrom:
    """What to fetch of one partition. A known leader epoch makes a stale leader say so."""

    partition: TopicPartition
    offset: int
    max_bytes: int
    leader_epoch: int = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchQuestion:
    """One fetch request; `session` is (id, epoch) as KIP-227 has them."""

    partitions: Sequence[FetchFrom]
    max_wait_ms: int
    min_bytes: int
    max_bytes: int
    isolation: int = READ_COMMITTED
    session: tuple[int, int] = NO_SESSION
    forgotten: Sequence[TopicPartition] = ()
    rack: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """What came for one partition. Offsets are -1 where the broker is too old to tell."""

    partition: TopicPartition
    error_code: int
    high_watermark: int
    last_stable_offset: int
    log_start_offset: int
    aborted: tuple[Aborted, ...]
    preferred_replica: int
    records: memoryview

    @property
    def stable_end(self) -> int:
        """How far readers of committed records get; before 0.11 there is but one end."""
        if self.last_stable_offset >= 0:
            return self.last_stable_offset
        return self.high_watermark


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchAnswer:
    """One fetch response."""

    throttle_ms: int
    error_code: int
    session_id: int
    partitions: tuple[Fetched, ...]


def encode_fetch(question: FetchQuestion, version: int) -> bytes:
    """Lay out the body of a request."""
    out = [
        struct.pack(">iiii", _NOBODY, question.max_wait_ms, question.min_bytes, question.max_bytes)
    ]
    if version >= 4:
        out.append(struct.pack(">b", question.isolation))
    if version >= 7:
        out.append(struct.pack(">ii", *question.session))
    topics = by_topic((wanted.partition.topic, wanted) for wanted in question.partitions)
    out.append(struct.pack(">i", len(topics)))
    for topic, wanted in topics:
        out += (string(topic), struct.pack(">i", len(wanted)))
        out += (_wanted(one, version) for one in wanted)
    if version >= 7:
        forgotten = by_topic((gone.topic, gone.partition) for gone in question.forgotten)
        out.append(struct.pack(">i", len(forgotten)))
        for topic, gone in forgotten:
            out += (string(topic), struct.pack(f">i{len(gone)}i", len(gone), *gone))
    if version >= 11:
        out.append(string(question.rack))
    return b"".join(out)


def decode_fetch(body: memoryview, version: int) -> FetchAnswer:
    """Read the body of a response; every length is checked before it is believed."""
    reader = Reader(body)
    throttle_ms = reader.int32()
    error_code, session_id = (reader.int16(), reader.int32()) if version >= 7 else (0, 0)
    partitions: list[Fetched] = []
    for _ in range(reader.count(6)):
        topic = TopicName(reader.string())
        partitions += (_fetched(reader, topic, version) for _ in range(reader.count(14)))
    reader.end()
    return FetchAnswer(
        throttle_ms=throttle_ms,
        error_code=error_code,
        session_id=session_id,
        partitions=tuple(partitions),
    )


def _wanted(one: FetchFrom, version: int) -> bytes:
    parts = [struct.pack(">i", one.partition.partition)]
    if version >= 9:
        parts.append(struct.pack(">i", one.leader_epoch))
    parts.append(struct.pack(">q", one.offset))
    if version >= 5:
        parts.append(struct.pack(">q", _NOBODY))
    parts.append(struct.pack(">i", one.max_bytes))
    return b"".join(parts)


def _fetched(reader: Reader, topic: TopicName, version: int) -> Fetched:
    index, error_code, high_watermark = reader.int32(), reader.int16(), reader.int64()
    last_stable = reader.int64() if version >= 4 else -1
    log_start = reader.int64() if version >= 5 else -1
    aborted = (
        tuple(Aborted(reader.int64(), reader.int64()) for _ in range(reader.count(16)))
        if version >= 4
        else ()
    )
    preferred = reader.int32() if version >= 11 else -1
    return Fetched(
        partition=TopicPartition(topic, PartitionId(index)),
        error_code=error_code,
        high_watermark=high_watermark,
        last_stable_offset=last_stable,
        log_start_offset=log_start,
        aborted=aborted,
        preferred_replica=preferred,
        records=reader.view(),
    )
