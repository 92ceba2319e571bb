"""Access: ACLs, users and quotas.

Owns their inventory. Writes nothing; knows neither topics nor groups nor how things look.
"""

from kferry.access.inventory import (
    Acls,
    Quotas,
    User,
    Users,
    take_acls,
    take_quotas,
    take_users,
)

__all__ = ["Acls", "Quotas", "User", "Users", "take_acls", "take_quotas", "take_users"]
