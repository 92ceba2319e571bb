"""Every fault is seen by a client: kferry's own transport, or confluent-kafka."""

import asyncio
import contextlib
import dataclasses
import itertools
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing

import pytest
from confluent_kafka import Consumer, Producer
from confluent_kafka import TopicPartition as Place
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from kferry.admin.configs import topic_configs
from kferry.config import ClusterSettings, load_properties
from kferry.names import BrokerId, PartitionId, TopicName, TopicPartition
from kferry.records import read_header, split_batches
from kferry.sandbox import Cluster as SandboxCluster
from kferry.sandbox import ClusterSpec, Sandbox
from kferry.sandbox.faults import Relay, Way, brokers, leaders, topics
from kferry.sandbox.faults.errors import CannotBreakError
from kferry.wire import (
    Cluster,
    ConnectionLost,
    Limits,
    RequestTimedOut,
    Unreachable,
    WireError,
    open_cluster,
)
from kferry.wire.fastpath import send_fetch
from kferry.wire.fetch import FetchFrom, FetchQuestion
from kferry.wire.metadata import ask_metadata

pytestmark = pytest.mark.own_brokers

PATIENT = Limits()
IMPATIENT = Limits(connect=2.0, request=1.0, retry=0.0)
TOPIC = TopicName("faults")
FIRST = TopicPartition(TOPIC, PartitionId(0))
RECORDS = 1_000
_names = itertools.count()


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """Three brokers to break, and one that stays alone."""
    with Sandbox.start(source=ClusterSpec(brokers=3)) as running:
        for cluster in (running.source, running.target):
            fill(cluster, TOPIC)
        yield running


def fill(cluster: SandboxCluster, topic: str) -> None:
    """Make a topic with 100,000 bytes in its first partition."""
    admin = AdminClient({"bootstrap.servers": cluster.bootstrap})
    wanted = NewTopic(topic, 2, len(cluster.brokers), config={"retention.bytes": "12345678"})
    admin.create_topics([wanted])[topic].result(30)
    producer = Producer({"bootstrap.servers": cluster.bootstrap, "linger.ms": 100})
    for number in range(RECORDS):
        producer.produce(topic, f"{number:05}".encode() * 20, partition=0)
    assert producer.flush(30) == 0


@pytest.fixture
def topic(sandbox: Sandbox) -> str:
    """A topic on three brokers that a test may spoil."""
    name = f"faults-{next(_names)}"
    fill(sandbox.source, name)
    return name


async def ask(settings: ClusterSettings, broker: int, limits: Limits = PATIENT) -> None:
    """Ask one broker something, and no other."""
    async with open_cluster(settings, PATIENT) as cluster:
        cluster.limits = limits
        connection = await cluster.connection(BrokerId(broker))
        await ask_metadata(connection, (), seconds=limits.request)


async def fetched(cluster: Cluster) -> int:
    """Fetch the first partition as far as one answer goes; return the number of records."""
    metadata = await cluster.refresh({TOPIC})
    leader = metadata.leader(FIRST)
    assert leader is not None
    wanted = FetchFrom(partition=FIRST, offset=0, max_bytes=10_000_000)
    question = FetchQuestion(
        partitions=[wanted], max_wait_ms=100, min_bytes=1, max_bytes=10_000_000
    )
    seconds = cluster.limits.request
    answer = await send_fetch(await cluster.connection(leader), question, seconds=seconds)
    (found,) = answer.partitions
    return sum(read_header(batch).count for batch in split_batches(found.records))


async def recovers(cluster: Cluster) -> None:
    """Fetch until it works again: a client does not come back at once to one that failed."""
    async with asyncio.timeout(30):
        while True:
            with contextlib.suppress(ConnectionLost, Unreachable, RequestTimedOut):
                assert await fetched(cluster) == RECORDS
                return
            await asyncio.sleep(0.05)


