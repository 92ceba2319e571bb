"""What groups have yet to read of a source's topics.

Owns telling records from what only takes up offsets: behind the last record of a transaction lies
its marker, and a group that has read everything stands before it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from kferry.admin.stretches import stretches
from kferry.groups import GroupFacts, PositionFacts
from kferry.migration.switching.scope import Scope
from kferry.names import GroupId, TopicPartition
from kferry.wire import Cluster

_WORTH_A_LOOK = 1000
"""Offsets. Where more are left, there are records among them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """Offsets that a group has yet to pass; `trouble` says why it is not known."""

    group: GroupId
    position: PositionFacts
    lag: int
    trouble: str = ""


async def left_to_read(source: Cluster, scope: Scope, groups: Sequence[GroupFacts]) -> list[Left]:
    """Find where groups have records left to read, or where that cannot be told."""
    found = []
    seen: dict[tuple[TopicPartition, int, int], bool] = {}
    for group in groups:
        for one in group.positions or ():
            if one.topic not in scope.topics or one.lag == 0:
                continue
            if one.lag is None or one.offset is None or one.log_end is None:
                found.append(Left(group=group.id, position=one, lag=0, trouble=one.trouble))
                continue
            partition = TopicPartition(one.topic, one.partition)
            place = partition, max(one.offset, one.log_start or 0), one.log_end
            if one.lag <= _WORTH_A_LOOK and place not in seen:
                seen[place] = await any_record(source, *place)
            if seen.get(place, True):
                found.append(Left(group=group.id, position=one, lag=one.lag))
    return found


def first_unread(left: Sequence[Left]) -> dict[TopicPartition, int]:
    """Return from where on some group has records left to read."""
    found: dict[TopicPartition, int] = {}
    for one in left:
        place = TopicPartition(one.position.topic, one.position.partition)
        at = one.position.offset or 0
        found[place] = min(at, found.get(place, at))
    return found


async def any_record(source: Cluster, partition: TopicPartition, start: int, end: int) -> bool:
    """Whether a committed record lies between two offsets."""
    async for stretch in stretches(source, partition, start, end):
        for kept in stretch.kept:
            if any(start <= record.offset < end for record in kept.records()):
                return True
    return False
