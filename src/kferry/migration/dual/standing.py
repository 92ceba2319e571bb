"""Where a group goes on, where applications write both sides.

Owns the sentences. Nothing is skipped without being asked: a position behind which records are
missing on the target is refused, with their number and the next place from which none is.
"""

from dataclasses import replace

from kferry.admin.group_members import GroupType
from kferry.groups import Answer, GroupFacts, Log, PositionFacts, Standing
from kferry.groups.positions import standing_of
from kferry.migration.dual.joined import Joined, Lack, Why
from kferry.units import many, some

NO_MAP = "no map file tells of this topic: it is not written to both sides"
_WORDS = {
    Why.MISSING: "missing there, a map file says",
    Why.UNKNOWN: "not there: their writer was killed before it wrote them to the target",
    Why.WAITING: "not there yet: their writer has no answer for them, or was killed just then",
    Why.BEFORE: "not there: they are older than what was written to both sides, or were "
    "written to the source alone",
    Why.UNTOLD: "in no map file: somebody writes to the source alone",
}


def stand_by_maps(
    group: GroupFacts, position: PositionFacts, joined: Joined | None, log: Log
) -> Standing:
    """Say where a group goes on in one partition; None: no map file knows its topic."""
    found = standing_of(group, position, None if joined is None else joined.target)
    if joined is None:
        return replace(found, reason=NO_MAP)
    if group.type is GroupType.SHARE:
        return replace(found, reason="share group: kferry does not set its start")
    offset = max(position.offset or 0, joined.start)
    refusal = _waits_for(position, joined, log, offset) or _refusal(joined, log, offset)
    if refusal is not None:
        answer, reason = refusal
        return replace(found, answer=answer, reason=reason)
    at, again = joined.forth(offset)
    return replace(
        found,
        answer=Answer.KNOWN,
        target_offset=at,
        exact=not again,
        again=again,
        reason=f"several writers, in another order there: {many(again, 'record')} read again"
        if again
        else "the very record, or the next one to come",
    )


def _waits_for(
    position: PositionFacts, joined: Joined, log: Log, offset: int
) -> tuple[Answer, str] | None:
    trouble = position.trouble if position.offset is None else joined.trouble or log.trouble
    if position.offset is None or trouble or log.start is None or log.end is None:
        return Answer.WAITS, f"not yet: {trouble}"
    if offset > joined.end:
        return Answer.WAITS, f"not yet: {offset - joined.end:,} past the end of the source's log"
    at, _ = joined.forth(offset)
    if at > log.end:
        why = f"not yet: on the target {at:,} is past the last stable offset {log.end:,}"
        return Answer.WAITS, why
    return None


def _refusal(joined: Joined, log: Log, offset: int) -> tuple[Answer, str] | None:
    if lacks := joined.lacking(offset):
        return Answer.REFUSED, _lacking(joined, lacks)
    at, _ = joined.forth(offset)
    if at < (log.start or 0):
        return Answer.REFUSED, f"on the target {at:,} is gone, its log starts at {log.start:,}"
    return (Answer.REFUSED, strangers(joined)) if joined.strangers else None


def strangers(joined: Joined) -> str:
    """Say that others write to the target."""
    records = many(joined.strangers, "record")
    return (
        f"{records} on the target, from {joined.stranger:,} on, that the source does not have: "
        "somebody else writes there"
    )


def lack_words(lacks: list[Lack]) -> str:
    """Name records that only the source has."""
    told = []
    for one in lacks[:3]:
        who = f" (producer {some(map(str, one.producers))})" if one.producers else ""
        told.append(
            f"{many(one.records, 'record')} from {one.start:,} to {one.end - 1:,} "
            f"{_WORDS[one.why]}{who if one.why is Why.UNTOLD else ''}"
        )
    if len(lacks) > len(told):
        rest = many(len(lacks) - len(told), "other stretch")
        told.append(f"{rest.replace('stretchs', 'stretches')} like these")
    return "; ".join(told)


def _lacking(joined: Joined, lacks: list[Lack]) -> str:
    total = many(sum(one.records for one in lacks), "record")
    onward = lacks[-1].end
    at, again = joined.forth(onward)
    return (
        f"{total} would be skipped: {lack_words(lacks)}. Nothing is missing from {onward:,} on, "
        f"{at:,} on the target" + (f" ({many(again, 'record')} read again)" if again else "")
    )
