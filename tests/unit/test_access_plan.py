"""What becomes of rules, users and quotas: every rule arrives whole, and nobody gains a right."""

import json
import string
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kafka.protocol.admin import CreateAclsRequest

from kferry.access import access_command
from kferry.access.inventory import User
from kferry.access.names import Scope, overlap, place
from kferry.access.quota_plan import plan_quotas
from kferry.access.rules import plan_rules, rule_name
from kferry.access.settings import Settings, plan_settings
from kferry.access.user_plan import Passwords, plan_users
from kferry.access.work import quota_of, rule_of, user_of
from kferry.admin.acls import Acl
from kferry.admin.quotas import Quota
from kferry.admin.users import Credential
from kferry.config import TopicSelection
from kferry.config.plan_settings import AccessWishes
from kferry.config.renaming import Renaming, rename_pattern
from kferry.names import TopicName
from kferry.plans import Action, Item, Plan, from_json, to_json
from kferry.wire.versions import ApiVersions

NEW = ApiVersions({CreateAclsRequest.API_KEY: (0, 3)})
TOPICS = ("orders", "orders-eu", "payments")
ALL = TopicSelection()
SECRETS = Path("secrets.properties")


def acl(
    name: str,
    operation: str = "Read",
    *,
    resource: str = "topic",
    pattern: str = "literal",
    principal: str = "User:alice",
    host: str = "*",
    permission: str = "allow",
) -> Acl:
    return Acl(
        resource=resource,
        name=name,
        pattern=pattern,
        principal=principal,
        host=host,
        permission=permission,
        operation=operation,
    )


def scope(
    selection: TopicSelection = ALL,
    mapping: Mapping[str, str] | None = None,
    topics: Sequence[str] = TOPICS,
) -> Scope:
    return Scope(
        topics=tuple(sorted(map(TopicName, topics))),
        selection=selection,
        mapping={TopicName(old): TopicName(new) for old, new in (mapping or {}).items()},
    )


def plan(
    *rules: Acl,
    there: Sequence[Acl] = (),
    within: Scope | None = None,
    wishes: AccessWishes | None = None,
    versions: ApiVersions = NEW,
    open_without_rules: bool = False,
) -> list[Item]:
    return plan_rules(
        rules,
        there,
        scope=within or scope(),
        wishes=wishes or AccessWishes(),
        versions=versions,
        open_without_rules=open_without_rules,
    )


def made(items: Sequence[Item]) -> set[Acl]:
    return {rule_of(item) for item in items if item.work is not None}


def test_every_kind_of_rule_arrives_as_it_is() -> None:
    rules = (
        acl("orders", "All"),
        acl("orders", "Write"),
        acl("ord", pattern="prefixed"),
        acl("*", "Describe", permission="deny", host="10.0.0.1"),
        acl("ship", resource="group", pattern="prefixed"),
        acl("tx", "Write", resource="transactional-id"),
        acl("kafka-cluster", "IdempotentWrite", resource="cluster"),
        acl("User:bob", "DescribeTokens", resource="user"),
        acl("__consumer_offsets"),
        acl("not-there-yet"),
    )
    items = plan(*rules)
    assert made(items) == set(rules)
    assert {item.action for item in items} == {Action.CREATE}
    assert len({item.ref for item in items}) == len(rules)


def test_a_second_plan_has_nothing_to_do() -> None:
    rules = (acl("orders", "All"), acl("ord", pattern="prefixed"))
    assert {item.action for item in plan(*rules, there=rules)} == {Action.SAME}


def test_rules_that_only_the_target_has_are_not_spoken_of() -> None:
    assert plan(there=(acl("orders"),)) == []


def test_rules_follow_renamed_topics_and_principals() -> None:
    wishes = AccessWishes(principals={"User:alice": "User:alina"})
    items = plan(
        acl("orders"),
        acl("orders", resource="group"),
        acl("User:alice", "DescribeTokens", resource="user", principal="User:bob"),
        within=scope(mapping={"orders": "eu.orders"}),
        wishes=wishes,
    )
    assert made(items) == {
        acl("eu.orders", principal="User:alina"),
        acl("orders", resource="group", principal="User:alina"),
        acl("User:alina", "DescribeTokens", resource="user", principal="User:bob"),
    }
    told = {line for item in items for line in item.details}
    assert told >= {
        "orders is called eu.orders on the target",
        "User:alice is called User:alina on the target",
    }


