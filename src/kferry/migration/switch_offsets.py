"""Where topics were switched over, as a place to take groups to.

Owns finding it in the ledger, which is on the target whichever side is meant. Writes nothing.
"""

from typing import Literal

from kferry.config import ClusterSettings
from kferry.errors import ExitCode, KferryError
from kferry.groups.reset import ToSwitch
from kferry.ledger import read_ledger
from kferry.migration.ownership import plain
from kferry.migration.status import find
from kferry.migration.switching.book import as_partitions, read_switches
from kferry.names import TopicPartition
from kferry.wire import open_cluster


class NotSwitched(KferryError):
    """Nothing was switched over."""

    code = "K259"
    exit_code = ExitCode.USAGE


async def switch_offsets(
    target: ClusterSettings,
    *,
    migration: str | None,
    source: ClusterSettings | None,
    side: Literal["source", "target"],
) -> ToSwitch:
    """Read where the partitions of one side ended when they were switched over."""
    async with open_cluster(target) as cluster:
        ledger = await find(cluster, migration=migration, source=source)
        switches = read_switches(plain(await read_ledger(cluster, ledger, [0]))[0])
    if not switches:
        raise NotSwitched(
            f"no topic of {ledger.migration} was switched over",
            hint="kferry status shows its cutovers",
        )
    offsets: dict[TopicPartition, int] = {}
    for one in switches:
        if side == "source":
            offsets |= as_partitions(one.topic, one.source_ends)
        else:
            offsets |= as_partitions(one.target, one.target_ends)
    return ToSwitch(offsets)
