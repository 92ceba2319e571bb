"""The way to a slot's leader, wherever it moves.

Owns the look-up of one partition's leader. The cluster's picture holds only the topics that were
asked for last, so it is asked anew where ours is missing.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TypeVar

from kferry.names import BrokerId, TopicPartition
from kferry.wire import BrokerError, Cluster, Connection
from kferry.wire.retry import keep_trying

_T = TypeVar("_T")
_LEADER_NOT_AVAILABLE = 5


async def leader_of(cluster: Cluster, partition: TopicPartition) -> BrokerId:
    """Return who leads a partition, as far as anybody knows."""
    leader = cluster.metadata.leader(partition)
    if leader is None:
        leader = (await cluster.refresh({partition.topic})).leader(partition)
    if leader is None:
        raise BrokerError(_LEADER_NOT_AVAILABLE, str(partition))
    return leader


async def at_leader(
    cluster: Cluster,
    partition: TopicPartition,
    ask: Callable[[Connection], Awaitable[_T]],
    *,
    patience: float | None = None,
) -> _T:
    """Ask a partition's leader, and the next one after it, until one answers or patience ends."""

    async def once() -> _T:
        connection = await cluster.connection(await leader_of(cluster, partition))
        if pause := connection.muted_for:
            await asyncio.sleep(pause)
        return await ask(connection)

    limits = cluster.limits if patience is None else replace(cluster.limits, retry=patience)
    return await keep_trying(once, limits, before_again=lambda: cluster.refresh({partition.topic}))
