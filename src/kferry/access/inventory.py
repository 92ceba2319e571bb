"""What access rules, users and quotas a cluster keeps.

Owns the questions, what each takes, and what their refusals mean.
"""

from dataclasses import dataclass

from kferry.admin.acls import Acl, describe_acls
from kferry.admin.operations import Operation, Resource
from kferry.admin.quotas import Quota, client_quotas
from kferry.admin.users import Credential, scram_users
from kferry.admin.view import Gap, Question, view_of
from kferry.wire import BrokerError, Cluster, WireError

ACLS = Question(subject="ACLs", since="0.11", right=Operation.DESCRIBE, on=Resource.CLUSTER)
USERS = Question(subject="users", since="2.7", right=Operation.DESCRIBE, on=Resource.CLUSTER)
QUOTAS = Question(
    subject="quotas", since="2.6", right=Operation.DESCRIBE_CONFIGS, on=Resource.CLUSTER
)
_SECURITY_DISABLED = 54


@dataclass(frozen=True, slots=True, kw_only=True)
class Acls:
    """All rules, sorted. Without an authorizer there are none, and everybody may do everything."""

    acls: tuple[Acl, ...]
    authorizer: bool | None
    """None where it is not known."""
    gaps: tuple[Gap, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """One user that the cluster keeps, and the ways they can prove who they are."""

    name: str
    credentials: tuple[Credential, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Users:
    """All SCRAM users, sorted."""

    users: tuple[User, ...]
    gaps: tuple[Gap, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Quotas:
    """All client quotas, sorted."""

    quotas: tuple[Quota, ...]
    gaps: tuple[Gap, ...]


async def take_acls(cluster: Cluster) -> Acls:
    """Look at all rules."""
    view = await view_of(cluster)
    try:
        return Acls(acls=tuple(await describe_acls(cluster)), authorizer=True, gaps=())
    except BrokerError as error:
        if error.error_code == _SECURITY_DISABLED:
            return Acls(acls=(), authorizer=False, gaps=())
        return Acls(acls=(), authorizer=True, gaps=(view.gap(ACLS, error),))
    except WireError as error:
        return Acls(acls=(), authorizer=None, gaps=(view.gap(ACLS, error),))


async def take_users(cluster: Cluster) -> Users:
    """Look at all SCRAM users."""
    view = await view_of(cluster)
    try:
        found = await scram_users(cluster)
    except WireError as error:
        return Users(users=(), gaps=(view.gap(USERS, error),))
    return Users(
        users=tuple(
            User(name=name, credentials=credentials)
            for name, credentials in found.items()
            if isinstance(credentials, tuple)
        ),
        gaps=tuple(view.gaps(USERS, found)),
    )


async def take_quotas(cluster: Cluster) -> Quotas:
    """Look at all client quotas."""
    view = await view_of(cluster)
    try:
        return Quotas(quotas=tuple(await client_quotas(cluster)), gaps=())
    except WireError as error:
        return Quotas(quotas=(), gaps=(view.gap(QUOTAS, error),))
