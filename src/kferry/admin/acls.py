"""The rules of who may do what.

Owns DescribeAcls, CreateAcls and DeleteAcls. Numbers of kinds this release does not know are shown
as numbers, never dropped. One rule that is refused never holds up the others: its error is its
outcome.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kafka.protocol.admin import (
    CreateAclsRequest,
    CreateAclsResponse,
    DeleteAclsRequest,
    DeleteAclsResponse,
    DescribeAclsRequest,
    DescribeAclsResponse,
)

from kferry.names import BrokerId
from kferry.wire import BrokerError, Cluster, UnsupportedApi, WireError
from kferry.wire.errors import raise_for
from kferry.wire.versions import ApiVersions

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
_PREFIXES, _USERS = 1, 3
"""The versions of CreateAcls that know prefixes (2.0, KIP-290) and users (3.3, KIP-373)."""
_UNKNOWN_BEFORE_4 = frozenset({"TwoPhaseCommit"})
_PER_CALL = 500
_NOTHING_SAID = -1  # UNKNOWN_SERVER_ERROR


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
    return _told(await cluster.request(_all_of_them(), DescribeAclsResponse))


async def acls_known_to(cluster: Cluster, broker: BrokerId) -> list[Acl]:
    """Ask one broker for all rules that it knows: a new one reaches each in its time."""
    return _told(await cluster.at_broker(broker, _all_of_them(), DescribeAclsResponse))


def _all_of_them() -> DescribeAclsRequest:
    return DescribeAclsRequest(
        resource_type_filter=_ANY,
        resource_name_filter=None,
        pattern_type_filter=_ANY,
        principal_filter=None,
        host_filter=None,
        operation=_ANY,
        permission_type=_ANY,
    )


def _told(answer: Any) -> list[Acl]:
    raise_for(answer.error_code, "ACLs", answer.error_message)
    return sorted(_acl(resource, rule) for resource in answer.resources for rule in resource.acls)


async def create_acls(cluster: Cluster, acls: Sequence[Acl]) -> dict[Acl, WireError | None]:
    """Create rules, in this order; those that are there already stay as they are.

    Returns before every broker knows them.
    """
    connection = await cluster.any_connection()
    outcomes: dict[Acl, WireError | None] = {}
    takeable = []
    for acl in dict.fromkeys(acls):
        if why := not_takeable(acl, connection.versions):
            outcomes[acl] = UnsupportedApi(connection.where, "CreateAcls", why)
        else:
            takeable.append(acl)
    for chunk in _chunks(takeable):
        outcomes |= await _create(cluster, chunk)
    return outcomes


async def delete_acls(cluster: Cluster, acls: Sequence[Acl]) -> dict[Acl, WireError | None]:
    """Take exactly these rules away; one that is not there is no error.

    Returns before every broker knows it.
    """
    outcomes: dict[Acl, WireError | None] = {}
    for chunk in _chunks(list(dict.fromkeys(acls))):
        try:
            answer = await cluster.at_controller(
                DeleteAclsRequest(filters=[_exactly(acl) for acl in chunk]),
                DeleteAclsResponse,
                codes=lambda found: (result.error_code for result in found.filter_results),
            )
        except WireError as error:
            outcomes |= dict.fromkeys(chunk, error)
            continue
        outcomes |= {
            acl: _refusal(result) for acl, result in zip(chunk, answer.filter_results, strict=True)
        }
    return outcomes


def _refusal(result: Any) -> BrokerError | None:
    for one in (result, *result.matching_acls):
        if one.error_code:
            return BrokerError(one.error_code, "ACL", one.error_message)
    return None


def _exactly(acl: Acl) -> Any:
    return DeleteAclsRequest.DeleteAclsFilter(
        resource_type_filter=_NUMBER_OF_RESOURCE[acl.resource],
        resource_name_filter=acl.name,
        pattern_type_filter=_NUMBER_OF_PATTERN[acl.pattern],
        principal_filter=acl.principal,
        host_filter=acl.host,
        operation=_NUMBER_OF_OPERATION[acl.operation],
        permission_type=_NUMBER_OF_PERMISSION[acl.permission],
    )


def not_takeable(acl: Acl, versions: ApiVersions) -> str:
    """Say why brokers of this age cannot keep a rule; empty if they can.

    Sent all the same, it would become another rule, or end the connection for all that are with it.
    """
    if not versions.supports(CreateAclsRequest):
        return f"Kafka {versions.release} has no call for it"
    if _kind_unknown(acl):
        return "it is of a kind that this kferry does not know"
    if acl.pattern != _PATTERNS[_LITERAL] and not versions.supports(CreateAclsRequest, _PREFIXES):
        return f"Kafka {versions.release} has no rules for all names that begin alike"
    if acl.resource == _RESOURCES[7] and not versions.supports(CreateAclsRequest, _USERS):
        return f"Kafka {versions.release} has no rules about users"
    if acl.operation in _UNKNOWN_BEFORE_4 and versions.release_number < (4,):
        return f"Kafka {versions.release} does not know {acl.operation}"
    return ""


def _kind_unknown(acl: Acl) -> bool:
    return (
        acl.resource not in _NUMBER_OF_RESOURCE
        or acl.pattern not in _NUMBER_OF_PATTERN
        or acl.permission not in _NUMBER_OF_PERMISSION
        or acl.operation not in _NUMBER_OF_OPERATION
    )


def _chunks(acls: Sequence[Acl]) -> Iterator[Sequence[Acl]]:
    """Cut into calls. What only some 4.x know comes by itself: a broker that does not hangs up."""
    known = [acl for acl in acls if acl.operation not in _UNKNOWN_BEFORE_4]
    recent = [acl for acl in acls if acl.operation in _UNKNOWN_BEFORE_4]
    for some in (known, recent):
        for start in range(0, len(some), _PER_CALL):
            yield some[start : start + _PER_CALL]


async def _create(cluster: Cluster, acls: Sequence[Acl]) -> Mapping[Acl, WireError | None]:
    try:
        answer = await cluster.at_controller(
            CreateAclsRequest(creations=[_creation(acl) for acl in acls]),
            CreateAclsResponse,
            codes=lambda found: (result.error_code for result in found.results),
        )
    except WireError as error:
        return dict.fromkeys(acls, error)
    results = list(answer.results)
    if len(results) != len(acls):
        silence = BrokerError(_NOTHING_SAID, "ACLs", "the broker said nothing about some of them")
        return dict.fromkeys(acls, silence)
    return {
        acl: BrokerError(result.error_code, "ACL", result.error_message)
        if result.error_code
        else None
        for acl, result in zip(acls, results, strict=True)
    }


def _creation(acl: Acl) -> Any:
    return CreateAclsRequest.AclCreation(
        resource_type=_NUMBER_OF_RESOURCE[acl.resource],
        resource_name=acl.name,
        resource_pattern_type=_NUMBER_OF_PATTERN[acl.pattern],
        principal=acl.principal,
        host=acl.host,
        operation=_NUMBER_OF_OPERATION[acl.operation],
        permission_type=_NUMBER_OF_PERMISSION[acl.permission],
    )


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


def _numbers(words: Mapping[int, str]) -> dict[str, int]:
    return {word: number for number, word in words.items()}


_NUMBER_OF_RESOURCE = _numbers(_RESOURCES)
_NUMBER_OF_PATTERN = _numbers(_PATTERNS)
_NUMBER_OF_PERMISSION = _numbers(_PERMISSIONS)
_NUMBER_OF_OPERATION = _numbers(_OPERATIONS)
