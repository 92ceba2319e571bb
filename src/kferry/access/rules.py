"""What becomes of the source's access rules on the target.

Owns the difference: rule for rule, never fewer words than the source has. Pure. Rules that only the
target has stay, and are not spoken of.
"""

import shlex
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace

from kferry.access.names import (
    EVERY,
    NOT_CHOSEN,
    PREFIXED,
    Placed,
    Scope,
    is_about_topics,
    overlap,
    place,
    singly,
)
from kferry.access.work import rule_as_work
from kferry.admin.acls import Acl, not_takeable
from kferry.config.plan_settings import AccessWishes
from kferry.plans import Action, Item
from kferry.wire.versions import ApiVersions

ACL = "acl"
HELD_BACK = "waits for the cutover: it allows writing (hold_back_writes)"
FIRST_RULE = (
    "the first rule about it: whom none names loses it, kferry too unless it is a super user "
    "(allow.everyone.if.no.acl.found)"
)
_WRITES = frozenset({"Write", "Delete", "All"})
_ALL_BUT_WRITING = ("Describe", "DescribeConfigs", "Read")
_NO_TOPIC = "topics were singled out, and it is about none"
_SHOWN = 10


@dataclass(slots=True)
class _Wanted:
    """A rule that the target should have, and what is worth knowing about it."""

    rule: Acl
    notes: list[str] = field(default_factory=list)
    held_back: bool = False


def rule_name(rule: Acl) -> str:
    """Name a rule, so that no two are called the same."""
    quoted = shlex.quote
    names = "prefix " if rule.pattern == "prefixed" else ""
    host = "" if rule.host == "*" else f" from {quoted(rule.host)}"
    return (
        f"{rule.permission} {quoted(rule.principal)} {rule.operation} "
        f"on {rule.resource} {names}{_name(rule.name)}{host}"
    )


def _name(name: str) -> str:
    return name if name == "*" else shlex.quote(name)


def plan_rules(
    source: Sequence[Acl],
    target: Collection[Acl],
    *,
    scope: Scope,
    wishes: AccessWishes,
    versions: ApiVersions,
    open_without_rules: bool = False,
) -> list[Item]:
    """Compare the rules of both sides; `versions` are what the target's brokers understand.

    `open_without_rules`: whether the target lets everybody use what no rule is about.
    """
    there = set(target)
    ruled = {(rule.resource, rule.pattern, rule.name) for rule in target}
    wanted, left = _wanted(source, scope, wishes)
    for rule, one in wanted.items():
        if open_without_rules and (rule.resource, rule.pattern, rule.name) not in ruled:
            one.notes.append(FIRST_RULE)
    unkept = [
        rule
        for rule in wanted
        if rule.permission != "allow" and rule.pattern == PREFIXED and rule not in there
        if not_takeable(rule, versions)
    ]
    items = [_item(one, there, versions, unkept) for _, one in sorted(wanted.items())]
    return [*items, *left]


def _wanted(
    source: Sequence[Acl], scope: Scope, wishes: AccessWishes
) -> tuple[dict[Acl, _Wanted], list[Item]]:
    wanted: dict[Acl, _Wanted] = {}
    left: dict[tuple[str, str], list[Acl]] = {}
    torn = [
        rule
        for rule in source
        if rule.permission != "allow" and is_about_topics(rule) and _is_torn(rule, scope)
    ]
    for rule in source:
        placed = _placed(rule, scope)
        if _reaches_on(placed, rule) and any(overlap(rule, one) for one in torn):
            placed = singly(rule, scope, why="and what denies some of it is for less here")
        if placed.left:
            left.setdefault((rule.resource, placed.left), []).append(rule)
        for one in placed.rules:
            renamed = _with_principal(one, wishes)
            for deed, held_back in _now(renamed, wishes):
                found = wanted.setdefault(deed, _Wanted(deed, held_back=held_back))
                # What another rule allows now need not wait.
                found.held_back = found.held_back and held_back
                found.notes += [note for note in _notes(rule, renamed, deed, placed) if note]
    return wanted, [_summary(*key, rules) for key, rules in sorted(left.items())]


