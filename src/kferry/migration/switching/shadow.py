"""Shadow groups: what positions would be, tried out on the target under another name.

Owns their names, telling our own from others', and taking them away again. A shadow never has a
member; each of its positions carries, as metadata, who made it and when. Real groups are not
touched, and nothing is written to a ledger.
"""

import json
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kferry.admin.group_commit import NewPosition
from kferry.admin.group_removal import delete_groups
from kferry.admin.groups import list_groups
from kferry.admin.probes import groups_denied_commit, groups_denied_delete
from kferry.errors import ExitCode, KferryError
from kferry.groups import There, look_there
from kferry.migration.switching.book import ended_here, ourselves, place
from kferry.migration.switching.committing import commit_and_read_back
from kferry.names import GroupId, TopicName, TopicPartition
from kferry.units import many, some
from kferry.wire import Cluster, UnsupportedApi, WireError

SUFFIX = ".kferry-rehearsal"
_YOUNG_MS = 120_000
"""Of another machine nobody can tell whether its process has ended."""
_OLD_MS = 2 * 3_600_000
"""By then its process has ended, whatever bears its number now."""
_KIND = "rehearsal"
_BROKERS_OWN = TopicName("__consumer_offsets")


class NotOurs(KferryError):
    """A group that bears a shadow's name is somebody else's."""

    code = "K266"
    exit_code = ExitCode.REFUSED


class AnotherRehearsal(KferryError):
    """Somebody rehearses just now."""

    code = "K267"
    exit_code = ExitCode.TRY_AGAIN


class NoRightToShadows(KferryError):
    """Shadow groups could not be made, or not be taken away."""

    code = "K268"
    exit_code = ExitCode.REFUSED


class ShadowsLeft(KferryError):
    """Some shadow groups are still there."""

    code = "K269"
    exit_code = ExitCode.FAILED


