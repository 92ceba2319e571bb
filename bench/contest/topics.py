"""Topics of a contest: made, counted and removed.

Owns what the harness itself asks of a cluster, over a connection that stays open between looks.
"""

import asyncio
import struct
import time
from collections.abc import Callable, Mapping, Sequence

from kferry.admin.offsets import ListedOffset, Place, list_offsets
from kferry.config import load_properties
from kferry.names import PartitionId, TopicName, TopicPartition
from kferry.records import magic, read_header, split_batches
from kferry.sandbox import Cluster as SandboxCluster
from kferry.sandbox.load.confluent import AdminClient, NewTopic, client_settings
from kferry.wire import Cluster, Limits, open_cluster
from kferry.wire.fastpath import send_fetch
from kferry.wire.fetch import FetchFrom, FetchQuestion

LIMITS = Limits(connect=10.0, request=60.0, retry=30.0)
_PATIENCE_S = 120.0
_FETCH_BYTES = 8 << 20

TARGET_CONFIGS: Mapping[str, str] = {
    "retention.ms": "-1",  # month-old records are to stay
    "file.delete.delay.ms": "1000",  # the disk is free again before the next run
}


def create(
    cluster: SandboxCluster, topic: str, partitions: int, configs: Mapping[str, str]
) -> None:
    """Create a topic, and return when every partition has a leader."""
    admin = AdminClient(client_settings(cluster))
    new = NewTopic(topic, partitions, 1, config=dict(configs))
    admin.create_topics([new], operation_timeout=_PATIENCE_S)[topic].result(_PATIENCE_S)
    asyncio.run(_wait_for_leaders(cluster, topic, partitions))


def delete(cluster: SandboxCluster, *prefixes: str) -> None:
    """Delete every topic whose name begins like this, and return when they are gone."""
    admin = AdminClient(client_settings(cluster))

    def there() -> list[str]:
        known = admin.list_topics(timeout=_PATIENCE_S).topics
        return [name for name in known if name.startswith(prefixes)]

    if names := there():
        for gone in admin.delete_topics(names, operation_timeout=_PATIENCE_S).values():
            gone.result(_PATIENCE_S)
    _until_gone(there)


async def ends(cluster: Cluster, partitions: Sequence[TopicPartition]) -> int:
    """Return the sum of the end offsets."""
    total = 0
    for found in (await list_offsets(cluster, partitions, Place.END)).values():
        if not isinstance(found, ListedOffset):
            raise found
        total += found.offset
    return total


class Survey:
    """A topic as it lies in its log: headers are read, records are not."""

    def __init__(self) -> None:
        self.records = self.batches = self.bytes = 0
        self.largest_batch = 0

    def add(self, batch: memoryview) -> None:
        """Count one batch; markers are no records."""
        if magic(batch) == 2 and read_header(batch).control:
            return
        self.records += read_header(batch).count if magic(batch) == 2 else 1
        self.batches += 1
        self.bytes += len(batch)
        self.largest_batch = max(self.largest_batch, len(batch))


def survey(cluster: SandboxCluster, topic: str) -> Survey:
    """Read a topic's headers from start to end."""
    return asyncio.run(_survey(cluster, topic))


async def all_batches(
    cluster: Cluster, topic: str
) -> Mapping[TopicPartition, Sequence[memoryview]]:
    """Fetch a whole topic; the batches of each partition in order."""
    name = TopicName(topic)
    await cluster.refresh([name])
    partitions = partitions_of(cluster, topic)
    found = await list_offsets(cluster, partitions, Place.END)
    batches: dict[TopicPartition, list[memoryview]] = {}
    for partition, end in found.items():
        if not isinstance(end, ListedOffset):
            raise end
        batches[partition] = await _fetch_all(cluster, partition, end.offset)
    return batches


def partitions_of(cluster: Cluster, topic: str) -> list[TopicPartition]:
    """Return the partitions that the newest metadata shows."""
    name = TopicName(topic)
    return [TopicPartition(name, one.id) for one in cluster.metadata.topics[name].partitions]


async def _survey(at: SandboxCluster, topic: str) -> Survey:
    found = Survey()
    async with open_cluster(load_properties(at.properties), LIMITS) as cluster:
        await cluster.refresh([TopicName(topic)])
        listed = await list_offsets(cluster, partitions_of(cluster, topic), Place.END)
        for partition, end in listed.items():
            if not isinstance(end, ListedOffset):
                raise end
            offset = 0
            while offset < end.offset:
                records = await _fetch(cluster, partition, offset)
                before = offset
                for batch in split_batches(records):
                    offset = max(offset, _next_offset(batch))
                    found.add(batch)
                if offset == before:
                    break
    return found


async def _fetch_all(cluster: Cluster, partition: TopicPartition, end: int) -> list[memoryview]:
    batches: list[memoryview] = []
    offset = 0
    while offset < end:
        own = list(split_batches(await _fetch(cluster, partition, offset)))
        if not own:
            break
        offset = _next_offset(own[-1])
        batches += own
    return batches


async def _fetch(cluster: Cluster, partition: TopicPartition, offset: int) -> memoryview:
    leader = cluster.metadata.leader(partition)
    assert leader is not None
    question = FetchQuestion(
        partitions=[FetchFrom(partition=partition, offset=offset, max_bytes=_FETCH_BYTES)],
        max_wait_ms=500,
        min_bytes=1,
        max_bytes=_FETCH_BYTES,
    )
    connection = await cluster.connection(leader)
    answer = await send_fetch(connection, question, seconds=LIMITS.request)
    (fetched,) = answer.partitions
    if fetched.error_code:
        raise RuntimeError(f"fetching {partition} at {offset}: error {fetched.error_code}")
    return fetched.records


def _next_offset(batch: memoryview) -> int:
    if magic(batch) == 2:
        return read_header(batch).last_offset + 1
    (offset,) = struct.unpack_from(">q", batch)
    return int(offset) + 1


async def _wait_for_leaders(at: SandboxCluster, topic: str, partitions: int) -> None:
    name = TopicName(topic)
    async with open_cluster(load_properties(at.properties), LIMITS) as cluster:
        async with asyncio.timeout(_PATIENCE_S):
            while True:
                found = (await cluster.refresh([name])).topics.get(name)
                led = [p for p in found.partitions if p.leader is not None] if found else []
                if len(led) == partitions:
                    break
                await asyncio.sleep(0.05)
            everything = [TopicPartition(name, PartitionId(number)) for number in range(partitions)]
            await ends(cluster, everything)  # a leader that knows of it, too


def _until_gone(there: Callable[[], list[str]]) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while names := there():
        if time.monotonic() > deadline:
            raise RuntimeError(f"still there: {', '.join(names)}")
        time.sleep(0.1)
