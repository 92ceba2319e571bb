"""Which groups were at work when a cutover began, and where logs ended in which they had no place.

Owns that document. Later, when nobody consumes any more, it says who is waited for, and where a
group stood that had read nothing yet.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kferry.admin.offsets import Place, offsets_at
from kferry.groups import GroupFacts
from kferry.ledger import Entry
from kferry.migration.switching.scope import Scope
from kferry.names import GroupId, PartitionId, TopicName, TopicPartition
from kferry.wire import Cluster

_ACTIVE = "cutover/active"
_ENDS = "cutover/ends/"


@dataclass(frozen=True, slots=True, kw_only=True)
class AtWork:
    """Groups that had members."""

    reads: Mapping[GroupId, tuple[TopicName, ...]] = field(default_factory=dict)
    """By their names on the source, those of the cutover."""
    ends: Mapping[TopicPartition, int] = field(default_factory=dict)
    """Last stable offsets of partitions where one of them had not committed."""

    @property
    def groups(self) -> list[str]:
        """Name them."""
        return sorted(map(str, self.reads))

    def documents(self, known: Mapping[str, Any]) -> list[Entry]:
        """Write it down; `known`: what the ledger holds, of which nothing stale may stay."""
        ends: dict[str, dict[str, int]] = {}
        for place, end in self.ends.items():
            ends.setdefault(_ENDS + place.topic, {})[str(place.partition)] = end
        stale = [key for key in known if key.startswith(_ENDS) and key not in ends]
        active = {
            "groups": self.groups,
            "reads": {str(group): list(topics) for group, topics in self.reads.items()},
            "at": int(time.time() * 1000),
        }
        return [
            (_ACTIVE, active),
            *((key, {"ends": value}) for key, value in ends.items()),
            *((key, None) for key in stale),
        ]


def read_at_work(documents: Mapping[str, Mapping[str, Any]]) -> AtWork:
    """Read it back; an older record tells no topics."""
    active = documents.get(_ACTIVE, {})
    reads = active.get("reads", {})
    return AtWork(
        reads={
            GroupId(str(group)): tuple(map(TopicName, reads.get(group, ())))
            for group in active.get("groups", ())
        },
        ends={
            TopicPartition(TopicName(key.removeprefix(_ENDS)), PartitionId(int(number))): int(end)
            for key, value in documents.items()
            if key.startswith(_ENDS)
            for number, end in value["ends"].items()
        },
    )


async def look_at_work(source: Cluster, scope: Scope, groups: Sequence[GroupFacts]) -> AtWork:
    """See who works, and where logs end in which they have no place. Writes nothing."""
    active = [group for group in groups if group.members]
    reads = {group.id: assigned_to(group, scope) or read_by(group, scope) for group in active}
    partitions = await scope.source_partitions(source) if active else []
    bare = {
        one
        for group in active
        for one in partitions
        if one.topic in reads[group.id] and one not in committed_by(group)
    }
    ends = await offsets_at(source, sorted(bare), Place.END, committed=True) if bare else {}
    return AtWork(reads=reads, ends=ends)


def assigned_to(group: GroupFacts, scope: Scope) -> tuple[TopicName, ...]:
    """Return the cutover's topics that members read now: a group may have left others for good."""
    read = {one.topic for member in group.members or () for one in member.assigned}
    return tuple(sorted(read & scope.topics.keys()))


def read_by(group: GroupFacts, scope: Scope) -> tuple[TopicName, ...]:
    """Return the cutover's topics that a group has a place in, or is assigned."""
    read = {one.topic for one in group.positions or ()}
    read |= {one.topic for member in group.members or () for one in member.assigned}
    return tuple(sorted(read & scope.topics.keys()))


def committed_by(group: GroupFacts) -> set[TopicPartition]:
    """Return where a group has committed."""
    return {TopicPartition(one.topic, one.partition) for one in group.positions or ()}
