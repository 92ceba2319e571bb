"""Positions committed and read back.

Owns the comparison: what was answered and what is read must agree.
"""

from collections.abc import Mapping

from kferry.admin.group_commit import NewPosition, commit_offsets, positions_of
from kferry.admin.group_offsets import Committed
from kferry.migration.group_sync import committed_at, refused
from kferry.names import GroupId, TopicPartition
from kferry.wire import Cluster

Wanted = Mapping[GroupId, Mapping[TopicPartition, NewPosition]]


async def commit_and_read_back(cluster: Cluster, wanted: Wanted) -> list[str]:
    """Commit all of it; return what is not as it should be."""
    if not wanted:
        return []
    results = await commit_offsets(cluster, wanted)
    read = await positions_of(cluster, wanted)
    troubles = []
    for group, own in wanted.items():
        for place, position in own.items():
            found = committed_at(read[group], place)
            if (refusal := refused(results[group], place)) is not None:
                troubles.append(f"{group}, {place}: {refusal}")
            elif not isinstance(found, Committed) or found.offset != position.offset:
                troubles.append(f"{group}, {place}: not what was committed when read back")
    return troubles
