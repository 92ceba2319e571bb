"""The two sides of a migration, connected and known to be two.

Owns the connections: for questions and for data apart, so that a long fetch or a lost batch holds
up no question. Writes nothing.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from kferry.config import ClusterSettings
from kferry.copying import Clusters
from kferry.errors import ExitCode, KferryError
from kferry.names import ClusterId
from kferry.wire import open_cluster


class SameCluster(KferryError):
    """Both sides are one."""

    code = "K201"
    exit_code = ExitCode.USAGE


@dataclass(frozen=True, slots=True, kw_only=True)
class Sides:
    """Both clusters and what they call themselves."""

    clusters: Clusters
    source_id: ClusterId
    target_id: ClusterId

    @property
    def default_migration(self) -> str:
        """The name of a migration that nobody named."""
        return default_name(self.source_id)


def default_name(source_id: str) -> str:
    """Return the name of a migration from this cluster that nobody named."""
    return f"default-{source_id[:8]}"


@asynccontextmanager
async def open_sides(source: ClusterSettings, target: ClusterSettings) -> AsyncIterator[Sides]:
    """Connect to both sides for as long as the block lasts."""
    async with AsyncExitStack() as stack:
        # Each in its turn: a side that cannot be reached is told before anything else.
        source_cluster = await stack.enter_async_context(open_cluster(source))
        target_cluster = await stack.enter_async_context(open_cluster(target))
        clusters = Clusters(
            source=source_cluster,
            source_data=await stack.enter_async_context(open_cluster(source)),
            target=target_cluster,
            target_data=await stack.enter_async_context(open_cluster(target)),
        )
        source_id = source_cluster.metadata.cluster_id
        target_id = target_cluster.metadata.cluster_id
        if source_id is not None and source_id == target_id:
            raise SameCluster(
                "source and target are the same cluster",
                f"both answer as {source_id}",
                hint="name two different clusters with --source and --target",
            )
        yield Sides(
            clusters=clusters,
            source_id=source_id or ClusterId("unknown"),
            target_id=target_id or ClusterId("unknown"),
        )
