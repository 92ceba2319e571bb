"""`kferry check` as a user runs it: healthy, half closed, locked out, with few rights or none."""

import json
import re
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer, Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._acl import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
)
from confluent_kafka.admin._resource import ResourcePatternType, ResourceType
from confluent_kafka.cimpl import NewTopic
from silent_port import silent_port

from kferry.config.properties import parse_properties, render_properties
from kferry.sandbox import Sandbox
from kferry.sandbox.cluster import Cluster

KFERRY = str(Path(sys.executable).with_name("kferry"))
FIELDS = (
    "restype",
    "name",
    "resource_pattern_type",
    "principal",
    "host",
    "operation",
    "permission_type",
)
Findings = list[dict[str, Any]]


def kferry(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [KFERRY, *map(str, arguments)], capture_output=True, text=True, timeout=60, check=False
    )


def check(source: Path | str, target: Path | str, *more: str) -> tuple[int, Findings]:
    """Run the check; name a side by its properties file or its bootstrap servers."""
    sides = [
        f"--{side}{'-config' if isinstance(where, Path) else ''}={where}"
        for side, where in (("source", source), ("target", target))
    ]
    done = kferry("check", "--json", *sides, *more)
    assert done.stdout.count("\n") == 1, done.stderr
    answer = json.loads(done.stdout)
    assert answer["ok"] == (done.returncode == 0)
    return done.returncode, answer["findings"]


def of(findings: Findings, **wanted: str) -> Findings:
    return [one for one in findings if all(one[key] == value for key, value in wanted.items())]


def errors(findings: Findings) -> list[str]:
    return [f"{one['subject']}: {one['message']}" for one in of(findings, severity="error")]


def admin(cluster: Cluster) -> AdminClient:
    return AdminClient(client_config(cluster.properties))


def client_config(properties: Path) -> dict[str, Any]:
    """Translate a Java client file for librdkafka."""
    java = {key: entry.value for key, entry in parse_properties(properties.read_text()).items()}
    config = {
        "bootstrap.servers": java["bootstrap.servers"],
        "security.protocol": java.get("security.protocol", "PLAINTEXT"),
    }
    if "ssl.truststore.location" in java:
        config["ssl.ca.location"] = java["ssl.truststore.location"]
    if "sasl.mechanism" in java:
        config["sasl.mechanism"] = java["sasl.mechanism"]
        for part in ("username", "password"):
            found = re.search(rf'{part}="([^"]*)"', java["sasl.jaas.config"])
            assert found is not None
            config[f"sasl.{part}"] = found[1]
    return config


def create(
    cluster: Cluster, *, partitions: int = 3, records: int = 10, name: str | None = None
) -> str:
    name = name or f"check-{uuid.uuid4().hex[:8]}"
    topic = NewTopic(name, num_partitions=partitions, replication_factor=1)
    client = admin(cluster)  # the result dies with its client
    client.create_topics([topic])[name].result(20)
    producer = Producer(client_config(cluster.properties))
    for number in range(records):
        producer.produce(name, str(number).encode() * 100)
    assert producer.flush(20) == 0
    return name


def edited(properties: Path, folder: Path, **changes: str) -> Path:
    """Write a changed copy of a client file; a key is named with _ for its dots."""
    values = {key: entry.value for key, entry in parse_properties(properties.read_text()).items()}
    values |= {key.replace("_", "."): value for key, value in changes.items()}
    file = folder / f"{uuid.uuid4().hex}.properties"
    file.write_text(render_properties(values))
    return file


def test_two_healthy_clusters_are_fit(plain: Sandbox) -> None:
    topic = create(plain.source)
    code, findings = check(plain.source.bootstrap, plain.target.bootstrap, "--topic", topic)
    assert (code, errors(findings)) == (0, [])
    assert of(findings, side="both", code="different-clusters")
    assert {one["side"] for one in of(findings, code="listener-answers")} == {"source", "target"}
    allowed = {(one["side"], one["subject"]) for one in of(findings, code="allowed")}
    assert {("source", "Read on topics"), ("target", "Write on topics")} <= allowed
    assert len(allowed) >= 16
    assert of(findings, code="denied") == []
    assert len(of(findings, code="clock")) == 2
    space = of(findings, code="space")[0]["message"]
    assert re.match(r"[1-9][\d.,]* (B|KiB) to copy", space), space


