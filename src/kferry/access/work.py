"""What items of access say is to be done: their `work`, as JSON and back.

Owns the form. What is read may have been edited by anybody: what does not fit is refused. No
secret is ever in it: a user's password is looked up when it is needed.
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from kferry.access.errors import WorkNotUnderstood
from kferry.admin.acls import Acl
from kferry.admin.quotas import Quota
from kferry.admin.users import ITERATIONS, Credential, knows_mechanism
from kferry.plans import Item

_ACL_FIELDS = tuple(one.name for one in fields(Acl))


@dataclass(frozen=True, slots=True, kw_only=True)
class UserWork:
    """Credentials that a user shall get."""

    user: str
    credentials: tuple[Credential, ...]


def rule_as_work(rule: Acl) -> dict[str, Any]:
    """Lay out a rule."""
    return asdict(rule)


def rule_of(item: Item) -> Acl:
    """Read a rule."""
    told = _work(item)
    words = {name: told.get(name) for name in _ACL_FIELDS}
    if not all(isinstance(word, str) and word for word in words.values()):
        raise WorkNotUnderstood(item.ref, "its work is no rule")
    return Acl(**{name: str(word) for name, word in words.items()})


def user_as_work(work: UserWork) -> dict[str, Any]:
    """Lay out a user's credentials."""
    return {"user": work.user, "credentials": [asdict(one) for one in work.credentials]}


def user_of(item: Item) -> UserWork:
    """Read a user's credentials."""
    told = _work(item)
    user, credentials = told.get("user"), told.get("credentials")
    if not isinstance(user, str) or not user or not isinstance(credentials, list):
        raise WorkNotUnderstood(item.ref, "its work is no user")
    return UserWork(user=user, credentials=tuple(_credential(item, one) for one in credentials))


def _credential(item: Item, told: object) -> Credential:
    if isinstance(told, Mapping):
        mechanism, iterations = told.get("mechanism"), told.get("iterations")
        if (
            isinstance(mechanism, str)
            and knows_mechanism(mechanism)
            and type(iterations) is int
            and iterations in ITERATIONS
        ):
            return Credential(mechanism=mechanism, iterations=iterations)
    raise WorkNotUnderstood(item.ref, "its work holds what is no credential")


def quota_as_work(quota: Quota) -> dict[str, Any]:
    """Lay out the limits of an entity."""
    return {"entity": [list(part) for part in quota.key], "limits": dict(quota.limits)}


def quota_of(item: Item) -> Quota:
    """Read the limits of an entity."""
    told = _work(item)
    entity, limits = told.get("entity"), told.get("limits")
    if not isinstance(entity, list) or not entity or not isinstance(limits, Mapping) or not limits:
        raise WorkNotUnderstood(item.ref, "its work is no quota")
    return Quota(
        entity=dict(_part(item, part) for part in entity),
        limits=dict(_limit(item, key, value) for key, value in limits.items()),
    )


def _part(item: Item, told: object) -> tuple[str, str | None]:
    if isinstance(told, list | tuple) and len(told) == 2:
        kind, name = told
        if isinstance(kind, str) and (name is None or isinstance(name, str)):
            return kind, name
    raise WorkNotUnderstood(item.ref, "its work is about nobody")


def _limit(item: Item, key: object, value: object) -> tuple[str, float]:
    if isinstance(key, str) and type(value) in {int, float} and math.isfinite(value):  # type: ignore[arg-type]
        return key, float(value)  # type: ignore[arg-type]
    raise WorkNotUnderstood(item.ref, "its work holds what is no limit")


def _work(item: Item) -> Mapping[str, Any]:
    if item.work is None:
        raise WorkNotUnderstood(item.ref, "it says nothing about what is to be done")
    return item.work
