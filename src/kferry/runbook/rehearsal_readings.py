"""What a rehearsal says of its measurements.

Owns the judgement and its words, where they are others than those of a cutover. Asks no cluster.
"""

from collections.abc import Collection, Mapping, Sequence

from kferry.admin.view import Gap
from kferry.groups import GroupFacts, Move
from kferry.migration.switching.left import Left
from kferry.migration.switching.sample import Sample
from kferry.migration.switching.scope import Scope
from kferry.names import TopicPartition
from kferry.progress import Snapshot
from kferry.runbook.group_readings import SHUT, without_position
from kferry.runbook.operations import Reading
from kferry.units import many, some
from kferry.verify import Tally

_NEAR_S = 5.0
_AT_WORK = frozenset({"starting", "settling", "copying", "following", "paused"})


def copies_now(snapshot: Snapshot | None) -> bool:
    """Whether somebody copies just now."""
    return snapshot is not None and bool(snapshot.owner) and snapshot.state in _AT_WORK


def pace_of(snapshot: Snapshot | None) -> float:
    """Return how many records a second are copied just now."""
    return float(snapshot.records_per_second) if snapshot and copies_now(snapshot) else 0.0


def caught_up(lag: int, snapshot: Snapshot | None, topics: Collection[str]) -> Reading:
    """Say whether the copy is as far as the source, whoever runs it."""
    behind = f"{many(lag, 'offset')} behind the last stable offsets"
    stopped = [one for one in snapshot.stopped if one.topic in topics] if snapshot else []
    if stopped:
        one = stopped[0]
        return Reading(
            gate="caught up",
            passed=False,
            final=True,
            measured=f"{behind}, {many(len(stopped), 'partition')} cannot go on",
            why=f"{one.topic}, partition {one.partition}: {one.reason}",
        )
    if snapshot is None or not copies_now(snapshot):
        return Reading(
            gate="caught up",
            passed=not lag,
            measured=f"{behind}; nobody copies now",
            why="the cutover would copy them first; kferry copy does it now, and follows"
            if lag
            else "",
        )
    pace = pace_of(snapshot)
    near = lag == 0 or (pace > 0 and lag / pace <= _NEAR_S)
    return Reading(
        gate="caught up",
        passed=near,
        measured=f"{behind}, {pace:,.0f} records/s by {snapshot.owner}",
        why="" if near else "let it catch up first: kferry status shows how far it is",
    )


def unread(left: Sequence[Left]) -> int:
    """Count what some group has yet to read: in each partition, from the group that is last."""
    most: dict[TopicPartition, int] = {}
    for one in left:
        place = TopicPartition(one.position.topic, one.position.partition)
        most[place] = max(most.get(place, 0), one.lag)
    return sum(most.values())


def left_to_move(lag: int) -> Reading:
    """Say what a scheme that copies at the end has to copy: nothing is wrong with it."""
    return Reading(
        gate="left to copy",
        passed=True,
        measured=f"{many(lag, 'offset')} that some group has yet to read",
    )


def transactions(
    first: Mapping[TopicPartition, tuple[int, int]],
    still: Mapping[TopicPartition, int],
    seconds: float,
    ids: Sequence[str],
) -> Reading:
    """Say whether open transactions end: of live producers some are open at any moment."""
    staying = [f"{one} since offset {offset:,}" for one, offset in sorted(still.items())]
    ended = f", {len(first) - len(still):,} of them ended meanwhile" if first else ""
    return Reading(
        gate="transactions",
        passed=not still,
        measured=f"{many(len(first), 'partition')} with an open transaction{ended}",
        why=f"not ended within {seconds:,.0f} s: {some(staying)}"
        + (f"; {some(ids)}" if ids else "; kferry inspect producers names whose they are")
        if still
        else "",
    )


def members(groups: Sequence[GroupFacts], gaps: Sequence[Gap]) -> Reading:
    """Say who will have to stop; whether they do, only the cutover can measure."""
    active = [group for group in groups if group.members]
    unknown = [group.id for group in groups if group.members is None]
    why = [f"members may not be asked for: {some(unknown)}"] if unknown else []
    why += [f"not all groups can be seen: {gap.subject}: {gap.reason}" for gap in gaps]
    return Reading(
        gate="members",
        passed=not why,
        unsure=bool(why),
        measured=f"{many(sum(len(one.members or ()) for one in active), 'member')} of "
        f"{many(len(active), 'group')} have to stop on the source",
        why="; ".join(why),
    )


def places(
    moves: Sequence[Move],
    scope: Scope,
    partitions: Collection[TopicPartition],
    at_work: Collection[str],
) -> Reading:
    """Say whether every group has its place on the target."""
    own = [move for move in moves if move.standing.topic in scope.topics]
    shut = [move for move in own if move.step in SHUT]
    known = [move.standing for move in own if move.standing.target_offset is not None]
    return Reading(
        gate="positions",
        passed=not shut,
        measured=f"{len(known):,} of {many(len(own), 'position')} committed to shadow groups and "
        f"read back; {sum(one.again for one in known):,} records would be read again, "
        f"{sum(one.skipped for one in known):,} skipped",
        why="; ".join(
            [
                *(
                    f"{move.standing.group}, {move.standing.topic} partition "
                    f"{move.standing.partition}: {move.reason}"
                    for move in shut[:5]
                ),
                *without_position(
                    [one for one in own if one.standing.group not in at_work], partitions
                ),
            ]
        ),
    )


def starts(groups: int, positions: int) -> Reading:
    """Say that every group begins at the start of the target's logs."""
    return Reading(
        gate="positions",
        passed=True,
        measured=f"{many(positions, 'position')} of {many(groups, 'group')} committed to shadow "
        "groups and read back: the start of the target's logs. Nothing is copied, so there is "
        "nothing to compare",
    )


def none_to_try() -> Reading:
    """Say that there are no positions yet."""
    return Reading(
        gate="positions",
        passed=True,
        measured="none to try: this scheme copies when producers have stopped, and nothing is "
        "copied yet",
    )


def records(samples: Sequence[Sample]) -> Reading:
    """Say whether each group would have gone on with the same records."""
    total = Tally()
    for one in samples:
        total.add(one.tally)
    apart = [
        f"{one.group}, {one.partition}: {one.difference}"
        for sample in samples
        for one in sample.apart[:2]
    ]
    troubles = [f"{sample.group}: {why}" for sample in samples for why in sample.troubles]
    differ = total.differ + total.only_source + total.only_target
    gone = f", {total.expired_source:,} gone from the source since" if total.expired_source else ""
    same = all(one.same for one in samples)
    return Reading(
        gate="next records",
        passed=same,
        final=not same,
        measured=f"{total.same:,} the same for {many(len(samples), 'group')}, {differ:,} apart"
        f"{gone}",
        why="; ".join([*apart[:5], *troubles[:5]]),
    )
