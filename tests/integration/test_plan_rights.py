"""Rights that are missing, object by object: what may not be seen is not taken for absent."""

import re
import uuid
from collections.abc import Iterator

import pytest
from planning import apply, names, plan
from test_inspect_access import as_admin
from topic_making import make, own_configs

from kferry.names import TopicName
from kferry.sandbox import Cluster, Sandbox

KINDS = ("fine", "hidden", "untold", "unknown", "unread", "forbidden")


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
    deny(sasl.target, made["forbidden"], "Create")
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
    assert names(found, "create") == sorted([topics["fine"], topics["forbidden"]])
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
    (forbidden,) = [one for one in found.result["create"] if one["name"] == topics["forbidden"]]
    grant = f"--operation Create --topic '{topics['forbidden']}'"
    assert any(grant in detail for detail in forbidden["details"])

    done = apply(sasl, *chosen, migration=migration)
    assert done.code == 1, done.said
    assert names(done, "created") == [topics["fine"]]
    (failed,) = done.result["failed"]
    assert (failed["name"], grant in failed["hint"]) == (topics["forbidden"], True)
    assert own_configs(sasl.target, topics["fine"])["retention.ms"] == "-1"
