"""What a new kferry.yaml is made from: a look at each cluster, for its topics and access rules.

Owns what is asked. Reads only; what may not be seen is a gap, and never keeps a file from being
written.
"""

import asyncio
from dataclasses import dataclass

from kferry.access import take_acls, take_quotas, take_users
from kferry.admin.groups import list_groups
from kferry.admin.view import Gap
from kferry.config import ClusterSettings, TopicSelection
from kferry.names import ClusterId
from kferry.topics import TopicFacts, take_topics
from kferry.topics.applications import Application, applications
from kferry.wire import Cluster, Limits, WireError, open_cluster

_LIMITS = Limits(connect=5, request=20, retry=3)
"""Shorter than for work: a file can be written without any cluster."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What one cluster shows."""

    cluster_id: ClusterId | None
    release: str
    brokers: int
    topics: tuple[TopicFacts, ...]
    """Those that are not internal, as a selection without a pattern means them."""
    applications: tuple[Application, ...]
    authorizer: bool | None
    acls: int
    users: int
    quotas: int
    gaps: tuple[Gap, ...]


async def look(settings: ClusterSettings, selection: TopicSelection) -> Seen:
    """Look at one cluster."""
    async with open_cluster(settings, _LIMITS) as cluster:
        connection = await cluster.any_connection()
        metadata = cluster.metadata
        topics = await take_topics(cluster, selection, rate_seconds=0)
        groups, acls, users, quotas = await asyncio.gather(
            _groups(cluster), take_acls(cluster), take_users(cluster), take_quotas(cluster)
        )
    return Seen(
        cluster_id=metadata.cluster_id,
        release=connection.versions.release,
        brokers=len(metadata.brokers),
        topics=topics.topics,
        applications=applications(topics.topics, groups),
        authorizer=acls.authorizer,
        acls=len(acls.acls),
        users=len(users.users),
        quotas=len(quotas.quotas),
        gaps=(*topics.gaps, *acls.gaps, *users.gaps, *quotas.gaps),
    )


async def _groups(cluster: Cluster) -> list[str]:
    """Return the groups that can be seen; without any, fewer applications are recognised."""
    found = await list_groups(cluster)
    return [
        str(group.id) for one in found.values() if not isinstance(one, WireError) for group in one
    ]
