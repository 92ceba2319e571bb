"""Where a reset takes a position, by each of the ways that Kafka's own tool knows.

Owns the rules of that tool: an offset out of the log goes to its nearer edge; a time that no record
has reached, to the end; "current" without a position, to the end. Pure.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from kferry.groups.by_time import Exactness, Timed
from kferry.groups.facts import Log
from kferry.groups.logs import GONE
from kferry.groups.moves import Step, There
from kferry.groups.position_file import FilePosition
from kferry.names import GroupId, TopicPartition


@dataclass(frozen=True, slots=True)
class ToStart:
    """To the first record there is."""


@dataclass(frozen=True, slots=True)
class ToEnd:
    """To the next record to come."""


@dataclass(frozen=True, slots=True)
class ToCurrent:
    """To where the group stands; where it stands nowhere, to the end."""


@dataclass(frozen=True, slots=True)
class ToOffset:
    """To the same offset in each partition."""

    offset: int


@dataclass(frozen=True, slots=True)
class ShiftBy:
    """On, or back, by a number of offsets."""

    by: int


@dataclass(frozen=True, slots=True)
class ToTime:
    """To the first record at or after a time, in milliseconds since 1970."""

    ms: int


@dataclass(frozen=True, slots=True)
class ToFile:
    """To what a file says."""

    positions: Mapping[tuple[GroupId, TopicPartition], FilePosition]


@dataclass(frozen=True, slots=True)
class ToSwitch:
    """To where each partition ended when it was switched over."""

    offsets: Mapping[TopicPartition, int]


Way: TypeAlias = ToStart | ToEnd | ToCurrent | ToOffset | ShiftBy | ToTime | ToFile | ToSwitch


@dataclass(frozen=True, slots=True, kw_only=True)
class Reset:
    """One position and where it goes. `before` is where it was, None where there was none."""

    group: GroupId
    place: TopicPartition
    before: int | None
    offset: int | None
    metadata: str
    """What is to stand beside the new offset."""
    step: Step
    reason: str
    log: Log


_TIMED = {
    Exactness.RECORD: "",
    Exactness.END: "no record at or after that time: the end",
    Exactness.NO_TIMES: "its records carry no timestamps, so this is the end and not that time",
    Exactness.SEGMENT: "early by up to a segment file: the topic is too old for times of records",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A partition as it is now. `timed` is there where a time was asked for."""

    log: Log
    timed: Timed | None = None


def decide_reset(
    way: Way, group: GroupId, place: TopicPartition, there: There, now: Place
) -> Reset:
    """Decide about one position of one group."""
    found = there.committed.get(place)
    before, beside = found if found is not None else (None, "")

    def reset(step: Step, offset: int | None, reason: str, metadata: str = "") -> Reset:
        return Reset(
            group=group,
            place=place,
            before=before,
            offset=offset,
            metadata=metadata,
            step=step,
            reason=reason,
            log=now.log,
        )

    if there.trouble:
        return reset(Step.FAILED, None, there.trouble)
    if there.active:
        where = f" ({', '.join(there.members)})" if there.members else ""
        return reset(Step.ACTIVE, None, f"the group is active{where}: it is not moved")
    if now.log.trouble:
        # A topic that is gone leaves its positions behind; they are nobody's concern.
        step = Step.LEFT if now.log.trouble in GONE else Step.FAILED
        return reset(step, None, now.log.trouble)
    offset, reason = _aim(way, group, place, before, now)
    if offset is None:
        return reset(Step.FAILED, None, reason)
    # What a client wrote beside an offset means nothing beside another one.
    metadata = beside if offset == before else ""
    if isinstance(way, ToFile) and (told := way.positions[group, place].metadata) is not None:
        metadata = told
    step = Step.SAME if (before, beside) == (offset, metadata) else Step.SET
    return reset(step, offset, reason, metadata)


def _aim(
    way: Way, group: GroupId, place: TopicPartition, before: int | None, now: Place
) -> tuple[int | None, str]:
    start, end = now.log.start or 0, now.log.end or 0
    aim: tuple[int | None, str]
    match way:
        case ToStart():
            aim = start, ""
        case ToEnd():
            aim = end, ""
        case ToCurrent():
            aim = (end, "no position yet: the end") if before is None else (before, "")
        case ToOffset(offset):
            aim = _clamped(offset, start, end)
        case ShiftBy() if before is None:
            aim = None, "no position yet, so there is nothing to shift"
        case ShiftBy(by):
            aim = _clamped((before or 0) + by, start, end)
        case ToTime():
            timed = now.timed
            aim = (None, "") if timed is None else (timed.offset, _TIMED[timed.exactness])
        case ToFile(positions):
            aim = _clamped(positions[group, place].offset, start, end)
        case ToSwitch(offsets):
            aim = _clamped(offsets[place], start, end)
    return aim


def _clamped(offset: int, start: int, end: int) -> tuple[int, str]:
    if offset < start:
        return start, f"{offset:,} is before the log's start: the start"
    if offset > end:
        return end, f"{offset:,} is past the log's end: the end"
    return offset, ""
