"""`inspect acls`, `users`, `quotas` and `configs`, and what people with few rights are told."""

import re
import uuid
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # its stubs export too little
    ConfigResource,
    ConfigSource,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)
from inspecting import admin_of, both, gaps, inspect, inspect_sides, seen
from judge import PATIENCE_S, client_config
from test_inspect_topics import make

from kferry.sandbox import Cluster, Sandbox, run_tool

ACLS = "kafka.admin.AclCommand"
CONFIGS = "kafka.admin.ConfigCommand"


def as_admin(cluster: Cluster, main_class: str, *arguments: str) -> str:
    access = ("--bootstrap-server", cluster.bootstrap, "--command-config", str(cluster.properties))
    done = run_tool(cluster, main_class, *access, *arguments, timeout_s=PATIENCE_S)
    assert done.returncode == 0, done.stderr
    return done.stdout


def add_user(cluster: Cluster, folder: Path) -> tuple[str, Path]:
    """Make a user without any right; return its name and client file."""
    name = f"inspect-{uuid.uuid4().hex[:8]}"
    credential = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 5000)
    wanted = UserScramCredentialUpsertion(name, credential, b"secret")
    admin = admin_of(cluster)
    admin.alter_user_scram_credentials([wanted])[name].result(PATIENCE_S)
    text = re.sub(
        r'username="[^"]+" password="[^"]+"',
        f'username="{name}" password="secret"',
        cluster.kferry_properties.read_text(),
    )
    file = folder / f"{name}.properties"
    file.write_text(text)
    return name, file


def test_every_acl_that_the_official_tool_made_is_shown(sasl: Sandbox) -> None:
    who = f"User:inspect-{uuid.uuid4().hex[:8]}"
    allow, deny = ("--add", "--allow-principal", who), ("--add", "--deny-principal", who)
    read = ("--operation", "Read", "--operation", "Describe")
    for rule in (
        (*allow, *read, "--group", "ship", "--resource-pattern-type", "prefixed"),
        (*allow, "--allow-host", "10.0.0.1", "--operation", "Write", "--transactional-id", "*"),
        (*deny, "--operation", "AlterConfigs", "--topic", "orders", "--cluster"),
    ):
        as_admin(sasl.source, ACLS, *rule)
    answer = inspect("acls", sasl.source)
    rules = [
        tuple(
            one[key] for key in ("resource", "pattern", "name", "host", "permission", "operation")
        )
        for one in answer["acls"]
        if one["principal"] == who
    ]
    assert (answer["authorizer"], answer["gaps"]) == (True, [])
    assert rules == [
        ("cluster", "literal", "kafka-cluster", "*", "deny", "AlterConfigs"),
        ("group", "prefixed", "ship", "*", "allow", "Describe"),
        ("group", "prefixed", "ship", "*", "allow", "Read"),
        ("topic", "literal", "orders", "*", "deny", "AlterConfigs"),
        ("transactional-id", "literal", "*", "10.0.0.1", "allow", "Write"),
    ]
    listed = as_admin(sasl.source, ACLS, "--list", "--principal", who)
    assert listed.count(f"principal={who}") == len(rules)


def test_quotas_of_every_kind_are_shown(sasl: Sandbox) -> None:
    name = f"inspect-{uuid.uuid4().hex[:8]}"
    add = ("--alter", "--add-config")
    for entity in (
        (*add, "producer_byte_rate=1048576,request_percentage=12.5", "--user", name),
        (*add, "consumer_byte_rate=2048", "--user", name, "--client", "app"),
        (*add, "consumer_byte_rate=4096", "--user", name, "--client-defaults"),
        (*add, "connection_creation_rate=7", "--ip", "10.1.2.3"),
    ):
        as_admin(sasl.source, CONFIGS, *entity)
    quotas = inspect("quotas", sasl.source)["quotas"]
    assert [
        (one["entity"], one["limits"])
        for one in quotas
        if name in one["entity"].values() or "ip" in one["entity"]
    ] == [
        ({"ip": "10.1.2.3"}, {"connection_creation_rate": 7}),
        ({"user": name}, {"producer_byte_rate": 1048576, "request_percentage": 12.5}),
        ({"user": name, "client-id": None}, {"consumer_byte_rate": 4096}),
        ({"user": name, "client-id": "app"}, {"consumer_byte_rate": 2048}),
    ]
    shown = seen("quotas", sasl.source)
    assert re.search(rf"user {name}, client-id \(default\) +consumer_byte_rate +4,096 B/s", shown)


def test_users_are_shown_with_mechanisms_and_iterations(sasl: Sandbox, tmp_path: Path) -> None:
    name, _ = add_user(sasl.source, tmp_path)
    users = {one["name"]: one["credentials"] for one in inspect("users", sasl.source)["users"]}
    assert users[name] == [{"mechanism": "SCRAM-SHA-512", "iterations": 5000}]
    assert {"admin", "kferry"} < users.keys()


