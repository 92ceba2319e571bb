"""What `inspect` says where brokers are old, dead, or not there."""

import uuid
from collections.abc import Iterator

import pytest
from confluent_kafka import TopicPartition
from inspecting import admin_of, both, gaps, inspect, inspect_sides, seen
from judge import PATIENCE_S
from machine import eventually, kferry
from silent_port import silent_port
from test_inspect_groups import commit, group_of, member
from test_inspect_topics import NOW, fill, make

from kferry.sandbox import Cluster, ClusterSpec, Sandbox

THINGS = ("topics", "groups", "acls", "users", "quotas", "producers", "configs")


@pytest.fixture(scope="module")
def middle() -> Iterator[Sandbox]:
    """2.4.1 to 2.8.2."""
    with Sandbox.start(
        source=ClusterSpec(version="2.4.1"), target=ClusterSpec(version="2.8.2")
    ) as sandbox:
        yield sandbox


def limits(cluster: Cluster) -> dict[str, str]:
    """Return since when what cannot be asked can be."""
    missing = {}
    for thing in THINGS:
        for subject, reason in gaps(inspect(thing, cluster)).items():
            assert f"Kafka {cluster.version.rpartition('.')[0]}" in f"{reason}."
            missing[subject] = reason.rpartition("only ")[2].removesuffix(" and later")
    return missing


def test_each_age_tells_its_limits(old: Sandbox, middle: Sandbox) -> None:
    for cluster in (old.source, old.target, middle.source, middle.target):
        make(cluster, "limits")
    newest = {"newest records": "3.0", "transactions": "3.0"}
    after_2_4 = newest | {"producers": "2.8", "users": "2.7", "quotas": "2.6"}
    assert limits(middle.target) == newest
    assert limits(middle.source) == limits(old.target) == after_2_4
    assert limits(old.source) == after_2_4 | {
        "ACLs": "0.11",
        "broker configs": "0.11",
        "topic configs": "0.11",
        "sizes on disk": "1.0",
    }
    shown = seen("configs", old.source)
    assert "broker configs: Kafka 0.10.2 cannot be asked for them, only 0.11 and later" in shown


def test_old_brokers_tell_positions_lag_and_members(old: Sandbox, middle: Sandbox) -> None:
    for cluster in (old.source, old.target, middle.source):
        topic, group = make(cluster, "aged"), f"inspect-{uuid.uuid4().hex[:8]}"
        fill(cluster, topic, 0, [NOW] * 10)
        commit(cluster, group, [TopicPartition(topic, 0, 4)])
        found = group_of(cluster, group)
        assert (found["type"], found["state"], found["lag"]) == ("classic", "Empty", 6)
        live = f"{group}-live"
        with member(cluster, topic, **{"group.id": live, "client.id": "aged"}):
            found = group_of(cluster, live)
            assert (found["state"], found["members"][0]["client_id"]) == ("Stable", "aged")
        (facts,) = inspect("topics", cluster, "--topic", topic)["topics"]
        assert facts["records_at_most"] == 10


def test_two_sides_of_different_age_are_shown_next_to_each_other(old: Sandbox) -> None:
    code, answer = inspect_sides("configs", *both(old.source, old.target))
    assert (code, answer["source"]["settings"]) == (0, [])
    assert {one["name"] for one in answer["target"]["settings"]} > {"broker.id"}


@pytest.fixture(scope="module")
def own() -> Iterator[Sandbox]:
    """Three brokers to break, and one that nobody has used yet."""
    with Sandbox.start(source=ClusterSpec(brokers=3)) as sandbox:
        yield sandbox


@pytest.mark.own_brokers
def test_looking_where_nothing_is_creates_nothing(own: Sandbox) -> None:
    """Asking who coordinates a group would create `__consumer_offsets`."""
    for thing in THINGS:
        inspect(thing, own.target)
    admin = admin_of(own.target)
    assert not admin.list_topics(timeout=PATIENCE_S).topics


@pytest.mark.own_brokers
def test_a_dead_and_a_silent_broker_are_named_and_the_rest_is_shown(own: Sandbox) -> None:
    topic = make(own.source, "broken", partitions=6)
    whole = inspect("topics", own.source, "--topic", topic)
    leaders = [one["leader"] for one in whole["topics"][0]["partitions"]]
    assert set(leaders) == {1, 2, 3}
    own.source.brokers[2].pause()
    paused = inspect("topics", own.source, "--topic", topic)
    told = [one["end"] for one in paused["topics"][0]["partitions"]]
    assert told == [None if leader == 3 else 0 for leader in leaders]
    own.source.brokers[2].resume()
    own.source.brokers[1].kill()

    def leaderless() -> bool:
        now = inspect("topics", own.source, "--topic", topic)
        (facts,) = now["topics"]
        led = [one["leader"] for one in facts["partitions"]]
        return led == [None if leader == 2 else leader for leader in leaders]

    eventually(leaderless)
    shown = seen("topics", own.source, "--topic", topic)
    assert "partitions without a leader, not counted here" in shown


def test_a_cluster_that_cannot_be_asked_at_all_is_no_hindrance_to_the_other(
    plain: Sandbox,
) -> None:
    with silent_port() as nobody:
        arguments = ("--source", str(nobody), "--target", plain.target.bootstrap)
        code, answer = inspect_sides("topics", *arguments)
    assert code == 6
    assert answer["source"]["error"]["code"] == "K301"
    assert "topics" in answer["target"]


def test_without_a_cluster_the_way_is_shown() -> None:
    done = kferry("inspect", "groups")
    assert (done.returncode, done.stdout) == (2, "")
    assert "kferry inspect groups --source HOST:PORT" in done.stderr
