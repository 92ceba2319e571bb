"""Who a producer is, and how an empty aborted transaction shuts the former one out."""

import uuid
from collections.abc import AsyncIterator

import pytest
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic
from machine import PATIENCE_S
from test_fast_path import LIMITS

from kferry.admin.offsets import ListedOffset, Place, list_offsets
from kferry.admin.producer_ids import (
    Fenced,
    ProducerIdentity,
    abort_empty_transaction,
    init_producer_id,
)
from kferry.config import load_properties
from kferry.errors import ExitCode
from kferry.names import PartitionId, TopicName, TopicPartition
from kferry.records import Codec, Record, Stamp, encode, read_header, split_batches
from kferry.sandbox import Sandbox
from kferry.wire import BrokerError, Cluster, open_cluster
from kferry.wire.fastpath import send_fetch, send_produce
from kferry.wire.fetch import READ_UNCOMMITTED, FetchFrom, FetchQuestion
from kferry.wire.produce import Batch

INVALID_PRODUCER_EPOCH = 47
UNKNOWN_TOPIC = 3
NOW = 1_700_000_000_000


@pytest.fixture(params=["plain", "old"])
def sandbox(request: pytest.FixtureRequest) -> Sandbox:
    found: Sandbox = request.getfixturevalue(request.param)
    return found


@pytest.fixture
async def cluster(sandbox: Sandbox) -> AsyncIterator[Cluster]:
    """A target: 4.3.1, and 1.1.1."""
    async with open_cluster(load_properties(sandbox.target.properties), LIMITS) as cluster:
        yield cluster


@pytest.fixture
async def partitions(sandbox: Sandbox, cluster: Cluster) -> list[TopicPartition]:
    """A topic of three, whose leaders know that they are."""
    name = TopicName(f"pids-{uuid.uuid4().hex[:8]}")
    admin = AdminClient({"bootstrap.servers": sandbox.target.bootstrap})
    admin.create_topics([NewTopic(name, 3, 1)])[name].result(20)
    partitions = [TopicPartition(name, PartitionId(number)) for number in range(3)]
    for partition in partitions:
        assert await end_of(cluster, partition) == 0
    return partitions


@pytest.fixture
def own_id() -> str:
    return f"pids-{uuid.uuid4().hex[:8]}"


def nowhere() -> TopicPartition:
    return TopicPartition(TopicName(f"pids-{uuid.uuid4().hex[:8]}"), PartitionId(0))


async def produce(
    cluster: Cluster, partition: TopicPartition, identity: ProducerIdentity, sequence: int
) -> tuple[int, int]:
    """Send one plain record; return error and offset."""
    record = Record(0, NOW, b"key", b"value", ())
    batch = encode([record], Codec.NONE, Stamp(identity.id, identity.epoch, sequence))
    connection = await cluster.any_connection()
    answer = await send_produce(connection, [Batch(partition, [batch])], seconds=PATIENCE_S)
    return answer.partitions[0].error_code, answer.partitions[0].base_offset


async def marked_at(cluster: Cluster, partition: TopicPartition, offset: int) -> None:
    """Wait until a marker lies at this offset."""
    connection = await cluster.any_connection()
    question = FetchQuestion(
        partitions=[FetchFrom(partition=partition, offset=offset, max_bytes=1 << 20)],
        max_wait_ms=int(PATIENCE_S * 1000),
        min_bytes=1,
        max_bytes=1 << 20,
        isolation=READ_UNCOMMITTED,
    )
    answer = await send_fetch(connection, question, seconds=PATIENCE_S + 5)
    header = read_header(next(split_batches(answer.partitions[0].records)))
    assert (header.base_offset, header.control) == (offset, True)


async def end_of(cluster: Cluster, partition: TopicPartition) -> int:
    listed = (await list_offsets(cluster, [partition], Place.END))[partition]
    assert isinstance(listed, ListedOffset)
    return listed.offset


async def test_a_transactional_id_keeps_its_producer_id_and_gets_the_next_epoch(
    cluster: Cluster, own_id: str
) -> None:
    first = await init_producer_id(cluster, own_id)
    second = await init_producer_id(cluster, own_id)
    assert (second.id, second.epoch) == (first.id, first.epoch + 1)


