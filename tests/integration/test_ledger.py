"""The ledger on real brokers: written by its owner, read by anybody, made once."""

import asyncio
import json
import time
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager

import pytest
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, Producer
from confluent_kafka import TopicPartition as Place
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic
from machine import PATIENCE_S
from test_fast_path import LIMITS
from topic_making import delete

from kferry.admin.producer_ids import (
    ProducerIdentity,
    abort_empty_transaction,
    init_producer_id,
)
from kferry.config import load_properties
from kferry.errors import ExitCode
from kferry.ledger import (
    LedgerDoubt,
    LedgerLost,
    LedgerNotCreated,
    LedgerRefused,
    LedgerTail,
    LedgerTooNew,
    LedgerTopic,
    LedgerUnfit,
    SlotWriter,
    append,
    create_ledger,
    find_ledgers,
    ledger_topic,
    open_ledger,
    read_ledger,
)
from kferry.ledger.packing import MOST_BYTES
from kferry.sandbox import ClusterSpec, Sandbox
from kferry.sandbox.cluster import Cluster as SandboxCluster
from kferry.wire import Cluster, Limits, open_cluster

COMPACT = {"cleanup.policy": "compact"}


def opened(side: SandboxCluster, limits: Limits = LIMITS) -> AbstractAsyncContextManager[Cluster]:
    return open_cluster(load_properties(side.properties), limits)


@pytest.fixture(params=["plain", "old"])
def side(request: pytest.FixtureRequest) -> SandboxCluster:
    """A target: 4.3.1, and 1.1.1."""
    sandbox: Sandbox = request.getfixturevalue(request.param)
    return sandbox.target


@pytest.fixture
async def cluster(side: SandboxCluster) -> AsyncIterator[Cluster]:
    async with opened(side) as cluster:
        yield cluster


@pytest.fixture
def migration() -> str:
    return f"test-{uuid.uuid4().hex[:8]}"


@pytest.fixture
async def ledger(cluster: Cluster, migration: str) -> LedgerTopic:
    return await create_ledger(cluster, migration, slots=3)


def admin(side: SandboxCluster) -> AdminClient:
    return AdminClient({"bootstrap.servers": side.bootstrap})


def make(side: SandboxCluster, migration: str, slots: int, config: dict[str, str]) -> str:
    name = ledger_topic(migration)
    client = admin(side)  # it must outlive the call
    client.create_topics([NewTopic(name, slots, 1, config=config)])[name].result(20)
    return name


def raw(side: SandboxCluster, ledger: LedgerTopic, slot: int) -> list[str]:
    """Return the keys in the log, in order, as another client sees them."""
    consumer = Consumer(
        {
            "bootstrap.servers": side.bootstrap,
            "group.id": f"judge-{uuid.uuid4().hex}",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "isolation.level": "read_uncommitted",
        }
    )
    consumer.assign([Place(ledger.topic, slot, OFFSET_BEGINNING)])
    keys: list[str] = []
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        message = consumer.poll(1)
        if message is None:
            continue
        if (error := message.error()) is None:
            keys.append((message.key() or b"").decode())
        elif error.code() == KafkaError._PARTITION_EOF:
            consumer.close()
            return keys
    raise AssertionError("the end was not reached")


def put(side: SandboxCluster, topic: str, slot: int, pairs: Sequence[tuple[str, bytes]]) -> None:
    producer = Producer({"bootstrap.servers": side.bootstrap})
    for key, value in pairs:
        producer.produce(topic, value, key=key, partition=slot)
    assert producer.flush(PATIENCE_S) == 0


async def owner(
    cluster: Cluster, ledger: LedgerTopic, slot: int, *, fence: bool = True
) -> tuple[SlotWriter, ProducerIdentity]:
    """Take a slot over."""
    own_id = f"{ledger.migration}-{slot}"
    identity = await init_producer_id(cluster, own_id)
    if fence:
        partition = ledger.partition(slot)
        done = await abort_empty_transaction(cluster, own_id, identity, [partition])
        assert done == {partition: None}
    return SlotWriter(cluster, ledger, slot, own_id, identity), identity


async def values(cluster: Cluster, ledger: LedgerTopic, slot: int) -> dict[str, object]:
    contents = await read_ledger(cluster, ledger, [slot])
    assert not contents.unreadable
    return {key: (one.value or {}).get("n") for key, one in contents[slot].items()}


