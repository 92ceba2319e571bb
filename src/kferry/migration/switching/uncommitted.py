"""Partitions of a topic that a group reads, and for which it never committed.

Owns finding them, what is at stake there, and committing where its place is known or was said.
Many clients commit nothing where they have read nothing. Such a group stands where it began to
listen: at the log's start or at what was its end then, which nobody but its own settings knows.
Where there was nothing to read, both are the same.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from kferry.admin.offsets import Place, offsets_at
from kferry.groups import look_there
from kferry.migration.group_look import GroupSides
from kferry.migration.maps import Maps, read_documents
from kferry.migration.switching.at_work import AtWork
from kferry.migration.switching.committing import New, commit_new
from kferry.migration.switching.left import any_record
from kferry.migration.switching.scope import NoAnswer, Scope
from kferry.names import GroupId, SourceOffset, TopicPartition
from kferry.offsets import NotYet
from kferry.wire import Cluster

_WORTH_A_LOOK = 1000
"""Offsets. Where more lie, there are records among them."""


class Choice(StrEnum):
    """Where a group goes on that never committed: somebody's word, who knows its settings."""

    START = "start"
    END = "end"
    LEAVE = "leave"
    """No position is set: the group's own auto.offset.reset decides on the target."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unset:
    """A partition of the source in which a group at work has no position."""

    group: GroupId
    place: TopicPartition
    start: int
    end: int
    """Where the log ended when the group was last seen at work: the target of `latest`."""
    empty: bool
    """Whether nothing was to be read before that end: then this is the group's place."""

    @property
    def records(self) -> int:
        """How many are at stake, at most."""
        return 0 if self.empty else max(0, self.end - self.start)

    def at(self, choice: Choice | None) -> int | None:
        """Return where it goes on; None: that is not ours to say."""
        if self.empty or choice is Choice.END:
            return self.end
        return self.start if choice is Choice.START else None


async def find_unset(
    source: Cluster,
    scope: Scope,
    work: AtWork,
    committed: Mapping[GroupId, frozenset[TopicPartition]],
) -> list[Unset]:
    """Find where groups that were at work have no position. `committed`: where they have one."""
    partitions = await scope.source_partitions(source) if work.reads else []
    bare = [
        (group, one)
        for group, topics in work.reads.items()
        for one in partitions
        if one.topic in topics and one not in committed.get(group, frozenset())
    ]
    places = sorted({one for _, one in bare})
    if not places:
        return []
    starts = await offsets_at(source, places, Place.START)
    ends = await offsets_at(source, places, Place.END, committed=True)
    # What came since the group was seen at work, it has not read: else it would have committed.
    ends |= {one: work.ends[one] for one in places if one in work.ends}
    empty = {one: await _empty(source, one, starts[one], ends[one]) for one in places}
    return [
        Unset(group=group, place=one, start=starts[one], end=ends[one], empty=empty[one])
        for group, one in sorted(bare)
    ]


async def _empty(source: Cluster, place: TopicPartition, start: int, end: int) -> bool:
    if end <= start:
        return True
    if end - start > _WORTH_A_LOOK:
        return False
    return not await any_record(source, place, start, end)


async def places_of(source: Cluster, work: AtWork) -> dict[GroupId, frozenset[TopicPartition]]:
    """Return where the groups that were at work have committed; all of them must tell."""
    found = await look_there(source, list(work.reads), to_write=True, side="source")
    silent = [f"{group}: {one.trouble}" for group, one in found.items() if one.trouble]
    if silent:
        raise NoAnswer(
            "where groups stand cannot be told", "; ".join(silent), hint="kferry groups show"
        )
    return {group: frozenset(one.committed) for group, one in found.items()}


async def settle(
    sides: GroupSides, scope: Scope, unset: Sequence[Unset], choice: Choice | None
) -> list[str]:
    """Commit on the target where their places are known, and read it back; return what is wrong."""
    known = [(one, at) for one in unset if (at := one.at(choice)) is not None]
    if not known:
        return []
    target, ledger = sides.target, sides.ledger
    maps = Maps.of(await read_documents(target, ledger, source=sides.source))
    there = await look_there(target, sorted({one.group for one, _ in known}), to_write=True)
    new: list[New] = []
    troubles = []
    for one, at in known:
        offsets, goal = maps.map_of(one.place), scope.there(one.place)
        found = None if offsets is None else offsets.to_target(SourceOffset(at))
        group = there[one.group]
        if group.trouble:
            troubles.append(f"{one.group}: {group.trouble}")
        elif found is None or isinstance(found, NotYet):
            troubles.append(f"{one.group}, {one.place}: not copied up to {at:,} yet")
        elif group.committed.get(goal, (-1, ""))[0] >= found.offset:
            continue
        elif group.active:
            troubles.append(f"{one.group} is active on the target: {', '.join(group.members)}")
        else:
            new.append(New(group=one.group, place=goal, offset=found.offset))
    return [*troubles, *await commit_new(target, ledger, there, new)]