@asynccontextmanager
async def through_relay(
    sandbox: Sandbox, limits: Limits = PATIENT
) -> AsyncIterator[tuple[Relay, Cluster]]:
    """A client of the lone broker that knows it by its relay only."""
    direct = load_properties(sandbox.target.properties)
    (broker,) = direct.bootstrap
    async with Relay.to(broker) as relay:
        settings = dataclasses.replace(direct, address_map={broker: relay.address})
        async with open_cluster(settings, limits) as cluster:
            yield relay, cluster


# Brokers.


async def test_a_killed_broker_is_gone_and_comes_back(sandbox: Sandbox) -> None:
    settings = load_properties(sandbox.source.properties)
    brokers.find(sandbox.source, 2).kill()
    with pytest.raises((ConnectionLost, Unreachable)):
        await ask(settings, 2, IMPATIENT)


def test_a_dead_broker_is_started_again(sandbox: Sandbox) -> None:
    brokers.restart(sandbox.source, 2)
    assert sandbox.source.what_is_missing() == ""
    assert brokers.find(sandbox.source, 2).running


async def test_a_paused_broker_is_silent_until_it_is_resumed(sandbox: Sandbox) -> None:
    settings = load_properties(sandbox.source.properties)
    broker = brokers.find(sandbox.source, 3)
    broker.pause()
    try:
        with pytest.raises((RequestTimedOut, Unreachable)):
            await ask(settings, 3, IMPATIENT)
    finally:
        broker.resume()
    await ask(settings, 3)


def test_a_restarted_broker_is_another_process(sandbox: Sandbox) -> None:
    broker = brokers.find(sandbox.source, 1)
    former = broker.pid
    brokers.restart(sandbox.source, 1)
    assert broker.pid not in (None, former)


def test_there_must_be_such_a_broker(sandbox: Sandbox) -> None:
    with pytest.raises(CannotBreakError) as refused:
        brokers.find(sandbox.target, 2)
    assert refused.value.detail == "there are: 1"


# Leaders and topics.


async def test_a_leader_moves(sandbox: Sandbox, topic: str) -> None:
    partition = TopicPartition(TopicName(topic), PartitionId(0))
    former, following = await leaders.move_leader(sandbox.source, partition)
    assert former != following
    back = await leaders.move_leader(sandbox.source, partition, to=former)
    assert back == (following, former)
    admin = AdminClient({"bootstrap.servers": sandbox.source.bootstrap})
    assert admin.list_topics(topic, timeout=30).topics[topic].partitions[0].leader == former


async def test_a_lone_broker_leads_on(sandbox: Sandbox) -> None:
    with pytest.raises(CannotBreakError) as refused:
        await leaders.move_leader(sandbox.target, FIRST)
    assert "--brokers 3" in refused.value.hint


async def test_a_topic_is_another_one_of_the_same_name(sandbox: Sandbox, topic: str) -> None:
    name = TopicName(topic)
    async with open_cluster(load_properties(sandbox.source.properties)) as cluster:
        before = (await cluster.refresh({name})).topics[name]
        await topics.recreate(sandbox.source, topic)
        after = (await cluster.refresh({name})).topics[name]
        configs = (await topic_configs(cluster, [name]))[name]
    assert before.id != after.id
    assert len(before.partitions) == len(after.partitions)
    assert not isinstance(configs, WireError)
    assert configs["retention.bytes"].value == "12345678"
    assert bounds(sandbox.source, topic) == (0, 0)


def test_a_log_is_trimmed(sandbox: Sandbox, topic: str) -> None:
    assert topics.trim(sandbox.source, topic, 0, before=17) == 17
    assert bounds(sandbox.source, topic) == (17, RECORDS)
    assert topics.trim(sandbox.source, topic, 0, before=-1) == RECORDS
    with pytest.raises(CannotBreakError, match="2000"):
        topics.trim(sandbox.source, topic, 0, before=2_000)


async def test_only_what_is_there_can_be_broken(sandbox: Sandbox) -> None:
    nobody = TopicPartition(TopicName("nobody-knows-it"), PartitionId(0))
    with pytest.raises(CannotBreakError):
        await topics.recreate(sandbox.source, nobody.topic)
    with pytest.raises(CannotBreakError):
        await leaders.move_leader(sandbox.source, nobody)


