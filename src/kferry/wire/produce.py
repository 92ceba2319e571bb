"""The produce call on the fast path: record bytes are written from where they are.

Owns the layout of Produce v3 to v8, which Kafka 0.11 to 4.3 understand, as pure functions. The body
of a request is a list of buffers with the caller's batches in between. Sends nothing;
`Connection.submit` does.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from kferry.names import PartitionId, TopicName, TopicPartition
from kferry.wire.connection import Buffer
from kferry.wire.primitives import Reader, by_topic, nullable_string, string

API_KEY = 0
OLDEST, NEWEST = 3, 8

ALL_REPLICAS = -1


@dataclass(frozen=True, slots=True)
class Batch:
    """The bytes of one record batch, in pieces; a broker takes one batch per partition."""

    partition: TopicPartition
    pieces: Sequence[Buffer]


@dataclass(frozen=True, slots=True, kw_only=True)
class Produced:
    """What became of one batch. `log_start_offset` is -1 where the broker is too old to tell."""

    partition: TopicPartition
    error_code: int
    base_offset: int
    log_append_time: int
    log_start_offset: int
    error_message: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProduceAnswer:
    """One produce response."""

    throttle_ms: int
    partitions: tuple[Produced, ...]


def encode_produce(
    batches: Sequence[Batch],
    *,
    timeout_ms: int,
    acks: int = ALL_REPLICAS,
    transactional_id: str | None = None,
) -> list[Buffer]:
    """Lay out the body of a request; it is the same in all versions from 3 to 8."""
    out: list[Buffer] = []
    small = bytearray(nullable_string(transactional_id) + struct.pack(">hi", acks, timeout_ms))
    topics = by_topic((batch.partition.topic, batch) for batch in batches)
    small += struct.pack(">i", len(topics))
    for topic, own in topics:
        small += string(topic) + struct.pack(">i", len(own))
        for batch in own:
            size = sum(map(len, batch.pieces))
            small += struct.pack(">ii", batch.partition.partition, size)
            out.append(bytes(small))
            out += batch.pieces
            small.clear()
    if small:
        out.append(bytes(small))
    return out


def decode_produce(body: memoryview, version: int) -> ProduceAnswer:
    """Read the body of a response; every length is checked before it is believed."""
    reader = Reader(body)
    partitions: list[Produced] = []
    for _ in range(reader.count(6)):
        topic = TopicName(reader.string())
        partitions += (_produced(reader, topic, version) for _ in range(reader.count(22)))
    throttle_ms = reader.int32()
    reader.end()
    return ProduceAnswer(throttle_ms=throttle_ms, partitions=tuple(partitions))


def _produced(reader: Reader, topic: TopicName, version: int) -> Produced:
    index, error_code = reader.int32(), reader.int16()
    base_offset, log_append_time = reader.int64(), reader.int64()
    log_start = reader.int64() if version >= 5 else -1
    message = None
    if version >= 8:
        details = [(reader.int32(), reader.nullable_string()) for _ in range(reader.count(6))]
        message = reader.nullable_string() or next((text for _, text in details if text), None)
    return Produced(
        partition=TopicPartition(topic, PartitionId(index)),
        error_code=error_code,
        base_offset=base_offset,
        log_append_time=log_append_time,
        log_start_offset=log_start,
        error_message=message,
    )
