"""Access: ACLs, users and quotas.

Owns their inventory, what a plan says of them, and how it is applied. Knows neither topics, but for
their names, nor groups, nor how things look.
"""

from kferry.access.applying import apply_access
from kferry.access.commands import PASSWORD, access_command
from kferry.access.errors import AccessError
from kferry.access.inventory import (
    Acls,
    Quotas,
    User,
    Users,
    take_acls,
    take_quotas,
    take_users,
)
from kferry.access.planning import plan_access

__all__ = [
    "PASSWORD",
    "AccessError",
    "Acls",
    "Quotas",
    "User",
    "Users",
    "access_command",
    "apply_access",
    "plan_access",
    "take_acls",
    "take_quotas",
    "take_users",
]
