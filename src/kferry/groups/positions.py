"""Where each group will go on: a position of the source, said in offsets of the target.

Owns the rules and their sentences. Pure. A position that lies beyond what is copied has no answer
yet and gets none: whatever is not known exactly is not written.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

from kferry.admin.group_members import GroupType
from kferry.groups.facts import GroupFacts, Log, PositionFacts
from kferry.names import GroupId, PartitionId, SourceOffset, TopicName
from kferry.offsets import NotYet, OffsetMap, Place, Translated

_NOT_COPIED = "this topic is not part of the migration"
_MADE_ANEW = "the topic was made anew after its copy began: no map leads from it"
_NOT_BEGUN = "not yet: the copy of this partition has not begun"
_IS_THERE = {
    Place.RECORD: "the very record",
    Place.HOLE: "the next record that is left: a marker or a compacted record is at this offset",
    Place.END: "everything copied was read: the next record to come",
}


class Answer(StrEnum):
    """What there is to say of a position."""

    KNOWN = "known"
    WAITS = "waits"
    """Later there will be an answer."""
    NONE = "none"
    """There will be none as things are."""
    REFUSED = "refused"
    """Any answer would skip records."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One position of a group, and where it goes on. `lag` is up to the last stable offset."""

    group: GroupId
    topic: TopicName
    partition: PartitionId
    source_offset: int | None
    lag: int | None
    answer: Answer
    reason: str
    target_topic: TopicName | None = None
    target_offset: int | None = None
    exact: bool = False
    again: int = 0
    """Records that the group will get a second time."""
    skipped: int = 0
    """Records that it had not read and will not get, at most."""
    metadata: str = ""
    by_rule: bool = False
    """Whether it follows from a rule that somebody has chosen, and from no map."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """Where a partition of the source is copied to."""

    topic: TopicName
    offsets: OffsetMap | None
    """None: nothing of it was written down yet."""
    log: Log
    """What there is to read on the target."""
    made_anew: bool = False
    """Whether the topic, on either side, is another than the one that was copied."""


def stand(group: GroupFacts, position: PositionFacts, to: Destination | None) -> Standing:
    """Say where a group goes on in one partition; without a destination it is not copied."""
    found = standing_of(group, position, None if to is None else to.topic)
    if group.type is GroupType.SHARE:
        return replace(found, reason=_sharing(position, to))
    if to is None:
        return replace(found, reason=_NOT_COPIED)
    if to.made_anew:
        return replace(found, reason=_MADE_ANEW)
    if position.offset is None:
        return replace(found, answer=Answer.WAITS, reason=f"not yet: {position.trouble}")
    if to.offsets is None:
        return replace(found, answer=Answer.WAITS, reason=_NOT_BEGUN)
    return _translated(found, position, to.offsets, to.log)


def standing_of(group: GroupFacts, position: PositionFacts, to: TopicName | None) -> Standing:
    """Say where a group stands, without an answer yet."""
    return Standing(
        group=group.id,
        topic=position.topic,
        partition=position.partition,
        source_offset=position.offset,
        lag=position.lag,
        answer=Answer.NONE,
        reason="",
        target_topic=to,
        metadata=position.metadata,
    )


def _sharing(position: PositionFacts, to: Destination | None) -> str:
    """Say of a share group what there is to say: which records are settled is not to be had."""
    there = None
    if to is not None and to.offsets is not None and not to.made_anew:
        there = to.offsets.to_target(SourceOffset(position.offset or 0))
    if position.offset is None or not isinstance(there, Translated):
        return "share group: kferry does not set its start"
    return (
        f"share group: its first record that is not settled is {there.offset:,} on the target; "
        "which later ones are settled cannot move, so they would come again, and delivery counts "
        "begin anew: set its start there with kafka-share-groups --reset-offsets"
    )


def _translated(found: Standing, position: PositionFacts, offsets: OffsetMap, log: Log) -> Standing:
    offset = position.offset or 0
    there = offsets.to_target(SourceOffset(offset))
    if isinstance(there, NotYet):
        return replace(found, answer=Answer.WAITS, reason=_beyond(offset, position, there))
    if log.start is None or log.end is None:
        why = f"not yet: on the target {log.trouble or 'the log cannot be asked for'}"
        return replace(found, answer=Answer.WAITS, reason=why)
    if there.offset > log.end:
        why = f"not yet: on the target {there.offset:,} is past the last stable offset {log.end:,}"
        return replace(found, answer=Answer.WAITS, reason=why)
    if there.offset < log.start:
        why = f"on the target {there.offset:,} is gone, its log starts at {log.start:,}"
        return replace(found, reason=why)
    skipped = 0
    if there.place is Place.BEFORE_START:
        # Of what the source itself had lost before, nobody could have read anything.
        skipped = max(0, offsets.begins - max(offset, position.log_start or 0))
        reason = _before_start(offset, offsets.begins, skipped)
    else:
        reason = _IS_THERE[there.place]
    return replace(
        found,
        answer=Answer.KNOWN,
        target_offset=there.offset,
        exact=there.exact,
        skipped=skipped,
        reason=reason,
    )


def _beyond(offset: int, position: PositionFacts, not_yet: NotYet) -> str:
    end = position.log_end
    if end is not None and offset > end:
        return f"not yet: {offset - end:,} past the last stable offset {end:,}"
    return f"not yet: copied to {not_yet.copied_to:,}, {offset - not_yet.copied_to:,} before it"


def _before_start(offset: int, begins: int, skipped: int) -> str:
    if skipped:
        return f"the copy began at {begins:,}: up to {skipped:,} unread records are not copied"
    return f"the first record copied: {begins - offset:,} offsets had expired on the source"
