"""What apply does again, what it takes for its own, and what its commands do when pasted."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest

from kferry.access import applying
from kferry.access.work import UserWork, rule_as_work, user_as_work
from kferry.admin.acls import Acl
from kferry.admin.users import Credential, NewCredential
from kferry.cli.as_commands import commands, script
from kferry.cli.options import Options
from kferry.config import ClusterSettings, load_cluster, load_migration_file
from kferry.config.plan_settings import AccessWishes
from kferry.errors import ConfigError
from kferry.migration import completing, strangers
from kferry.migration.apply import MovedOn, as_reviewed
from kferry.migration.book import TopicEntry
from kferry.migration.completing import NotCompleted, complete_topics
from kferry.migration.planning import PlanRequest
from kferry.names import TopicName
from kferry.plans import Action, Item, Plan, fingerprint, from_json, to_json
from kferry.topics.applications import Application, ApplicationKind, application_items
from kferry.wire import Limits

OURS = "11111111-1111-1111-1111-111111111111"
OTHER = "22222222-2222-2222-2222-222222222222"


def plan(*items: Item) -> Plan:
    return Plan(
        migration="m",
        source_id="s",
        target_id="t",
        made_at="2026-01-01T00:00:00+00:00",
        items=items,
        facts_hash=fingerprint(items),
    )


def new(name: str, details: tuple[str, ...] = ()) -> Item:
    work: Mapping[str, Any] = {"do": "create", "source": name}
    return Item(action=Action.CREATE, kind="topic", name=name, details=details, work=work)


def test_a_kept_plan_can_be_applied_again_whatever_is_said_of_what_it_made() -> None:
    reviewed = plan(new("orders", ("all replicas will be in rack a: the target has no other",)))
    now = plan(
        Item(
            action=Action.SAME,
            kind="topic",
            name="orders",
            details=("all replicas of every partition are in rack a",),
        )
    )
    assert as_reviewed(now, reviewed, ours={"topic:orders"}).work == ()
    with pytest.raises(MovedOn):
        as_reviewed(now, reviewed)  # somebody else has made it, and in another way


def test_a_user_with_iterations_of_the_target_is_the_one_that_was_reviewed() -> None:
    work = user_as_work(
        UserWork(user="a", credentials=(Credential(mechanism="SCRAM-SHA-256", iterations=4096),))
    )
    reviewed = plan(Item(action=Action.CREATE, kind="user", name="a", work=work))
    told = ("SCRAM-SHA-256: 4,096 iterations there, 2,048 on the source",)
    now = plan(Item(action=Action.SAME, kind="user", name="a", details=told))
    assert as_reviewed(now, reviewed).work == ()


def test_two_applications_of_one_name_are_two_items() -> None:
    found = [
        Application(kind=kind, name="connect", topics=(TopicName(f"t{number}"),))
        for number, kind in enumerate((ApplicationKind.CONNECT, ApplicationKind.STREAMS))
    ]
    items = application_items(found, {TopicName("t0"), TopicName("t1")})
    assert from_json(to_json(plan(*items))).items == items


# Commands


def rule(permission: str) -> Item:
    acl = Acl(
        resource="topic",
        name="orders",
        pattern="literal",
        principal="User:a",
        host="*",
        permission=permission,
        operation="Read",
    )
    return Item(action=Action.CREATE, kind="acl", name=f"{permission} it", work=rule_as_work(acl))


def request() -> PlanRequest:
    side: ClusterSettings = load_cluster("localhost:9092", None, side="target")
    return PlanRequest(source=side, target=side)


def test_denials_are_made_before_what_they_restrict() -> None:
    found = commands(plan(rule("allow"), rule("deny")), request(), Options())
    assert ["--deny-principal" in line for line in found.now] == [True, False]


def test_no_pasted_line_gives_a_user_a_password_that_everybody_knows() -> None:
    credential = Credential(mechanism="SCRAM-SHA-512", iterations=4096)
    work = user_as_work(UserWork(user="a\nreboot", credentials=(credential,)))
    made = plan(Item(action=Action.CREATE, kind="user", name="a", work=work), rule("allow"))
    lines = "\n".join(script(made, commands(made, request(), Options()))).split("\n")
    assert [line[:10] for line in lines if line and not line.startswith("#")] == ["kafka-acls"]
    assert any("password=PASSWORD" in line for line in lines)


async def test_credentials_that_somebody_made_meanwhile_stay(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A broker would replace them, and whoever uses them could not log in any more."""
    file = tmp_path / "secrets"
    file.write_text("a=word\n")
    sha = [
        Credential(mechanism=mechanism, iterations=4096)
        for mechanism in ("SCRAM-SHA-256", "SCRAM-SHA-512")
    ]
    there: dict[str, tuple[Credential, ...]] = {"a": (sha[0],)}
    asked: list[NewCredential] = []

    async def scram_users(_: Any) -> Any:
        return there

    async def set_credentials(_: Any, wanted: Sequence[NewCredential]) -> dict[str, None]:
        asked.extend(wanted)
        there["a"] = (*sha,)
        return {"a": None}

    async def grant(*_: Any) -> str:
        return ""

    monkeypatch.setattr(applying, "scram_users", scram_users)
    monkeypatch.setattr(applying, "set_credentials", set_credentials)
    monkeypatch.setattr(applying, "_grant", grant)
    work = user_as_work(UserWork(user="a", credentials=(*sha,)))
    item = Item(action=Action.CREATE, kind="user", name="a", work=work)
    target: Any = SimpleNamespace(limits=Limits())
    outcomes = await applying.apply_access(target, [item], AccessWishes(secrets_file=file))
    assert outcomes == {"user:a": None}
    assert [one.mechanism for one in asked] == ["SCRAM-SHA-512"]


