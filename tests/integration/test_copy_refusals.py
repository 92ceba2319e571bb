"""What a copy refuses: with its exit code, a reason, and nothing changed on either side."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from confluent_kafka.admin import (  # type: ignore[attr-defined]  # its stubs export too little
    ConfigResource,
    OffsetSpec,
)
from confluent_kafka.cimpl import TopicPartition
from copying import SHORT, Ended, copy, ended, kferry
from inspecting import admin_of
from judge import PATIENCE_S
from judging import assert_same
from numbering import Numbers
from topic_making import DAY_MS, ago, fill, make, unique

from kferry.config import load_properties
from kferry.ledger import append, create_ledger
from kferry.sandbox import Cluster, Sandbox
from kferry.wire import open_cluster

_OWN = 1  # the value is set on the topic itself
_INTERNAL = "__"


def state_of(cluster: Cluster) -> dict[str, Any]:
    """Return what a copy could have changed: topics, their settings, where their logs end."""
    admin = admin_of(cluster)
    found = {
        name: topic
        for name, topic in admin.list_topics(timeout=PATIENCE_S).topics.items()
        if not name.startswith(_INTERNAL) or name.startswith("__kferry.")
    }
    resources = [ConfigResource(ConfigResource.Type.TOPIC, name) for name in found]
    described = admin.describe_configs(resources) if resources else {}
    configs = {
        resource.name: {
            key: entry.value
            for key, entry in future.result(PATIENCE_S).items()
            if entry.source == _OWN
        }
        for resource, future in described.items()
    }
    latest = OffsetSpec.latest()  # type: ignore[no-untyped-call]  # its stubs say too little
    wanted = {
        TopicPartition(name, number): latest
        for name, topic in found.items()
        for number in topic.partitions
    }
    listed = admin.list_offsets(wanted) if wanted else {}
    ends = {
        (place.topic, place.partition): future.result(PATIENCE_S).offset
        for place, future in listed.items()
    }
    return {"configs": configs, "ends": ends}


@contextmanager
def nothing_changes(sandbox: Sandbox) -> Iterator[None]:
    before = [state_of(cluster) for cluster in (sandbox.source, sandbox.target)]
    yield
    assert [state_of(cluster) for cluster in (sandbox.source, sandbox.target)] == before


def refused(sandbox: Sandbox, *arguments: str, migration: str = "refused") -> Ended:
    """Copy, and insist that it was refused without a trace."""
    with nothing_changes(sandbox):
        done = copy(sandbox, *arguments, migration=migration)
    assert done.code != 0
    # Nothing that people must decode: what, and what to do about it.
    assert "Traceback" not in flowing(done)
    return done


def flowing(done: Ended) -> str:
    """Return what was said without the breaks of its lines."""
    return " ".join(done.said.replace("│", " ").split())


def pair(sandbox: Sandbox, name: str, **target: Any) -> str:
    """Make a topic with a few records, and its namesake on the target."""
    topic = make(sandbox.source, unique(name), partitions=2)
    Numbers(sandbox.source, topic, partitions=2).write(10)
    make(sandbox.target, topic, **{"partitions": 2, **target})
    return topic


def test_a_target_topic_that_holds_records_is_refused_unless_appended_to(plain: Sandbox) -> None:
    topic = pair(plain, "full")
    Numbers(plain.target, topic, partitions=2).write(5, partition=1)
    done = refused(plain, "--topic", topic)
    assert done.code == 5
    assert f"{topic} on the target is not empty" in flowing(done)
    assert "partition 1 holds offsets 0 to 4" in flowing(done)
    assert "--append" in flowing(done)
    appended = copy(plain, "--topic", topic, "--append", migration=topic)
    assert (appended.code, appended.result["records"]) == (0, 10), appended.said
    again = copy(plain, "--topic", topic, "--append", migration=topic)
    assert (again.code, again.result["records"]) == (0, 0), again.said


def test_both_sides_must_not_be_one_cluster(plain: Sandbox) -> None:
    topic = make(plain.source, unique("same"))
    properties = str(plain.source.kferry_properties)
    with nothing_changes(plain):
        done = ended(
            kferry(
                "copy",
                *("--source-config", properties, "--target-config", properties),
                *("--topic", topic),
                *SHORT,
            )
        )
    assert done.code == 2
    assert "the same cluster" in flowing(done)
    assert plain.source.cluster_id in flowing(done)


def test_two_topics_must_not_become_one(plain: Sandbox) -> None:
    first, second = (make(plain.source, unique(name)) for name in ("first", "second"))
    both = ("--topic", first, "--topic", second)
    done = refused(plain, *both, "--map", f"{first}={second}")
    assert done.code == 2
    assert first in flowing(done)
    assert second in flowing(done)
    # Neither may a later copy take the place of an earlier one.
    assert copy(plain, "--topic", first, migration=first).code == 0
    later = refused(plain, "--topic", second, "--map", f"{second}={first}", migration=first)
    assert later.code in {2, 5}
    assert f"already the copy of {first}" in later.said


def test_a_topic_that_is_not_there_is_named_with_the_nearest(plain: Sandbox) -> None:
    topic = make(plain.source, unique("orders"))
    done = refused(plain, "--topic", f"{topic}x", migration="absent")
    assert done.code == 2
    assert f"no topic `{topic}x`" in flowing(done)
    assert "Gap(" not in done.said
    assert f"did you mean `{topic}`?" in flowing(done)
    pattern = refused(plain, "--topic", "nobody-has-this-*", migration="absent")
    assert pattern.code == 2
    assert "nobody-has-this-*" in pattern.said


def test_without_a_topic_the_largest_are_named(plain: Sandbox) -> None:
    topic = make(plain.source, unique("largest"))
    Numbers(plain.source, topic, partitions=1, size=100_000).write(50)
    done = refused(plain)
    assert done.code == 2
    assert topic in flowing(done)


def test_a_target_topic_with_fewer_partitions_is_refused(plain: Sandbox) -> None:
    topic = pair(plain, "fewer", partitions=1)
    done = refused(plain, "--topic", topic)
    assert done.code == 5
    assert "it has 1 partitions and the source has 2" in flowing(done)


def test_retention_that_would_eat_old_records_is_refused_with_their_age(plain: Sandbox) -> None:
    topic = make(plain.source, unique("month"), configs={"retention.ms": "-1"})
    fill(plain.source, topic, [ago(30 * DAY_MS)] * 10)
    make(plain.target, topic, configs={"retention.ms": str(7 * DAY_MS)})
    done = refused(plain, "--topic", topic)
    assert done.code == 5
    assert "30 d old" in flowing(done)
    assert "--suspend-retention" in flowing(done)
    kept = copy(plain, "--topic", topic, "--suspend-retention", migration=topic)
    assert kept.code == 0, kept.said
    assert kept.result["retention_suspended"] == [topic]
    assert_same(plain.source, plain.target, topic)


def test_a_target_that_puts_its_own_times_is_refused(plain: Sandbox) -> None:
    topic = pair(plain, "times", configs={"message.timestamp.type": "LogAppendTime"})
    done = refused(plain, "--topic", topic)
    assert done.code == 5
    assert "LogAppendTime" in flowing(done)


async def test_a_ledger_of_other_clusters_is_refused_with_both_ids(plain: Sandbox) -> None:
    name = unique("others")
    topic = make(plain.source, unique("mine"))
    async with open_cluster(load_properties(plain.target.properties)) as target:
        ledger = await create_ledger(target, name, slots=1)
        theirs = {"migration": name, "source": "SomeOtherSource", "target": "SomeOtherTarget"}
        await append(target, ledger, 0, [("manifest", theirs)])
    done = refused(plain, "--topic", topic, migration=name)
    assert done.code == 8
    assert "SomeOtherSource" in flowing(done)
    assert plain.source.cluster_id in flowing(done)


def test_a_dry_run_leaves_no_trace(plain: Sandbox) -> None:
    topic = make(plain.source, unique("dry"), partitions=2)
    Numbers(plain.source, topic, partitions=2).write(10)
    with nothing_changes(plain):
        done = copy(plain, "--topic", topic, "--dry-run", migration=topic)
    assert done.code == 0, done.said
    assert any(topic in line for line in done.result["listing"])
