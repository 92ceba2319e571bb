"""Where `copy --unconsumed` starts on real brokers, judged by the official consumer-groups tool."""

import threading
import uuid
from collections.abc import AsyncIterator, Iterator

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from inspecting import admin_of
from judge import PATIENCE_S, client_config
from test_inspect_groups import (
    CONFIGS,
    SHARE_CONSUMER,
    commit,
    described,
    member,
)
from test_inspect_topics import NOW, fill, make, official

from kferry.cli.unconsumed_lines import before_lines
from kferry.config import load_properties
from kferry.groups import Obstacle, Unconsumed, UnconsumedPartition, take_unconsumed
from kferry.names import PartitionId, TopicName
from kferry.names import TopicPartition as Place
from kferry.sandbox import Cluster as Brokers
from kferry.sandbox import Sandbox, run_tool
from kferry.wire import Cluster, Limits, open_cluster

LIMITS = Limits(connect=5, request=20, retry=10)
AT_ONCE = 0.05
"""Between two looks, where nobody writes."""


@pytest.fixture
async def cluster(plain: Sandbox) -> AsyncIterator[Cluster]:
    async with open_cluster(load_properties(plain.source.properties), LIMITS) as cluster:
        yield cluster


def places(*topics: str, partitions: int = 1) -> list[Place]:
    return [Place(TopicName(one), PartitionId(n)) for one in topics for n in range(partitions)]


def at(found: Unconsumed, topic: str, partition: int = 0) -> UnconsumedPartition:
    (one,) = (p for p in found.partitions if (p.topic, p.partition) == (topic, partition))
    return one


def about(found: Unconsumed, kind: str) -> list[Obstacle]:
    return [one for one in found.obstacles if one.kind == kind]


def unique(name: str) -> str:
    return f"{name}-{uuid.uuid4().hex[:8]}"


def write(brokers: Brokers, topic: str, records: int) -> None:
    producer = Producer({**client_config(brokers.properties), "linger.ms": 50})
    for number in range(records):
        producer.produce(topic, b"%d" % number, partition=0)
        if number % 50_000 == 0:
            producer.flush(PATIENCE_S)
    assert producer.flush(PATIENCE_S) == 0


def trim(brokers: Brokers, topic: str, before: int) -> None:
    admin = admin_of(brokers)
    place = TopicPartition(topic, 0, before)
    admin.delete_records([place])[place].result(PATIENCE_S)


async def test_the_worked_example_of_the_script_that_this_replaces(
    plain: Sandbox, cluster: Cluster
) -> None:
    source = plain.source
    test1, test2, test3, test4 = (make(source, f"test{n}") for n in range(1, 5))
    for topic, records in ((test1, 5226), (test2, 100), (test3, 264_322), (test4, 10)):
        write(source, topic, records)
    first, other = unique("test123-group"), unique("test34-group")
    commit(
        source,
        first,
        [
            TopicPartition(test1, 0, 3713),
            TopicPartition(test2, 0, 60),
            TopicPartition(test3, 0, 187_800),
        ],
    )
    commit(source, other, [TopicPartition(test3, 0, 200_000), TopicPartition(test4, 0, 10)])
    trim(source, test1, 5226)

    found = await take_unconsumed(cluster, places(test1, test2, test3, test4), seconds=AT_ONCE)

    assert found.obstacles == ()
    assert at(found, test1).skip == (
        "the committed offset 3,713 lies in expired data: the log starts at 5,226, which is its end"
    )
    assert (at(found, test2).start, at(found, test2).end) == (60, 100)
    assert (at(found, test3).start, at(found, test3).records) == (187_800, 76_522)
    assert at(found, test3).decided_by == first
    assert at(found, test4).skip == "everything is consumed"
    # The official tool counts what is gone, too: 1,513 of test1, which no copy can bring back.
    told = {
        (group, topic): lag
        for group in (first, other)
        for (topic, _), (_, lag) in described(source, group).items()
    }
    assert told[first, test1] == 1513
    assert {(row.group, row.topic): row.unconsumed for row in found.rows} == told | {
        (first, test1): 0
    }
    assert any(test1 in one and "1,513 offsets" in one for one in found.warnings)
    shown = " ".join(" ".join(before_lines(found)).split())
    assert f"{test3} 0 187,800 264,322 76,522 {first}" in shown
    assert f"skip migrate: {test1} 0: the committed offset 3,713" in shown


