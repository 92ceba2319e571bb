"""What gates say about groups: who is there, who has gone, where each goes on.

Owns the judgement and its words. Asks no cluster.
"""

import time
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from kferry.admin.view import Gap
from kferry.errors import ExitCode, KferryError
from kferry.groups import GroupFacts, Move, Step, There
from kferry.migration.group_undo import TakenBack
from kferry.migration.switching.left import Left
from kferry.migration.switching.scope import Scope
from kferry.migration.switching.starts import Begun
from kferry.names import GroupId, TopicName, TopicPartition
from kferry.runbook.operations import Reading
from kferry.units import many, some

SHUT = frozenset({Step.WAITS, Step.FAILED, Step.ACTIVE, Step.AHEAD, Step.REFUSED})
"""What keeps a position from being where it should be."""


class NotUndone(KferryError):
    """Some positions on the target could not be put back."""

    code = "K247"
    exit_code = ExitCode.REFUSED


def groups_found(groups: Sequence[GroupFacts], scope: Scope) -> Reading:
    """Say which groups there are, and what is worth knowing of them."""
    active = [group for group in groups if group.members]
    remarks = []
    if static := _static(groups):
        remarks.append(
            f"static members stay in a group until their session times out: {some(static)}"
        )
    wider = sorted(group.id for group in groups if _elsewhere(group, scope))
    if wider:
        remarks.append(
            f"these groups read other topics, too, which stay where they are: {some(wider)}"
        )
    return Reading(
        gate="groups",
        passed=True,
        measured=f"{many(len(groups), 'group')}, {len(active):,} with members",
        why="; ".join(remarks),
    )


def _static(groups: Sequence[GroupFacts]) -> list[str]:
    return sorted(
        f"{member.instance_id} of {group.id}"
        for group in groups
        for member in group.members or ()
        if member.instance_id
    )


def _elsewhere(group: GroupFacts, scope: Scope) -> bool:
    return any(
        one.topic not in scope.topics and not one.topic.startswith("__")
        for one in group.positions or ()
    )


def nobody_there(there: Mapping[GroupId, There]) -> Reading:
    """Say whether groups are at work on the target already."""
    active = {group: found for group, found in there.items() if found.active}
    trouble = [f"{group}: {found.trouble}" for group, found in there.items() if found.trouble]
    return Reading(
        gate="target groups",
        passed=not active and not trouble,
        final=bool(active or trouble),
        measured=f"{many(len(active), 'group')} active on the target",
        why="; ".join(
            [
                *(
                    f"{group} is active on the target ({', '.join(found.members) or found.state}): "
                    "stop it, its positions could not be set"
                    for group, found in sorted(active.items())
                ),
                *trouble,
            ]
        ),
    )


def gone(groups: Sequence[GroupFacts], side: str, gaps: Sequence[Gap] = ()) -> Reading:
    """Say whether no group has a member on a side any more, as far as groups can be seen."""
    active = [group for group in groups if group.members]
    unknown = [group.id for group in groups if group.members is None]
    why = []
    for group in active:
        members = [
            f"{member.client_id} at {member.host}"
            + (f" (static: {member.instance_id})" if member.instance_id else "")
            for member in group.members or ()
        ]
        why.append(f"{group.id}: {some(members)}")
    if unknown:
        why.append(f"members may not be asked for: {some(unknown)}")
    why += [f"not all groups can be seen: {gap.subject}: {gap.reason}" for gap in gaps]
    return Reading(
        gate=f"no consumer on the {side}",
        passed=not active and not unknown and not gaps,
        unsure=not active and (bool(unknown) or bool(gaps)),
        measured=f"{many(sum(len(group.members or ()) for group in active), 'member')} of "
        f"{many(len(active), 'group')} there",
        why="; ".join(why),
    )


