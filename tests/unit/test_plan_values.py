"""Plans as values: what survives a file, what is refused of it, and in which order items go."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kferry.plans import Action, Item, Plan, fingerprint, from_json, in_order, to_json


def item(name: str, action: Action = Action.CREATE, **more: Any) -> Item:
    work: Any = {"do": name} if action in {Action.CREATE, Action.CHANGE} else None
    given: dict[str, Any] = {"kind": "topic", "name": name, "action": action, "work": work}
    return Item(**{**given, **more})


def plan(*items: Item) -> Plan:
    return Plan(
        migration="orders",
        source_id="S",
        target_id="T",
        made_at="2026-03-01T12:00:00+00:00",
        items=items,
        notes=("topics: those that User:kferry may not Describe are not listed",),
        asked={"topics": ["o*"]},
        facts_hash=fingerprint(items),
    )


texts = st.text(max_size=20)
items = st.builds(
    item,
    name=texts,
    action=st.sampled_from(Action),
    reason=texts,
    details=st.lists(texts, max_size=3).map(tuple),
    after=st.lists(texts, max_size=3).map(tuple),
)


@given(st.lists(items, max_size=8, unique_by=lambda one: one.ref))
def test_a_plan_survives_its_file(found: list[Item]) -> None:
    made = plan(*found)
    read = from_json(json.loads(json.dumps(to_json(made))))
    assert to_json(read) == to_json(made)
    assert fingerprint(read.items) == made.facts_hash
    for action in Action:
        assert read.of(action) == made.of(action)


def test_scripts_find_a_list_for_each_action() -> None:
    told = to_json(plan(item("a"), item("b", Action.LEFT_BEHIND, reason="why")))
    assert told["create"] == [{"kind": "topic", "name": "a", "reason": "", "work": {"do": "a"}}]
    assert told["left_behind"] == [{"kind": "topic", "name": "b", "reason": "why"}]
    assert [told[key] for key in ("change", "same", "conflict")] == [[], [], []]


@pytest.mark.parametrize(
    "damage",
    [
        {"form": 2},
        {"form": True},
        {"create": {}},
        {"create": [{"kind": "topic", "name": 5, "reason": ""}]},
        {"create": [{"kind": "topic", "name": "a", "reason": "", "work": []}]},
        {"create": [{"kind": "topic", "name": "a", "reason": ""}] * 2},
        {"same": [{"kind": "topic", "name": "b", "reason": "", "work": {"do": "delete"}}]},
        {"notes": "none"},
        {"asked": []},
        {"facts_hash": None},
        {"migration": None},
    ],
    ids=str,
)
def test_a_file_that_says_what_cannot_be_is_refused(damage: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"."):
        from_json({**to_json(plan(item("a"))), **damage})


@given(st.recursive(st.none() | st.integers() | texts, st.lists))
def test_anything_else_is_no_plan(value: object) -> None:
    with pytest.raises(ValueError, match="object"):
        from_json(value)


def test_the_fingerprint_is_of_the_work_and_not_of_its_words() -> None:
    one = item("a", reason="x")
    assert fingerprint([one]) == fingerprint([item("a", reason="y", details=("z",))])
    assert fingerprint([one]) != fingerprint([item("a", work={"do": "else"})])
    assert fingerprint([one]) != fingerprint([item("a", Action.CHANGE, work=one.work)])
    assert fingerprint([one, item("b", Action.SAME)]) == fingerprint([one])


def test_what_is_needed_goes_first_and_a_ring_does_not_hang() -> None:
    topic, acl = item("t"), item("acl", after=("topic:t", "topic:elsewhere"))
    assert in_order([acl, topic]) == [(topic,), (acl,)]
    left, right = item("l", after=("topic:r",)), item("r", after=("topic:l",))
    assert in_order([topic, left, right]) == [(topic,), (left, right)]
