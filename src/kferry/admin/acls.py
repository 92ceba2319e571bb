"""The rules of who may do what.

Owns DescribeAcls. Numbers of kinds this release does not know are shown as numbers, never dropped.
"""

from dataclasses import dataclass
from typing import Any

from kafka.protocol.admin import DescribeAclsRequest, DescribeAclsResponse

from kferry.wire import Cluster
from kferry.wire.errors import raise_for

_ANY = 1
_LITERAL = 3  # before 2.0 there was no other
_RESOURCES = {2: "topic", 3: "group", 4: "cluster", 5: "transactional-id", 6: "token", 7: "user"}
_PATTERNS = {3: "literal", 4: "prefixed"}
_PERMISSIONS = {2: "deny", 3: "allow"}
_OPERATIONS = {
    2: "All",
    3: "Read",
    4: "Write",
    5: "Create",
    6: "Delete",
    7: "Alter",
    8: "Describe",
    9: "ClusterAction",
    10: "DescribeConfigs",
    11: "AlterConfigs",
    12: "IdempotentWrite",
    13: "CreateTokens",
    14: "DescribeTokens",
    15: "TwoPhaseCommit",
}


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Acl:
    """One rule, in the words of the official tools."""

    resource: str
    name: str
    pattern: str
    principal: str
    host: str
    permission: str
    operation: str


async def describe_acls(cluster: Cluster) -> list[Acl]:
    """Ask for all rules, sorted."""
    request = DescribeAclsRequest(
        resource_type_filter=_ANY,
        resource_name_filter=None,
        pattern_type_filter=_ANY,
        principal_filter=None,
        host_filter=None,
        operation=_ANY,
        permission_type=_ANY,
    )
    answer = await cluster.request(request, DescribeAclsResponse)
    raise_for(answer.error_code, "ACLs", answer.error_message)
    return sorted(_acl(resource, rule) for resource in answer.resources for rule in resource.acls)


def _acl(resource: Any, rule: Any) -> Acl:
    pattern = resource.pattern_type or _LITERAL
    return Acl(
        resource=_RESOURCES.get(resource.resource_type, f"kind {resource.resource_type}"),
        name=resource.resource_name,
        pattern=_PATTERNS.get(pattern, f"pattern {pattern}"),
        principal=rule.principal,
        host=rule.host,
        permission=_PERMISSIONS.get(rule.permission_type, f"permission {rule.permission_type}"),
        operation=_OPERATIONS.get(rule.operation, f"operation {rule.operation}"),
    )
