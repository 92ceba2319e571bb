"""Access rules, users and quotas on real brokers, judged by the official tools and client."""

import re
import shlex
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import KafkaException
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # its stubs export too little
    AclBinding,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)
from inspecting import admin_of
from judge import PATIENCE_S, client_config
from machine import eventually
from test_inspect_access import CONFIGS, add_user, as_admin

from kferry.access import access_command, apply_access, plan_access
from kferry.access.errors import NotApplied, WouldAllowTooMuch
from kferry.access.rules import rule_name
from kferry.access.work import quota_as_work, rule_as_work
from kferry.admin.acls import Acl
from kferry.admin.quotas import Quota, set_quotas
from kferry.config import TopicSelection, load_properties
from kferry.config.plan_settings import AccessWishes
from kferry.plans import Action, Item, Plan, to_json
from kferry.sandbox import Cluster as SandboxCluster
from kferry.sandbox import Sandbox
from kferry.wire import Cluster, UnsupportedApi, open_cluster

ALL = TopicSelection()
Rules = set[tuple[str, str]]


@pytest.fixture
async def sides(sasl: Sandbox) -> AsyncIterator[tuple[Cluster, Cluster]]:
    """Both sides, with the rights that the documents name and no more."""
    source = load_properties(sasl.source.kferry_properties)
    target = load_properties(sasl.target.kferry_properties)
    async with open_cluster(source) as ours, open_cluster(target) as theirs:
        yield ours, theirs


async def planned(
    sides: tuple[Cluster, Cluster], about: str, wishes: AccessWishes | None = None
) -> list[Item]:
    """Plan, and leave of it what this test is about: the clusters are shared."""
    items = await plan_access(*sides, wishes or AccessWishes(), {}, ALL)
    return [item for item in items if about in item.name]


def acls_tool(cluster: SandboxCluster, *arguments: str) -> str:
    moved = cluster.version.startswith("4")
    tool = "org.apache.kafka.tools.AclCommand" if moved else "kafka.admin.AclCommand"
    return as_admin(cluster, tool, *arguments)


def listed(cluster: SandboxCluster, principal: str) -> Rules:
    """Ask the official tool for the rules of a principal, each with what it is about."""
    found: Rules = set()
    resource = ""
    for line in acls_tool(cluster, "--list", "--principal", principal).splitlines():
        if about := re.search(r"ResourcePattern\(.*?\)", line):
            resource = about[0]
        elif one := re.search(r"\((principal=.*permissionType=\w+)\)", line):
            found.add((resource, one[1]))
    return found


async def test_what_mirror_maker_drops_arrives_whole(
    sasl: Sandbox, sides: tuple[Cluster, Cluster]
) -> None:
    name = f"apply-{uuid.uuid4().hex[:8]}"
    who = f"User:{name}"
    literal, prefixed = ResourcePatternType.LITERAL, ResourcePatternType.PREFIXED
    allow, deny = AclPermissionType.ALLOW, AclPermissionType.DENY
    operation, topic = AclOperation, ResourceType.TOPIC
    tx = ResourceType.TRANSACTIONAL_ID
    made = [
        AclBinding(topic, "orders", literal, who, "*", operation.WRITE, allow),
        AclBinding(topic, "orders", literal, who, "*", operation.READ, allow),
        AclBinding(topic, "payments", literal, who, "*", operation.ALL, allow),
        AclBinding(topic, "ord", prefixed, who, "*", operation.DESCRIBE, allow),
        AclBinding(topic, "*", literal, who, "10.0.0.1", operation.DELETE, deny),
        AclBinding(ResourceType.GROUP, "ship", prefixed, who, "*", operation.ALL, allow),
        AclBinding(tx, "tx", prefixed, who, "10.0.0.2", operation.WRITE, allow),
    ]
    admin = admin_of(sasl.source)
    for future in admin.create_acls(made).values():
        future.result(PATIENCE_S)
    # Kinds that only the official tool has words for.
    add = ("--add", "--allow-principal", who)
    acls_tool(sasl.source, *add, "--operation", "Describe", "--delegation-token", "t", "--cluster")
    acls_tool(sasl.source, *add, "--operation", "DescribeTokens", "--user-principal", "User:other")
    items = await planned(sides, who)
    assert {item.action for item in items} == {Action.CREATE}
    outcomes = await apply_access(sides[1], items, AccessWishes())
    assert outcomes == {item.ref: None for item in items}
    there = listed(sasl.target, who)
    assert there == listed(sasl.source, who)
    assert len(there) == len(items) == len(made) + 3
    assert {item.action for item in await planned(sides, who)} == {Action.SAME}
    assert await apply_access(sides[1], items, AccessWishes()) == outcomes  # harmless


