"""Access as planned, in the words of the official tools, for clusters where only others may act.

Owns these command lines. A password is never in one: where it goes there is a word to replace.
"""

import shlex

from kferry.access.quota_plan import QUOTA
from kferry.access.rules import ACL
from kferry.access.user_plan import USER
from kferry.access.work import quota_of, rule_of, user_of
from kferry.admin.acls import Acl
from kferry.admin.operations import Resource
from kferry.plans import Item

Command = tuple[str, str]
"""A tool, and its arguments."""

PASSWORD = "PASSWORD"  # noqa: S105 a word to replace, and no password
"""Stands where a password goes."""
_ENTITIES = {"user": "user", "client-id": "client", "ip": "ip"}
_OPTIONS = {"token": "--delegation-token", "user": "--user-principal"}


def access_command(item: Item) -> Command | None:
    """Write what an item does as a command; None where it does nothing, or is of another kind."""
    if item.work is None:
        return None
    if item.kind == ACL:
        return _acl(rule_of(item))
    if item.kind == USER:
        work = user_of(item)
        config = ",".join(
            f"{one.mechanism}=[iterations={one.iterations},password={PASSWORD}]"
            for one in work.credentials
        )
        return _configs(config, ["--entity-type", "users", "--entity-name", work.user])
    if item.kind == QUOTA:
        quota = quota_of(item)
        config = ",".join(f"{key}={value:.15g}" for key, value in sorted(quota.limits.items()))
        return _configs(config, [word for part in quota.key for word in _entity(*part)])
    return None


def _acl(rule: Acl) -> Command:
    verb = "allow" if rule.permission == "allow" else "deny"
    words = ["--add", f"--{verb}-principal", rule.principal]
    if rule.host != "*":
        words += [f"--{verb}-host", rule.host]
    words += ["--operation", rule.operation]
    if rule.resource == Resource.CLUSTER:
        words.append("--cluster")
    else:
        words += [_OPTIONS.get(rule.resource, f"--{rule.resource}"), rule.name]
    if rule.pattern == "prefixed":
        words += ["--resource-pattern-type", "prefixed"]
    return "kafka-acls", shlex.join(words)


def _configs(config: str, entity: list[str]) -> Command:
    return "kafka-configs", shlex.join(["--alter", "--add-config", config, *entity])


def _entity(kind: str, name: str | None) -> list[str]:
    word = _ENTITIES.get(kind, kind)
    return [f"--{word}-defaults"] if name is None else [f"--{word}", name]