async def test_a_topic_without_groups_is_skipped_in_all_its_partitions(
    plain: Sandbox, cluster: Cluster
) -> None:
    topic = make(plain.source, "nobody", partitions=3)
    fill(plain.source, topic, 1, [NOW] * 5)
    found = await take_unconsumed(cluster, places(topic, partitions=3), seconds=AT_ONCE)
    assert [one.skip for one in found.partitions] == [
        "the partition is empty",
        "no group has a position here",
        "the partition is empty",
    ]
    assert [one.start for one in found.partitions] == [0, 5, 0]
    assert (found.rows, found.obstacles) == ((), ())


async def test_nothing_selected_is_nothing_to_do(cluster: Cluster) -> None:
    assert await take_unconsumed(cluster, []) == Unconsumed(partitions=(), rows=())


@pytest.mark.parametrize("protocol", ["classic", "consumer"])
async def test_a_group_with_members_is_named(
    plain: Sandbox, cluster: Cluster, protocol: str
) -> None:
    topic, group = make(plain.source, "alive"), unique("unconsumed")
    fill(plain.source, topic, 0, [NOW] * 5)
    commit(plain.source, group, [TopicPartition(topic, 0, 2)])
    live = {"group.id": group, "client.id": "cellar", "group.protocol": protocol}
    with member(plain.source, topic, **live):
        found = await take_unconsumed(cluster, places(topic), seconds=AT_ONCE)
    (obstacle,) = about(found, "members")
    assert obstacle.subject == f"group {group}"
    assert obstacle.message == "it has 1 member: cellar at 127.0.0.1"
    assert at(found, topic).start == 2  # for who goes on all the same


async def test_members_of_groups_elsewhere_are_no_obstacle(
    plain: Sandbox, cluster: Cluster
) -> None:
    topic, elsewhere, group = make(plain.source, "here"), make(plain.source, "there"), unique("un")
    fill(plain.source, elsewhere, 0, [NOW])
    commit(plain.source, group, [TopicPartition(elsewhere, 0, 1)])
    with member(plain.source, elsewhere, **{"group.id": group}):
        found = await take_unconsumed(cluster, places(topic), seconds=AT_ONCE)
    assert found.obstacles == ()
    assert not any(group in one for one in found.warnings)


async def test_members_that_have_not_committed_yet_are_warned_of(
    plain: Sandbox, cluster: Cluster
) -> None:
    topic, group = make(plain.source, "fresh"), unique("unconsumed")
    fill(plain.source, topic, 0, [NOW])
    with member(plain.source, topic, **{"group.id": group}):
        found = await take_unconsumed(cluster, places(topic), seconds=AT_ONCE)
    assert any(f"group {group} has 1 member and no position" in one for one in found.warnings)


@pytest.fixture
def written_to(plain: Sandbox) -> Iterator[str]:
    """A topic with a producer that does not stop; all it writes lies in one open transaction."""
    topic, stop = make(plain.source, "moving"), threading.Event()
    config = {**client_config(plain.source.properties), "transactional.id": unique("tx")}
    producer = Producer(config)
    producer.init_transactions(PATIENCE_S)
    producer.begin_transaction()
    began = threading.Event()

    def write_on() -> None:
        while not stop.is_set():
            producer.produce(topic, b"x")
            producer.flush(PATIENCE_S)
            began.set()

    thread = threading.Thread(target=write_on)
    thread.start()
    assert began.wait(PATIENCE_S)
    yield topic
    stop.set()
    thread.join()
    producer.abort_transaction(PATIENCE_S)


async def test_a_log_that_grows_is_named_even_where_the_stable_end_stands_still(
    cluster: Cluster, written_to: str
) -> None:
    found = await take_unconsumed(cluster, places(written_to))
    (obstacle,) = found.obstacles
    assert (obstacle.kind, obstacle.subject) == ("moving", f"topic {written_to}")
    assert at(found, written_to).end == 0


async def test_an_open_transaction_at_rest_is_a_warning(plain: Sandbox, cluster: Cluster) -> None:
    topic, group = make(plain.source, "open"), unique("unconsumed")
    fill(plain.source, topic, 0, [NOW] * 3)
    commit(plain.source, group, [TopicPartition(topic, 0, 1)])
    config = client_config(plain.source.properties)
    producer = Producer({**config, "transactional.id": f"{group}-tx"})
    producer.init_transactions(PATIENCE_S)
    producer.begin_transaction()
    producer.produce(topic, b"hangs")
    producer.flush(PATIENCE_S)
    found = await take_unconsumed(cluster, places(topic), seconds=AT_ONCE)
    assert found.obstacles == ()
    assert (at(found, topic).start, at(found, topic).end) == (1, 3)
    assert any(f"{topic}-0: 1 offsets lie behind" in one for one in found.warnings)
    producer.abort_transaction(PATIENCE_S)