async def test_the_commands_of_a_plan_do_what_apply_does(
    sasl: Sandbox, sides: tuple[Cluster, Cluster]
) -> None:
    name = f"apply-{uuid.uuid4().hex[:8]}"
    who = f"User:{name}"
    allow = ("--add", "--allow-principal", who, "--allow-host", "10.0.0.1")
    acls_tool(sasl.source, *allow, "--operation", "Read", "--topic", "orders")
    entity = ("--user", name, "--client-defaults")
    as_admin(sasl.source, CONFIGS, "--alter", "--add-config", "consumer_byte_rate=5", *entity)
    for item in await planned(sides, name):
        command = access_command(item)
        assert command is not None
        tool, arguments = command[0], shlex.split(command[1])
        if tool == "kafka-acls":
            acls_tool(sasl.target, *arguments)
        else:
            as_admin(sasl.target, CONFIGS, *arguments)
    assert [item.action for item in await planned(sides, name)] == [Action.SAME, Action.SAME]


async def test_users_can_log_in_with_the_passwords_of_the_file(
    sasl: Sandbox,
    sides: tuple[Cluster, Cluster],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    given, _ = add_user(sasl.source, tmp_path)
    made_up, _ = add_user(sasl.source, tmp_path)
    also = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_256, 4096)
    admin = admin_of(sasl.source)
    upsertion = UserScramCredentialUpsertion(made_up, also, b"secret")
    admin.alter_user_scram_credentials([upsertion])[made_up].result(PATIENCE_S)
    file = tmp_path / "secrets"
    file.write_text(f"{given}=päss=word: 1\n", encoding="utf-8")
    file.chmod(0o600)
    wishes = AccessWishes(secrets_file=file, acls=False, quotas=False)
    (behind,) = await planned(sides, made_up, wishes)
    assert behind.action is Action.LEFT_BEHIND
    wishes = wishes.with_flags(generate_passwords=True)
    items = [item for name in (given, made_up) for item in await planned(sides, name, wishes)]
    assert made_up not in file.read_text()  # a plan writes nothing
    caplog.set_level("DEBUG")
    outcomes = await apply_access(sides[1], items, wishes)
    assert outcomes == {f"user:{given}": None, f"user:{made_up}": None}
    passwords = dict(line.split("=", 1) for line in file.read_text("utf-8").splitlines())
    passwords[given] = "päss=word: 1"
    for name, password in passwords.items():
        assert can_log_in(sasl.target, name, password)
        assert not can_log_in(sasl.target, name, f"{password}x")
    again = [item for name in passwords for item in await planned(sides, name, wishes)]
    assert [item.action for item in again] == [Action.SAME, Action.SAME]
    plan = Plan(migration="m", source_id="", target_id="", made_at="", items=(*items, *again))
    for told in (f"{to_json(plan)}", f"{outcomes}", caplog.text):
        assert not any(password in told for password in passwords.values())


def can_log_in(cluster: SandboxCluster, user: str, password: str) -> bool:
    """Ask the official client, until a broker says yes or no."""
    failures: list[str] = []
    config: dict[str, Any] = {
        **client_config(cluster.kferry_properties),
        "sasl.username": user,
        "sasl.password": password,
        "error_cb": lambda error: failures.append(error.name()),
    }
    assert config["sasl.mechanism"] == "SCRAM-SHA-512"
    admin = AdminClient(config)
    told: list[bool] = []

    def answered() -> bool:
        try:
            told.append(bool(admin.list_topics(timeout=1).brokers))
        except KafkaException:
            admin.poll(0)
            if "_AUTHENTICATION" in failures:
                told.append(False)
        return bool(told)

    eventually(answered)
    return told[0]


async def test_quotas_arrive_beside_those_of_the_target(
    sasl: Sandbox, sides: tuple[Cluster, Cluster]
) -> None:
    name = f"apply-{uuid.uuid4().hex[:8]}"
    limits = {"producer_byte_rate": 1048576.0, "request_percentage": 12.5}
    made = [
        Quota(entity={"user": name}, limits=limits),
        Quota(entity={"user": name, "client-id": "a b"}, limits={"consumer_byte_rate": 2048.0}),
        Quota(entity={"user": name, "client-id": None}, limits={"consumer_byte_rate": 4096.0}),
        Quota(entity={"client-id": name}, limits={"controller_mutation_rate": 3.5}),
    ]
    async with open_cluster(load_properties(sasl.source.properties)) as source:
        assert set((await set_quotas(source, made)).values()) == {None}
    async with open_cluster(load_properties(sasl.target.properties)) as target:
        own = Quota(entity={"user": name}, limits={"producer_byte_rate": 9.0})
        assert set((await set_quotas(target, [own])).values()) == {None}
    items = await planned(sides, name)
    assert sorted(item.action for item in items) == ["change", *["create"] * 3]
    outcomes = await apply_access(sides[1], items, AccessWishes())
    assert outcomes == {item.ref: None for item in items}
    clients = ("--entity-type", "users", "--entity-type", "clients")
    shown = [
        {line for line in described.splitlines() if name in line}
        for side in (sasl.source, sasl.target)
        if (described := as_admin(side, CONFIGS, "--describe", *clients))
    ]
    assert shown[0] == shown[1] != set()
    mine = as_admin(sasl.target, CONFIGS, "--describe", "--user", name)
    assert "request_percentage=12.5" in mine
    assert "producer_byte_rate=9.0" in mine  # the target's own stays
    assert {item.action for item in await planned(sides, name)} == {Action.SAME}


