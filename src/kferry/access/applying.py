"""Access as planned, made on the target.

Owns the order, the reading back, and that one failure does not keep the others. Only adds: nothing
is ever taken away from the target, and what somebody else made meanwhile stays. Everything here may
be done again.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import TypeVar

from kferry.access.errors import (
    AccessError,
    NoPassword,
    NotApplied,
    NotReadBack,
    SecretsFileTrouble,
    WouldAllowTooMuch,
)
from kferry.access.names import overlap
from kferry.access.quota_plan import QUOTA
from kferry.access.rules import ACL, rule_name
from kferry.access.secrets_file import make_up, read_passwords
from kferry.access.user_plan import USER
from kferry.access.work import UserWork, quota_of, rule_of, user_of
from kferry.admin.acls import Acl, create_acls, describe_acls
from kferry.admin.operations import Operation, Resource, grant
from kferry.admin.quotas import Quota, client_quotas, set_quotas
from kferry.admin.users import Credential, NewCredential, scram_users, set_credentials
from kferry.admin.view import DENIED, view_of
from kferry.config import Secret
from kferry.config.plan_settings import AccessWishes
from kferry.errors import KferryError
from kferry.plans import Item
from kferry.wire import BrokerError, Cluster, WireError
from kferry.wire.retry import Pauses

_T = TypeVar("_T")
Outcomes = dict[str, KferryError | None]
"""What became of each item, by its reference; None: it is there, and was read back."""


async def apply_access(target: Cluster, items: Sequence[Item], wishes: AccessWishes) -> Outcomes:
    """Do the work of all items that are about access and have some."""
    outcomes: Outcomes = {}
    # Rules first: a user who can log in is bound by them from the first moment.
    rules = _read(items, ACL, rule_of, outcomes)
    if rules:
        outcomes |= await _apply_rules(target, rules)
    users = _read(items, USER, user_of, outcomes)
    if users:
        outcomes |= await _apply_users(target, users, wishes)
    quotas = _read(items, QUOTA, quota_of, outcomes)
    if quotas:
        outcomes |= await _apply_quotas(target, quotas)
    return outcomes


def _read(
    items: Sequence[Item], kind: str, read: Callable[[Item], _T], outcomes: Outcomes
) -> dict[str, _T]:
    """Read the work of one kind; what cannot be read has its outcome already."""
    found: dict[str, _T] = {}
    for item in items:
        if item.kind != kind or item.work is None:
            continue
        try:
            found[item.ref] = read(item)
        except AccessError as error:
            outcomes[item.ref] = error
    return found


async def _apply_rules(target: Cluster, rules: Mapping[str, Acl]) -> Outcomes:
    """Make denials first, so that at no moment more is allowed than shall be."""
    denials = {ref: rule for ref, rule in rules.items() if rule.permission != "allow"}
    refused = await create_acls(target, list(denials.values()))
    failed = [rule for rule, error in refused.items() if error is not None]
    outcomes: Outcomes = {}
    allowances: dict[str, Acl] = {}
    for ref, rule in rules.items():
        if ref in denials:
            continue
        denial = next((one for one in failed if overlap(one, rule)), None)
        if denial is None:
            allowances[ref] = rule
        else:
            outcomes[ref] = WouldAllowTooMuch(ref, rule_name(denial))
    refused |= await create_acls(target, list(allowances.values()))
    outcomes |= await _judged(
        target,
        {ref: refused[rule] for ref, rule in {**denials, **allowances}.items()},
        right=Operation.ALTER,
        look=describe_acls,
        missing=lambda there, ref: "" if rules[ref] in there else "it is not among the rules",
    )
    return {ref: outcomes[ref] for ref in rules}


async def _apply_users(
    target: Cluster, users: Mapping[str, UserWork], wishes: AccessWishes
) -> Outcomes:
    try:
        passwords = _passwords([work.user for work in users.values()], wishes)
    except SecretsFileTrouble as error:
        return dict.fromkeys(users, error)
    outcomes: Outcomes = {
        ref: NoPassword(work.user, wishes.secrets_file)
        for ref, work in users.items()
        if work.user not in passwords
    }
    able = {ref: work for ref, work in users.items() if ref not in outcomes}
    try:
        # A call replaces what is there, and somebody may have thought long about the plan.
        has = _mechanisms(await scram_users(target))
    except WireError as error:
        hint = await _grant(target, Operation.DESCRIBE) if _denied(error) else ""
        return outcomes | {ref: NotApplied(ref, error, hint=hint) for ref in able}
    refused = await set_credentials(
        target,
        [
            NewCredential(
                user=work.user,
                mechanism=one.mechanism,
                iterations=one.iterations,
                password=passwords[work.user],
            )
            for work in able.values()
            for one in work.credentials
            if (work.user, one.mechanism) not in has
        ],
    )

    def missing(there: Mapping[str, Iterable[Credential] | WireError], ref: str) -> str:
        found = there.get(users[ref].user, ())
        has = () if isinstance(found, WireError) else tuple(found)
        lacks = [one.mechanism for one in users[ref].credentials if one not in has]
        return f"without {' and '.join(lacks)} as asked for" if lacks else ""

    outcomes |= await _judged(
        target,
        {ref: refused.get(work.user) for ref, work in able.items()},
        right=Operation.ALTER,
        look=scram_users,
        missing=missing,
    )
    return {ref: outcomes[ref] for ref in users}


def _mechanisms(
    there: Mapping[str, Iterable[Credential] | WireError],
) -> set[tuple[str, str]]:
    return {
        (user, one.mechanism)
        for user, found in there.items()
        if not isinstance(found, WireError)
        for one in found
    }


def _passwords(users: Iterable[str], wishes: AccessWishes) -> dict[str, Secret]:
    """Find everybody's password; those that are made up are in the file before they are used."""
    if wishes.secrets_file is None:
        return {}
    known = {
        user: word for user, word in read_passwords(wishes.secrets_file).items() if word.reveal()
    }
    lacking = [user for user in users if user not in known]
    if lacking and wishes.generate_passwords:
        known |= make_up(wishes.secrets_file, lacking)
    return known


