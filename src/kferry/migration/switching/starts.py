"""Positions where nothing was copied: every group begins at the start of the target's logs.

Owns committing them, with what was there before kept for the way back. A group that is active on
the target is left alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kferry.admin.offsets import Place, offsets_at
from kferry.groups import GroupFacts, look_there
from kferry.ledger import LedgerTopic
from kferry.migration.switching.at_work import read_by
from kferry.migration.switching.committing import New, commit_new
from kferry.migration.switching.scope import Scope
from kferry.names import TopicPartition
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
    new: list[New] = []
    troubles: list[str] = []
    count = 0
    for group in groups:
        found = there[group.id]
        if found.trouble:
            troubles.append(f"{group.id}: {found.trouble}")
            continue
        own = places_of(group, scope, starts)
        count += len(own)
        moved = {
            place: at for place, at in own.items() if found.committed.get(place, (-1,))[0] != at
        }
        if moved and found.active:
            troubles.append(f"{group.id} is active on the target: {', '.join(found.members)}")
            continue
        new += [New(group=group.id, place=place, offset=at) for place, at in moved.items()]
    troubles += await commit_new(target, ledger, there, new)
    return Begun(groups=len(groups), positions=count, troubles=tuple(troubles))


def places_of(
    group: GroupFacts, scope: Scope, starts: Mapping[TopicPartition, int]
) -> dict[TopicPartition, int]:
    """Return the log start of every partition on the target that a group will read."""
    names = {scope.topics[topic] for topic in read_by(group, scope)}
    return {place: start for place, start in starts.items() if place.topic in names}