async def test_a_position_about_to_be_committed_is_not_overlooked(
    plain: Sandbox, cluster: Cluster
) -> None:
    topic, group = make(plain.source, "pending"), unique("unconsumed")
    fill(plain.source, topic, 0, [NOW] * 5)
    commit(plain.source, group, [TopicPartition(topic, 0, 1)])
    config = client_config(plain.source.properties)
    consumer = Consumer({**config, "group.id": group})
    producer = Producer({**config, "transactional.id": f"{group}-tx"})
    producer.init_transactions(PATIENCE_S)
    producer.begin_transaction()
    metadata = consumer.consumer_group_metadata()
    producer.send_offsets_to_transaction([TopicPartition(topic, 0, 3)], metadata, PATIENCE_S)
    found = await take_unconsumed(cluster, places(topic), seconds=AT_ONCE)
    (obstacle,) = about(found, "moving")
    assert obstacle.subject == f"group {group}"
    assert "about to commit" in obstacle.message
    producer.abort_transaction(PATIENCE_S)
    consumer.close()


async def test_a_position_beyond_the_end_leaves_nothing_to_copy(
    plain: Sandbox, cluster: Cluster
) -> None:
    """Brokers take any number for a position: 9,999 of a log that ends at 5."""
    topic, group = make(plain.source, "beyond"), unique("unconsumed")
    fill(plain.source, topic, 0, [NOW] * 5)
    commit(plain.source, group, [TopicPartition(topic, 0, 9999)])
    found = await take_unconsumed(cluster, places(topic), seconds=AT_ONCE)
    assert (at(found, topic).start, at(found, topic).skip) == (5, "everything is consumed")
    (row,) = found.rows
    assert (row.unconsumed, "9,994 past" in row.note) == (0, True)


async def test_a_share_group_does_not_decide_and_is_named(plain: Sandbox, cluster: Cluster) -> None:
    topic, group, sharing = make(plain.source, "share"), unique("unconsumed"), unique("sharing")
    fill(plain.source, topic, 0, [NOW] * 10)
    commit(plain.source, group, [TopicPartition(topic, 0, 8)])
    official(
        plain.source,
        CONFIGS,
        *("--alter", "--group", sharing, "--add-config", "share.auto.offset.reset=earliest"),
    )
    server = ("--bootstrap-server", plain.source.bootstrap, "--topic", topic, "--group", sharing)
    arguments = (*server, "--max-messages", "2", "--timeout-ms", "30000")
    read = run_tool(plain.source, SHARE_CONSUMER, *arguments, timeout_s=PATIENCE_S)
    assert read.returncode == 0, read.stderr
    found = await take_unconsumed(cluster, places(topic), seconds=AT_ONCE)
    assert (at(found, topic).start, at(found, topic).decided_by) == (8, group)
    notes = {str(row.group): (row.unconsumed, row.note) for row in found.rows}
    assert notes[group] == (2, "")
    assert notes[sharing][0] is None
    assert "does not count" in notes[sharing][1]


async def test_a_partition_that_is_not_there_is_an_obstacle(
    plain: Sandbox, cluster: Cluster
) -> None:
    topic = make(plain.source, "short")
    found = await take_unconsumed(cluster, places(topic, partitions=2), seconds=AT_ONCE)
    (obstacle,) = found.obstacles
    assert (obstacle.kind, obstacle.subject) == ("hidden", f"partition {topic}-1")
    assert at(found, topic, 1).start is None


async def test_the_oldest_source_is_asked_the_same(old: Sandbox) -> None:
    topic, group = make(old.source, "oldest", partitions=2), unique("unconsumed")
    fill(old.source, topic, 0, [NOW] * 10)
    fill(old.source, topic, 1, [NOW] * 10)
    commit(old.source, group, [TopicPartition(topic, 0, 4), TopicPartition(topic, 1, 10)])
    async with open_cluster(load_properties(old.source.properties), LIMITS) as cluster:
        found = await take_unconsumed(cluster, places(topic, partitions=2), seconds=AT_ONCE)
    assert [(one.start, one.end, one.skip) for one in found.partitions] == [
        (4, 10, ""),
        (10, 10, "everything is consumed"),
    ]
    assert found.obstacles == ()