def test_a_prefix_follows_topics_that_are_all_renamed_alike() -> None:
    mapping = {name: f"eu.{name}" for name in TOPICS}
    items = plan(acl("ord", pattern="prefixed"), within=scope(mapping=mapping))
    assert made(items) == {acl("eu.ord", pattern="prefixed")}


def test_rules_for_topics_to_come_follow_a_pattern_of_new_names() -> None:
    renaming = Renaming({}, [rename_pattern("*", "eu.*")])
    asked = Scope(topics=(), selection=ALL, mapping=renaming)
    items = plan(acl("ord", pattern="prefixed"), acl("orders"), acl("*"), within=asked)
    assert made(items) == {acl("eu.ord", pattern="prefixed"), acl("eu.orders"), acl("*")}
    into_memory = Renaming({}, [rename_pattern("/a(.*)/", r"\1")])
    asked = Scope(topics=(), selection=ALL, mapping=into_memory)
    (item,) = plan(acl("a__kferry.default"), within=asked)
    assert item.action is Action.LEFT_BEHIND


def test_a_prefix_keeps_the_topics_that_renaming_takes_out_of_it() -> None:
    items = plan(acl("ord", pattern="prefixed"), within=scope(mapping={"orders": "sales"}))
    assert made(items) == {acl("ord", pattern="prefixed"), acl("sales")}


def test_a_prefix_still_means_topics_whose_new_name_begins_alike() -> None:
    items = plan(acl("ord", pattern="prefixed"), within=scope(mapping={"orders": "orders-v2"}))
    assert made(items) == {acl("ord", pattern="prefixed")}


def test_with_chosen_topics_only_their_rules_come_and_the_rest_is_named() -> None:
    items = plan(
        acl("orders"),
        acl("payments"),
        acl("ship", resource="group"),
        acl("kafka-cluster", "Create", resource="cluster"),
        within=scope(TopicSelection.parse(["orders"])),
    )
    assert made(items) == {acl("orders")}
    left = {item.name: (item.reason, item.details) for item in items if item.work is None}
    assert {item.action for item in items if item.work is None} == {Action.LEFT_BEHIND}
    assert left["rules on other topics"] == (
        "1 rule: its topics were not chosen",
        ("allow User:alice Read on topic payments",),
    )
    assert left.keys() == {
        "rules on other topics",
        "rules on groups",
        "rules on the cluster",
    }


def test_a_rule_for_more_than_was_chosen_becomes_rules_for_what_was() -> None:
    chosen = scope(TopicSelection.parse(["orders"]), mapping={"orders": "sales"})
    assert made(plan(acl("*"), within=chosen)) == {acl("sales")}
    assert made(plan(acl("ord", pattern="prefixed"), within=chosen)) == {acl("sales")}


def test_a_rule_for_no_more_than_was_chosen_stays_one() -> None:
    chosen = scope(TopicSelection.parse(["orders*"]))
    assert made(plan(acl("ord", pattern="prefixed"), within=chosen)) == {
        acl("ord", pattern="prefixed")
    }


def test_choosing_every_topic_singles_none_out() -> None:
    ship, payments = acl("ship", resource="group"), acl("payments")
    everything = scope(TopicSelection.parse(["*"]))
    all_but_one = scope(TopicSelection.parse([], exclude=["payments"]))
    assert made(plan(ship, payments, within=everything)) == {ship, payments}
    assert made(plan(ship, payments, within=all_but_one)) == {ship}


def test_the_memory_of_migrations_is_nobodys_to_have_rights_on() -> None:
    (item,) = plan(acl("__kferry.default"))
    assert (item.action, "kferry's own memory" in item.reason) == (Action.LEFT_BEHIND, True)


def test_writing_waits_for_the_cutover_if_so_wished() -> None:
    held = AccessWishes(hold_back_writes=True)
    rules = (
        acl("orders", "Write"),
        acl("orders", "Delete", permission="deny"),
        acl("payments", "All"),
        acl("tx", "Write", resource="transactional-id"),
    )
    items = plan(*rules, wishes=held)
    assert made(items) == {
        acl("orders", "Delete", permission="deny"),
        acl("payments", "Read"),
        acl("payments", "Describe"),
        acl("payments", "DescribeConfigs"),
        acl("tx", "Write", resource="transactional-id"),
    }
    waiting = {item.name for item in items if item.action is Action.LEFT_BEHIND}
    assert waiting == {rule_name(rules[0]), rule_name(rules[2])}
    later = plan(*rules, there=tuple(made(items)))
    assert made(later) == {rules[0], rules[2]}
    assert made(plan(*rules, there=rules, wishes=held)) == made(items) - {*rules}


