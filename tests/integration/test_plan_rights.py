"""Rights that are missing, object by object: what may not be seen is not taken for absent."""

import re
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from copying import ended, kferry
from planning import apply, names, plan
from test_inspect_access import add_user, as_admin
from topic_making import make, own_configs

from kferry.names import TopicName
from kferry.sandbox import Cluster, Sandbox

PREFIXED = ("--resource-pattern-type", "prefixed")
KINDS = ("fine", "hidden", "untold", "unknown", "unread")


def principal(cluster: Cluster) -> str:
    found = re.search(r'username="([^"]+)"', cluster.kferry_properties.read_text())
    assert found is not None
    return f"User:{found[1]}"


def acls(cluster: Cluster, *words: str) -> None:
    moved = cluster.version.startswith("4.")
    as_admin(cluster, f"{'org.apache.kafka.tools' if moved else 'kafka.admin'}.AclCommand", *words)


def deny(cluster: Cluster, topic: str, operation: str) -> None:
    rule = ("--deny-principal", principal(cluster), "--operation", operation, "--topic", topic)
    acls(cluster, "--add", *rule)


@pytest.fixture(scope="module")
def topics(sasl: Sandbox) -> Iterator[dict[str, TopicName]]:
    """A topic for every way in which something cannot be seen or done."""
    prefix = f"rights-{uuid.uuid4().hex[:8]}"
    made = {kind: TopicName(f"{prefix}-{kind}") for kind in KINDS}
    for topic in made.values():
        make(sasl.source, topic, configs={"retention.ms": "172800000"})
    make(sasl.target, made["unread"])
    deny(sasl.source, made["hidden"], "All")
    deny(sasl.source, made["untold"], "DescribeConfigs")
    deny(sasl.target, made["unknown"], "All")
    deny(sasl.target, made["unread"], "DescribeConfigs")
    yield made
    for topic in made.values():
        for cluster in (sasl.source, sasl.target):
            acls(cluster, "--remove", "--force", "--topic", topic)


def test_what_is_missing_is_named_as_the_right_to_grant(
    sasl: Sandbox, topics: dict[str, TopicName]
) -> None:
    chosen = [part for topic in topics.values() for part in ("--topic", topic)]
    migration = topics["fine"]
    found = plan(sasl, *chosen, migration=migration)
    assert found.code == 0, found.said
    assert names(found, "create") == [topics["fine"]]
    conflicts = {one["name"]: one for one in found.result["conflict"] if one["kind"] == "topic"}
    for kind, where, right in (
        ("hidden", "source", "Describe"),
        ("untold", "source", "DescribeConfigs"),
        ("unknown", "target", "Describe"),
        ("unread", "target", "DescribeConfigs"),
    ):
        one = conflicts.pop(topics[kind])
        assert where in one["reason"]
        assert f"lacks {right} on" in one["reason"]
        hint = f"--operation {right} --topic '{topics[kind]}'"
        assert any(hint in detail for detail in one["details"]), one
    assert conflicts == {}

    done = apply(sasl, *chosen, migration=migration)
    assert (done.code, names(done, "created")) == (5, [topics["fine"]]), done.said
    assert own_configs(sasl.target, topics["fine"])["retention.ms"] == "-1"


def test_a_topic_that_may_not_be_created_does_not_keep_the_others(
    sasl: Sandbox, tmp_path: Path
) -> None:
    name, properties = add_user(sasl.target, tmp_path)
    fine, forbidden = (
        make(sasl.source, TopicName(f"rights-{uuid.uuid4().hex[:8]}-{kind}"))
        for kind in ("fine", "forbidden")
    )
    who = ("--allow-principal", f"User:{name}")
    for where in (("--topic", fine), ("--topic", "__kferry.", *PREFIXED)):
        acls(sasl.target, "--add", *who, "--operation", "All", *where)
    for right in ("Describe", "DescribeConfigs"):
        acls(sasl.target, "--add", *who, "--operation", right, "--topic", "*")
    common = (
        *("--source-config", str(sasl.source.kferry_properties)),
        *("--target-config", str(properties)),
        *("-m", fine, "--topic", fine, "--topic", forbidden, "--json"),
    )
    found = ended(kferry("plan", *common))
    assert names(found, "create") == sorted([fine, forbidden])
    details = {one["name"]: one.get("details", []) for one in found.result["create"]}
    grant = f"--operation Create --topic '{forbidden}'"
    assert [grant in line for line in details[forbidden]] == [True]
    assert details[fine] == []

    done = ended(kferry("apply", *common, "--yes"))
    assert (done.code, names(done, "created")) == (1, [fine]), done.said
    (failed,) = done.result["failed"]
    assert (failed["name"], grant in failed["hint"]) == (forbidden, True)
