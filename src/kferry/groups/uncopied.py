"""Where groups go on in topics that kferry did not copy, by a rule that somebody has chosen.

Owns what such a rule says, and its sentences. Between two logs that nobody copied there is no exact
answer: the rule is taken at its word, and what it leaves unread is counted.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

from kferry.admin.group_members import GroupType
from kferry.admin.offsets import ListedOffset, Place, list_offsets
from kferry.groups.facts import GroupFacts, Log, PositionFacts
from kferry.groups.positions import Answer, Standing, standing_of
from kferry.names import GroupId, TopicName, TopicPartition
from kferry.wire import Cluster, Outcomes

_NOT_COPIED = "not copied"


@dataclass(frozen=True, slots=True, kw_only=True)
class Uncopied:
    """A rule: a place in the target's log, or positions from a file."""

    at: int | None = None
    """The start, the end, or a time in milliseconds."""
    words: str
    """How a position is spoken of: `the target's log start`."""
    positions: Mapping[tuple[GroupId | None, TopicPartition], int] = field(default_factory=dict)
    """From a file, by the target's topic names; without a group they are everybody's."""
    names: Mapping[TopicName, TopicName] = field(default_factory=dict)
    """What topics are called on the target, where they have another name."""

    def target_of(self, partition: TopicPartition) -> TopicPartition:
        """Return the target's partition that a group would read."""
        name = self.names.get(partition.topic, partition.topic)
        return TopicPartition(name, partition.partition)


async def ruled_offsets(
    cluster: Cluster, rule: Uncopied, logs: Mapping[TopicPartition, Log]
) -> dict[TopicPartition, int]:
    """Ask where the rule's place is in each partition; files are not asked about."""
    if rule.at is None:
        return {}
    if rule.at == Place.START:
        return {one: log.start for one, log in logs.items() if log.start is not None}
    ends = {one: log.end for one, log in logs.items() if log.end is not None}
    if rule.at == Place.END:
        return ends
    found = await _by_time(cluster, ends, rule.at)
    # Nothing is that young: the next record to come is the first one.
    return {one: offset if offset >= 0 else ends[one] for one, offset in found.items()}


async def _by_time(
    cluster: Cluster, partitions: Collection[TopicPartition], at: int
) -> dict[TopicPartition, int]:
    found: Outcomes[TopicPartition, ListedOffset] = await list_offsets(cluster, partitions, at)
    return {one: had.offset for one, had in found.items() if isinstance(had, ListedOffset)}


def stand_by_rule(
    group: GroupFacts,
    position: PositionFacts,
    goal: TopicPartition,
    *,
    rule: Uncopied,
    log: Log,
    offsets: Mapping[TopicPartition, int],
) -> Standing:
    """Say where a group goes on in one partition that was not copied."""
    found = replace(standing_of(group, position, goal.topic), by_rule=True, metadata="")
    if group.type is GroupType.SHARE:
        return replace(found, reason=f"{_NOT_COPIED}, and a share group: kferry sets no start")
    if log.start is None or log.end is None:
        return replace(found, reason=f"{_NOT_COPIED}, and on the target {log.trouble}")
    offset = _said(rule, group.id, goal, offsets)
    if offset is None:
        return replace(found, reason=f"{_NOT_COPIED}, and {rule.words} says nothing of it")
    if offset < log.start or offset > log.end:
        # What is not there yet may come.
        answer = Answer.WAITS if offset > log.end else Answer.NONE
        why = f"{rule.words} says {offset:,}, the target holds {log.start:,} to {log.end:,}"
        return replace(found, answer=answer, reason=why)
    left = position.lag or 0
    unread = f"; {left:,} unread records stay on the source" if left else ""
    return replace(
        found,
        answer=Answer.KNOWN,
        target_offset=offset,
        # What lies before the place that a rule names nobody of this group has read.
        skipped=left + offset - log.start,
        reason=f"{_NOT_COPIED}: {rule.words}{unread}",
    )


def _said(
    rule: Uncopied, group: GroupId, goal: TopicPartition, offsets: Mapping[TopicPartition, int]
) -> int | None:
    if rule.at is not None:
        return offsets.get(goal)
    return rule.positions.get((group, goal), rule.positions.get((None, goal)))
