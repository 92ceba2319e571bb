"""What becomes of the source's quotas on the target.

Owns the difference, limit by limit. Pure. A limit that the target has set otherwise stays as it is:
its operator knows its brokers.
"""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import replace

from kferry.access.work import quota_as_work
from kferry.admin.quotas import Entity, Quota
from kferry.config.plan_settings import AccessWishes
from kferry.plans import Action, Item

QUOTA = "quota"


def quota_name(key: Entity) -> str:
    """Name whom a quota is for, so that no two are called the same."""
    return ", ".join(
        f"{kind} {'(default)' if name is None else shlex.quote(name)}" for kind, name in key
    )


def plan_quotas(
    source: Sequence[Quota], target: Sequence[Quota], *, wishes: AccessWishes
) -> list[Item]:
    """Compare the quotas of both sides."""
    there = {quota.key: quota.limits for quota in target}
    called: dict[Entity, list[Quota]] = {}
    for quota in source:
        renamed = _renamed(quota, wishes)
        called.setdefault(renamed.key, []).append(renamed)
    return [
        _item(key, quotas, there.get(key, {}))
        for key, quotas in sorted(called.items(), key=lambda one: quota_name(one[0]))
    ]


def _renamed(quota: Quota, wishes: AccessWishes) -> Quota:
    entity = {
        kind: wishes.user(name) if kind == "user" and name is not None else name
        for kind, name in quota.entity.items()
    }
    return replace(quota, entity=entity)


def _item(key: Entity, quotas: Sequence[Quota], there: Mapping[str, float]) -> Item:
    name = quota_name(key)
    if any(quota.limits != quotas[0].limits for quota in quotas[1:]):
        return Item(
            action=Action.CONFLICT,
            kind=QUOTA,
            name=name,
            reason=f"{len(quotas)} of the source would be one, with different limits; change "
            "`principals` in kferry.yaml",
        )
    wanted = quotas[0].limits
    missing = {limit: value for limit, value in wanted.items() if limit not in there}
    kept = tuple(
        f"{limit}: {_amount(there[limit])} on the target stays, {_amount(value)} on the source"
        for limit, value in wanted.items()
        if limit in there and there[limit] != value
    )
    if missing:
        return Item(
            action=Action.CHANGE if there else Action.CREATE,
            kind=QUOTA,
            name=name,
            details=(*(f"{limit}: {_amount(value)}" for limit, value in missing.items()), *kept),
            work=quota_as_work(Quota(entity=dict(key), limits=missing)),
        )
    reason = f"{len(kept)} limit{'s' * (len(kept) != 1)} of the target's own will stay"
    return Item(
        action=Action.SAME, kind=QUOTA, name=name, reason=reason if kept else "", details=kept
    )


def _amount(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) else f"{value:,}"