def test_what_the_target_is_too_old_for_stays_behind_instead_of_becoming_another_rule() -> None:
    old = ApiVersions({CreateAclsRequest.API_KEY: (0, 0)})
    prefixed, user = acl("ord", pattern="prefixed"), acl("User:b", "CreateTokens", resource="user")
    items = plan(prefixed, user, acl("orders"), acl("orders", "TwoPhaseCommit"), versions=old)
    assert made(items) == {acl("orders")}
    reasons = {item.name: item.reason for item in items if item.action is Action.LEFT_BEHIND}
    assert "no rules for all names that begin alike" in reasons[rule_name(prefixed)]
    assert "no rules about users" in reasons[rule_name(user)]
    assert len(reasons) == 3


def test_kinds_that_nobody_knows_stay_behind_by_name() -> None:
    (item,) = plan(acl("x", "operation 99"))
    assert (item.action, item.reason) == (
        Action.LEFT_BEHIND,
        "it is of a kind that this kferry does not know",
    )


def test_a_denial_on_the_target_that_undoes_a_rule_is_said() -> None:
    (item,) = plan(acl("orders"), there=(acl("orders", permission="deny"),))
    assert item.details == ("the target denies just this, and what is denied wins",)


def test_the_first_rule_about_a_thing_warns_where_it_shuts_others_out() -> None:
    rules = (acl("orders"), acl("payments"))
    first, second = plan(*rules, there=(acl("orders", "Write"),), open_without_rules=True)
    assert not any("allow.everyone" in line for line in first.details)
    assert any("allow.everyone" in line for line in second.details)


NAMES = st.text("ab.", min_size=1, max_size=4)
PATTERNS = st.sampled_from(["literal", "prefixed"])


@given(
    topics=st.sets(NAMES, max_size=6),
    chosen=st.sets(NAMES, max_size=3),
    mapping=st.dictionaries(NAMES, NAMES, max_size=3),
    name=st.one_of(NAMES, st.just("*")),
    pattern=PATTERNS,
)
def test_who_could_use_a_chosen_topic_still_can_and_reaches_no_other_by_single_names(
    topics: set[str], chosen: set[str], mapping: dict[str, str], name: str, pattern: str
) -> None:
    """Both directions, for all names, patterns, choices and renamings that are one to one."""
    called = {topic: mapping.get(topic, topic) for topic in topics}
    if len(set(called.values())) < len(called):
        return
    rule = acl(name, pattern="literal" if name == "*" else pattern)
    asked = scope(TopicSelection.parse(chosen), mapping, sorted(topics))
    rules = place(rule, asked).rules

    def covers(one: Acl, topic: str) -> bool:
        if one.pattern == "prefixed":
            return topic.startswith(one.name)
        return one.name in {"*", topic}

    meant = {topic for topic in topics if not chosen or topic in chosen}
    for topic in meant:
        if covers(rule, topic):
            assert any(covers(one, called[topic]) for one in rules)
    singles = {one.name for one in rules if one.pattern == "literal" and one.name != "*"}
    allowed = {called[topic] for topic in meant if covers(rule, topic)}
    assert singles <= allowed | ({mapping.get(name, name)} if rule.pattern == "literal" else set())


@given(
    st.builds(
        acl,
        st.text(min_size=1),
        pattern=PATTERNS,
        principal=st.text(min_size=1),
        host=st.text(string.printable, min_size=1),
    ),
    st.builds(
        acl,
        st.text(min_size=1),
        pattern=PATTERNS,
        principal=st.text(min_size=1),
        host=st.text(string.printable, min_size=1),
    ),
)
def test_no_two_rules_are_called_the_same(one: Acl, other: Acl) -> None:
    assert (rule_name(one) == rule_name(other)) == (one == other)


def test_rules_overlap_where_both_can_be_about_the_same() -> None:
    deny = acl("ord", "Write", pattern="prefixed", permission="deny", principal="User:*")
    assert overlap(deny, acl("orders"))
    assert overlap(acl("*"), acl("orders"))
    assert not overlap(deny, acl("payments"))
    assert not overlap(deny, acl("orders", resource="group"))
    assert not overlap(acl("orders", host="10.0.0.1"), acl("orders", host="10.0.0.2"))
    assert not overlap(acl("orders"), acl("orders", principal="User:bob"))


