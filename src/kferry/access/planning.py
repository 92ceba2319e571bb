"""What is to be done about access: rules, users and quotas, from one look at both sides.

Owns who is asked, and what it means that somebody may not be asked: what cannot be seen is not
absent. Changes nothing.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from kferry.access.errors import SecretsFileTrouble
from kferry.access.inventory import ACLS, QUOTAS, USERS, User
from kferry.access.names import Scope, takes_everything
from kferry.access.quota_plan import QUOTA, plan_quotas
from kferry.access.rules import ACL, plan_rules, rule_name
from kferry.access.secrets_file import read_passwords, readable_by_others
from kferry.access.settings import Settings, plan_settings, take_settings
from kferry.access.user_plan import USER, Passwords, plan_users
from kferry.admin.acls import describe_acls
from kferry.admin.quotas import client_quotas
from kferry.admin.users import scram_users
from kferry.admin.view import DENIED, Gap, Question, view_of
from kferry.config import TopicSelection
from kferry.config.plan_settings import AccessWishes
from kferry.names import TopicName
from kferry.plans import Action, Item
from kferry.wire import BrokerError, Cluster, UnsupportedApi, WireError

_T = TypeVar("_T")
_SECURITY_DISABLED = 54
_SHOWN = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class _Unseen:
    """What cannot be seen on one side, and whether anybody can do something about it."""

    gap: Gap
    denied: bool


async def plan_access(
    source: Cluster,
    target: Cluster,
    wishes: AccessWishes,
    mapping: Mapping[TopicName, TopicName],
    selection: TopicSelection,
) -> list[Item]:
    """Compare rules, users and quotas of both sides, as far as they are wished for."""
    items: list[Item] = []
    if wishes.acls:
        items += await _plan_acls(source, target, wishes, mapping, selection)
    if wishes.users:
        items += await _plan_users(source, target, wishes)
    if wishes.quotas:
        items += await _plan_quotas(source, target, wishes, selection)
    return items


async def _plan_acls(
    source: Cluster,
    target: Cluster,
    wishes: AccessWishes,
    mapping: Mapping[TopicName, TopicName],
    selection: TopicSelection,
) -> list[Item]:
    ours = await _look(source, ACLS, describe_acls)
    if ours is None:
        return []  # no authorizer: nobody is kept from anything, and there are no rules
    if isinstance(ours, _Unseen):
        return [_not_seen(ACL, ACLS, "source", ours)]
    their_settings = await take_settings(target)
    by_setting = plan_settings(await take_settings(source), their_settings, wishes=wishes)
    if not ours:
        return by_setting
    theirs = await _look(target, ACLS, describe_acls)
    names = [rule_name(rule) for rule in ours]
    if theirs is None:
        reason = f"{_rules(len(ours))}: the target has no authorizer, everybody may do everything"
        return [_left_behind(ACL, "all rules", reason, names)]
    if isinstance(theirs, _Unseen):
        return [_not_seen(ACL, ACLS, "target", theirs, names), *by_setting]
    topics = (await source.refresh(None)).topics.values()
    scope = Scope(
        topics=tuple(
            sorted(
                topic.name
                for topic in topics
                if not (topic.internal or topic.error_code or topic.name.startswith("__"))
            )
        ),
        selection=selection,
        mapping=mapping,
    )
    connection = await target.any_connection()
    rules = plan_rules(
        ours,
        theirs,
        scope=scope,
        wishes=wishes,
        versions=connection.versions,
        open_without_rules=isinstance(their_settings, Settings)
        and their_settings.open_without_rules,
    )
    return [*rules, *by_setting]


async def _plan_users(source: Cluster, target: Cluster, wishes: AccessWishes) -> list[Item]:
    ours = await _users(source)
    if isinstance(ours, _Unseen):
        return [_not_seen(USER, USERS, "source", ours)]
    if not ours:
        return []
    theirs = await _users(target)
    if isinstance(theirs, _Unseen):
        return [_not_seen(USER, USERS, "target", theirs, (user.name for user in ours))]
    passwords, warning = _passwords(wishes)
    items = plan_users(
        ours,
        theirs,
        wishes=wishes,
        passwords=passwords,
        encrypted=target.settings.protocol.tls,
    )
    return [*items, *(warning if any(item.work for item in items) else ())]


async def _users(cluster: Cluster) -> Sequence[User] | _Unseen:
    found = await _look(cluster, USERS, scram_users)
    if found is None or isinstance(found, _Unseen):
        return found or ()
    for outcome in found.values():
        if isinstance(outcome, WireError):
            raise outcome
    return [
        User(name=name, credentials=credentials)
        for name, credentials in found.items()
        if isinstance(credentials, tuple)
    ]


def _passwords(wishes: AccessWishes) -> tuple[Passwords, list[Item]]:
    file = wishes.secrets_file
    if file is None:
        return Passwords(), []
    try:
        known = read_passwords(file)
    except SecretsFileTrouble as error:
        return Passwords(trouble=str(error)), []
    named = Passwords(known=frozenset(user for user, word in known.items() if word.reveal()))
    if not (known and readable_by_others(file)):
        return named, []
    warning = Item(
        action=Action.CONFLICT,
        kind=USER,
        name="the secrets file",
        reason=f"others on this machine can read {file}",
        details=(f"chmod 600 {file}",),
    )
    return named, [warning]


async def _plan_quotas(
    source: Cluster, target: Cluster, wishes: AccessWishes, selection: TopicSelection
) -> list[Item]:
    ours = await _look(source, QUOTAS, client_quotas)
    if isinstance(ours, _Unseen):
        return [_not_seen(QUOTA, QUOTAS, "source", ours)]
    if not ours:
        return []
    planned = plan_quotas(ours, (), wishes=wishes)
    names = [item.name for item in planned]
    if not takes_everything(selection):
        count = f"{len(names):,} quota{'s' * (len(names) != 1)}"
        reason = f"{count}: topics were singled out, and a quota is about none"
        return [_left_behind(QUOTA, "quotas", reason, names)]
    theirs = await _look(target, QUOTAS, client_quotas)
    if isinstance(theirs, _Unseen):
        return [_not_seen(QUOTA, QUOTAS, "target", theirs, names)]
    return plan_quotas(ours, theirs or (), wishes=wishes)


async def _look(
    cluster: Cluster, question: Question, ask: Callable[[Cluster], Awaitable[_T]]
) -> _T | _Unseen | None:
    """Ask; None is a cluster without an authorizer. A broker that is silent is an error."""
    try:
        return await ask(cluster)
    except UnsupportedApi as error:
        return _Unseen(gap=(await view_of(cluster)).gap(question, error), denied=False)
    except BrokerError as error:
        if error.error_code == _SECURITY_DISABLED:
            return None
        if error.error_code not in DENIED:
            raise
        return _Unseen(gap=(await view_of(cluster)).gap(question, error), denied=True)


def _not_seen(
    kind: str, question: Question, side: str, unseen: _Unseen, names: Iterable[str] = ()
) -> Item:
    """Say that something cannot be seen. A right can be granted: that is for somebody to decide."""
    gap = unseen.gap
    if not unseen.denied:
        return _left_behind(kind, question.subject, f"the {side}'s {gap.reason}", list(names))
    return Item(
        action=Action.CONFLICT,
        kind=kind,
        name=question.subject,
        reason=f"they cannot be seen on the {side}: {gap.reason}",
        details=(gap.hint, f"or turn them off: `{kind}s` under `access` in kferry.yaml"),
    )


def _left_behind(kind: str, name: str, reason: str, names: Sequence[str]) -> Item:
    more = [f"and {len(names) - _SHOWN:,} more"] if len(names) > _SHOWN else []
    return Item(
        action=Action.LEFT_BEHIND,
        kind=kind,
        name=name,
        reason=reason,
        details=(*names[:_SHOWN], *more),
    )


def _rules(count: int) -> str:
    return "1 rule" if count == 1 else f"{count:,} rules"