def rule(who: str, *, resource: str = "topic", name: str = "orders", **more: str) -> Acl:
    told = {"pattern": "literal", "host": "*", "permission": "allow", "operation": "Read", **more}
    return Acl(resource=resource, name=name, principal=who, **told)


def item_of(one: Acl) -> Item:
    return Item(action=Action.CREATE, kind="acl", name=rule_name(one), work=rule_as_work(one))


async def test_one_failure_keeps_nobody_else(sasl: Sandbox, sides: tuple[Cluster, Cluster]) -> None:
    name = f"apply-{uuid.uuid4().hex[:8]}"
    who = f"User:{name}"
    no_such = item_of(rule(who, resource="cluster", name="no-such-cluster"))
    denied = item_of(rule(who, resource="cluster", name="neither", permission="deny"))
    shut = item_of(rule(who, resource="cluster", name="neither"))
    good = item_of(rule(who))
    edited = Item(action=Action.CREATE, kind="acl", name="edited", work={"resource": "topic"})
    limits = {"producer_byte_rate": 5.0}
    quotas = [
        Item(action=Action.CREATE, kind="quota", name=name, work=quota_as_work(quota))
        for name, quota in (
            ("good", Quota(entity={"user": name}, limits=limits)),
            ("bad", Quota(entity={"user": name, "client-id": name}, limits={"no_such": 1.0})),
        )
    ]
    items = (no_such, denied, shut, good, edited, *quotas)
    outcomes = await apply_access(sides[1], items, AccessWishes())
    assert outcomes.keys() == {item.ref for item in items}
    assert outcomes[good.ref] is outcomes["quota:good"] is None
    assert isinstance(outcomes[no_such.ref], NotApplied)
    assert isinstance(outcomes["quota:bad"], NotApplied)
    assert isinstance(outcomes[shut.ref], WouldAllowTooMuch)
    assert "cannot be applied" in str(outcomes[edited.ref])
    assert len(listed(sasl.target, who)) == 1


async def test_without_rights_nothing_is_absent_and_the_grant_is_named(
    sasl: Sandbox, sides: tuple[Cluster, Cluster], tmp_path: Path
) -> None:
    name, file = add_user(sasl.source, tmp_path)
    async with open_cluster(load_properties(file)) as nobody:
        unseen = await plan_access(nobody, sides[1], AccessWishes(), {}, ALL)
    assert [(item.action, item.kind) for item in unseen] == [
        (Action.CONFLICT, "acl"),
        (Action.CONFLICT, "user"),
        (Action.CONFLICT, "quota"),
    ]
    assert f"User:{name} lacks Describe on the cluster" in unseen[0].reason
    assert f"--allow-principal 'User:{name}' --operation Describe --cluster" in unseen[0].details[0]
    assert "--operation DescribeConfigs --cluster" in unseen[2].details[0]
    name, file = add_user(sasl.target, tmp_path)
    as_admin(
        sasl.source, CONFIGS, "--alter", "--add-config", "consumer_byte_rate=5", "--user", name
    )
    async with open_cluster(load_properties(file)) as nobody:
        unseen = await plan_access(sides[0], nobody, AccessWishes(), {}, ALL)
        good = item_of(rule(f"User:{name}"))
        outcomes = await apply_access(nobody, [good], AccessWishes())
    assert {(item.action, item.work is None) for item in unseen if item.name != SETTINGS} == {
        (Action.CONFLICT, True)
    }
    (error,) = outcomes.values()
    assert error is not None
    assert "--operation Alter --cluster" in error.hint


SETTINGS = "the brokers' settings"


async def test_old_brokers_say_per_kind_what_they_cannot(old: Sandbox) -> None:
    async with (
        open_cluster(load_properties(old.source.properties)) as source,
        open_cluster(load_properties(old.target.properties)) as target,
    ):
        items = await plan_access(source, target, AccessWishes(), {}, ALL)
        assert [(item.action, item.kind, item.name) for item in items] == [
            (Action.LEFT_BEHIND, "acl", "ACLs"),
            (Action.LEFT_BEHIND, "user", "users"),
            (Action.LEFT_BEHIND, "quota", "quotas"),
        ]
        assert "cannot be asked for them, only 0.11 and later" in items[0].reason
        who = f"User:apply-{uuid.uuid4().hex[:8]}"
        literal, prefixed = item_of(rule(who)), item_of(rule(who, pattern="prefixed"))
        outcomes = await apply_access(target, [literal, prefixed], AccessWishes())
        assert outcomes[literal.ref] is None
        refused = outcomes[prefixed.ref]
        assert isinstance(refused, NotApplied)
        assert isinstance(refused.refusal, UnsupportedApi)
        assert "begin alike" in str(refused)