def test_the_rights_that_kferry_asks_for_show_everything_but_transactions(sasl: Sandbox) -> None:
    topic = make(sasl.source, "least")
    mine = sasl.source.kferry_properties
    found = inspect("topics", mine, "--topic", topic)
    assert [one["cleanup_policy"] for one in found["topics"]] == ["delete"]
    assert found["topics"][0]["bytes"] == 0
    for thing in ("topics", "groups", "acls", "users", "quotas", "configs"):
        assert inspect(thing, mine)["gaps"] == [], thing
    (gap,) = inspect("producers", mine)["gaps"]
    assert gap["reason"] == "those that User:kferry may not Describe are not listed"
    assert gap["hint"].endswith("--operation Describe --transactional-id '*'")


def test_without_any_right_nothing_is_passed_off_as_absent(sasl: Sandbox, tmp_path: Path) -> None:
    topic = make(sasl.source, "hidden")
    name, nobody = add_user(sasl.source, tmp_path)
    for thing, missing in {
        "acls": ("ACLs", "Describe on the cluster"),
        "users": ("users", "Describe on the cluster"),
        "quotas": ("quotas", "DescribeConfigs on the cluster"),
        "configs": ("broker configs", "DescribeConfigs on the cluster"),
    }.items():
        subject, right = missing
        assert gaps(inspect(thing, nobody)) == {subject: f"User:{name} lacks {right}"}
    not_listed = f"those that User:{name} may not Describe are not listed"
    assert gaps(inspect("topics", nobody)) == {"topics": not_listed}
    assert gaps(inspect("groups", nobody)) == {"groups": not_listed, "topics": not_listed}
    (gap,) = inspect("topics", nobody, "--topic", topic)["gaps"]
    assert gap["reason"] == f"User:{name} lacks Describe on topics"
    assert f"--allow-principal 'User:{name}' --operation Describe --topic '{topic}'" in gap["hint"]


def test_with_few_rights_each_missing_one_is_named(sasl: Sandbox, tmp_path: Path) -> None:
    seen_topic, hidden_topic = make(sasl.source, "seen"), make(sasl.source, "unseen")
    name, file = add_user(sasl.source, tmp_path)
    config = client_config(sasl.source.properties)
    consumer = Consumer({**config, "group.id": name})
    positions = [TopicPartition(topic, 0, 0) for topic in (seen_topic, hidden_topic)]
    consumer.commit(offsets=positions, asynchronous=False)
    consumer.close()
    for resource in (("--topic", seen_topic), ("--group", name)):
        allow = ("--add", "--allow-principal", f"User:{name}", "--operation", "Describe")
        as_admin(sasl.source, ACLS, *allow, *resource)
    answer = inspect("topics", file)
    assert [one["name"] for one in answer["topics"]] == [seen_topic]
    assert gaps(answer) == {
        "topics": f"those that User:{name} may not Describe are not listed",
        "topic configs": f"User:{name} lacks DescribeConfigs on topics",
        "sizes on disk": f"User:{name} lacks Describe on the cluster",
    }
    answer = inspect("groups", file)
    ((group,), told) = answer["groups"], gaps(answer)
    assert [one["topic"] for one in group["positions"]] == [seen_topic]
    assert told.keys() == {"groups", "topics"}
    answer = inspect("producers", file, "--topic", seen_topic)
    assert gaps(answer)["producers"] == f"User:{name} lacks Read on topics"


@pytest.fixture
def broker_configs(plain: Sandbox) -> dict[str, Any]:
    admin = admin_of(plain.source)
    resource = ConfigResource(ConfigResource.Type.BROKER, "1")
    found: dict[str, Any] = admin.describe_configs([resource])[resource].result(PATIENCE_S)
    return found


def test_settings_are_those_that_are_no_default(
    plain: Sandbox, broker_configs: dict[str, Any]
) -> None:
    default = ConfigSource.DEFAULT_CONFIG.value
    told = {one["name"]: one["values"]["1"] for one in inspect("configs", plain.source)["settings"]}
    assert {name: one["value"] for name, one in told.items()} == {
        name: entry.value for name, entry in broker_configs.items() if entry.source != default
    }
    assert told["min.insync.replicas"]["origin"] == "cluster_dynamic"


def test_differences_between_brokers_and_between_sides_are_marked(three: Sandbox) -> None:
    code, answer = inspect_sides("configs", *both(three.source, three.target))
    assert code == 0
    settings = {one["name"]: one for one in answer["source"]["settings"]}
    assert settings["node.id"]["differs"]
    assert not settings["process.roles"]["differs"]
    assert {"node.id", "default.replication.factor"} < set(answer["different"])
    assert "process.roles" not in answer["different"]
    shown = seen("configs", three.source)
    assert re.search(r"node\.id +file +≠\n +broker 1: 1\n +broker 2: 2\n +broker 3: 3", shown)