# What is ours


def entry(name: str, target_id: str | None, *, created: bool = True) -> TopicEntry:
    return TopicEntry(
        source=TopicName(name),
        target=TopicName(name),
        source_id=None,
        target_id=target_id,
        partitions=1,
        created=created,
        finish={"retention.ms": "1"},
    )


class Target:
    """Topics by name, with their ids; none is an error."""

    def __init__(self, **ids: str) -> None:
        self.topics = {
            TopicName(name): SimpleNamespace(id=UUID(id_), error_code=0)
            for name, id_ in ids.items()
        }

    async def refresh(self, _: Iterable[TopicName]) -> Any:
        return SimpleNamespace(topics=self.topics)


@pytest.fixture
def shows_suspension(monkeypatch: pytest.MonkeyPatch) -> set[TopicName]:
    names: set[TopicName] = set()

    async def suspended(_: Any, topics: Iterable[TopicName]) -> set[TopicName]:
        return {one for one in topics if one in names}

    monkeypatch.setattr(strangers, "suspended", suspended)
    return names


async def test_a_topic_that_others_made_first_is_not_ours(
    shows_suspension: set[TopicName],
) -> None:
    target: Any = Target(theirs=OTHER, ours=OURS, seen=OURS)
    shows_suspension.add(TopicName("ours"))
    written = [
        entry("theirs", None),
        entry("ours", None),
        entry("seen", OURS),
        entry("absent", None),
        entry("taken", None, created=False),
    ]
    assert await strangers.made_by_others(target, written) == {"theirs"}


async def test_complete_sets_nothing_on_topics_of_others(
    shows_suspension: set[TopicName], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: dict[TopicName, Any] = {}

    async def restore(_: Any, wanted: Mapping[TopicName, Any]) -> dict[TopicName, None]:
        asked.update(wanted)
        return dict.fromkeys(wanted)

    class Writer:
        async def write(self, _: Any) -> None: ...

    monkeypatch.setattr(completing, "restore", restore)
    slot: Any = SimpleNamespace(writer=Writer())
    target: Any = Target(theirs=OTHER, ours=OURS, seen=OURS, remade=OTHER)
    shows_suspension.add(TopicName("ours"))
    unmade = [entry("theirs", None), entry("absent", None)]
    assert await complete_topics(target, slot, unmade) == []
    with pytest.raises(NotCompleted) as caught:
        await complete_topics(
            target, slot, [entry("ours", None), entry("seen", OURS), entry("remade", OURS)]
        )
    assert "remade was deleted and made anew" in caught.value.detail
    assert set(asked) == {"ours", "seen"}


def test_a_number_with_a_unit_is_a_problem_of_the_file(tmp_path: Path) -> None:
    file = tmp_path / "kferry.yaml"
    file.write_text("version: 1\ntopics:\n  configs:\n    orders: {max.message.bytes: 1MB}\n")
    with pytest.raises(ConfigError) as caught:
        load_migration_file(file)
    assert "whole number" in f"{caught.value.title} {caught.value.detail}"
