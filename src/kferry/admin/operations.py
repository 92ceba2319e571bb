"""What a principal may do, as Kafka's bits and numbers.

Owns ACL operations and resource kinds by name. Asks nobody.
"""

from enum import IntEnum, StrEnum


class Operation(IntEnum):
    """An ACL operation; its value is Kafka's number and its bit in authorized-operations fields."""

    READ = 3
    WRITE = 4
    CREATE = 5
    DELETE = 6
    ALTER = 7
    DESCRIBE = 8
    CLUSTER_ACTION = 9
    DESCRIBE_CONFIGS = 10
    ALTER_CONFIGS = 11
    IDEMPOTENT_WRITE = 12

    @property
    def title(self) -> str:
        """As the official tools spell it: `DescribeConfigs`."""
        return "".join(word.capitalize() for word in self.name.split("_"))


class Resource(StrEnum):
    """A kind of thing that ACLs protect, as the official tools' options spell it."""

    CLUSTER = "cluster"
    TOPIC = "topic"
    GROUP = "group"
    TRANSACTIONAL_ID = "transactional-id"


def grant(
    principal: str,
    operation: Operation,
    resource: Resource,
    name: str = "*",
    *,
    prefixed: bool = False,
) -> str:
    """Say how to allow it with the official tool."""
    where = "--cluster" if resource is Resource.CLUSTER else f"--{resource} '{name}'"
    pattern = " --resource-pattern-type prefixed" if prefixed else ""
    return (
        f"kafka-acls --add --allow-principal '{principal}' "
        f"--operation {operation.title} {where}{pattern}"
    )
