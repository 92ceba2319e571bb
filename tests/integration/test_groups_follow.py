"""`groups sync --follow`, and what keeps positions alive until their groups start."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager

from confluent_kafka import (
    OFFSET_BEGINNING,
    OFFSET_INVALID,
    Consumer,
    KafkaError,
    KafkaException,
    TopicPartition,
)
from copying import copy, kferry, sides
from following import Running, running
from judge import PATIENCE_S, client_config, create_topic, send
from test_groups_sync import committed, groups, sync, unique
from test_inspect_groups import commit, member

from kferry.config import TopicSelection, load_properties
from kferry.groups import Move
from kferry.ledger import append, open_ledger, read_ledger
from kferry.migration.groups import GroupsRequest
from kferry.migration.groups import sync as take_there
from kferry.sandbox import Cluster, Sandbox
from kferry.sandbox.faults import restart
from kferry.wire import open_cluster

LONG_AGO = "2020-01-01T00:00:00+00:00"


@contextmanager
def following(sandbox: Sandbox, *arguments: str, migration: str) -> Iterator[Running]:
    """Sync positions for as long as the block lasts."""
    command = ("groups", "sync", "--follow", "--every", "1s", *sides(sandbox), "-m", migration)
    process = kferry(*command, "--yes", "--json", *arguments)
    try:
        yield Running(process)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        for pipe in (process.stdout, process.stderr):
            assert pipe is not None
            pipe.close()


def at(sandbox: Sandbox, group: str, topic: str, offset: int) -> bool:
    try:
        return committed(sandbox.target, group, topic)[0] == offset
    except KafkaException:  # a broker that has just started knows no coordinators
        return False


def could_commit(cluster: Cluster, group: str, position: TopicPartition) -> bool:
    try:
        commit(cluster, group, [position])
    except KafkaException:
        return False
    return True


def fill(sandbox: Sandbox, topic: str, first: int, last: int) -> None:
    for number in range(first, last):
        send(client_config(sandbox.source.properties), topic, str(number))


def test_positions_follow_consumers_that_still_run_on_the_source(plain: Sandbox) -> None:
    topic = unique("follow")
    group, new = f"{topic}-group", f"{topic}-group-new"
    create_topic(client_config(plain.source.properties), topic)
    fill(plain, topic, 0, 5)
    commit(plain.source, group, [TopicPartition(topic, 0, 2)])
    with running(plain, "--topic", topic, migration=topic) as copying:
        copying.until_shown(lambda shown: shown["state"] == "following")
        with following(plain, "--group", f"{group}*", migration=topic) as run:
            run.until(lambda: at(plain, group, topic, 2))
            commit(plain.source, group, [TopicPartition(topic, 0, 4)])
            run.until(lambda: at(plain, group, topic, 4))
            # One that comes later, on records that come later.
            fill(plain, topic, 5, 9)
            commit(plain.source, new, [TopicPartition(topic, 0, 9)])
            run.until(lambda: at(plain, new, topic, 9))
            # Back on the source is not back on the target.
            commit(plain.source, group, [TopicPartition(topic, 0, 1)])
            run.until(lambda: "at 4 already" in run.out)
            ended = run.stop()
        assert copying.stop().code == 0
    assert ended.code == 0
    rows = {row["group"]: row for row in ended.result["rows"]}
    assert (rows[group]["step"], rows[group]["committed"]) == ("ahead", 4)
    assert at(plain, group, topic, 4)
    assert rows[new]["target_offset"] == 9


def test_a_group_that_runs_on_the_target_is_left_until_it_has_gone(plain: Sandbox) -> None:
    topic = unique("follow-active")
    group = f"{topic}-group"
    create_topic(client_config(plain.source.properties), topic)
    fill(plain, topic, 0, 5)
    assert copy(plain, "--topic", topic, migration=topic).code == 0
    with following(plain, "--group", f"{topic}-*", migration=topic) as run:
        with member(plain.target, topic, **{"group.id": group, "client.id": "wine"}):
            commit(plain.source, group, [TopicPartition(topic, 0, 3)])
            run.until(lambda: "wine at 127.0.0.1" in run.out)
            assert committed(plain.target, group, topic)[0] == OFFSET_INVALID
        run.until(lambda: at(plain, group, topic, 3))
        assert run.stop().code == 0


def test_following_goes_on_when_brokers_of_both_sides_come_back(own_home: object) -> None:
    with Sandbox.start() as sandbox:
        topic = unique("follow-restart")
        group = f"{topic}-group"
        create_topic(client_config(sandbox.source.properties), topic)
        fill(sandbox, topic, 0, 5)
        commit(sandbox.source, group, [TopicPartition(topic, 0, 2)])
        assert copy(sandbox, "--topic", topic, migration=topic).code == 0
        with following(sandbox, migration=topic) as run:
            run.until(lambda: at(sandbox, group, topic, 2))
            for cluster in (sandbox.source, sandbox.target):
                restart(cluster, 1)
                cluster.wait_until_complete()
            run.until(lambda: could_commit(sandbox.source, group, TopicPartition(topic, 0, 4)))
            run.until(lambda: at(sandbox, group, topic, 4))
            assert run.stop().code == 0


def test_what_was_set_long_ago_is_committed_once_more_before_the_target_forgets_it(
    plain: Sandbox,
) -> None:
    topic = unique("renew")
    idle, started = f"{topic}-idle", f"{topic}-started"
    create_topic(client_config(plain.source.properties), topic)
    fill(plain, topic, 0, 5)
    for group in (idle, started):
        commit(plain.source, group, [TopicPartition(topic, 0, 3, metadata="ours")])
    assert copy(plain, "--topic", topic, migration=topic).code == 0
    both = ("--group", f"{topic}-*")
    sync(plain, *both, migration=topic)
    with member(plain.target, topic, **{"group.id": started}):
        """It has had a member: from now on the broker counts from its last."""
    assert commits(plain.target, idle) == commits(plain.target, started) == 1
    again = groups(plain, "sync", "--yes", *both, migration=topic)
    assert "committed once more" not in again.said
    asyncio.run(set_back(plain, topic))
    sync(plain, *both, migration=topic)
    assert (commits(plain.target, idle), commits(plain.target, started)) == (2, 1)
    assert committed(plain.target, idle, topic) == (3, "ours")
    sync(plain, *both, migration=topic)
    assert commits(plain.target, idle) == 2
    rows = sync(plain, "--undo", *both, migration=topic)
    assert {row["step"] for row in rows} == {"set"}
    assert committed(plain.target, idle, topic)[0] == OFFSET_INVALID


async def set_back(sandbox: Sandbox, migration: str) -> None:
    """Let the ledger say that kferry set its positions years ago."""
    async with open_cluster(load_properties(sandbox.target.properties)) as cluster:
        ledger = await open_ledger(cluster, migration)
        assert ledger is not None
        for slot, documents in (await read_ledger(cluster, ledger)).items():
            old = [
                (key, {**found.value, "at": LONG_AGO})
                for key, found in documents.items()
                if key.startswith("synced/") and found.value is not None
            ]
            if old:
                await append(cluster, ledger, slot, old)


def commits(cluster: Cluster, group: str) -> int:
    """How often a position of a group was committed, as the broker wrote it down."""
    config = {
        **client_config(cluster.properties),
        "group.id": "nobody",
        "enable.auto.commit": False,
        "enable.partition.eof": True,
    }
    found, ended = 0, 0
    with closing(Consumer(config)) as consumer:
        topic = "__consumer_offsets"
        numbers = consumer.list_topics(topic, timeout=PATIENCE_S).topics[topic].partitions
        consumer.assign([TopicPartition(topic, number, OFFSET_BEGINNING) for number in numbers])
        while ended < len(numbers):
            message = consumer.poll(PATIENCE_S)
            assert message is not None
            error = message.error()
            if error is None:
                key = message.key() or b""
                # 0 and 1: a position; 2 and later: the group itself.
                found += key[:2] in {b"\0\0", b"\0\1"} and group.encode() in key
            else:
                assert error.code() == KafkaError._PARTITION_EOF, error
                ended += 1
    return found


def test_two_first_syncs_at_once_remember_what_was_there_before_both(plain: Sandbox) -> None:
    topic = unique("race")
    group = f"{topic}-group"
    create_topic(client_config(plain.source.properties), topic)
    fill(plain, topic, 0, 5)
    commit(plain.source, group, [TopicPartition(topic, 0, 3)])
    assert copy(plain, "--topic", topic, migration=topic).code == 0

    def meanwhile(_: str, moves: Sequence[Move], late: int) -> bool:
        """Another one reads, sets and ends between our look and our commit."""
        commit(plain.source, group, [TopicPartition(topic, 0, 2)])
        sync(plain, "--group", group, migration=topic)
        assert at(plain, group, topic, 2)
        return True

    request = GroupsRequest(
        source=load_properties(plain.source.properties),
        target=load_properties(plain.target.properties),
        migration=topic,
        selection=TopicSelection(),
        groups=(group,),
    )
    asyncio.run(take_there(request, agree=meanwhile))
    assert at(plain, group, topic, 3)
    (row,) = sync(plain, "--group", group, "--undo", migration=topic)
    assert row["step"] == "set"
    assert committed(plain.target, group, topic)[0] == OFFSET_INVALID
