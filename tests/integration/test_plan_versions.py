"""Plan, apply, plan again, from every Kafka that is supported; an official client is the judge."""

import uuid
from collections.abc import Iterator

import pytest
from ages import ages
from copying import copy
from planning import apply, names, only, plan
from topic_making import make, own_configs

from kferry.names import TopicName
from kferry.sandbox import ClusterSpec, Sandbox

SOURCES = ages("0.10.2.2", "2.8.2", "4.3.1", more=("1.1.1", "2.4.1", "3.9.2"))
SUSPENDED = {
    "cleanup.policy",
    "compression.type",
    "max.message.bytes",
    "message.timestamp.after.max.ms",
    "message.timestamp.before.max.ms",
    "message.timestamp.type",
    "retention.bytes",
    "retention.ms",
    "segment.ms",
}
"""What a topic has otherwise until the copy is complete; no more than this."""
TOPICS: dict[str, tuple[int, dict[str, str]]] = {
    "plain": (3, {}),
    "synchronous": (
        2,
        {
            "flush.messages": "1",
            "flush.ms": "1000",
            "min.insync.replicas": "1",
            "unclean.leader.election.enable": "true",
        },
    ),
    "compacted": (
        1,
        {
            "cleanup.policy": "compact,delete",
            "delete.retention.ms": "3600000",
            "min.cleanable.dirty.ratio": "0.2",
            "retention.ms": "1209600000",
            "segment.bytes": "10485760",
            "segment.ms": "7200000",
        },
    ),
    "odd": (
        4,
        {
            "compression.type": "gzip",
            "max.message.bytes": "2000000",
            "message.timestamp.type": "LogAppendTime",
            "retention.bytes": "1073741824",
        },
    ),
}


@pytest.fixture(scope="module", params=SOURCES)
def pair(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    with Sandbox.start(source=ClusterSpec(version=request.param), target=ClusterSpec()) as sandbox:
        yield sandbox


def make_all(sandbox: Sandbox) -> dict[TopicName, dict[str, str]]:
    """Make topics of every kind on the source; return what a target's shall have in the end."""
    prefix = f"plan-{uuid.uuid4().hex[:8]}"
    made = {}
    for kind, (partitions, configs) in TOPICS.items():
        topic = TopicName(f"{prefix}-{kind}")
        make(sandbox.source, topic, partitions=partitions, configs=configs)
        # 0.10 tells nobody what is set on a topic.
        made[topic] = {} if sandbox.source.version.startswith("0.10") else dict(configs)
    return made


def test_a_second_plan_has_nothing_to_do_and_every_setting_arrives(pair: Sandbox) -> None:
    wanted = make_all(pair)
    migration = f"plan-{uuid.uuid4().hex[:8]}"
    selection = [part for topic in wanted for part in ("--topic", topic)]

    first = plan(pair, *selection, "--detailed-exitcode", migration=migration)
    assert (first.code, sorted(only(first, "create"))) == (3, sorted(wanted))
    if pair.source.version.startswith("0.10"):
        told = ["".join(one["details"]) for one in first.result["create"]]
        assert all("the source does not tell its configs" in text for text in told)

    done = apply(pair, *selection, migration=migration)
    assert (done.code, names(done, "created")) == (0, sorted(wanted)), done.said
    assert done.result["failed"] == []

    second = plan(pair, *selection, "--detailed-exitcode", migration=migration)
    assert (second.code, sorted(only(second, "same"))) == (0, sorted(wanted))
    assert all("suspended" in reason for reason in only(second, "same").values())
    again = apply(pair, *selection, migration=migration)
    assert (again.code, again.result["created"], again.result["changed"]) == (0, [], [])

    for topic, configs in wanted.items():
        found = own_configs(pair.target, topic)
        kept = {key: value for key, value in found.items() if key not in SUSPENDED}
        assert kept == {key: value for key, value in configs.items() if key not in SUSPENDED}
        assert (found["retention.ms"], found["cleanup.policy"]) == ("-1", "delete")

    # A copy finds what apply has written down, and gives the topics their own settings at last.
    copied = copy(pair, *selection, "--complete", migration=migration)
    assert copied.code == 0, copied.said
    assert {topic: own_configs(pair.target, topic) for topic in wanted} == wanted
    last = plan(pair, *selection, "--detailed-exitcode", migration=migration)
    assert (last.code, sorted(only(last, "same"))) == (0, sorted(wanted))
    assert not any("differ" in reason for reason in only(last, "same").values())
