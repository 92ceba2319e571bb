"""The flags of plan and apply: what they mean together with a file, and kept in a plan."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kferry.cli.apply import read_plan
from kferry.cli.options import Options
from kferry.cli.plan import _next, write_plan
from kferry.cli.plan_flags import PlanFlags, flags_from, plan_request, topics_from
from kferry.errors import ConfigError, UsageError
from kferry.names import TopicName
from kferry.plans import Action, Item, Plan

ALL = PlanFlags(
    map=("a=b",),
    replication="2",
    exclude_config=("flush.*", "/x.*/"),
    mm2_excludes=True,
    clamp=True,
    secrets_file=Path("words"),
    generate_passwords=True,
    hold_back_writes=True,
)
SIDES = Options(source="a:9092", target="b:9092")
PLAN = Plan(
    migration="m",
    source_id="S",
    target_id="T",
    made_at="now",
    items=(),
    asked={"topics": ["o*"], **ALL.as_json()},
)


def test_a_plans_file_keeps_what_was_asked_for(tmp_path: Path) -> None:
    file = tmp_path / "plan.json"
    write_plan(file, PLAN)
    asked = read_plan(file).asked
    assert (topics_from(asked), flags_from(asked)) == (("o*",), ALL)
    assert flags_from(PlanFlags().as_json()) == PlanFlags()
    write_plan(file, replace(PLAN, migration="other"))
    assert read_plan(file).migration == "other"
    assert [one.name for one in tmp_path.iterdir()] == ["plan.json"]  # no draft is left


@pytest.mark.parametrize(
    "asked",
    [
        {"map": "a=b"},
        {"exclude_config": [1]},
        {"replication": 3},
        {"clamp": "yes"},
        {"secrets_file": ["x"]},
    ],
    ids=str,
)
def test_a_file_that_asks_for_what_cannot_be_is_refused(asked: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="asked"):
        flags_from(asked)


def test_what_is_no_plan_is_named(tmp_path: Path) -> None:
    file = tmp_path / "plan.json"
    for content in (b"", b"\xff", b"[" * 100_000, b"{}", json.dumps({"form": 9}).encode()):
        file.write_bytes(content)
        with pytest.raises(ConfigError, match="is no plan"):
            read_plan(file)
    with pytest.raises(ConfigError, match="cannot read"):
        read_plan(tmp_path / "absent")
    with pytest.raises(ConfigError, match="cannot write"):
        write_plan(tmp_path / "absent" / "plan.json", PLAN)


def test_flags_win_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "kferry.yaml"
    file.write_text(
        "version: 1\n"
        "source: {bootstrap: 'a:9092'}\n"
        "target: {bootstrap: 'b:9092'}\n"
        "topics: {include: ['*'], replication: 3, rename: {'o*': 'eu.o*', a: c}}\n"
        "copy: {suspend_retention: true}\n"
        "ledger: {slots: 4}\n"
    )
    options = Options(config=file)
    request = plan_request(options, PlanFlags())
    assert (request.topics.replication, request.slots, request.suspend_retention) == (3, 4, True)
    request = plan_request(options, replace(ALL, replication="source"))
    assert request.topics.replication is None
    assert request.topics.clamp
    assert request.access.hold_back_writes
    assert request.mapping[TopicName("a")] == "b"
    assert request.mapping[TopicName("orders")] == "eu.orders"


def test_what_cannot_be_asked_is_said() -> None:
    with pytest.raises(UsageError, match="no target was named"):
        plan_request(Options(source="a:9092"), PlanFlags())
    for wrong in ("a", "a=b c"):
        with pytest.raises((UsageError, ConfigError)):
            plan_request(SIDES, PlanFlags(map=(wrong,)))
    with pytest.raises(UsageError, match="two names"):
        plan_request(SIDES, PlanFlags(map=("a=b", "a=c")))
    with pytest.raises(ConfigError, match="no replication"):
        plan_request(SIDES, PlanFlags(replication="0"))


def test_the_next_command_means_the_same() -> None:
    """Without its flags it would give topics other names, and rights that were to wait."""
    assert ALL.again == (
        " --map a=b --replication 2 --exclude-config 'flush.*' --exclude-config '/x.*/'"
        " --mm2-excludes --clamp --secrets-file words --generate-passwords --hold-back-writes"
    )
    item = Item(action=Action.CREATE, kind="topic", name="b", work={})
    line = _next(replace(PLAN, items=(item,)), SIDES, ALL, None)
    assert line == f"next: kferry apply --source a:9092 --target b:9092{ALL.again}"
    kept = _next(replace(PLAN, items=(item,)), SIDES, ALL, Path("my plan"))
    assert kept == "next: kferry apply 'my plan' --source a:9092 --target b:9092"
    assert " --map a=b --topic NAME" in _next(PLAN, SIDES, ALL, None)
