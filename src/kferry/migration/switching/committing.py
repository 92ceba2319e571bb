"""Positions committed and read back.

Owns the comparison: what was answered and what is read must agree.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kferry.admin.group_commit import NewPosition, commit_offsets, positions_of
from kferry.admin.group_offsets import Committed
from kferry.groups import There
from kferry.ledger import LedgerTopic
from kferry.migration.group_images import Setting, remember
from kferry.migration.group_sync import committed_at, refused
from kferry.migration.maps import read_documents
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


@dataclass(frozen=True, slots=True, kw_only=True)
class New:
    """A position that no map of committed ones leads to."""

    group: GroupId
    place: TopicPartition
    offset: int


async def commit_new(
    target: Cluster, ledger: LedgerTopic, there: Mapping[GroupId, There], new: Sequence[New]
) -> list[str]:
    """Write down what was there before, commit, and return what is not as it should be."""
    if not new:
        return []
    settings, wanted = [], dict[GroupId, dict[TopicPartition, NewPosition]]()
    for one in new:
        before = there[one.group].committed.get(one.place)
        settings.append(
            Setting(
                group=one.group,
                place=one.place,
                offset=one.offset,
                before=None if before is None else before[0],
                metadata="" if before is None else before[1],
            )
        )
        wanted.setdefault(one.group, {})[one.place] = NewPosition(offset=one.offset)
    await remember(target, ledger, await read_documents(target, ledger), settings)
    return await commit_and_read_back(target, wanted)