async def _apply_quotas(target: Cluster, quotas: Mapping[str, Quota]) -> Outcomes:
    refused = await set_quotas(target, list(quotas.values()))

    def missing(there: Sequence[Quota], ref: str) -> str:
        wanted = quotas[ref]
        limits = next((quota.limits for quota in there if quota.key == wanted.key), {})
        lacks = [name for name, value in wanted.limits.items() if limits.get(name) != value]
        return f"without {' and '.join(lacks)} as asked for" if lacks else ""

    return await _judged(
        target,
        {ref: refused[quota.key] for ref, quota in quotas.items()},
        right=Operation.ALTER_CONFIGS,
        look=client_quotas,
        missing=missing,
    )


async def _judged(
    target: Cluster,
    refused: Mapping[str, WireError | None],
    *,
    right: Operation,
    look: Callable[[Cluster], Awaitable[_T]],
    missing: Callable[[_T, str], str],
) -> Outcomes:
    """Tell what was refused, and read the rest back, until it shows or patience ends.

    The controller's answer comes before every broker knows what it says.
    """
    hint = await _grant(target, right)
    outcomes: Outcomes = {
        ref: NotApplied(ref, error, hint=hint if _denied(error) else "")
        for ref, error in refused.items()
        if error is not None
    }
    waiting = [ref for ref in refused if ref not in outcomes]
    pauses = Pauses(target.limits)
    while waiting:
        try:
            there = await look(target)
        except WireError as error:
            return outcomes | {
                ref: NotReadBack(ref, str(error), hint=error.hint) for ref in waiting
            }
        lacking = {ref: why for ref in waiting if (why := missing(there, ref))}
        outcomes |= {ref: None for ref in waiting if ref not in lacking}
        if lacking and pauses.over:
            return outcomes | {ref: NotReadBack(ref, why) for ref, why in lacking.items()}
        waiting = list(lacking)
        if waiting:
            await pauses.pause()
    return outcomes


async def _grant(target: Cluster, right: Operation) -> str:
    return grant((await view_of(target)).principal, right, Resource.CLUSTER)


def _denied(error: WireError) -> bool:
    return isinstance(error, BrokerError) and error.error_code in DENIED