async def test_what_its_owner_writes_is_read_back_by_key(
    cluster: Cluster, ledger: LedgerTopic
) -> None:
    writer, _ = await owner(cluster, ledger, 1)
    before = time.time() * 1000
    await writer.write([[("a", {"n": 1}), ("b", {"n": 2})], [("c", {"n": 3})]])
    await writer.write([[("a", {"n": 4}), ("c", None)], []])
    await writer.write([])
    contents = await read_ledger(cluster, ledger)
    assert {slot: sorted(found) for slot, found in contents.items()} == {
        0: [],
        1: ["a", "b"],
        2: [],
    }
    found = contents[1]["a"]
    assert (found.key, found.value, found.slot) == ("a", {"v": 1, "n": 4}, 1)
    assert contents[1]["b"].offset < found.offset < contents.ends[1]
    assert abs(found.timestamp - before) < PATIENCE_S * 1000
    assert contents.ends[0] == contents.ends[2] == 0


async def test_documents_span_as_many_batches_and_fetches_as_they_need(
    cluster: Cluster, ledger: LedgerTopic
) -> None:
    writer, _ = await owner(cluster, ledger, 0)
    text = "x" * (MOST_BYTES // 10)
    await writer.write([[(f"{n}", {"n": n, "text": text})] for n in range(60)])
    await writer.write([[(f"{n}", {"n": -n, "text": text})] for n in range(0, 60, 2)])
    expected = {f"{n}": n if n % 2 else -n for n in range(60)}
    assert await values(cluster, ledger, 0) == expected


async def test_a_newer_owner_shuts_the_former_one_out(
    side: SandboxCluster, cluster: Cluster, ledger: LedgerTopic
) -> None:
    former, _ = await owner(cluster, ledger, 0)
    await former.write([[("a", {"n": 1})]])
    newer, _ = await owner(cluster, ledger, 0)
    await newer.write([[("a", {"n": 2})]])
    with pytest.raises(LedgerLost, match=f"{ledger.migration}-0") as caught:
        await former.write([[("a", {"n": 3})]])
    with pytest.raises(LedgerLost):
        await former.write([[("a", {"n": 3})]])
    assert caught.value.exit_code is ExitCode.LEDGER_HELD
    assert "kferry" in caught.value.hint
    await newer.write([[("b", {"n": 4})]])
    assert await values(cluster, ledger, 0) == {"a": 2, "b": 4}
    assert raw(side, ledger, 0) == ["a", "a", "b"]


async def test_markers_between_documents_are_passed_over(
    cluster: Cluster, ledger: LedgerTopic
) -> None:
    for n in range(5):
        writer, _ = await owner(cluster, ledger, 2)
        await writer.write([[(f"{n}", {"n": n})]])
    await owner(cluster, ledger, 2)  # so that the log ends with one
    assert await values(cluster, ledger, 2) == {f"{n}": n for n in range(5)}


async def test_an_answer_that_was_lost_leaves_no_second_copy(
    side: SandboxCluster, cluster: Cluster, ledger: LedgerTopic
) -> None:
    writer, _ = await owner(cluster, ledger, 0, fence=False)
    await writer.write([[("warm", {})]])
    for n in range(5):
        connection = await cluster.any_connection()
        assert connection._transport is not None
        connection._transport.pause_reading()
        writing = asyncio.create_task(writer.write([[(f"{n}", {"n": n})]]))
        async with opened(side) as other:
            while (await read_ledger(other, ledger, [0])).ends[0] != n + 2:
                pass
        connection.abort()
        await writing
    assert raw(side, ledger, 0) == ["warm", *map(str, range(5))]


async def test_a_question_that_may_not_have_arrived_is_put_again(
    side: SandboxCluster, cluster: Cluster, ledger: LedgerTopic
) -> None:
    writer, _ = await owner(cluster, ledger, 0)
    await writer.write([[("warm", {})]])
    for n in range(5):
        connection = await cluster.any_connection()
        writing = asyncio.create_task(writer.write([[(f"{n}", {"n": n})]]))
        while not connection.in_flight:
            await asyncio.sleep(0)
        connection.abort()
        await writing
    assert raw(side, ledger, 0) == ["warm", *map(str, range(5))]


async def test_a_call_that_was_cut_off_is_completed_by_the_next(
    side: SandboxCluster, cluster: Cluster, ledger: LedgerTopic
) -> None:
    writer, _ = await owner(cluster, ledger, 0)
    await writer.write([[("warm", {})]])
    connection = await cluster.any_connection()
    writing = asyncio.create_task(writer.write([[("a", {}), ("b", {})]]))
    while not connection.in_flight:
        await asyncio.sleep(0)
    writing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writing
    await writer.write([[("c", {})]])
    assert raw(side, ledger, 0) == ["warm", "a", "b", "c"]


async def test_calls_at_the_same_time_wait_for_each_other(
    cluster: Cluster, ledger: LedgerTopic
) -> None:
    writer, _ = await owner(cluster, ledger, 0)
    await asyncio.gather(*(writer.write([[(f"{n}", {"n": n})]]) for n in range(50)))
    assert await values(cluster, ledger, 0) == {f"{n}": n for n in range(50)}


async def test_a_new_epoch_needs_no_fence_to_begin_at_sequence_0(
    cluster: Cluster, ledger: LedgerTopic
) -> None:
    for n in range(3):
        writer, _ = await owner(cluster, ledger, 0, fence=False)
        await writer.write([[("a", {"n": n})]])
    assert await values(cluster, ledger, 0) == {"a": 2}


async def test_anybody_may_append_beside_the_owner(cluster: Cluster, ledger: LedgerTopic) -> None:
    writer, _ = await owner(cluster, ledger, 0)
    await append(cluster, ledger, 0, [("wish", {"n": 1})])
    await writer.write([[("own", {"n": 2})]])
    await append(cluster, ledger, 0, [("wish", {"n": 3}), ("other", {"n": 4}), ("own", None)])
    await writer.write([[("more", {"n": 5})]])
    assert await values(cluster, ledger, 0) == {"wish": 3, "other": 4, "more": 5}


async def test_acknowledged_documents_that_are_gone_are_not_written_past(
    old: Sandbox, migration: str
) -> None:
    # A log that may be cut off from its start, and a broker that then forgets its producers.
    topic = make(old.target, migration, 1, {"cleanup.policy": "delete"})
    async with opened(old.target) as cluster:
        ledger = await open_ledger(cluster, migration)
        assert ledger is not None
        writer, _ = await owner(cluster, ledger, 0, fence=False)
        await writer.write([[("a", {})], [("b", {})]])
        client = admin(old.target)
        for future in client.delete_records([Place(topic, 0, 2)]).values():
            future.result(20)
        with pytest.raises(LedgerDoubt) as caught:
            await writer.write([[("c", {})]])
        with pytest.raises(LedgerDoubt):
            await writer.write([[("c", {})]])
    assert caught.value.exit_code is ExitCode.TRY_AGAIN
    assert raw(old.target, ledger, 0) == []


async def test_a_document_the_topic_does_not_take_is_named_and_the_writer_goes_on(
    side: SandboxCluster, cluster: Cluster, migration: str
) -> None:
    make(side, migration, 1, COMPACT | {"max.message.bytes": "2000"})
    ledger = await create_ledger(cluster, migration)
    writer, _ = await owner(cluster, ledger, 0)
    await writer.write([[("a", {"n": 1})]])
    with pytest.raises(LedgerRefused, match=r"TOO_LARGE") as caught:
        await writer.write([[("b", {"n": 2, "text": "x" * 3000})], [("c", {"n": 3})]])
    assert "max.message.bytes" in caught.value.hint
    with pytest.raises(LedgerRefused):
        await append(cluster, ledger, 0, [("b", {"text": "x" * 3000})])
    await writer.write([[("d", {"n": 4})]])
    assert await values(cluster, ledger, 0) == {"a": 1, "d": 4}


async def test_a_compacted_ledger_says_the_same(
    side: SandboxCluster, cluster: Cluster, migration: str
) -> None:
    quickly = {
        "segment.ms": "100",
        "min.cleanable.dirty.ratio": "0.001",
        "delete.retention.ms": "0",
    }
    make(side, migration, 1, COMPACT | quickly)
    ledger = await create_ledger(cluster, migration)
    former, _ = await owner(cluster, ledger, 0)
    await former.write([[("only 0", {"n": 0})]])
    original = (await read_ledger(cluster, ledger))[0]["only 0"]
    for n in range(1, 31):
        await former.write([[(f"{n % 3}", {"n": n}), (f"only {n}", {"n": n})]])
    await former.write([[(f"only {n}", None)] for n in range(1, 31)])
    writer, _ = await owner(cluster, ledger, 0)
    expected: dict[str, object] = {"0": 30, "1": 28, "2": 29, "only 0": 0}
    written = 1 + 30 * 2 + 30
    async with asyncio.timeout(PATIENCE_S):
        round_ = 0
        while len(raw(side, ledger, 0)) > len(expected) + 2:  # the newest is never cleaned
            round_ += 1
            await writer.write([[("round", {"n": round_})]])
            assert await values(cluster, ledger, 0) == {**expected, "round": round_}
            await asyncio.sleep(0.2)
    contents = await read_ledger(cluster, ledger)
    assert contents.ends[0] > written
    assert contents[0]["only 0"] == original
    await writer.write([[("last", {"n": 0})]])
    assert await values(cluster, ledger, 0) == {**expected, "round": round_, "last": 0}


async def test_the_tail_brings_what_came_after_the_reading(
    cluster: Cluster, ledger: LedgerTopic
) -> None:
    writer, _ = await owner(cluster, ledger, 0)
    await writer.write([[("a", {"n": 1})]])
    contents = await read_ledger(cluster, ledger)
    tail = LedgerTail(cluster, ledger, range(3), contents.ends)
    late = LedgerTail(cluster, ledger, [0, 2])
    assert await tail.poll(seconds=0) == await late.poll(seconds=0) == []
    polling = asyncio.create_task(tail.poll(seconds=PATIENCE_S))
    await writer.write([[("a", None), ("b", {"n": 2})]])
    await append(cluster, ledger, 2, [("wish", {"n": 3})])
    seen = await polling
    while len(seen) < 3:
        seen += await tail.poll(seconds=PATIENCE_S)
    found = {(one.slot, one.key): one.value for one in seen}
    assert found == {(0, "a"): None, (0, "b"): {"v": 1, "n": 2}, (2, "wish"): {"v": 1, "n": 3}}
    seen = await late.poll(seconds=PATIENCE_S)
    assert {one.key for one in seen} <= {"a", "b", "wish"}
    assert await tail.poll(seconds=0.3) == []


async def test_the_tail_waits_without_holding_up_who_writes(
    cluster: Cluster, ledger: LedgerTopic
) -> None:
    tail = LedgerTail(cluster, ledger, range(3))
    await tail.poll(seconds=0)
    polling = asyncio.create_task(tail.poll(seconds=PATIENCE_S))
    for n in range(20):  # on the same connection; a broker that waited would end this test
        await append(cluster, ledger, 0, [("a", {"n": n})])
    assert (await polling)[0].key == "a"


async def test_what_is_no_document_is_left_out_and_named(
    side: SandboxCluster, cluster: Cluster, ledger: LedgerTopic
) -> None:
    await append(cluster, ledger, 1, [("a", {"n": 1})])
    put(side, ledger.topic, 1, [("a", b"not JSON"), ("b", b"[1]"), ("c", b"{}"), ("d", b'{"v":1}')])
    tail = LedgerTail(cluster, ledger, [1], {1: 0})
    contents = await read_ledger(cluster, ledger)
    assert {key: one.value for key, one in contents[1].items()} == {
        "a": {"v": 1, "n": 1},
        "d": {"v": 1},
    }
    assert [(one.slot, one.offset) for one in contents.unreadable] == [(1, 1), (1, 2), (1, 3)]
    assert [one.key for one in await tail.poll(seconds=PATIENCE_S)] == ["a", "d"]
    assert tail.unreadable == contents.unreadable


async def test_what_a_later_release_wrote_is_not_misread(
    side: SandboxCluster, cluster: Cluster, ledger: LedgerTopic
) -> None:
    put(side, ledger.topic, 0, [("a", json.dumps({"v": 2}).encode())])
    try:
        with pytest.raises(LedgerTooNew):
            await read_ledger(cluster, ledger)
        assert await read_ledger(cluster, ledger, [1, 2]) == {1: {}, 2: {}}
    finally:  # whoever looks through all ledgers of this cluster would stop at it
        delete(side, ledger.topic)


async def test_looking_for_ledgers_creates_none(
    side: SandboxCluster, cluster: Cluster, ledger: LedgerTopic, migration: str
) -> None:
    before = set(admin(side).list_topics(timeout=20).topics)
    assert await open_ledger(cluster, f"{migration}-other") is None
    found = await find_ledgers(cluster)
    assert migration in found
    assert found == sorted(found)
    assert await open_ledger(cluster, migration) == ledger
    assert set(admin(side).list_topics(timeout=20).topics) == before


async def test_a_ledger_is_made_once_and_compacted(
    side: SandboxCluster, cluster: Cluster, migration: str
) -> None:
    made = await asyncio.gather(*(create_ledger(cluster, migration, slots=2) for _ in range(3)))
    assert set(made) == {LedgerTopic(migration=migration, topic=made[0].topic, slots=2)}
    assert await create_ledger(cluster, migration, slots=5) == made[0]
    await append(cluster, made[0], 1, [("a", {})])  # every slot has a leader
    with pytest.raises(ValueError, match="slot 2 of 2"):
        await append(cluster, made[0], 2, [("a", {})])


async def test_a_topic_that_would_forget_is_no_ledger(
    side: SandboxCluster, cluster: Cluster, migration: str
) -> None:
    topic = make(side, migration, 1, {"cleanup.policy": "compact,delete"})
    with pytest.raises(LedgerUnfit, match="compact,delete") as caught:
        await create_ledger(cluster, migration)
    assert "kafka-configs" in caught.value.hint
    assert topic in caught.value.hint


async def test_a_ledger_that_cannot_be_made_comes_with_the_command_for_who_can(
    cluster: Cluster, migration: str
) -> None:
    with pytest.raises(LedgerNotCreated, match="REPLICATION") as caught:
        await create_ledger(cluster, migration, replication=3)
    assert f"kafka-topics --create --topic {ledger_topic(migration)}" in caught.value.hint
    assert await open_ledger(cluster, migration) is None


@pytest.mark.own_brokers
async def test_leaders_that_move_are_followed_by_who_writes_and_who_reads(migration: str) -> None:
    with Sandbox.start(
        name=f"ledger-{uuid.uuid4().hex[:8]}", source=ClusterSpec(brokers=3)
    ) as sandbox:
        side = sandbox.source
        async with opened(side, Limits(connect=3.0, request=10.0, retry=40.0)) as cluster:
            ledger = await create_ledger(cluster, migration, slots=3)
            writers = [(await owner(cluster, ledger, slot))[0] for slot in range(3)]
            tail = LedgerTail(cluster, ledger, range(3))
            await tail.poll(seconds=0)
            for slot, writer in enumerate(writers):
                await writer.write([[("up", {"n": slot})]])
            leader = (await cluster.refresh({ledger.topic})).leader(ledger.partition(0))
            (broker,) = (one for one in side.brokers if one.number == leader)
            broker.kill()
            for slot, writer in enumerate(writers):
                await writer.write([[("down", {"n": slot})]])
            expected: dict[str, object] = {"up": 0, "down": 0}
            assert await values(cluster, ledger, 0) == expected
            seen: list[str] = []
            while len(seen) < 6:
                seen += [f"{one.slot} {one.key}" for one in await tail.poll(seconds=1)]
            assert sorted(seen) == sorted(f"{s} {key}" for s in range(3) for key in expected)
            assert raw(side, ledger, 1) == list(expected)


@pytest.mark.own_brokers
async def test_a_broker_that_has_forgotten_its_producer_takes_it_for_new(
    migration: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Before 2.5 a forgotten producer may only begin again at sequence 0, which others need not.
    eight_days_ago = int(time.time() * 1000) - 8 * 86_400_000
    monkeypatch.setattr("kferry.ledger.writing._now", lambda: eight_days_ago)
    with Sandbox.start(
        name=f"ledger-{uuid.uuid4().hex[:8]}", source=ClusterSpec(version="1.1.1")
    ) as sandbox:
        for side in (sandbox.source, sandbox.target):
            async with opened(side, Limits(connect=3.0, request=10.0, retry=40.0)) as cluster:
                ledger = await create_ledger(cluster, migration, slots=1)
                writer, identity = await owner(cluster, ledger, 0)
                await writer.write([[("a", {"n": 1}), ("b", {"n": 1})]])
                (broker,) = side.brokers
                await asyncio.to_thread(broker.stop)
                broker.start()
                await asyncio.to_thread(side.wait_until_complete)
                for n in range(2, 4):
                    await writer.write([[("a", {"n": n})]])
                assert await values(cluster, ledger, 0) == {"a": 3, "b": 1}
                assert raw(side, ledger, 0) == ["a", "b", "a", "a"]
                # It is still who it was: a newer one shuts it out.
                newer, of_newer = await owner(cluster, ledger, 0)
                assert (of_newer.id, of_newer.epoch) == (identity.id, identity.epoch + 1)
                await newer.write([[("a", {"n": 4})]])
                with pytest.raises(LedgerLost):
                    await writer.write([[("a", {"n": 4})]])
