"""How a plan looks. `KFERRY_SNAPSHOTS=write` writes the golden texts anew; look at the diff."""

import os
from pathlib import Path

import pytest

from kferry.cli.apply import applied_json
from kferry.cli.plan_lines import applied_lines, plan_lines
from kferry.errors import ExitCode, KferryError
from kferry.migration.planning import Applied
from kferry.plans import Action, Item, Outcome, Plan

SNAPSHOTS = Path(__file__).parent.parent / "snapshots"
RULE = (
    "records would move to other partitions; `topics.change` in kferry.yaml lets `kferry apply` "
    "change it"
)
ITEMS = (
    Item(
        action=Action.CREATE,
        kind="topic",
        name="orders",
        reason="24 partitions, replication 3, compact",
        details=("replication 5 → 3: the target has 3 live brokers",),
        work={"do": "create"},
    ),
    Item(
        action=Action.CHANGE,
        kind="topic",
        name="payments",
        reason="retention.ms: 604800000 → 2592000000",
        work={"do": "change"},
    ),
    Item(action=Action.SAME, kind="topic", name="invoices", reason="12 partitions"),
    Item(
        action=Action.CONFLICT,
        kind="topic",
        name="clicks",
        reason="the target has 6 partitions, the source has 12",
        details=(RULE,),
    ),
    Item(
        action=Action.CREATE,
        kind="topic",
        name="a-name-that-is-longer-than-the-column-for-names-is-wide",
        reason="1 partition, replication 3",
        work={"do": "create"},
    ),
    Item(
        action=Action.CREATE,
        kind="acl",
        name="User:app may Write topic orders",
        reason="",
        work={},
        after=("topic:orders",),
    ),
    Item(
        action=Action.LEFT_BEHIND,
        kind="user",
        name="bob",
        reason="no password in the secrets file",
    ),
)
PLAN = Plan(
    migration="orders-2026",
    source_id="5L6gAAAAAAAAAAAAAAAAAA",
    target_id="Xr2PAAAAAAAAAAAAAAAAAA",
    source_release="2.8",
    target_release="4.3",
    made_at="2026-03-01T12:00:00+00:00",
    items=ITEMS,
    notes=("topics: those that User:kferry may not Describe are not listed (kafka-acls --add …)",),
    size={
        "bytes": 471_000_000_000,
        "records": 1_204_332,
        "fits": True,
        "seconds": 7800.0,
        "speed": 62_914_560.0,
        "limited_by": "rate",
        "allows_seconds": 443_000.0,
        "overtaken": [],
        "topics": {"orders": 443_000_000_000},
    },
)


def golden(name: str, lines: list[str]) -> None:
    file = SNAPSHOTS / f"{name}.txt"
    text = "\n".join(lines) + "\n"
    if os.environ.get("KFERRY_SNAPSHOTS") == "write":
        file.write_text(text, "utf-8")
    assert text == file.read_text("utf-8")
    for line in lines:
        assert len(line) <= 100 or len(line.split()) == 1


def test_a_plan_of_everything() -> None:
    golden("plan", plan_lines(PLAN))


def test_a_plan_of_nothing() -> None:
    same = Item(action=Action.SAME, kind="topic", name="orders", reason="24 partitions")
    empty = Plan(migration="m", source_id="S", target_id="T", made_at="", items=(same,))
    golden("plan-nothing", plan_lines(empty))


def test_what_is_right_already_is_counted_where_it_is_much() -> None:
    many = tuple(
        Item(action=Action.SAME, kind="topic", name=f"t{number}", reason="1 partition")
        for number in range(1000)
    )
    plan = Plan(migration="m", source_id="S", target_id="T", made_at="", items=(*many, ITEMS[0]))
    golden("plan-many", plan_lines(plan))
    assert len(plan_lines(plan, verbose=True)) > 1000


def test_what_clusters_say_cannot_move_the_cursor() -> None:
    hostile = Item(
        action=Action.CONFLICT, kind="user", name="a\x1b[2Jb", reason="\x07", details=("\x1b",)
    )
    plan = Plan(migration="m", source_id="S", target_id="T", made_at="", items=(hostile,))
    assert "\x1b[2J" not in "\n".join(plan_lines(plan))
    assert "\x07" not in "\n".join(plan_lines(plan))


def ended(*errors: KferryError | None) -> Applied:
    orders, payments, _, _, _, rule, _ = ITEMS
    first, second = errors
    return Applied(
        plan=PLAN,
        outcomes=(
            Outcome(item=orders, error=first),
            Outcome(item=payments, error=second),
            Outcome(item=rule, skipped="" if first is None else orders.ref),
        ),
    )


REFUSED = KferryError(
    "the topic orders was not created",
    "POLICY_VIOLATION: replication must be 3",
    hint="ask whoever made the policy",
)


def test_an_apply_with_a_failure() -> None:
    golden("apply", applied_lines(ended(REFUSED, None)))


def test_scripts_are_told_what_became_of_each() -> None:
    told = applied_json(ended(REFUSED, None))
    assert [one["name"] for one in told["changed"]] == ["payments"]
    assert told["created"] == []
    assert [(one["name"], one["code"]) for one in told["failed"]] == [
        ("orders", "K000"),
        ("User:app may Write topic orders", ""),
    ]
    assert [one["name"] for one in told["conflict"]] == ["clicks"]


@pytest.mark.parametrize(
    ("errors", "code"),
    [
        ((None, None), ExitCode.REFUSED),  # a decision is open
        ((REFUSED, None), ExitCode.FAILED),
    ],
)
def test_the_exit_code_tells_how_it_ended(
    errors: tuple[KferryError | None, ...], code: ExitCode
) -> None:
    assert ended(*errors).exit_code == code
