"""What gates say where applications write both sides.

Owns the judgement and its words. Asks no cluster.
"""

from collections.abc import Mapping, Sequence

from kferry.groups import GroupFacts
from kferry.migration.dual.joined import Joined, Lack, Why
from kferry.migration.dual.looking import Lowest
from kferry.migration.dual.standing import lack_words, strangers
from kferry.migration.dual.told import Files
from kferry.migration.switching.scope import Scope
from kferry.names import TopicPartition
from kferry.runbook.operations import Reading
from kferry.units import many, some

Found = Mapping[TopicPartition, Joined]


def known(files: Files, scope: Scope) -> Reading:
    """Say whether the topics are in a map file."""
    unknown = sorted(str(name) for name in scope.topics if name not in files.topics)
    return Reading(
        gate="map files",
        passed=not unknown,
        final=bool(unknown),
        measured=f"{len(scope.topics) - len(unknown):,} of {many(len(scope.topics), 'topic')} in "
        f"{many(len(files.paths), 'file')}",
        why=f"none tells of {some(unknown)}: name those of its applications with --map, or leave "
        "the topic out with --topic"
        if unknown
        else "",
    )


def alike(here: Sequence[TopicPartition], there: set[TopicPartition], scope: Scope) -> Reading:
    """Say whether both sides have the same partitions."""
    wanted = {scope.there(one) for one in here}
    apart = sorted({str(one.topic) for one in wanted ^ there})
    return Reading(
        gate="partitions",
        passed=not apart,
        final=bool(apart),
        measured=f"{len(wanted & there):,} of {many(len(wanted), 'partition')} on both sides",
        why=f"not there, or with another number of partitions: {some(apart)}" if apart else "",
    )


def proven(files: Files) -> Reading:
    """Say which applications are known to be able to write to both sides."""
    proven = len(files.paths) - len(files.unproven)
    names = some(str(one) for one in files.unproven)
    return Reading(
        gate="writers",
        passed=True,
        measured=f"{many(proven, 'application')} of {len(files.paths):,} may write to both sides, "
        "their pairs prove it",
        why=f"no pair yet, so it is not known whether they may: {names}" if names else "",
    )


def older(groups: Sequence[GroupFacts], found: Found) -> Reading:
    """Say who has yet to read what is older than the double write."""
    waiting: list[str] = []
    stuck: list[str] = []
    for group, place, lacks in _unread(groups, found):
        count = sum(one.records for one in lacks if one.why is Why.BEFORE)
        if count:
            told = f"{group.id} {count:,} of {place}"
            (waiting if group.members else stuck).append(told)
    why = ""
    if waiting or stuck:
        why = (
            f"still to be read on the source: {some([*waiting, *stuck], 5)}. They are older than "
            "what was written to both sides, and are not on the target"
        )
        if stuck:
            why += f"; without a consumer that would read them: {some(stuck)}"
    return Reading(
        gate="older records",
        passed=not why,
        final=bool(stuck),
        measured="read by every group"
        if not why
        else f"left to read for {many(len(waiting) + len(stuck), 'position')}",
        why=why,
    )


def alone(found: Found, lately: Mapping[TopicPartition, int], seconds: float) -> Reading:
    """Say whether somebody writes to the source alone, even if groups have read it."""
    told, records = [], 0
    for place, since in sorted(lately.items()):
        lacks = [one for one in found[place].lacking(since) if one.why is Why.UNTOLD]
        if lacks:
            records += sum(one.records for one in lacks)
            told.append(f"{place}: {lack_words(lacks)}")
    return Reading(
        gate="source's writers",
        passed=not told,
        final=bool(told),
        measured=f"{many(records, 'record')} of the last {seconds:,.0f} s in no map file",
        why=f"{'; '.join(told[:3])}. Stop that producer or name its map file; kferry inspect "
        f"producers tells more of it. Once it has been quiet for {seconds:,.0f} s, go on"
        if told
        else "",
    )


def on_both(
    groups: Sequence[GroupFacts], found: Found, low: Lowest, *, older: bool = False
) -> Reading:
    """Say whether the target has what groups have yet to read; `older`: also what was before."""
    why, records, final = [], 0, False
    for place, one in sorted(found.items()):
        if one.trouble:
            why.append(f"{place}: {one.trouble}")
        since = low[place]
        lacks = [] if since is None else one.lacking(since)
        lacks = [lack for lack in lacks if older or lack.why is not Why.BEFORE]
        if not lacks:
            continue
        records += sum(lack.records for lack in lacks)
        # Once groups have moved, nobody reads on here: what is not coming will not heal.
        final = final or any(lack.why is not Why.WAITING for lack in lacks)
        who = some(_who_waits(groups, place, lacks[-1].end))
        why.append(
            f"{place}: {lack_words(lacks)}"
            + (
                f"; to be read still by {who} (past {lacks[-1].end:,} nothing is missing)"
                * bool(who)
            )
        )
    kept = sum(
        max(0, run.source + run.length - max(run.source, one.start))
        for one in found.values()
        for run in one.runs
    )
    return Reading(
        gate="both sides",
        passed=not why,
        final=final,
        measured=f"{many(records, 'record')} on the source alone that groups have yet to read; "
        f"{kept:,} on both sides",
        why="; ".join(why[:5]),
    )


def only_these(found: Found) -> Reading:
    """Say whether others write to the target."""
    strange = [(place, one) for place, one in sorted(found.items()) if one.strangers]
    return Reading(
        gate="target's writers",
        passed=not strange,
        final=bool(strange),
        measured=f"{many(sum(one.strangers for _, one in strange), 'record')} on the target that "
        "the source does not have",
        why="; ".join(f"{place}: {strangers(one)}" for place, one in strange[:3]),
    )


def _unread(
    groups: Sequence[GroupFacts], found: Found
) -> list[tuple[GroupFacts, TopicPartition, list[Lack]]]:
    out = []
    for group in groups:
        for one in group.positions or ():
            place = TopicPartition(one.topic, one.partition)
            if place in found and one.offset is not None:
                out.append((group, place, found[place].lacking(one.offset)))
    return out


def _who_waits(groups: Sequence[GroupFacts], place: TopicPartition, end: int) -> list[str]:
    return [
        str(group.id)
        for group in groups
        for one in group.positions or ()
        if TopicPartition(one.topic, one.partition) == place
        and one.offset is not None
        and one.offset < end
    ]