@dataclass(slots=True)
class Drain:
    """How fast what is left is read; it remembers when it looked before."""

    _seen: list[tuple[float, int]] = field(default_factory=list)

    def reading(self, everything: Sequence[Left], *, awaited: Collection[str]) -> Reading:
        """Say what is left to read for the groups that were at work when the cutover began.

        Others would keep everybody waiting for ever; they are named.
        """
        lags, idle = Counter[str](), Counter[str]()
        for one in everything:
            (lags if one.group in awaited else idle)[one.group] += one.lag
        left = [one for one in everything if one.group in awaited]
        unknown = [
            f"{one.group}, {one.position.topic} partition {one.position.partition}: {one.trouble}"
            for one in left
            if one.trouble
        ]
        total = lags.total()
        behind = [f"{group} {lag:,}" for group, lag in sorted(lags.items()) if lag]
        why = [f"left to read: {some(behind)}"] if behind else []
        if unknown:
            why.append(f"cannot be told: {some(unknown)}")
        if idle:
            names = some(f"{group} {lag:,}" for group, lag in sorted(idle.items()))
            why.append(f"not waited for, since nobody consumed there: {names}")
        return Reading(
            gate="drained",
            passed=not left,
            measured=f"{many(total, 'offset')} left on the source{self._pace(total)}",
            why="; ".join(why),
        )

    def _pace(self, left: int) -> str:
        now = time.monotonic()
        self._seen = [*self._seen[-30:], (now, left)]
        began, before = self._seen[0]
        if not left or before <= left or now - began < 1:
            return ""
        pace = (before - left) / (now - began)
        return f", {pace:,.0f} read per second, about {left / pace:,.0f} s to go"


def positions(
    moves: Sequence[Move],
    scope: Scope,
    partitions: Collection[TopicPartition],
    at_work: Collection[str],
) -> Reading:
    """Say whether every group has its place on the target."""
    own = [move for move in moves if move.standing.topic in scope.topics]
    shut = [move for move in own if move.step in SHUT]
    there = sum(move.step in {Step.SET, Step.SAME} for move in own)
    known = [move.standing for move in own if move.standing.target_offset is not None]
    return Reading(
        gate="positions",
        passed=not shut,
        final=any(move.step is Step.REFUSED for move in shut),
        measured=f"{there:,} of {many(len(own), 'position')} committed and read back; "
        f"{sum(one.again for one in known):,} records read again, "
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


def without_position(moves: Sequence[Move], partitions: Collection[TopicPartition]) -> list[str]:
    """Name partitions for which an idle group never committed: nobody waits for it."""
    by_group: dict[str, set[TopicPartition]] = {}
    for move in moves:
        place = TopicPartition(move.standing.topic, move.standing.partition)
        by_group.setdefault(move.standing.group, set()).add(place)
    left = [
        f"{group} in {one}"
        for group, known in sorted(by_group.items())
        for one in sorted(set(partitions) - known)
        if one.topic in {place.topic for place in known}
    ]
    if not left:
        return []
    return [f"never committed, so auto.offset.reset decides there: {some(left)}"]


def starts(begun: Begun) -> Reading:
    """Say whether every group begins at the start of the target's logs."""
    return Reading(
        gate="positions",
        passed=not begun.troubles,
        measured=f"{many(begun.positions, 'position')} of {many(begun.groups, 'group')} at the "
        "start of their logs",
        why="; ".join(begun.troubles[:5]),
    )


def insist_on_undone(failed: Sequence[TakenBack]) -> None:
    """Raise what kept positions from being put back."""
    if failed:
        raise NotUndone(
            f"{many(len(failed), 'position')} on the target could not be put back",
            "\n".join(f"{one.image.group}, {one.image.place}: {one.reason}" for one in failed[:5]),
            hint="stop what still consumes there, then kferry rollback does the rest",
        )


def there(
    awaited: Mapping[GroupId, Collection[TopicName]],
    found: Sequence[GroupFacts],
    partitions: Collection[TopicPartition],
    scope: Scope,
) -> Reading:
    """Say whether the groups that were at work are at work on the target, with every partition.

    `awaited`: with the topics that each read, by their names on the source.
    """
    by_id = {group.id: group for group in found}
    why = []
    for name, read in sorted(awaited.items()):
        group = by_id.get(name)
        if group is None or not group.members:
            why.append(f"{name} has no member on the target yet")
            continue
        if group.state != "Stable":
            why.append(f"{name} is {group.state}")
            continue
        own = {one for member in group.members for one in member.assigned}
        topics = {scope.topics[topic] for topic in read if topic in scope.topics}
        if left := sorted({one for one in partitions if one.topic in topics} - own):
            why.append(f"{name} does not hold {some(map(str, left))}")
    return Reading(
        gate="consumers",
        passed=not why,
        measured=f"{len(awaited) - len(why):,} of {many(len(awaited), 'group')} at work there",
        why="; ".join(why),
    )
