"""`kferry inspect acls`, `users` and `quotas`.

Owns how access rules look.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from kferry.access import Acls, Quotas, Users, take_acls, take_quotas, take_users
from kferry.admin.view import Gap
from kferry.cli.inspect.sides import Inspection, inspect, plain
from kferry.cli.options import Options
from kferry.cli.tables import Column, Row, number, table, text
from kferry.errors import ExitCode
from kferry.units import many

_ACLS = tuple(map(text, ("resource", "name", "pattern", "principal", "host", "rule", "operation")))
_USERS = (text("user"), text("mechanism"), number("iterations"))
_QUOTAS = (text("who"), text("limit"), number("value"))


def acls(*, options: Options | None = None) -> ExitCode:
    """ACLs: every rule, on every kind of resource."""
    return inspect(
        options or Options(),
        Inspection(
            name="acls", ask=take_acls, show=_show_acls, as_json=_acls_json, then="inspect users"
        ),
    )


def users(*, options: Options | None = None) -> ExitCode:
    """Users that the cluster keeps (SCRAM), with mechanisms and iterations."""
    return inspect(
        options or Options(),
        Inspection(
            name="users",
            ask=take_users,
            show=_show_users,
            as_json=_users_json,
            then="inspect quotas",
        ),
    )


def quotas(*, options: Options | None = None) -> ExitCode:
    """Quotas of users, clients and addresses."""
    return inspect(
        options or Options(),
        Inspection(
            name="quotas",
            ask=take_quotas,
            show=_show_quotas,
            as_json=_quotas_json,
            then="inspect configs",
        ),
    )


def _show_acls(found: Acls) -> list[str]:
    if found.authorizer is False:
        return ["  no authorizer: everybody may do everything"]
    rows = [
        Row(
            cells=(
                one.resource,
                one.name,
                one.pattern,
                one.principal,
                one.host,
                one.permission,
                one.operation,
            )
        )
        for one in found.acls
    ]
    return _listed(_ACLS, rows, "rule", found.gaps)


def _show_users(found: Users) -> list[str]:
    rows = [
        Row(cells=(user.name, one.mechanism, f"{one.iterations:,}"))
        for user in found.users
        for one in user.credentials
    ]
    warning = "  passwords cannot be read back: whoever moves a user needs its password again"
    return [*_listed(_USERS, rows, "credential", found.gaps), *([warning] if rows else ())]


def _show_quotas(found: Quotas) -> list[str]:
    rows = [
        Row(cells=(_entity(one.entity), key, _limit(key, value)))
        for one in found.quotas
        for key, value in one.limits.items()
    ]
    return _listed(_QUOTAS, rows, "limit", found.gaps)


def _listed(
    columns: Sequence[Column], rows: list[Row], noun: str, gaps: Sequence[Gap]
) -> list[str]:
    if not rows:
        # What could not be asked for is not absent.
        return [] if gaps else [f"  no {noun}s"]
    return [*table(columns, rows), "", f"  {many(len(rows), noun)}"]


def _entity(entity: Mapping[str, str | None]) -> str:
    return ", ".join(f"{kind} {name or '(default)'}" for kind, name in entity.items())


def _limit(key: str, value: float) -> str:
    amount = f"{value:,.0f}" if value == int(value) else f"{value:,}"
    if key.endswith("byte_rate"):
        return f"{amount} B/s"
    if key.endswith("percentage"):
        return f"{amount} %"
    return f"{amount}/s" if key.endswith("_rate") else amount


def _acls_json(found: Acls) -> Mapping[str, Any]:
    return {"authorizer": found.authorizer, "acls": plain(found.acls)}


def _users_json(found: Users) -> Mapping[str, Any]:
    return {"users": plain(found.users)}


def _quotas_json(found: Quotas) -> Mapping[str, Any]:
    return {"quotas": plain(found.quotas)}
