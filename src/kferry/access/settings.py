"""Rights that are no rules: what the brokers' own settings allow.

Owns the comparison of super users and of what is allowed where no rule is. Nothing of it can be
brought over by a call: it lies in the brokers' files, and is named, lest somebody miss it.
"""

from dataclasses import dataclass

from kferry.admin.configs import broker_configs
from kferry.admin.operations import Operation, Resource
from kferry.admin.view import DENIED, Gap, Question, view_of
from kferry.config.plan_settings import AccessWishes
from kferry.plans import Action, Item
from kferry.wire import BrokerError, Cluster, UnsupportedApi

_KIND = "acl"
_COMPARE = "compare it in the brokers' files of both sides"
_AUTHORIZER = "authorizer.class.name"
_OPEN = "allow.everyone.if.no.acl.found"
_SUPER_USERS = "super.users"
_SETTINGS = Question(
    subject="the brokers' settings",
    since="0.11",
    right=Operation.DESCRIBE_CONFIGS,
    on=Resource.CLUSTER,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What one broker says about access; brokers of a cluster agree on it."""

    authorizer: bool
    open_without_rules: bool
    super_users: frozenset[str]
    hidden: frozenset[str] = frozenset()
    """What is set and not shown: brokers take settings that are an authorizer's for secrets
    (measured: 3.9.2 and 4.3.1)."""


async def take_settings(cluster: Cluster) -> Settings | Gap:
    """Ask a broker."""
    try:
        found = await broker_configs(cluster, min(cluster.metadata.brokers))
    except UnsupportedApi as error:
        return (await view_of(cluster)).gap(_SETTINGS, error)
    except BrokerError as error:
        if error.error_code not in DENIED:
            raise
        return (await view_of(cluster)).gap(_SETTINGS, error)

    def value(name: str) -> str:
        one = found.get(name)
        return (one.value or "") if one is not None else ""

    told = {name: one.value for name in (_SUPER_USERS, _OPEN) if (one := found.get(name))}

    return Settings(
        authorizer=bool(value(_AUTHORIZER)),
        open_without_rules=value(_OPEN).strip().lower() == "true",
        super_users=frozenset(filter(None, map(str.strip, value(_SUPER_USERS).split(";")))),
        hidden=frozenset(name for name, one in told.items() if one is None),
    )


def plan_settings(
    source: Settings | Gap, target: Settings | Gap, *, wishes: AccessWishes
) -> list[Item]:
    """Name what the source's brokers allow by their settings and the target's do not."""
    for side, one in (("source", source), ("target", target)):
        if isinstance(one, Gap):
            reason = f"the {side}'s super.users and {_OPEN} cannot be compared: {one.reason}"
            return [_left("the brokers' settings", reason, *filter(None, (one.hint,)))]
    assert isinstance(source, Settings)  # noqa: S101 the loop returned otherwise
    assert isinstance(target, Settings)  # noqa: S101 as above
    if not (source.authorizer and target.authorizer):
        return []
    return [*_super_users(source, target, wishes), *_without_rules(source, target)]


def _super_users(source: Settings, target: Settings, wishes: AccessWishes) -> list[Item]:
    # Where the source names none, there is nothing to be missed on the target.
    if hidden := [side for side in (source, target) if _SUPER_USERS in side.hidden]:
        if source in hidden or source.super_users:
            reason = f"{_sides(source, target, _SUPER_USERS)} not show {_SUPER_USERS}"
            return [_left("super users", reason, _COMPARE)]
        return []
    return [
        _left(f"super user {name}", "a setting of the brokers (super.users), not a rule")
        for name in sorted(source.super_users)
        if wishes.principal(name) not in target.super_users
    ]


def _without_rules(source: Settings, target: Settings) -> list[Item]:
    if _OPEN in source.hidden | target.hidden:
        reason = f"{_sides(source, target, _OPEN)} not show {_OPEN}"
        first = "where it is true, the first rule about something takes it from everybody else"
        return [_left("what no rule is about", reason, _COMPARE, first)]
    if source.open_without_rules and not target.open_without_rules:
        reason = f"the source allows everything to everybody there ({_OPEN}), the target nothing"
        return [_left("what no rule is about", reason)]
    if target.open_without_rules and not source.open_without_rules:
        reason = f"the target allows everything to everybody there ({_OPEN}), the source nothing"
        return [_left("what no rule is about", reason)]
    return []


def _sides(source: Settings, target: Settings, name: str) -> str:
    hiding = [side for side, one in (("source", source), ("target", target)) if name in one.hidden]
    return f"the brokers of the {' and of the '.join(hiding)} do"


def _left(name: str, reason: str, *details: str) -> Item:
    return Item(
        action=Action.LEFT_BEHIND, kind=_KIND, name=name, reason=reason, details=tuple(details)
    )
