"""The verb `groups export`: where all groups of a cluster stand, as they are read at one time.

Owns what belongs into a snapshot, and what is said to be missing from it. Writes nothing anywhere.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from kferry.admin.group_members import GroupType
from kferry.config import ClusterSettings, TopicSelection
from kferry.groups import GroupFacts, take_groups
from kferry.groups.position_file import FilePosition
from kferry.groups.snapshot_file import PositionSnapshot
from kferry.names import GroupId, TopicName, TopicPartition
from kferry.wire import Cluster, open_cluster


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A snapshot. `complete`: no position that was to be in it is missing."""

    snapshot: PositionSnapshot
    complete: bool


async def take_snapshot(
    settings: ClusterSettings, selection: TopicSelection, meant: Callable[[GroupId], bool]
) -> Taken:
    """Read the positions of the groups that are meant, in the topics selected."""
    async with open_cluster(settings) as cluster:
        found = await take_groups(cluster, selection, meant)
        groups = [one for one in found.groups if one.type is not GroupType.SHARE]
        positions = tuple(one for group in groups for one in _positions(group))
        unread = [line for group in groups for line in _unread(group)]
        share = [
            f"{group.id}: a share group has no position that could be set again"
            for group in found.groups
            if group.type is GroupType.SHARE
        ]
        release = (await cluster.any_connection()).versions.release
        snapshot = PositionSnapshot(
            cluster_id=cluster.metadata.cluster_id,
            taken_at=datetime.now(UTC).isoformat(timespec="seconds"),
            release=release,
            positions=positions,
            topic_ids=await _topic_ids(cluster, {one.place.topic for one in positions}),
            missing=(*unread, *share, *(f"{gap.subject}: {gap.reason}" for gap in found.gaps)),
        )
        return Taken(snapshot=snapshot, complete=not unread)


def _positions(group: GroupFacts) -> list[FilePosition]:
    return [
        FilePosition(
            group=group.id,
            place=TopicPartition(one.topic, one.partition),
            offset=one.offset,
            metadata=one.metadata,
        )
        for one in group.positions or ()
        if one.offset is not None
    ]


def _unread(group: GroupFacts) -> list[str]:
    if group.positions is None:
        return [f"{group.id}: its positions could not be read"]
    return [
        f"{group.id}, {one.topic}-{one.partition}: {one.trouble}"
        for one in group.positions
        if one.offset is None
    ]


async def _topic_ids(cluster: Cluster, topics: set[TopicName]) -> dict[TopicName, str]:
    """Ask for the ids of topics, which brokers know since 2.8."""
    if not topics:
        return {}
    found = (await cluster.refresh(topics)).topics
    return {name: str(found[name].id) for name in topics if name in found and found[name].id}