# Users


def user(name: str, *mechanisms: str, iterations: int = 4096) -> User:
    given = mechanisms or ("SCRAM-SHA-512",)
    return User(
        name=name,
        credentials=tuple(Credential(mechanism=one, iterations=iterations) for one in given),
    )


def test_users_without_a_password_stay_behind_by_name() -> None:
    (item,) = plan_users([user("alice")], [], wishes=AccessWishes(), passwords=Passwords())
    assert (item.action, item.name) == (Action.LEFT_BEHIND, "alice")
    assert "no secrets file is named" in item.reason
    wishes = AccessWishes(secrets_file=SECRETS)
    passwords = Passwords(known={"bob"})
    alice, bob = plan_users([user("alice"), user("bob")], [], wishes=wishes, passwords=passwords)
    assert (alice.action, bob.action) == (Action.LEFT_BEHIND, Action.CREATE)
    assert "secrets.properties has none" in alice.reason


def test_users_keep_their_mechanisms_and_iterations_within_what_brokers_take() -> None:
    both = User(
        name="alice",
        credentials=(
            Credential(mechanism="SCRAM-SHA-256", iterations=4096),
            Credential(mechanism="SCRAM-SHA-512", iterations=50_000),
        ),
    )
    wishes = AccessWishes(secrets_file=SECRETS, generate_passwords=True)
    (item,) = plan_users([both], [], wishes=wishes, passwords=Passwords())
    assert [(one.mechanism, one.iterations) for one in user_of(item).credentials] == [
        ("SCRAM-SHA-256", 4096),
        ("SCRAM-SHA-512", 16384),
    ]
    assert any("50,000 iterations become 16,384" in line for line in item.details)


def test_a_user_who_is_there_gets_only_the_mechanism_that_is_missing() -> None:
    wishes = AccessWishes(secrets_file=SECRETS)
    source = [user("alice", "SCRAM-SHA-256", "SCRAM-SHA-512"), user("bob", iterations=8192)]
    target = [user("alice", "SCRAM-SHA-512"), user("bob")]
    passwords = Passwords(known={"alice"})
    alice, bob = plan_users(source, target, wishes=wishes, passwords=passwords)
    assert alice.action is Action.CHANGE
    assert [one.mechanism for one in user_of(alice).credentials] == ["SCRAM-SHA-256"]
    assert bob.action is Action.SAME
    assert bob.details == ("SCRAM-SHA-512: 4,096 iterations there, 8,192 on the source",)


def test_two_users_who_would_become_one_are_for_somebody_to_decide() -> None:
    wishes = AccessWishes(principals={"User:alice": "User:bob"}, secrets_file=SECRETS)
    (item,) = plan_users(
        [user("alice"), user("bob")], [], wishes=wishes, passwords=Passwords(known={"bob"})
    )
    assert (item.action, item.work) == (Action.CONFLICT, None)


def test_a_password_that_would_travel_in_the_clear_is_warned_of() -> None:
    wishes = AccessWishes(secrets_file=SECRETS)
    passwords = Passwords(known={"alice"})
    (item,) = plan_users([user("alice")], [], wishes=wishes, passwords=passwords, encrypted=False)
    assert any("not encrypted" in line for line in item.details)


# Quotas


def quota(entity: Mapping[str, str | None], **limits: float) -> Quota:
    return Quota(entity=entity, limits=limits)


def test_quotas_of_every_kind_arrive_with_their_users_new_names() -> None:
    source = [
        quota({"user": "alice"}, producer_byte_rate=1024, request_percentage=12.5),
        quota({"client-id": "app", "user": "alice"}, consumer_byte_rate=5),
        quota({"user": "alice", "client-id": None}, consumer_byte_rate=6),
        quota({"user": None}, consumer_byte_rate=7),
        quota({"ip": "10.0.0.1"}, connection_creation_rate=8),
    ]
    items = plan_quotas(source, [], wishes=AccessWishes(principals={"User:alice": "User:alina"}))
    assert [item.name for item in items] == [
        "ip 10.0.0.1",
        "user (default)",
        "user alina",
        "user alina, client-id (default)",
        "user alina, client-id app",
    ]
    found = {quota_of(item).key: dict(quota_of(item).limits) for item in items}
    assert found[(("user", "alina"),)] == {"producer_byte_rate": 1024, "request_percentage": 12.5}
    assert found[(("user", "alina"), ("client-id", None))] == {"consumer_byte_rate": 6}


