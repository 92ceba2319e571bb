"""What gates say about logs: silence, ends, copies, late records.

Owns the judgement and its words. Asks no cluster; what is said of groups is in `group_readings`.
"""

from collections.abc import Collection, Mapping, Sequence

from kferry.migration.switching.late import Late, Writer
from kferry.migration.switching.scope import Scope
from kferry.migration.switching.silence import Silence
from kferry.names import TopicPartition
from kferry.offsets import OffsetMap
from kferry.runbook.operations import Reading
from kferry.units import many, some

QUIET = "quiet partitions"
"""The gate that a person's word, or a hook's, can stand for."""


def empty(
    scope: Scope,
    here: Collection[TopicPartition],
    starts: Mapping[TopicPartition, int],
    ends: Mapping[TopicPartition, int],
) -> Reading:
    """Say whether the target's topics are there, as wide as the source's, and empty."""
    missing = sorted({str(scope.there(one)) for one in here} - {str(one) for one in ends})
    full = [
        f"{one} holds {ends[one] - starts[one]:,}"
        for one in sorted(ends)
        if ends[one] > starts[one]
    ]
    why = []
    if missing:
        why.append(f"not there: {some(missing)}; kferry apply creates topics")
    if full:
        why.append(f"not empty: {some(full)}; this scheme begins with an empty target")
    return Reading(
        gate="empty target",
        passed=not why,
        final=bool(why),
        measured=f"{many(len(ends), 'partition')}, {len(full):,} with records, "
        f"{len(missing):,} missing",
        why="; ".join(why),
    )


def silence(found: Silence, seconds: float) -> list[Reading]:
    """Say whether nobody writes, and whether that can be told."""
    total = len(found.ends) + len(found.unasked)
    why = [f"{one}: {reason}" for one, reason in sorted(found.unasked.items())]
    if found.moving:
        why.append(
            f"still moving, or not watched for {seconds:,.0f} s: {some(map(str, found.moving))}"
        )
    open_ = [f"{one} since offset {stable:,}" for one, (stable, _) in sorted(found.open.items())]
    readings = [
        Reading(
            gate="silence",
            passed=not found.moving and not found.unasked,
            measured=f"{total - len(found.moving) - len(found.unasked):,} of "
            f"{many(total, 'partition')} stand still for {seconds:,.0f} s",
            why="; ".join(why),
        ),
        Reading(
            gate="transactions",
            passed=not open_,
            measured=f"{many(len(open_), 'partition')} with an open transaction",
            why=f"open on {some(open_)}; kferry inspect producers names whose they are"
            if open_
            else "",
        ),
    ]
    if found.untold:
        readings.append(
            Reading(
                gate=QUIET,
                passed=False,
                unsure=True,
                measured=f"{many(len(found.untold), 'partition')} written to so seldom that "
                f"{seconds:,.0f} s of silence tell nothing",
                why=f"{some(map(str, found.untold))}: are all their producers stopped?",
            )
        )
    return readings


def nothing_late(late: Sequence[Late], *, accepted: bool = False) -> Reading:
    """Say whether somebody wrote to the source after it was silent.

    What was written then stays there. `accepted`: somebody said that this is known.
    """
    records = sum(one.records for one in late)
    uncounted = sum(one.end - one.counted_to for one in late)
    more = f", and {many(uncounted, 'offset')} not looked into" if uncounted else ""
    measured = f"{many(records, 'record')} written since{more}"
    return Reading(
        gate="source silent",
        passed=not late or accepted,
        final=bool(late),
        measured=f"{measured}; accepted, they stay on the source"
        if late and accepted
        else measured,
        why="; ".join(_late_words(one) for one in late) + (_LATE_HINT if late else ""),
    )


_LATE_HINT = (
    ". kferry messages query --source … --topic TOPIC --partition N --offset FIRST shows them; "
    "--accept-late goes on without them"
)


def _late_words(one: Late) -> str:
    writers = [
        f"{many(writer.records, 'record')} from {writer.first:,} to {writer.last:,} "
        f"by {_who(writer)}"
        for writer in one.writers
    ]
    if one.counted_to < one.end:
        who = f", perhaps by producer {' or '.join(map(str, one.suspects))}" if one.suspects else ""
        writers.append(f"offsets {one.counted_to:,} to {one.end - 1:,} not looked into{who}")
    return f"{one.partition}: {', '.join(writers)}"


def _who(writer: Writer) -> str:
    if writer.id < 0:
        return "a producer without an id"
    return f"producer {writer.id}" + (f" (transactional id {writer.name})" if writer.name else "")


def copied(copied_to: Mapping[TopicPartition, int], ends: Mapping[TopicPartition, int]) -> Reading:
    """Say whether every partition is copied to its end."""
    short = [
        f"{one} copied to {copied_to.get(one, 0):,} of {end:,}"
        for one, end in sorted(ends.items())
        if copied_to.get(one, 0) < end
    ]
    return Reading(
        gate="copied",
        passed=not short,
        measured=f"{len(ends) - len(short):,} of {many(len(ends), 'partition')} copied to the end",
        why=f"{some(short)}; somebody writes still" if short else "",
    )


def grows(before: Mapping[TopicPartition, int], now: Mapping[TopicPartition, int]) -> Reading:
    """Say whether producers write to the target."""
    grown = [one for one, end in now.items() if end > before[one]]
    total = sum(now[one] - before[one] for one in grown)
    return Reading(
        gate="target grows",
        passed=bool(grown),
        measured=f"{many(total, 'record')} more in {len(grown):,} of {many(len(now), 'partition')}",
        why="" if grown else "nobody has written to the target yet",
    )


def waiting(records: int) -> Reading:
    """Say how much waits on the target meanwhile."""
    return Reading(
        gate="backlog", passed=True, measured=f"{many(records, 'record')} wait on the target"
    )


def no_way_back() -> Reading:
    """Say that there is none, because somebody said so."""
    return Reading(
        gate="way back", passed=True, measured="none: the hand-over cannot be taken back"
    )


def way_back(
    known: Mapping[TopicPartition, OffsetMap | None], ends: Mapping[TopicPartition, int]
) -> Reading:
    """Say whether what will be written on the target can come back."""
    wrong = [
        str(one)
        for one, offsets in known.items()
        if offsets is None or offsets.target_end != ends[one]
    ]
    return Reading(
        gate="way back",
        passed=not wrong,
        measured=f"{len(known) - len(wrong):,} of {many(len(known), 'partition')} ready",
        why=f"not ready: {some(wrong)}" if wrong else "",
    )
