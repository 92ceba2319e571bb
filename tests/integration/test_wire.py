"""The transport on real brokers: three of them, one of which dies, stalls or hands over."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable, Iterator

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic
from kafka.protocol.consumer import ListOffsetsRequest, ListOffsetsResponse

from kferry.admin.offsets import ListedOffset, Place, list_offsets
from kferry.config import load_properties
from kferry.names import BrokerId, PartitionId, TopicName, TopicPartition
from kferry.sandbox import ClusterSpec, Sandbox
from kferry.wire import (
    BrokerError,
    Cluster,
    ConnectionLost,
    Limits,
    RequestTimedOut,
    Unreachable,
    WireError,
    at_leaders,
    open_cluster,
)
from kferry.wire.fastpath import send_fetch
from kferry.wire.fetch import FetchFrom, FetchQuestion

NOT_LEADER = 6

pytestmark = pytest.mark.own_brokers

LIMITS = Limits(connect=3.0, request=10.0, retry=40.0)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox.start(
        name=f"wire-{uuid.uuid4().hex[:8]}", source=ClusterSpec(brokers=3), target=ClusterSpec()
    ) as running:
        yield running


@pytest.fixture
async def cluster(sandbox: Sandbox) -> AsyncIterator[Cluster]:
    async with open_cluster(load_properties(sandbox.source.properties), LIMITS) as cluster:
        yield cluster


@pytest.fixture
def topic(sandbox: Sandbox) -> TopicName:
    """A topic with 6 partitions on 3 brokers and 10 records in each."""
    name = TopicName(f"wire-{uuid.uuid4().hex[:8]}")
    admin = AdminClient({"bootstrap.servers": sandbox.source.bootstrap})
    admin.create_topics([NewTopic(name, num_partitions=6, replication_factor=3)])[name].result(20)
    producer = Producer({"bootstrap.servers": sandbox.source.bootstrap, "acks": "all"})
    for partition in range(6):
        for number in range(10):
            producer.produce(name, f"{partition}/{number}".encode(), partition=partition)
    assert producer.flush(30) == 0
    return name


def all_of(topic: TopicName) -> list[TopicPartition]:
    return [TopicPartition(topic, PartitionId(number)) for number in range(6)]


def leader_of(cluster: Cluster, topic: TopicName, partition: int) -> BrokerId:
    leader = cluster.metadata.leader(TopicPartition(topic, PartitionId(partition)))
    assert leader is not None
    return leader


async def eventually(check: Callable[[], bool], *, seconds: float = 40.0) -> None:
    async with asyncio.timeout(seconds):
        while not check():
            await asyncio.sleep(0.05)


async def ready(sandbox: Sandbox) -> None:
    """Wait until all three brokers are back and every partition has all its replicas."""
    async with asyncio.timeout(60):
        while await asyncio.to_thread(sandbox.source.what_is_missing):
            await asyncio.sleep(0.1)
        async with open_cluster(load_properties(sandbox.source.properties), LIMITS) as cluster:
            while any(
                partition.under_replicated
                for topic in (await cluster.refresh(None)).topics.values()
                for partition in topic.partitions
            ):
                await asyncio.sleep(0.1)


def long_poll(partition: TopicPartition) -> FetchQuestion:
    """Ask at the end of the log: the broker holds the answer back."""
    return FetchQuestion(
        partitions=[FetchFrom(partition=partition, offset=10, max_bytes=1 << 20)],
        max_wait_ms=9_000,
        min_bytes=1,
        max_bytes=1 << 20,
    )


async def test_every_partition_is_asked_of_its_own_leader(
    cluster: Cluster, topic: TopicName
) -> None:
    ends = await list_offsets(cluster, all_of(topic), Place.END)
    assert [listed.offset for listed in ends.values() if isinstance(listed, ListedOffset)] == [
        10
    ] * 6
    assert {leader_of(cluster, topic, number) for number in range(6)} == set(
        cluster.metadata.brokers
    )


async def test_one_unknown_partition_is_its_own_error_and_nobody_elses(
    cluster: Cluster, topic: TopicName
) -> None:
    missing = TopicPartition(topic, PartitionId(99))
    impatient = Cluster(cluster.settings, Limits(connect=3.0, request=10.0, retry=0.2))
    await impatient.start()
    try:
        ends = await list_offsets(impatient, [*all_of(topic), missing], Place.END)
    finally:
        impatient.close()
    unknown = ends.pop(missing)
    assert isinstance(unknown, BrokerError)
    assert unknown.name == "UNKNOWN_TOPIC_OR_PARTITION"
    assert all(isinstance(listed, ListedOffset) for listed in ends.values())


async def test_a_broker_that_dies_mid_request_fails_it_and_the_new_leader_is_found(
    sandbox: Sandbox, cluster: Cluster, topic: TopicName
) -> None:
    partition = TopicPartition(topic, PartitionId(0))
    await cluster.refresh([topic])
    leader = leader_of(cluster, topic, 0)
    connection = await cluster.connection(leader)
    waiting = asyncio.create_task(send_fetch(connection, long_poll(partition), seconds=30))
    await eventually(lambda: connection.in_flight == 1)
    broker = sandbox.source.brokers[leader - 1]
    broker.kill()
    try:
        with pytest.raises(ConnectionLost, match="Fetch") as caught:
            await waiting
        assert str(connection.address) in str(caught.value)
        ends = await list_offsets(cluster, all_of(topic), Place.END)
        offsets = {p: listed for p, listed in ends.items() if isinstance(listed, ListedOffset)}
        assert [listed.offset for listed in offsets.values()] == [10] * 6
        assert leader_of(cluster, topic, 0) != leader
    finally:
        broker.start()
        await ready(sandbox)


async def test_a_stalled_broker_is_a_time_out_and_others_are_asked_instead(
    sandbox: Sandbox, cluster: Cluster, topic: TopicName
) -> None:
    await cluster.refresh([topic])
    leader = leader_of(cluster, topic, 0)
    connection = await cluster.connection(leader)
    for other in cluster.metadata.brokers:
        await cluster.connection(other)
    broker = sandbox.source.brokers[leader - 1]
    broker.pause()
    try:
        with pytest.raises(RequestTimedOut, match=r"Fetch within 1 s"):
            await send_fetch(
                connection, long_poll(TopicPartition(topic, PartitionId(0))), seconds=1
            )
        assert connection.closed
        assert topic in (await cluster.refresh([topic])).topics
    finally:
        broker.resume()
        await ready(sandbox)


async def test_a_leader_that_hands_over_is_followed(
    sandbox: Sandbox, cluster: Cluster, topic: TopicName
) -> None:
    await cluster.refresh([topic])
    before = leader_of(cluster, topic, 0)
    broker = sandbox.source.brokers[before - 1]
    await asyncio.to_thread(broker.stop)  # a clean stop hands leadership over first
    try:
        ends = await list_offsets(cluster, all_of(topic), Place.END)
        assert all(isinstance(listed, ListedOffset) for listed in ends.values())
        assert leader_of(cluster, topic, 0) != before
    finally:
        broker.start()
        await ready(sandbox)


async def test_whoever_answers_not_me_is_not_believed_but_the_leader_is_found(
    cluster: Cluster, topic: TopicName
) -> None:
    partition = TopicPartition(topic, PartitionId(0))
    codes: list[int] = []

    async def ask(
        leader: BrokerId, own: list[TopicPartition]
    ) -> dict[TopicPartition, int | WireError]:
        # The first time the question goes astray, as it does when a leader moved a moment ago.
        asked = leader if codes else next(b for b in cluster.metadata.brokers if b != leader)
        topics = ListOffsetsRequest.ListOffsetsTopic
        one = topics.ListOffsetsPartition(partition_index=0, timestamp=int(Place.END))
        request = ListOffsetsRequest(
            replica_id=-1, isolation_level=0, topics=[topics(name=topic, partitions=[one])]
        )
        answer = await cluster.at_broker(asked, request, ListOffsetsResponse)
        found = answer.topics[0].partitions[0]
        codes.append(found.error_code)
        refused = BrokerError(found.error_code, str(partition))
        return {own[0]: refused if found.error_code else int(found.offset)}

    outcomes = await at_leaders(cluster, [partition], ask)
    assert codes == [NOT_LEADER, 0]
    assert outcomes == {partition: 10}


async def test_a_broker_that_left_the_cluster_is_named(cluster: Cluster) -> None:
    with pytest.raises(Unreachable, match="broker 99"):
        await cluster.connection(BrokerId(99))
