"""What the kferry user of a sandbox may do: on each side as little as kferry needs.

Owns the list and how it is put into a cluster. On the source nothing can be written with it.
"""

import asyncio
from collections.abc import Iterable, Sequence
from pathlib import Path

from kferry.admin.acls import Acl, create_acls
from kferry.admin.operations import Operation, Resource
from kferry.config import load_properties
from kferry.wire import open_cluster

_EVERY = "*"
_CLUSTER = "kafka-cluster"  # the name by which ACLs know the one resource of its kind
_OURS = "kferry."

_SOURCE = {
    Resource.CLUSTER: (Operation.DESCRIBE, Operation.DESCRIBE_CONFIGS),
    Resource.TOPIC: (Operation.DESCRIBE, Operation.DESCRIBE_CONFIGS, Operation.READ),
    Resource.GROUP: (Operation.DESCRIBE,),
}
_TARGET = {
    Resource.CLUSTER: (
        Operation.ALTER,
        Operation.ALTER_CONFIGS,
        Operation.CREATE,
        Operation.DESCRIBE,
        Operation.DESCRIBE_CONFIGS,
        Operation.IDEMPOTENT_WRITE,
    ),
    Resource.TOPIC: (
        Operation.ALTER,
        Operation.ALTER_CONFIGS,
        Operation.CREATE,
        Operation.DELETE,
        Operation.DESCRIBE,
        Operation.DESCRIBE_CONFIGS,
        Operation.READ,
        Operation.WRITE,
    ),
    Resource.GROUP: (Operation.DELETE, Operation.DESCRIBE, Operation.READ),
    Resource.TRANSACTIONAL_ID: (Operation.DESCRIBE, Operation.WRITE),
}
_SIDES = {"source": _SOURCE, "target": _TARGET}


def grant(wanted: Sequence[Acl], properties: Path) -> None:
    """Put these rights into a cluster; `properties` are those of an administrator."""
    asyncio.run(_create(properties, wanted))


def acls(user: str, *, side: str, prefixes: bool = True) -> Iterable[Acl]:
    """Return the ACLs that make up the rights of one side.

    Where an ACL cannot be for all names with a prefix, it is for all names.
    """
    for resource, operations in _SIDES[side].items():
        prefixed = prefixes and resource is Resource.TRANSACTIONAL_ID
        name = _OURS if prefixed else _CLUSTER if resource is Resource.CLUSTER else _EVERY
        for operation in operations:
            yield Acl(
                resource=resource,
                name=name,
                pattern="prefixed" if prefixed else "literal",
                principal=f"User:{user}",
                host="*",
                permission="allow",
                operation=operation.title,
            )


async def _create(properties: Path, wanted: Sequence[Acl]) -> None:
    async with open_cluster(load_properties(properties)) as cluster:
        for refusal in (await create_acls(cluster, wanted)).values():
            if refusal is not None:
                raise refusal