def test_limits_that_the_target_has_of_its_own_stay() -> None:
    source = [quota({"user": "a"}, x=1.0, y=2.0), quota({"user": "b"}, x=1.0)]
    target = [quota({"user": "a"}, x=9.5), quota({"user": "b"}, x=1.0)]
    first, second = plan_quotas(source, target, wishes=AccessWishes())
    assert (first.action, dict(quota_of(first).limits)) == (Action.CHANGE, {"y": 2.0})
    assert "x: 9.5 on the target stays, 1 on the source" in first.details
    assert second.action is Action.SAME
    (kept,) = plan_quotas(source[1:], [quota({"user": "b"}, x=3.0)], wishes=AccessWishes())
    assert (kept.action, kept.reason) == (
        Action.SAME,
        "1 limit of the target's own will stay",
    )


def test_quotas_that_would_become_one_with_different_limits_are_for_somebody_to_decide() -> None:
    source = [quota({"user": "a"}, x=1.0), quota({"user": "b"}, x=2.0)]
    wishes = AccessWishes(principals={"User:a": "User:b"})
    (item,) = plan_quotas(source, [], wishes=wishes)
    assert item.action is Action.CONFLICT


# The rest


def test_rights_that_lie_in_the_brokers_settings_are_named() -> None:
    source = Settings(
        authorizer=True,
        open_without_rules=True,
        super_users=frozenset({"User:ops", "User:admin"}),
    )
    target = Settings(
        authorizer=True, open_without_rules=False, super_users=frozenset({"User:admin"})
    )
    items = plan_settings(source, target, wishes=AccessWishes())
    assert [item.name for item in items] == ["super user User:ops", "what no rule is about"]
    renamed = AccessWishes(principals={"User:ops": "User:admin"})
    assert len(plan_settings(source, target, wishes=renamed)) == 1
    assert plan_settings(source, source, wishes=AccessWishes()) == []


def test_settings_that_brokers_keep_to_themselves_are_named_for_comparing() -> None:
    shown = Settings(authorizer=True, open_without_rules=False, super_users=frozenset())
    hiding = replace(shown, hidden=frozenset({"super.users", "allow.everyone.if.no.acl.found"}))
    both = plan_settings(hiding, hiding, wishes=AccessWishes())
    assert [item.name for item in both] == ["super users", "what no rule is about"]
    assert all("source and of the target" in item.reason for item in both)
    (theirs,) = plan_settings(shown, hiding, wishes=AccessWishes())
    assert (theirs.name, "source" in theirs.reason) == ("what no rule is about", False)


def test_work_survives_a_file_and_edited_work_is_refused() -> None:
    wishes = AccessWishes(secrets_file=SECRETS)
    items = (
        *plan(acl("orders")),
        *plan_users([user("alice")], [], wishes=wishes, passwords=Passwords(known={"alice"})),
        *plan_quotas([quota({"user": "a", "client-id": None}, x=1.5)], [], wishes=wishes),
    )
    made_at = "2026-01-01T00:00:00Z"
    whole = Plan(migration="m", source_id="s", target_id="t", made_at=made_at, items=items)
    read = from_json(json.loads(json.dumps(to_json(whole))))
    assert read.items == items
    for item in read.items:
        edited: list[dict[str, Any]] = [
            {},
            {"user": 1, "credentials": 2},
            {"user": "a", "credentials": [{"mechanism": "PLAIN", "iterations": 5000}]},
            {"entity": [], "limits": {}},
            {"entity": [["user", "a"]], "limits": {"x": True}},
        ]
        for bad in edited:
            hostile = Item(action=item.action, kind=item.kind, name=item.name, work=bad)
            of = {"acl": rule_of, "user": user_of, "quota": quota_of}[item.kind]
            with pytest.raises(Exception, match="cannot be applied"):
                of(hostile)