def bounds(cluster: SandboxCluster, topic: str) -> tuple[int, int]:
    consumer = Consumer({"bootstrap.servers": cluster.bootstrap, "group.id": "judge"})
    with closing(consumer):
        low, high = consumer.get_watermark_offsets(Place(topic, 0), timeout=30)
    return low, high


# The relay.


@pytest.mark.both_loops
async def test_a_relay_passes_everything(sandbox: Sandbox) -> None:
    async with through_relay(sandbox) as (relay, cluster):
        assert await fetched(cluster) == RECORDS
        assert relay.accepted == relay.connections + 1  # the bootstrap's has been closed
        assert relay.passed(Way.ANSWERS) > 100_000


@pytest.mark.both_loops
async def test_a_cut_line_stays_cut_until_it_is_mended(sandbox: Sandbox) -> None:
    async with through_relay(sandbox, IMPATIENT) as (relay, cluster):
        assert await fetched(cluster) == RECORDS
        relay.cut()
        with pytest.raises((ConnectionLost, Unreachable)):
            await fetched(cluster)
        with pytest.raises((ConnectionLost, Unreachable)):
            await fetched(cluster)
        relay.mend()
        await recovers(cluster)


@pytest.mark.both_loops
async def test_a_connection_is_reset_in_the_middle_of_a_frame(sandbox: Sandbox) -> None:
    async with through_relay(sandbox) as (relay, cluster):
        assert await fetched(cluster) == RECORDS
        before = relay.passed(Way.ANSWERS)
        struck = relay.reset_after(50_000)
        with pytest.raises(ConnectionLost):
            await fetched(cluster)
        assert struck.is_set()
        assert relay.passed(Way.ANSWERS) == before + 50_000
        await recovers(cluster)  # it strikes once


async def test_a_reset_ends_what_is_there_and_nothing_else(sandbox: Sandbox) -> None:
    async with through_relay(sandbox) as (relay, cluster):
        connection = await cluster.any_connection()
        relay.reset()
        with pytest.raises(ConnectionLost):
            await ask_metadata(connection, (), seconds=30)
        await recovers(cluster)


async def test_stalled_answers_keep_their_requests(sandbox: Sandbox) -> None:
    async with through_relay(sandbox, IMPATIENT) as (relay, cluster):
        assert await fetched(cluster) == RECORDS
        asked, answered = relay.passed(Way.REQUESTS), relay.passed(Way.ANSWERS)
        relay.stall(Way.ANSWERS)
        with pytest.raises(RequestTimedOut):
            await ask_metadata(await cluster.any_connection(), (), seconds=1)
        assert relay.passed(Way.REQUESTS) > asked
        assert relay.passed(Way.ANSWERS) == answered
        relay.mend()
        await recovers(cluster)


@pytest.mark.parametrize("slowness", [{"bytes_per_second": 5_000.0}, {"latency": 3.0}])
async def test_a_slow_line_is_too_slow_for_the_impatient(
    sandbox: Sandbox, slowness: dict[str, float]
) -> None:
    async with through_relay(sandbox, IMPATIENT) as (relay, cluster):
        assert await fetched(cluster) == RECORDS
        relay.slow(**slowness)
        with pytest.raises((RequestTimedOut, Unreachable)):
            await fetched(cluster)
        relay.mend()
        await recovers(cluster)


async def test_latency_costs_no_throughput(sandbox: Sandbox) -> None:
    async with through_relay(sandbox) as (relay, cluster):
        relay.slow(latency=0.2)
        assert await fetched(cluster) == RECORDS


async def test_a_relay_to_a_dead_broker_refuses(sandbox: Sandbox) -> None:
    direct = load_properties(sandbox.target.properties)
    (broker,) = direct.bootstrap
    nobody = broker._replace(port=1)
    async with Relay.to(nobody) as relay:
        settings = dataclasses.replace(direct, bootstrap=(relay.address,))
        with pytest.raises(WireError):
            async with open_cluster(settings, IMPATIENT):
                pass