def test_a_check_writes_nothing_and_creates_nothing(plain: Sandbox) -> None:
    topic = create(plain.source)
    sides = (plain.source, plain.target)

    def everything() -> list[object]:
        seen: list[object] = []
        for side in sides:
            client = admin(side)
            groups = client.list_consumer_groups().result(20).valid
            seen += [
                sorted(client.list_topics(timeout=20).topics),
                sorted(g.group_id for g in groups),
            ]
        return seen

    before = everything()
    wanted = ("--topic", topic, "--topic", "absent-too")
    code, _ = check(plain.source.properties, plain.target.properties, *wanted)
    assert code == 5
    assert everything() == before


def test_an_absent_topic_is_named_with_its_neighbour(plain: Sandbox) -> None:
    topic = create(plain.source)
    code, findings = check(plain.source.bootstrap, plain.target.bootstrap, "--topic", topic + "x")
    assert code == 5
    [missing] = of(findings, code="topic-invisible")
    assert topic in missing["hint"]


def test_the_same_cluster_on_both_sides_is_refused(plain: Sandbox) -> None:
    code, findings = check(plain.source.bootstrap, plain.source.bootstrap)
    assert code == 5
    assert of(findings, code="same-cluster", severity="error")


def test_a_broker_behind_a_closed_port_is_named_with_address_and_port(
    plain: Sandbox, tmp_path: Path
) -> None:
    with silent_port() as silent:
        advertised = plain.source.bootstrap
        half_closed = edited(
            plain.source.properties,
            tmp_path,
            bootstrap_servers=advertised,
            kferry_address_map=f"{advertised}={silent}",
        )
        code, findings = check(half_closed, plain.target.bootstrap)
    assert code == 6
    [finding] = of(findings, side="source", severity="error")
    assert finding["code"] == "unreachable"
    assert advertised in finding["subject"]
    assert f"cannot reach {silent}" in finding["message"]
    assert f"no answer on port {silent.port}" in finding["message"]
    assert f"open port {silent.port}" in finding["hint"]
    assert of(findings, side="target", code="release"), "the other side is looked at all the same"


def test_one_closed_listener_of_three_is_named_and_the_rest_is_still_looked_at(
    tmp_path: Path, three: Sandbox
) -> None:
    topic = create(three.source)
    first, _, last = three.source.bootstrap.split(",")
    with silent_port() as silent:
        half_closed = edited(
            three.source.properties,
            tmp_path,
            bootstrap_servers=first,
            kferry_address_map=f"{last}={silent}",
        )
        code, findings = check(half_closed, three.target.bootstrap, "--topic", topic)
    assert code == 5
    unreachable = of(findings, code="unreachable")
    assert [one["subject"] for one in unreachable] == [f"broker 3 {last}"]
    assert str(silent) in unreachable[0]["message"]
    assert len(of(findings, side="source", code="listener-answers")) == 3
    assert of(findings, side="source", code="cluster")


def test_a_cluster_that_is_not_there_means_try_again(plain: Sandbox) -> None:
    code, findings = check("127.0.0.1:1", plain.target.bootstrap)
    assert code == 6
    assert "refuses connections" in errors(findings)[0]


def test_wrong_credentials_are_told_apart_from_silence_and_stay_secret(
    sasl: Sandbox, tmp_path: Path
) -> None:
    jaas = parse_properties(sasl.source.properties.read_text())["sasl.jaas.config"].value
    wrong = re.sub(r'password="[^"]*"', 'password="hush-hush"', jaas)
    locked_out = edited(sasl.source.properties, tmp_path, sasl_jaas_config=wrong)
    code, findings = check(locked_out, sasl.target.properties)
    assert code == 5
    assert of(findings, side="source", code="credentials-refused")
    done = kferry(
        "check", "-vv", f"--source-config={locked_out}", f"--target-config={sasl.target.properties}"
    )
    secrets = ["hush-hush", client_config(sasl.target.properties)["sasl.password"]]
    shown = done.stdout + done.stderr + json.dumps(findings)
    assert [secret for secret in secrets if secret in shown] == []


def test_the_least_privileged_user_has_every_right_that_is_asked_for(sasl: Sandbox) -> None:
    topic = create(sasl.source)
    existing = create(sasl.target)
    code, findings = check(
        sasl.source.kferry_properties, sasl.target.kferry_properties, "--topic", topic
    )
    assert (code, errors(findings)) == (0, [])
    assert of(findings, code="denied") == []
    assert of(findings, code="rights-unknown") == []
    assert existing not in json.dumps(of(findings, severity="error"))


