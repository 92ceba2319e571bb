"""Access rules, put into a cluster.

Owns CreateAcls. Decides nothing about who should have which.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from kafka.protocol.admin import CreateAclsRequest, CreateAclsResponse

from kferry.admin.operations import Operation, Resource
from kferry.wire import Cluster
from kferry.wire.errors import raise_for

_KINDS = {
    Resource.TOPIC: 2,
    Resource.GROUP: 3,
    Resource.CLUSTER: 4,
    Resource.TRANSACTIONAL_ID: 5,
}
_LITERAL, _PREFIXED = 3, 4
_ALLOW = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Acl:
    """One permission, from every host."""

    resource: Resource
    name: str
    prefixed: bool = False
    principal: str
    operation: Operation


async def create_acls(cluster: Cluster, acls: Sequence[Acl]) -> None:
    """Create them all in one call. Those that are there already stay as they are."""
    request = CreateAclsRequest(
        creations=[
            CreateAclsRequest.AclCreation(
                resource_type=_KINDS[acl.resource],
                resource_name=acl.name,
                resource_pattern_type=_PREFIXED if acl.prefixed else _LITERAL,
                principal=acl.principal,
                host="*",
                operation=int(acl.operation),
                permission_type=_ALLOW,
            )
            for acl in acls
        ]
    )
    answer = await cluster.at_controller(
        request,
        CreateAclsResponse,
        codes=lambda found: (result.error_code for result in found.results),
    )
    for acl, result in zip(acls, answer.results, strict=True):
        subject = f"ACL {acl.operation.title} on {acl.resource} {acl.name}"
        raise_for(result.error_code, subject, result.error_message)
