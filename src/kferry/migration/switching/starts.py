"""Positions where nothing was copied: every group begins at the start of the target's logs.

Owns committing them, with what was there before kept for the way back. A group that is active on
the target is left alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kferry.admin.group_commit import NewPosition
from kferry.admin.offsets import Place, offsets_at
from kferry.groups import GroupFacts, look_there
from kferry.ledger import LedgerTopic
from kferry.migration.group_images import Setting, remember
from kferry.migration.maps import read_documents
from kferry.migration.switching.committing import commit_and_read_back
from kferry.migration.switching.scope import Scope
from kferry.names import GroupId, TopicPartition
from kferry.wire import Cluster


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """How many positions are at their logs' start now, and what went wrong."""

    groups: int
    positions: int
    troubles: tuple[str, ...]


async def commit_starts(
    target: Cluster, ledger: LedgerTopic, scope: Scope, groups: Sequence[GroupFacts]
) -> Begun:
    """Commit the log start of every partition of the topics that each group reads."""
    partitions = await scope.target_partitions(target)
    starts = await offsets_at(target, partitions, Place.START)
    there = await look_there(target, [group.id for group in groups], to_write=True)
    wanted: dict[GroupId, dict[TopicPartition, NewPosition]] = {}
    settings: list[Setting] = []
    troubles: list[str] = []
    count = 0
    for group in groups:
        found = there[group.id]
        if found.trouble:
            troubles.append(f"{group.id}: {found.trouble}")
            continue
        own = _places(group, scope, starts)
        count += len(own)
        new = {place: at for place, at in own.items() if found.committed.get(place, (-1,))[0] != at}
        if not new:
            continue
        if found.active:
            troubles.append(f"{group.id} is active on the target: {', '.join(found.members)}")
            continue
        wanted[group.id] = {place: NewPosition(offset=at) for place, at in new.items()}
        for place, at in new.items():
            before = found.committed.get(place)
            settings.append(
                Setting(
                    group=group.id,
                    place=place,
                    offset=at,
                    before=None if before is None else before[0],
                    metadata="" if before is None else before[1],
                )
            )
    if wanted:
        documents = await read_documents(target, ledger)
        await remember(target, ledger, documents, settings)
        troubles += await commit_and_read_back(target, wanted)
    return Begun(groups=len(groups), positions=count, troubles=tuple(troubles))


def _places(
    group: GroupFacts, scope: Scope, starts: Mapping[TopicPartition, int]
) -> dict[TopicPartition, int]:
    read = {one.topic for one in group.positions or ()}
    read |= {one.topic for member in group.members or () for one in member.assigned}
    names = {scope.topics[topic] for topic in read if topic in scope.topics}
    return {place: start for place, start in starts.items() if place.topic in names}
