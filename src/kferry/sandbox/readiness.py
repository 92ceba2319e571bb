"""Whether a cluster answers: every broker, on the address it advertises, in agreement.

Owns the question. Knows nothing of processes or of how a cluster came to be.
"""

import asyncio
from pathlib import Path

from kferry.config import load_properties
from kferry.wire import Limits, WireError, open_cluster
from kferry.wire.metadata import Metadata, ask_metadata

_LIMITS = Limits(connect=2.0, request=5.0, retry=0.0)


def what_is_missing(properties: Path, *, cluster_id: str, brokers: int) -> str:
    """Return why the cluster is not ready yet, in a few words; nothing if it is.

    The cluster id is compared because another cluster may listen where ours was to: its answer
    must not pass for ours.
    """
    try:
        return asyncio.run(_ask_all(properties, cluster_id=cluster_id, brokers=brokers))
    except WireError as error:
        return str(error)


async def _ask_all(properties: Path, *, cluster_id: str, brokers: int) -> str:
    async with open_cluster(load_properties(properties), _LIMITS) as cluster:
        if missing := _missing(cluster.metadata, cluster_id=cluster_id, brokers=brokers):
            return missing
        for broker in cluster.metadata.brokers:
            connection = await cluster.connection(broker)
            picture = await ask_metadata(connection, (), seconds=_LIMITS.request)
            if missing := _missing(picture, cluster_id=cluster_id, brokers=brokers):
                return f"broker {broker}: {missing}"
    return ""


def _missing(metadata: Metadata, *, cluster_id: str, brokers: int) -> str:
    if metadata.cluster_id != cluster_id:
        return f"cluster {metadata.cluster_id} answers where {cluster_id} should"
    if len(metadata.brokers) != brokers:
        return f"{len(metadata.brokers)} of {brokers} brokers are registered"
    if metadata.controller is None:
        return "no controller is known"
    return ""