def test_commands_are_those_of_the_official_tools_and_hold_no_password() -> None:
    wishes = AccessWishes(secrets_file=SECRETS)
    items = (
        *plan(acl("ord", "DescribeConfigs", pattern="prefixed", host="10.0.0.1")),
        *plan(acl("kafka-cluster", "Create", resource="cluster", permission="deny")),
        *plan_users([user("alice")], [], wishes=wishes, passwords=Passwords(known={"alice"})),
        *plan_quotas([quota({"user": "a b", "client-id": None}, x=1e6)], [], wishes=wishes),
    )
    commands = [access_command(item) for item in items]
    assert [" ".join(command) for command in commands if command is not None] == [
        (
            "kafka-acls --add --allow-principal User:alice --allow-host 10.0.0.1 "
            "--operation DescribeConfigs --topic ord --resource-pattern-type prefixed"
        ),
        "kafka-acls --add --deny-principal User:alice --operation Create --cluster",
        (
            "kafka-configs --alter --add-config "
            "'SCRAM-SHA-512=[iterations=4096,password=PASSWORD]' "
            "--entity-type users --entity-name alice"
        ),
        "kafka-configs --alter --add-config x=1000000 --user 'a b' --client-defaults",
    ]


# Nobody gains a right


def test_a_rule_for_many_is_for_single_ones_where_renaming_brings_others_under_it() -> None:
    """Alice could not read payments; called orders-of-bob it must not become hers."""
    prefix = acl("orders", pattern="prefixed")
    within = scope(mapping={"payments": "orders-of-bob"})
    assert made(plan(prefix, within=within)) == {acl("orders"), acl("orders-eu")}
    denial = acl("orders", pattern="prefixed", permission="deny")
    assert made(plan(denial, within=within)) == {denial}


def test_a_rule_that_follows_its_topics_to_a_name_of_others_is_for_single_ones() -> None:
    topics = ("orders", "eu.orders-secret")
    within = scope(mapping={"orders": "eu.orders"}, topics=topics)
    assert made(plan(acl("ord", pattern="prefixed"), within=within)) == {acl("eu.orders")}


def test_a_rule_about_a_name_that_another_topic_takes_stays_behind() -> None:
    within = scope(mapping={"payments": "gone"})
    (item,) = plan(acl("gone"), within=within)
    assert (item.action, item.work) == (Action.LEFT_BEHIND, None)


def test_a_rule_for_every_name_is_for_single_ones_even_where_every_topic_was_chosen() -> None:
    """The target may have topics of its own."""
    chosen = scope(TopicSelection.parse(["orders", "orders-eu", "payments"]))
    assert made(plan(acl("*"), within=chosen)) == set(map(acl, TOPICS))


def test_a_denial_about_a_topic_that_was_left_out_comes_with_what_allows_everything() -> None:
    within = scope(TopicSelection.parse([], exclude=["payments"]))
    denial = acl("payments", permission="deny")
    assert made(plan(acl("*"), denial, within=within)) == {acl("*"), denial}


@pytest.mark.parametrize("denied", ["ord", "orders-secret"])
def test_what_is_denied_of_topics_to_come_is_not_allowed_by_a_prefix(denied: str) -> None:
    chosen = scope(TopicSelection.parse(["orders*"]), topics=(*TOPICS, "ordinary"))
    rules = (
        acl("orders", pattern="prefixed"),
        acl(denied, pattern="prefixed", permission="deny", principal="User:*"),
    )
    allowed = {rule for rule in made(plan(*rules, within=chosen)) if rule.permission == "allow"}
    assert allowed == {acl("orders"), acl("orders-eu")}


def test_what_a_denial_restricts_waits_where_the_target_cannot_keep_the_denial() -> None:
    old = ApiVersions({CreateAclsRequest.API_KEY: (0, 0)})
    denial = acl("orders-s", pattern="prefixed", permission="deny")
    items = {item.name: item for item in plan(acl("*"), denial, acl("x"), versions=old)}
    assert items[rule_name(acl("*"))].action is Action.CONFLICT
    assert made(list(items.values())) == {acl("x")}


def test_a_target_that_allows_what_no_rule_is_about_is_named() -> None:
    shut = Settings(authorizer=True, open_without_rules=False, super_users=frozenset())
    ajar = Settings(authorizer=True, open_without_rules=True, super_users=frozenset())
    (item,) = plan_settings(shut, ajar, wishes=AccessWishes())
    assert item.reason.startswith("the target allows everything to everybody")
    assert plan_settings(ajar, ajar, wishes=AccessWishes()) == []
