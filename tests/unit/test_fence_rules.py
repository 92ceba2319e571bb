"""Whom a fence shuts out by the rules there are, and which step of a cutover it is."""

import pytest

from kferry.access.writers import denial, denials, is_denied, unruled, writers
from kferry.admin.acls import Acl
from kferry.migration.switching.fence_book import FENCE, BadFence, FenceEntry, read_fence
from kferry.names import TopicName
from kferry.runbook import SCHEMES, Record
from kferry.runbook.back import WAY_BACK
from kferry.runbook.fencing import can_be_fenced, scheme_of

ORDERS, PAID = TopicName("orders"), TopicName("orders-paid")


def rule(who: str, name: str, **more: str) -> Acl:
    told = {"resource": "topic", "pattern": "literal", "host": "*", "permission": "allow",
            "operation": "Write", **more}  # fmt: skip
    return Acl(name=name, principal=who, **told)


def test_whoever_any_rule_lets_write_is_found_with_the_topics_it_is_about() -> None:
    rules = [
        rule("User:one", "orders"),
        rule("User:one", "orders", operation="Read"),
        rule("User:begins", "orders-", pattern="prefixed", operation="All"),
        rule("User:all", "*", host="10.0.0.1"),
        rule("User:reads", "*", operation="Read"),
        rule("User:denied", "*", permission="deny"),
        rule("User:elsewhere", "other"),
        rule("User:group", "orders", resource="group"),
    ]
    assert writers(rules, [ORDERS, PAID]) == {
        "User:one": (ORDERS,),
        "User:begins": (PAID,),
        "User:all": (ORDERS, PAID),
    }


@pytest.mark.parametrize(
    ("there", "denied"),
    [
        (rule("User:a", "orders", permission="deny"), True),
        (rule("User:a", "ord", permission="deny", pattern="prefixed", operation="All"), True),
        (rule("User:*", "*", permission="deny"), True),
        (rule("User:a", "orders", permission="deny", host="10.0.0.1"), False),
        (rule("User:a", "orders", permission="deny", operation="Read"), False),
        (rule("User:b", "orders", permission="deny"), False),
        (rule("User:a", "orders-paid", permission="deny"), False),
        (rule("User:a", "orders"), False),
    ],
)
def test_what_is_denied_already_is_not_denied_again(
    there: Acl,
    denied: bool,  # noqa: FBT001 as parametrized
) -> None:
    assert is_denied("User:a", ORDERS, [there]) is denied
    missing = denials({"User:a": [ORDERS]}, [there])
    assert missing == ([] if denied else [denial("User:a", ORDERS)])


def test_a_topic_without_any_rule_is_told_apart_from_one_that_only_readers_have_rules_about() -> (
    None
):
    rules = [
        rule("User:a", "orders", operation="Read"),
        rule("User:a", "orders-paid", resource="group"),
    ]
    assert unruled(rules, [ORDERS, PAID]) == [PAID]
    assert unruled([rule("User:a", "*", operation="Read")], [ORDERS, PAID]) == []


def test_what_is_written_of_a_fence_is_read_back_and_nothing_else_is_believed() -> None:
    entry = FenceEntry(rules=(denial("User:a", ORDERS),), could_write=True)
    value = entry.value()
    assert read_fence({FENCE: value}) == entry
    assert read_fence({}) is None
    for key, lie in {
        "operation": "All",
        "permission": "allow",
        "pattern": "prefixed",
        "resource": "cluster",
        "host": "10.0.0.1",
    }.items():
        forged = {**value, "rules": [{**value["rules"][0], key: lie}]}
        with pytest.raises(BadFence):
            read_fence({FENCE: forged})


def record(scheme: str, *, fenced: bool = True) -> Record:
    facts = {"fence": {"principals": [], "anyway": False}} if fenced else {}
    return Record(id="1", scheme=scheme, topics=("t",), groups=(), started="", facts=facts)


@pytest.mark.parametrize("scheme", ["mirror", "consumer-first", "drain"])
def test_the_fence_comes_behind_the_silence_and_before_the_rest_is_copied(scheme: str) -> None:
    names = [step.name for step in scheme_of(record(scheme)).steps]
    assert names.index("fence") == names.index("silence") + 1
    assert names.index("fence") < names.index("tail")
    names.remove("fence")
    assert names == [step.name for step in SCHEMES[scheme].steps]
    assert scheme_of(record(scheme, fenced=False)) is SCHEMES[scheme]


def test_on_the_way_back_it_is_lifted_before_anybody_starts_on_the_source() -> None:
    names = [step.name for step in scheme_of(record(WAY_BACK.name)).steps]
    assert names.index("lift-fence") + 1 == names.index("hand-over")
    assert scheme_of(record(WAY_BACK.name, fenced=False)) is WAY_BACK


def test_schemes_in_which_the_source_is_still_drained_have_no_fence() -> None:
    assert [name for name, one in SCHEMES.items() if not can_be_fenced(one)] == [
        "producer-first",
        "dual-consumer",
        "double-write",
    ]