def shadow_of(group: GroupId) -> GroupId:
    """Return the name of a group's shadow."""
    return GroupId(f"{group}{SUFFIX}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """Who made a shadow."""

    migration: str
    by: str
    place: str
    at: int
    """Milliseconds since 1970, by the clock of whoever made it."""

    @classmethod
    def ours(cls, migration: str) -> "Signature":
        """Sign as this process."""
        at = int(time.time() * 1000)
        return cls(migration=migration, by=ourselves(), place=place(), at=at)

    def metadata(self) -> str:
        """Write it down."""
        return json.dumps(
            {
                "kferry": _KIND,
                "migration": self.migration,
                "by": self.by,
                "place": self.place,
                "at": self.at,
            }
        )


def read_signature(metadata: str) -> Signature | None:
    """Read it back; None where somebody else wrote it."""
    try:
        value: Any = json.loads(metadata)
        if value["kferry"] != _KIND:
            return None
        return Signature(
            migration=str(value["migration"]),
            by=str(value["by"]),
            place=str(value["place"]),
            at=int(value["at"]),
        )
    except (ValueError, KeyError, TypeError):
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A group with a shadow's name, on the target."""

    group: GroupId
    there: There

    @property
    def absent(self) -> bool:
        """Whether there is nothing of it."""
        return not (self.there.state or self.there.committed or self.there.trouble)

    @property
    def signatures(self) -> list[Signature | None]:
        """Return who made each of its positions."""
        return [read_signature(metadata) for _, metadata in self.there.committed.values()]

    @property
    def foreign(self) -> str:
        """Say why it is not ours to touch; empty where it is."""
        there = self.there
        if there.trouble:
            return there.trouble
        if there.active:
            return f"it has members: {', '.join(there.members) or there.state}"
        if there.started:
            return "it had members"
        if None in self.signatures:
            return "somebody else committed positions for it"
        return ""

    def alive(self, now_ms: int) -> str:
        """Name the process that may be at work with it just now; empty where there is none."""
        for one in self.signatures:
            if one is None or ended_here({"by": one.by, "place": one.place}):
                continue
            here = one.place == place()
            age = abs(now_ms - one.at)
            if one.by != ourselves() and age < (_OLD_MS if here else _YOUNG_MS):
                return one.by
        return ""

    def made_for(self, migration: str) -> bool:
        """Whether it was made for this migration."""
        return any(one is not None and one.migration == migration for one in self.signatures)


@dataclass(slots=True, kw_only=True)
class Shadows:
    """The shadow groups of one rehearsal."""

    target: Cluster
    migration: str
    made: set[GroupId] = field(default_factory=set)
    first: bool = False
    """Whether no group had ever been at work: the brokers made a topic of their own for ours."""

    async def look(self, groups: Iterable[GroupId]) -> list[GroupId]:
        """Refuse names that are taken, and return what a rehearsal that was killed has left."""
        wanted = {shadow_of(group) for group in groups}
        listed = {
            one.id
            for found in (await list_groups(self.target)).values()
            if not isinstance(found, WireError)
            for one in found
            if one.id.endswith(SUFFIX)
        }
        known = await look_there(self.target, wanted | listed, to_write=False)
        found = [Found(group=group, there=there) for group, there in sorted(known.items())]
        return left_by_others(found, wanted, self.migration)

    async def insist_on_rights(self, groups: Iterable[GroupId]) -> None:
        """Refuse before anything is written where it could not be taken away again."""
        wanted = sorted(map(shadow_of, groups))
        for what, denied in (
            ("commit positions for", await groups_denied_commit(self.target, wanted)),
            ("delete", await self._denied_delete(wanted)),
        ):
            if denied:
                raise NoRightToShadows(
                    f"kferry may not {what} shadow groups on the target",
                    f"{many(len(denied), 'group')}: {some(denied)}; a rehearsal takes Read and "
                    "Delete on them",
                    hint="kafka-acls --add --allow-principal User:NAME --operation Read "
                    "--operation Delete --group '*', or a name for each",
                )

    async def _denied_delete(self, groups: Sequence[GroupId]) -> set[GroupId]:
        try:
            return await groups_denied_delete(self.target, groups)
        except UnsupportedApi:  # before 2.4 it cannot be asked without doing
            return set()

    async def commit(self, wanted: Mapping[GroupId, Mapping[TopicPartition, int]]) -> None:
        """Commit, and read back; raises where something else is there."""
        metadata = Signature.ours(self.migration).metadata()
        positions = {
            shadow_of(group): {
                one: NewPosition(offset=offset, metadata=metadata) for one, offset in own.items()
            }
            for group, own in wanted.items()
            if own
        }
        if positions:
            topics = (await self.target.refresh({_BROKERS_OWN})).topics
            self.first = _BROKERS_OWN not in topics or bool(topics[_BROKERS_OWN].error_code)
        # First: cut short between the two, it is ours to take away all the same.
        self.made |= positions.keys()
        wrong = await commit_and_read_back(self.target, positions)
        if wrong:
            raise KferryError(
                "positions of shadow groups are not there as they were committed",
                "\n".join(wrong[:5]),
                hint="look at the target's brokers; kferry check",
                changed="The shadow groups are taken away again.",
            )

    async def take_away(self, groups: Iterable[GroupId] | None = None) -> None:
        """Delete what this rehearsal made, or what another one has left."""
        going = sorted(self.made if groups is None else groups)
        if not going:
            return
        outcomes = await delete_groups(self.target, going)
        left = {group: error for group, error in outcomes.items() if error is not None}
        self.made -= outcomes.keys() - left.keys()
        if left:
            raise ShadowsLeft(
                f"{many(len(left), 'shadow group')} could not be deleted on the target",
                "\n".join(f"{group}: {error}" for group, error in sorted(left.items())[:5]),
                hint="the next kferry cutover --rehearse takes them away; so does kafka-consumer-"
                "groups --delete --group NAME",
                changed="Nothing but these groups is left.",
            )


def left_by_others(found: Iterable[Found], wanted: set[GroupId], migration: str) -> list[GroupId]:
    """Judge groups that bear a shadow's name: refused, spared, or left over and ours to delete."""
    left = []
    now = int(time.time() * 1000)
    for one in found:
        if one.absent:
            continue
        if one.foreign:
            if one.group in wanted:
                raise NotOurs(
                    f"{one.group} is on the target, and it is no shadow of ours",
                    one.foreign,
                    hint="rename or delete it, or leave its group out with --group",
                )
            continue
        if one.group not in wanted and not one.made_for(migration):
            continue
        if who := one.alive(now):
            raise AnotherRehearsal(
                "another rehearsal is under way",
                f"{one.group} was made by {who}",
                hint="wait until it is over, then run this again",
            )
        left.append(one.group)
    return left
