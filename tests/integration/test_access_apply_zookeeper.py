"""A target with ZooKeeper: what it takes arrives, what it does not know is named."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from kferry.access import apply_access, plan_access
from kferry.admin.acls import Acl, create_acls
from kferry.admin.quotas import Quota, set_quotas
from kferry.admin.users import NewCredential, scram_users, set_credentials
from kferry.config import Secret, TopicSelection, load_properties
from kferry.config.plan_settings import AccessWishes
from kferry.plans import Action, Item
from kferry.sandbox import ClusterSpec, Sandbox
from kferry.wire import Cluster, open_cluster

ODD = "a b*,c=100%25"
"""A name that ZooKeeper's nodes spell otherwise."""


@pytest.fixture
def with_zookeeper() -> Iterator[Sandbox]:
    with Sandbox.start(target=ClusterSpec(version="2.8.2")) as sandbox:
        yield sandbox


def rule(resource: str, name: str, operation: str, pattern: str = "literal", **more: str) -> Acl:
    told = {"principal": "User:x", "host": "*", "permission": "allow", **more}
    return Acl(resource=resource, name=name, operation=operation, pattern=pattern, **told)


async def test_what_it_knows_arrives_and_the_rest_is_named(
    with_zookeeper: Sandbox, tmp_path: Path
) -> None:
    wishes = AccessWishes(secrets_file=tmp_path / "secrets", generate_passwords=True)
    async with (
        open_cluster(load_properties(with_zookeeper.source.properties)) as source,
        open_cluster(load_properties(with_zookeeper.target.properties)) as target,
    ):
        await _fill(source)
        items = await plan_access(source, target, wishes, {}, TopicSelection())
        behind = {item.name: item.reason for item in items if item.action is Action.LEFT_BEHIND}
        assert behind == {
            "allow User:x DescribeTokens on user User:y": "Kafka 2.8 has no rules about users",
            "allow User:x TwoPhaseCommit on transactional-id t": (
                "Kafka 2.8 does not know TwoPhaseCommit"
            ),
            "super users": "the brokers of the source and of the target do not show super.users",
            "what no rule is about": (
                "the brokers of the source and of the target do not show "
                "allow.everyone.if.no.acl.found"
            ),
        }
        outcomes = await apply_access(target, items, wishes)
        assert outcomes == {item.ref: None for item in items if item.name not in behind}
        assert len(outcomes) == 8
        again = await plan_access(source, target, wishes, {}, TopicSelection())
        assert _names(again, Action.SAME) == _names(items, Action.CREATE)
        assert (await scram_users(target)).keys() == {ODD, "plain"}


def _names(items: list[Item], action: Action) -> set[str]:
    return {item.ref for item in items if item.action is action}


async def _fill(source: Cluster) -> None:
    rules = [
        rule("topic", "orders", "All"),
        rule("topic", "ord", "Write", "prefixed"),
        rule("group", "ship", "Read", permission="deny", host="10.0.0.1"),
        rule("transactional-id", "t", "TwoPhaseCommit"),
        rule("user", "User:y", "DescribeTokens"),
    ]
    quotas = [
        Quota(entity={"user": ODD, "client-id": None}, limits={"consumer_byte_rate": 5.0}),
        Quota(entity={"ip": "10.0.0.1"}, limits={"connection_creation_rate": 5.0}),
        Quota(entity={"user": None}, limits={"controller_mutation_rate": 5.0}),
    ]
    users = [
        NewCredential(user=user, mechanism=mechanism, iterations=4096, password=Secret("p"))
        for user in (ODD, "plain")
        for mechanism in ("SCRAM-SHA-256", "SCRAM-SHA-512")
    ]
    for outcomes in (
        await create_acls(source, rules),
        await set_quotas(source, quotas),
        await set_credentials(source, users),
    ):
        assert set(outcomes.values()) == {None}