def _is_torn(denial: Acl, scope: Scope) -> bool:
    """Whether topics to come, which it denies on the source, are not denied on the target."""
    if scope.everything:
        return False
    rules = place(denial, scope).rules
    return denial.name == EVERY or not rules or denial != replace(rules[0], name=denial.name)


def _reaches_on(placed: Placed, rule: Acl) -> bool:
    """Whether it allows something about topics to come."""
    return (
        rule.permission == "allow"
        and is_about_topics(rule)
        and any(one.pattern == PREFIXED for one in placed.rules)
    )


def _placed(rule: Acl, scope: Scope) -> Placed:
    if is_about_topics(rule):
        return place(rule, scope)
    if scope.everything:
        return Placed(rules=(rule,))
    return Placed(left=_NO_TOPIC)


def _with_principal(rule: Acl, wishes: AccessWishes) -> Acl:
    renamed = replace(rule, principal=wishes.principal(rule.principal))
    if rule.resource == "user":  # it is about users, too, and those are principals
        return replace(renamed, name=wishes.principal(rule.name))
    return renamed


def _now(rule: Acl, wishes: AccessWishes) -> Iterator[tuple[Acl, bool]]:
    """Tell which rules shall be there now, and which (True) only after the cutover."""
    writes = (
        wishes.hold_back_writes
        and rule.permission == "allow"
        and is_about_topics(rule)
        and rule.operation in _WRITES
    )
    yield rule, writes
    if writes and rule.operation == "All":
        for operation in _ALL_BUT_WRITING:
            yield replace(rule, operation=operation), False


def _notes(rule: Acl, renamed: Acl, deed: Acl, placed: Placed) -> Iterator[str]:
    yield placed.note
    if rule.principal != renamed.principal:
        yield f"{rule.principal} is called {renamed.principal} on the target"
    if len(placed.rules) == 1 and not placed.note and rule.name != renamed.name:
        yield f"{rule.name} is called {renamed.name} on the target"
    if deed.operation != rule.operation:
        yield "stands in for All, which waits for the cutover"


def _item(
    wanted: _Wanted, there: set[Acl], versions: ApiVersions, unkept: Sequence[Acl] = ()
) -> Item:
    rule = wanted.rule
    name, details = rule_name(rule), tuple(dict.fromkeys(wanted.notes))
    if rule in there:
        return Item(action=Action.SAME, kind=ACL, name=name, details=details)
    if why := not_takeable(rule, versions):
        return Item(action=Action.LEFT_BEHIND, kind=ACL, name=name, reason=why, details=details)
    if wanted.held_back:
        return Item(
            action=Action.LEFT_BEHIND, kind=ACL, name=name, reason=HELD_BACK, details=details
        )
    denial = next((one for one in unkept if overlap(one, rule)), None)
    if denial is not None and rule.permission == "allow":
        return Item(
            action=Action.CONFLICT,
            kind=ACL,
            name=name,
            reason=f"without `{rule_name(denial)}`, which the target cannot keep, it would allow "
            "more than on the source",
            details=details,
        )
    if rule.permission == "allow" and replace(rule, permission="deny") in there:
        details = (*details, "the target denies just this, and what is denied wins")
    return Item(action=Action.CREATE, kind=ACL, name=name, details=details, work=rule_as_work(rule))


def _summary(resource: str, why: str, rules: Sequence[Acl]) -> Item:
    shown = [rule_name(rule) for rule in rules[:_SHOWN]]
    more = [f"and {len(rules) - _SHOWN:,} more"] if len(rules) > _SHOWN else []
    others = "other topics" if why == NOT_CHOSEN else _many(resource)
    count = "1 rule" if len(rules) == 1 else f"{len(rules):,} rules"
    return Item(
        action=Action.LEFT_BEHIND,
        kind=ACL,
        name=f"rules on {others}{'' if why in {NOT_CHOSEN, _NO_TOPIC} else f' ({why})'}",
        reason=f"{count}: {why}",
        details=(*shown, *more),
    )


def _many(resource: str) -> str:
    return "the cluster" if resource == "cluster" else f"{resource}s".replace("-", " ")