def test_missing_rights_are_named_with_the_command_that_grants_them(sasl: Sandbox) -> None:
    """The source's reader, let loose on both sides: on the target it may only look."""
    topic = create(sasl.source)
    existing = create(sasl.target)
    source_as_target = sasl.source.kferry_properties
    code, findings = check(
        sasl.target.kferry_properties, source_as_target, "--topic", topic, "--topic", existing
    )
    assert code == 5
    denied = {one["subject"]: one for one in of(findings, side="target", code="denied")}
    assert {
        "Write on topics",
        "Create on the cluster",
        "Read on groups",
        "Delete on groups",
    } <= denied.keys()
    assert "Read on topics" not in denied
    hint = denied["Write on topics"]["hint"]
    assert "kafka-acls --add --allow-principal 'User:kferry' --operation Write --topic '*'" in hint


def test_create_may_be_granted_per_topic_and_the_ledger_needs_it_too(sasl: Sandbox) -> None:
    """The source's reader may create topics of one prefix; the check takes it for the target."""
    prefix = f"own{uuid.uuid4().hex[:6]}-"
    own = AclBinding(
        ResourceType.TOPIC,
        prefix,
        ResourcePatternType.PREFIXED,
        "User:kferry",
        "*",
        AclOperation.CREATE,
        AclPermissionType.ALLOW,
    )
    client = admin(sasl.source)
    for done in client.create_acls([own]).values():
        done.result(20)
    topic = create(sasl.target, name=prefix + "orders")
    _, findings = check(
        sasl.target.kferry_properties, sasl.source.kferry_properties, "--topic", topic
    )
    [creation] = of(findings, side="target", subject="Create on the cluster")
    assert "for 1 of 2: __kferry.check" in creation["message"]


def test_groups_that_may_be_listed_and_not_read_are_named(sasl: Sandbox) -> None:
    group = f"check-{uuid.uuid4().hex[:8]}"
    topic = create(sasl.source)
    consumer = Consumer(
        client_config(sasl.source.properties) | {"group.id": group, "auto.offset.reset": "earliest"}
    )
    consumer.subscribe([topic])
    assert consumer.consume(1, 30)
    consumer.commit(asynchronous=False)
    consumer.close()
    secret = AclBinding(
        ResourceType.GROUP,
        group,
        ResourcePatternType.LITERAL,
        "User:kferry",
        "*",
        AclOperation.DESCRIBE,
        AclPermissionType.DENY,
    )
    client = admin(sasl.source)
    for done in client.create_acls([secret]).values():
        done.result(20)
    code, findings = check(
        sasl.source.kferry_properties, sasl.target.kferry_properties, "--topic", topic
    )
    assert code == 5
    [denied] = of(findings, side="source", code="denied")
    assert denied["subject"] == "Describe on groups"
    assert group in denied["message"]
    filter_ = AclBindingFilter(*(getattr(secret, field) for field in FIELDS))
    for done in client.delete_acls([filter_]).values():
        done.result(20)


def test_brokers_behind_one_address_are_named(three: Sandbox, tmp_path: Path) -> None:
    first, second, _ = three.source.bootstrap.split(",")
    balanced = edited(three.source.properties, tmp_path, kferry_address_map=f"{second}={first}")
    code, findings = check(balanced, three.target.bootstrap)
    assert code == 5
    [shared] = of(findings, code="shared-address")
    assert shared["subject"] == "brokers 1, 2"
    assert first in shared["message"]


def test_a_pattern_that_matches_nothing_is_a_mistake(plain: Sandbox) -> None:
    code, findings = check(plain.source.bootstrap, plain.target.bootstrap, "--topic", "ordres-*")
    assert code == 5
    assert of(findings, code="pattern-matches-nothing")[0]["subject"] == "--topic ordres-*"


@pytest.mark.parametrize("arguments", [[], ["--source"], ["--topic", "/(/", "--source", "a:1"]])
def test_usage_errors_say_the_way_out_and_exit_with_2(arguments: list[str]) -> None:
    done = kferry("check", *arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert "╷ error K1" in done.stderr
    assert "hint: " in done.stderr


def test_one_side_alone_can_be_looked_at(plain: Sandbox) -> None:
    done = kferry("--source", plain.source.bootstrap, "check")
    assert done.returncode == 0
    assert "Target" not in done.stdout
    assert done.stderr.startswith("next: ")
    assert max(map(len, done.stdout.splitlines())) <= 100
