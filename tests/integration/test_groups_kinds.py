"""Positions of every kind of group, on secured brokers and on old ones."""

from confluent_kafka import OFFSET_INVALID, TopicPartition
from copying import copy
from judge import PATIENCE_S, client_config, create_topic, send
from streaming import streams_member
from test_groups_sync import committed, groups, read_on, sync, unique
from test_inspect_groups import CONFIGS, SHARE_CONSUMER, commit, group_of, member
from test_inspect_topics import official

from kferry.sandbox import Cluster, Sandbox, run_tool


def filled(sandbox: Sandbox, name: str, *, migration: str) -> str:
    """A topic of ten records, copied."""
    config = client_config(sandbox.source.properties)
    create_topic(config, name)
    for number in range(10):
        send(config, name, str(number))
    assert copy(sandbox, "--topic", name, migration=migration).code == 0
    return name


def shared_by(cluster: Cluster, group: str, topic: str, *, records: int) -> None:
    """Let a share group read a few records."""
    earliest = ("--add-config", "share.auto.offset.reset=earliest")
    official(cluster, CONFIGS, "--alter", "--group", group, *earliest)
    server = ("--bootstrap-server", cluster.bootstrap, "--topic", topic, "--group", group)
    arguments = (*server, "--max-messages", str(records), "--timeout-ms", "30000")
    read = run_tool(cluster, SHARE_CONSUMER, *arguments, timeout_s=PATIENCE_S)
    assert read.stdout.count("\n") >= records, read.stderr


def test_a_group_of_the_new_protocol_moves_and_its_members_read_on(plain: Sandbox) -> None:
    topic = filled(plain, name := unique("kip848"), migration=name)
    group = f"{topic}-group"
    live = {"group.id": group, "group.protocol": "consumer", "client.id": "wine"}
    with member(plain.source, topic, **live):
        assert group_of(plain.source, group)["type"] == "consumer"
    commit(plain.source, group, [TopicPartition(topic, 0, 6)])
    with member(plain.target, topic, **live):
        (row,) = sync(plain, "--group", group, migration=topic, code=5)
        assert row["step"] == "active"
        assert "wine at 127.0.0.1" in row["reason"]
    (row,) = sync(plain, "--group", group, migration=topic)
    assert (row["step"], row["target_offset"], row["exact"]) == ("set", 6, True)
    with member(plain.target, topic, **live):
        assert group_of(plain.target, group)["type"] == "consumer"
        assert committed(plain.target, group, topic) == (6, "")
    assert [value for _, value in read_on(plain.target, group, topic, 0)] == [
        b"6",
        b"7",
        b"8",
        b"9",
    ]


def test_a_streams_group_moves_and_one_that_runs_is_left(plain: Sandbox) -> None:
    topic = filled(plain, name := unique("streams"), migration=name)
    group = f"{topic}-group"
    with streams_member(plain.source, group, topic):
        assert group_of(plain.source, group)["type"] == "streams"
    commit(plain.source, group, [TopicPartition(topic, 0, 6)])
    with streams_member(plain.target, group, topic):
        (row,) = sync(plain, "--group", group, migration=topic, code=5)
        assert row["step"] == "active"
    (row,) = sync(plain, "--group", group, migration=topic)
    assert (row["step"], row["target_offset"], row["exact"]) == ("set", 6, True)
    assert committed(plain.target, group, topic) == (6, "")
    # One that was never there is held for by its positions alone, and may become a streams group.
    new = f"{topic}-new"
    with streams_member(plain.source, new, topic):
        pass
    commit(plain.source, new, [TopicPartition(topic, 0, 3)])
    sync(plain, "--group", new, migration=topic)
    with streams_member(plain.target, new, topic):
        assert group_of(plain.target, new)["type"] == "streams"
        assert committed(plain.target, new, topic) == (3, "")


def test_a_share_group_is_named_with_what_cannot_move(plain: Sandbox) -> None:
    topic = filled(plain, name := unique("share"), migration=name)
    group = f"{topic}-group"
    shared_by(plain.source, group, topic, records=4)
    (position,) = group_of(plain.source, group)["positions"]
    (row,) = sync(plain, "--group", group, migration=topic)
    assert (row["step"], row["target_offset"]) == ("left", None)
    assert f"not settled is {position['offset']} on the target" in row["reason"]
    assert "delivery counts begin anew" in row["reason"]


def test_an_ordinary_group_is_not_written_into_a_share_group(plain: Sandbox) -> None:
    topic = filled(plain, name := unique("shared"), migration=name)
    group = f"{topic}-group"
    commit(plain.source, group, [TopicPartition(topic, 0, 3)])
    shared_by(plain.target, group, topic, records=1)
    (row,) = sync(plain, "--group", group, migration=topic, code=1)
    assert (row["step"], row["reason"]) == ("failed", "on the target this is a share group")


def test_positions_move_between_secured_clusters_with_no_more_rights_than_named(
    sasl: Sandbox,
) -> None:
    topic = filled(sasl, name := unique("sasl"), migration=name)
    group = f"{topic}-group"
    commit(sasl.source, group, [TopicPartition(topic, 0, 6, metadata="beside")])
    commit(sasl.target, group, [TopicPartition(topic, 0, 1, metadata="before")])
    (row,) = sync(sasl, "--group", group, migration=topic)
    assert (row["step"], row["target_offset"], row["exact"]) == ("set", 6, True)
    assert committed(sasl.target, group, topic) == (6, "beside")
    (row,) = sync(sasl, "--group", group, "--undo", migration=topic)
    assert row["step"] == "set"
    assert committed(sasl.target, group, topic) == (1, "before")
    new = f"{topic}-new"
    commit(sasl.source, new, [TopicPartition(topic, 0, 6)])
    sync(sasl, "--group", new, migration=topic)
    (row,) = sync(sasl, "--group", new, "--undo", migration=topic)
    assert (row["step"], row["target_offset"]) == ("set", None)
    assert committed(sasl.target, new, topic)[0] == OFFSET_INVALID


def test_positions_move_between_old_brokers(old: Sandbox) -> None:
    topic = filled(old, name := unique("old"), migration=name)
    group = f"{topic}-group"
    commit(old.source, group, [TopicPartition(topic, 0, 6, metadata="beside")])
    (row,) = sync(old, "--group", group, migration=topic)
    assert (row["step"], row["target_offset"], row["exact"]) == ("set", 6, True)
    assert committed(old.target, group, topic) == (6, "beside")
    assert {one["step"] for one in sync(old, "--group", group, migration=topic)} == {"same"}
    with member(old.target, topic, **{"group.id": group, "client.id": "wine"}):
        commit(old.source, group, [TopicPartition(topic, 0, 8)])
        (row,) = sync(old, "--group", group, migration=topic, code=5)
        assert row["step"] == "active"
    # Positions cannot be taken away before 2.4: it is said, and nothing is forgotten.
    undone = groups(old, "sync", "--yes", "--undo", "--group", group, migration=topic)
    assert undone.code == 1
    assert [one["step"] for one in undone.result["rows"]] == ["failed"]
    assert committed(old.target, group, topic) == (6, "beside")
