"""What both sides are, gathered once, so that the judgements below are pure.

Owns the asking and its order; a question that one broker age or one missing right cannot answer
becomes an absent fact with its reason, never a failed check.
"""

import asyncio
import time
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from kferry.admin.cluster import cluster_operations, controller_clock
from kferry.admin.configs import Configs, broker_configs
from kferry.admin.groups import ListedGroup, list_groups
from kferry.admin.log_dirs import Disk, disks
from kferry.config import TopicSelection
from kferry.names import BrokerId, TopicName
from kferry.wire import Cluster, Metadata, Outcomes, Topic, WireError, at_every_broker
from kferry.wire.metadata import Operations
from kferry.wire.versions import ApiVersions

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """The controller's time beside ours; `uncertainty` is how long the answer took."""

    ahead: float
    uncertainty: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """One cluster, as far as it could be asked. A `WireError` in a fact's place says why not."""

    metadata: Metadata
    versions: ApiVersions
    operations: Operations | WireError | None
    configs: Outcomes[BrokerId, Configs]
    disks: Outcomes[BrokerId, list[Disk]]
    groups: Outcomes[BrokerId, list[ListedGroup]]
    clock: Clock | WireError | None
    selected: Mapping[TopicName, Topic]


async def gather_facts(cluster: Cluster, selection: TopicSelection) -> Facts:
    """Ask one cluster everything that needs no more than looking."""
    operations = await _or_error(cluster_operations(cluster))
    metadata = await cluster.refresh(None, operations=True)
    connection = await cluster.any_connection()
    configs, found_disks, groups, clock = await asyncio.gather(
        at_every_broker(cluster, lambda broker: broker_configs(cluster, broker)),
        disks(cluster),
        list_groups(cluster),
        _or_error(_clock(cluster)),
    )
    return Facts(
        metadata=metadata,
        versions=connection.versions,
        operations=operations,
        configs=configs,
        disks=found_disks,
        groups=groups,
        clock=clock,
        selected={
            name: topic
            for name, topic in metadata.topics.items()
            if selection.matches(name, internal=topic.internal)
        },
    )


async def _or_error(question: Awaitable[_T]) -> _T | WireError:
    try:
        return await question
    except WireError as error:
        return error


async def _clock(cluster: Cluster) -> Clock | None:
    began = time.time()
    theirs = await controller_clock(cluster)
    took = time.time() - began
    return None if theirs is None else Clock(ahead=theirs - (began + took / 2), uncertainty=took)
