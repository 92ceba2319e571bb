"""Fetch and produce without copies, against brokers of both ends of the range."""

import asyncio
import struct
import uuid
from collections.abc import Iterable

import pytest
from confluent_kafka import Consumer, Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from kferry.config import load_properties
from kferry.names import PartitionId, TopicName, TopicPartition
from kferry.records import check_crc, read_header, split_batches
from kferry.sandbox import Sandbox
from kferry.sandbox.cluster import Cluster
from kferry.wire import Connection, Limits, open_cluster
from kferry.wire.fastpath import send_fetch, send_produce
from kferry.wire.fetch import Fetched, FetchFrom, FetchQuestion
from kferry.wire.produce import Batch

LIMITS = Limits(connect=5.0, request=20.0, retry=10.0)
INVALID_RECORD = 87
UNKNOWN_TOPIC = 3
OFFSET_OUT_OF_RANGE = 1


def create(cluster: Cluster) -> TopicPartition:
    name = f"fast-{uuid.uuid4().hex[:8]}"
    client = AdminClient({"bootstrap.servers": cluster.bootstrap})
    client.create_topics([NewTopic(name, 1, 1)])[name].result(20)
    return TopicPartition(TopicName(name), PartitionId(0))


def write(cluster: Cluster, partition: TopicPartition, codec: str, numbers: Iterable[int]) -> None:
    producer = Producer({"bootstrap.servers": cluster.bootstrap, "compression.type": codec})
    for number in numbers:
        producer.produce(partition.topic, f"value {number}".encode(), key=f"key {number}".encode())
    assert producer.flush(20) == 0


def read(cluster: Cluster, partition: TopicPartition, count: int) -> list[tuple[bytes, bytes]]:
    consumer = Consumer(
        {
            "bootstrap.servers": cluster.bootstrap,
            "group.id": f"fast-{uuid.uuid4().hex}",
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
        }
    )
    consumer.subscribe([partition.topic])
    records = consumer.consume(count, 30)
    consumer.close()
    return [(record.key() or b"", record.value() or b"") for record in records]


async def fetch(connection: Connection, partition: TopicPartition, offset: int = 0) -> Fetched:
    question = FetchQuestion(
        partitions=[FetchFrom(partition=partition, offset=offset, max_bytes=1 << 20)],
        max_wait_ms=100,
        min_bytes=1,
        max_bytes=1 << 20,
    )
    answer = await send_fetch(connection, question, seconds=20)
    return answer.partitions[0]


async def forward(
    source: Cluster, target: Cluster, partition: TopicPartition, *, shift: int = 0
) -> int:
    """Pass every batch on as it is, but for the fields the broker insists on; count them."""
    passed = 0
    async with (
        open_cluster(load_properties(source.properties), LIMITS) as ours,
        open_cluster(load_properties(target.properties), LIMITS) as theirs,
    ):
        reader, writer = await ours.any_connection(), await theirs.any_connection()
        fetched = await fetch(reader, partition)
        assert fetched.error_code == 0
        for batch in split_batches(fetched.records):
            header = read_header(batch)
            check_crc(batch, header)
            struct.pack_into(">q", batch, 0, 0)  # base offset 0, and no leader epoch: both lie
            struct.pack_into(">i", batch, 12, -1)  # outside the checksum
            answer = await send_produce(writer, [Batch(partition, [batch])], seconds=20)
            assert answer.partitions[0].error_code == 0, answer
            assert answer.partitions[0].base_offset == header.base_offset + shift
            passed += header.count
    return passed


@pytest.mark.parametrize("codec", ["none", "gzip", "snappy", "lz4", "zstd"])
async def test_batches_pass_from_broker_to_broker_in_every_codec(
    plain: Sandbox, codec: str
) -> None:
    partition = create(plain.source)
    client = AdminClient({"bootstrap.servers": plain.target.bootstrap})
    client.create_topics([NewTopic(partition.topic, 1, 1)])[partition.topic].result(20)
    await asyncio.to_thread(write, plain.source, partition, codec, range(500))
    assert await forward(plain.source, plain.target, partition) == 500
    expected = [(f"key {n}".encode(), f"value {n}".encode()) for n in range(500)]
    assert await asyncio.to_thread(read, plain.target, partition, 500) == expected


async def test_the_oldest_source_is_fetched_from_and_an_old_target_produced_to(
    old: Sandbox,
) -> None:
    ancient = create(old.source)
    await asyncio.to_thread(write, old.source, ancient, "gzip", range(50))
    async with open_cluster(load_properties(old.source.properties), LIMITS) as cluster:
        fetched = await fetch(await cluster.any_connection(), ancient)
    assert (fetched.error_code, fetched.high_watermark) == (0, 50)
    sets = list(split_batches(fetched.records))
    assert {one[16] for one in sets} == {1}, "0.10.2 keeps message sets of magic 1"

    partition = create(old.target)
    await asyncio.to_thread(write, old.target, partition, "lz4", range(50))
    assert await forward(old.target, old.target, partition, shift=50) == 50
    twice = await asyncio.to_thread(read, old.target, partition, 100)
    assert twice[:50] == twice[50:]


async def test_errors_of_a_partition_are_values_of_that_partition(plain: Sandbox) -> None:
    partition = create(plain.source)
    missing = TopicPartition(TopicName("fast-missing"), PartitionId(0))
    await asyncio.to_thread(write, plain.source, partition, "none", range(3))
    async with open_cluster(load_properties(plain.source.properties), LIMITS) as cluster:
        connection = await cluster.any_connection()
        assert (await fetch(connection, partition, offset=99)).error_code == OFFSET_OUT_OF_RANGE
        assert (await fetch(connection, missing)).error_code == UNKNOWN_TOPIC
        fetched = await fetch(connection, partition, offset=0)
        refused = bytearray(fetched.records)
        struct.pack_into(">q", refused, 0, 7)  # a base offset of 7 is not for a producer to choose
        batches = [Batch(missing, [fetched.records]), Batch(partition, [refused])]
        answer = await send_produce(connection, batches, seconds=20)
    codes = {one.partition: one.error_code for one in answer.partitions}
    assert codes == {missing: UNKNOWN_TOPIC, partition: INVALID_RECORD}