async def test_a_producer_without_a_name_is_a_new_one_each_time(cluster: Cluster) -> None:
    identities = [await init_producer_id(cluster, None) for _ in range(3)]
    assert {one.epoch for one in identities} == {0}
    assert len({one.id for one in identities}) == 3


async def test_an_empty_aborted_transaction_leaves_one_marker_and_fences_the_older_epoch(
    cluster: Cluster, partitions: list[TopicPartition], own_id: str
) -> None:
    former = await init_producer_id(cluster, own_id)
    for partition in partitions:
        assert await produce(cluster, partition, former, 0) == (0, 0)
    owner = await init_producer_id(cluster, own_id)
    outcomes = await abort_empty_transaction(cluster, own_id, owner, partitions)
    assert outcomes == dict.fromkeys(partitions)
    for partition in partitions:
        await marked_at(cluster, partition, 1)
        assert (await produce(cluster, partition, former, 1))[0] == INVALID_PRODUCER_EPOCH
        assert await produce(cluster, partition, owner, 0) == (0, 2)
        assert await produce(cluster, partition, owner, 1) == (0, 3)


async def test_partitions_that_do_not_exist_do_not_keep_the_others_from_their_marker(
    cluster: Cluster, partitions: list[TopicPartition], own_id: str
) -> None:
    beyond = TopicPartition(partitions[0].topic, PartitionId(7))
    missing = nowhere()
    identity = await init_producer_id(cluster, own_id)
    outcomes = await abort_empty_transaction(
        cluster, own_id, identity, [beyond, missing, *partitions]
    )
    outcome = outcomes.pop(missing)
    assert isinstance(outcome, BrokerError)
    assert outcome.error_code == UNKNOWN_TOPIC
    outcomes.pop(beyond)  # 1.1.1 looks at topics alone and takes it
    assert outcomes == dict.fromkeys(partitions)
    for partition in partitions:
        await marked_at(cluster, partition, 0)


async def test_nothing_to_mark_leaves_no_transaction_behind(
    cluster: Cluster, partitions: list[TopicPartition], own_id: str
) -> None:
    missing = nowhere()
    identity = await init_producer_id(cluster, own_id)
    assert await abort_empty_transaction(cluster, own_id, identity, []) == {}
    outcomes = await abort_empty_transaction(cluster, own_id, identity, [missing])
    assert isinstance(outcomes[missing], BrokerError)
    outcomes = await abort_empty_transaction(cluster, own_id, identity, partitions)
    assert outcomes == dict.fromkeys(partitions)
    await marked_at(cluster, partitions[0], 0)


async def test_transactions_in_a_row_do_not_stumble_over_each_other(
    cluster: Cluster, partitions: list[TopicPartition], own_id: str
) -> None:
    identity = await init_producer_id(cluster, own_id)
    for _ in range(20):
        outcomes = await abort_empty_transaction(cluster, own_id, identity, partitions)
        assert outcomes == dict.fromkeys(partitions)
    for partition in partitions:
        await marked_at(cluster, partition, 19)
        assert await end_of(cluster, partition) == 20


async def test_more_partitions_than_one_request_takes_are_one_transaction(
    cluster: Cluster, partitions: list[TopicPartition], own_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kferry.admin.producer_ids._CHUNK", 2)
    missing = nowhere()
    identity = await init_producer_id(cluster, own_id)
    outcomes = await abort_empty_transaction(cluster, own_id, identity, [*partitions, missing])
    assert isinstance(outcomes.pop(missing), BrokerError)
    assert outcomes == dict.fromkeys(partitions)
    for partition in partitions:
        await marked_at(cluster, partition, 0)


async def test_a_former_owner_is_told_that_it_is_one(
    cluster: Cluster, partitions: list[TopicPartition], own_id: str
) -> None:
    former = await init_producer_id(cluster, own_id)
    await init_producer_id(cluster, own_id)
    with pytest.raises(Fenced, match=own_id) as caught:
        await abort_empty_transaction(cluster, own_id, former, partitions)
    assert caught.value.exit_code is ExitCode.LEDGER_HELD
    assert await end_of(cluster, partitions[0]) == 0


async def test_a_refused_identity_is_an_error_and_not_tried_for_long(cluster: Cluster) -> None:
    with pytest.raises(BrokerError, match="INVALID_TRANSACTION_TIMEOUT"):
        await init_producer_id(cluster, "pids-refused", timeout_ms=2_000_000_000)
