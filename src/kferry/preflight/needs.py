"""What kferry needs to be allowed to do, and what for.

Owns the list, per side. The source is only ever read, but for a way back that was asked for.
"""

from dataclasses import dataclass, replace

from kferry.admin.operations import Operation, Resource, grant
from kferry.preflight.findings import Severity, Side


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """One right. `severity` is what its absence weighs."""

    side: Side
    resource: Resource
    operation: Operation
    purpose: str
    severity: Severity = Severity.ERROR
    only_for: str = ""
    """What it is needed for alone; empty: for every migration."""

    @property
    def title(self) -> str:
        """Name it: `Read on topics`."""
        plural = "" if self.resource is Resource.CLUSTER else "s"
        where = "the " if self.resource is Resource.CLUSTER else ""
        return f"{self.operation.title} on {where}{self.resource}{plural}"

    def grant(self, principal: str) -> str:
        """Say how to grant it with the official tool."""
        ledger = self.resource is Resource.TRANSACTIONAL_ID
        name = "kferry." if ledger else "*"
        return grant(principal, self.operation, self.resource, name, prefixed=ledger)


def _need(
    side: Side, resource: Resource, operation: Operation, purpose: str, *, wanted: bool = False
) -> Need:
    return Need(
        side=side,
        resource=resource,
        operation=operation,
        purpose=purpose,
        severity=Severity.WARNING if wanted else Severity.ERROR,
    )


def _way_back(
    resource: Resource, operation: Operation, purpose: str, *, wanted: bool = False
) -> Need:
    need = _need(Side.SOURCE, resource, operation, purpose, wanted=wanted)
    return replace(need, only_for="way back")


SOURCE_CLUSTER = (
    _need(
        Side.SOURCE,
        Resource.CLUSTER,
        Operation.DESCRIBE,
        "to see all groups, ACLs and sizes",
        wanted=True,
    ),
    _need(
        Side.SOURCE,
        Resource.CLUSTER,
        Operation.DESCRIBE_CONFIGS,
        "to see broker settings and quotas",
        wanted=True,
    ),
)
SOURCE_TOPICS = (
    _need(Side.SOURCE, Resource.TOPIC, Operation.READ, "to copy records"),
    _need(Side.SOURCE, Resource.TOPIC, Operation.DESCRIBE_CONFIGS, "to create the topic alike"),
)
SOURCE_GROUPS = _need(
    Side.SOURCE, Resource.GROUP, Operation.DESCRIBE, "to read positions of groups"
)
TARGET_CLUSTER = (
    _need(Side.TARGET, Resource.CLUSTER, Operation.DESCRIBE, "to see groups, ACLs and free space"),
    _need(
        Side.TARGET,
        Resource.CLUSTER,
        Operation.DESCRIBE_CONFIGS,
        "to see limits that refuse records",
        wanted=True,
    ),
    _need(
        Side.TARGET,
        Resource.CLUSTER,
        Operation.ALTER,
        "to create ACLs and users, and to keep offsets identical over gaps",
        wanted=True,
    ),
    _need(Side.TARGET, Resource.CLUSTER, Operation.ALTER_CONFIGS, "to create quotas", wanted=True),
)
TARGET_CREATE = _need(Side.TARGET, Resource.CLUSTER, Operation.CREATE, "to create topics")
TARGET_IDEMPOTENT = _need(
    Side.TARGET,
    Resource.CLUSTER,
    Operation.IDEMPOTENT_WRITE,
    "to write idempotently (targets before 2.8)",
)
TARGET_TOPICS = (
    _need(Side.TARGET, Resource.TOPIC, Operation.WRITE, "to write records"),
    _need(Side.TARGET, Resource.TOPIC, Operation.READ, "to settle and verify what was written"),
    _need(Side.TARGET, Resource.TOPIC, Operation.DESCRIBE_CONFIGS, "to compare configurations"),
    _need(
        Side.TARGET, Resource.TOPIC, Operation.ALTER_CONFIGS, "to hold retention back while copying"
    ),
    _need(
        Side.TARGET,
        Resource.TOPIC,
        Operation.DELETE,
        "to give a partition the source's first offset",
        wanted=True,
    ),
)
TARGET_GROUPS = _need(Side.TARGET, Resource.GROUP, Operation.READ, "to commit positions")
TARGET_GROUPS_UNDO = _need(
    Side.TARGET,
    Resource.GROUP,
    Operation.DELETE,
    "to take positions back where there was none before (`groups sync --undo`)",
    wanted=True,
)
TARGET_TRANSACTIONS = _need(
    Side.TARGET,
    Resource.TRANSACTIONAL_ID,
    Operation.WRITE,
    "to fence a former copy (without it: a weaker, announced way)",
    wanted=True,
)
WAY_BACK_TOPICS = (
    _way_back(Resource.TOPIC, Operation.WRITE, "to bring records back"),
    _way_back(Resource.TOPIC, Operation.READ, "to settle what was brought back"),
)
WAY_BACK_CREATE = _way_back(
    Resource.CLUSTER, Operation.CREATE, "to create the ledger of the way back"
)
WAY_BACK_IDEMPOTENT = _way_back(
    Resource.CLUSTER,
    Operation.IDEMPOTENT_WRITE,
    "to bring records back idempotently (sources before 2.8)",
)
WAY_BACK_GROUPS = _way_back(Resource.GROUP, Operation.READ, "to commit positions where groups were")
WAY_BACK_TRANSACTIONS = _way_back(
    Resource.TRANSACTIONAL_ID,
    Operation.WRITE,
    "to fence a former copy (without it: a weaker, announced way)",
    wanted=True,
)
WAY_BACK_LEDGER = _way_back(
    Resource.TOPIC,
    Operation.DELETE,
    "to delete the ledger of the way back, `__kferry.…`, in the end",
    wanted=True,
)

ALL = (
    *SOURCE_CLUSTER,
    *SOURCE_TOPICS,
    SOURCE_GROUPS,
    *TARGET_CLUSTER,
    TARGET_CREATE,
    TARGET_IDEMPOTENT,
    *TARGET_TOPICS,
    TARGET_GROUPS,
    TARGET_GROUPS_UNDO,
    TARGET_TRANSACTIONS,
    *WAY_BACK_TOPICS,
    WAY_BACK_CREATE,
    WAY_BACK_IDEMPOTENT,
    WAY_BACK_GROUPS,
    WAY_BACK_TRANSACTIONS,
    WAY_BACK_LEDGER,
)


def as_table() -> str:
    """Write the list as the documentation shows it."""
    rows = [
        f"| {need.side} | {need.resource} | {need.operation.title} | {need.purpose} "
        f"| {'required' if need.severity is Severity.ERROR else 'wanted'}"
        f"{f' for a {need.only_for}' if need.only_for else ''} |"
        for need in ALL
    ]
    head = ["| side | resource | operation | what for | |", "|---|---|---|---|---|"]
    return "\n".join([*head, *rows]) + "\n"
