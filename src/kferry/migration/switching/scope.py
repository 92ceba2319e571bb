"""What a cutover is about: topics with their names on both sides, their partitions, their groups.

Owns finding them. Topics stay as they were found first; groups are found anew at every look, since
one may join while a cutover is walked.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass

from kferry.admin.group_members import GroupType
from kferry.admin.view import Gap
from kferry.config import TopicSelection
from kferry.errors import ExitCode, KferryError
from kferry.groups import GroupFacts, take_groups
from kferry.migration.book import TopicEntry
from kferry.migration.chosen import look_at_source
from kferry.migration.group_look import named
from kferry.names import GroupId, PartitionId, TopicName, TopicPartition
from kferry.units import some
from kferry.wire import Cluster

_CANNOT_MOVE = frozenset({GroupType.SHARE})


class NoTopics(KferryError):
    """There is nothing to switch over."""

    code = "K243"
    exit_code = ExitCode.USAGE


class NoAnswer(KferryError):
    """A topic that a cutover is about cannot be looked at just now."""

    code = "K261"
    exit_code = ExitCode.TRY_AGAIN


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Topics by their names on the source, each with its name on the target."""

    topics: Mapping[TopicName, TopicName]
    groups: tuple[str, ...] = ()
    """Names or globs; none means all."""

    @property
    def selection(self) -> TopicSelection:
        """These topics and no other."""
        return TopicSelection(exact=frozenset(self.topics))

    @property
    def exchanged(self) -> "Scope":
        """The same seen from the other side."""
        return Scope(topics={to: name for name, to in self.topics.items()}, groups=self.groups)

    def there(self, partition: TopicPartition) -> TopicPartition:
        """Return the counterpart of a partition of the source."""
        return TopicPartition(self.topics[partition.topic], partition.partition)

    async def partitions(
        self, cluster: Cluster, names: Iterable[TopicName], *, insist: bool = True
    ) -> list[TopicPartition]:
        """Return all partitions of topics as a cluster shows them now.

        A topic that does not answer is an error, never one that has nothing to say.
        """
        wanted = set(names)
        metadata = await cluster.refresh(wanted)
        missing = sorted(
            name
            for name in wanted
            if name not in metadata.topics or metadata.topics[name].error_code
        )
        if missing and insist:
            raise NoAnswer(
                f"{some(missing)} did not answer",
                "A topic that was deleted, or may not be seen, or whose broker restarts.",
                hint="kferry check tells which; then run this again",
                changed="",
            )
        return sorted(
            TopicPartition(name, PartitionId(partition.id))
            for name, topic in metadata.topics.items()
            if name in wanted and not topic.error_code
            for partition in topic.partitions
        )

    async def source_partitions(self, source: Cluster) -> list[TopicPartition]:
        """Return the partitions on the source."""
        return await self.partitions(source, self.topics)

    async def target_partitions(
        self, target: Cluster, *, insist: bool = True
    ) -> list[TopicPartition]:
        """Return the partitions on the target."""
        return await self.partitions(target, self.topics.values(), insist=insist)

    async def groups_on(self, cluster: Cluster, *, of_target: bool = False) -> list[GroupFacts]:
        """Return the groups that stand in, or read, these topics on a cluster."""
        return (await self.seen_on(cluster, of_target=of_target)).groups

    async def seen_on(
        self,
        cluster: Cluster,
        *,
        of_target: bool = False,
        among: Callable[[GroupId], bool] = lambda _: True,
    ) -> "Seen":
        """Return these groups, and what keeps others from being seen; `among` spares questions."""
        names = set(self.topics.values() if of_target else self.topics)
        meant = named(self.groups)
        found = await take_groups(
            cluster,
            TopicSelection(),
            lambda group: among(group) and meant(group),
            # How far others have to go elsewhere is asked of nobody, again and again.
            measured=names,
        )
        groups = [
            group
            for group in found.groups
            if group.type not in _CANNOT_MOVE and _reads(group, names)
        ]
        own = {group.id for group in groups}
        others = frozenset(group.id for group in found.groups if group.id not in own)
        return Seen(groups=groups, gaps=found.gaps, others=others)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """The groups of a scope on one cluster just now."""

    groups: list[GroupFacts]
    gaps: tuple[Gap, ...]
    others: frozenset[GroupId]
    """Groups that have nothing to do with it."""


@dataclass(slots=True, kw_only=True)
class GroupsWatch:
    """Looks again and again at the groups of a scope, and spares the brokers all others."""

    cluster: Cluster
    scope: Scope
    of_target: bool = False
    _others: frozenset[GroupId] = frozenset()

    @property
    def partial(self) -> bool:
        """Whether some groups are left out, which may have come to read these topics since."""
        return bool(self._others)

    async def look(self, *, whole: bool = False) -> Seen:
        """Look at those that were among them before, and at new ones; or at all."""
        but = frozenset[GroupId]() if whole else self._others
        found = await self.scope.seen_on(
            self.cluster, of_target=self.of_target, among=lambda group: group not in but
        )
        self._others = but | found.others
        return found


def _reads(group: GroupFacts, names: Collection[str]) -> bool:
    if group.members is None and group.positions is None:
        return True  # nothing is known of it: it is not taken for harmless
    return any(one.topic in names for one in group.positions or ()) or any(
        one.topic in names for member in group.members or () for one in member.assigned
    )


async def find_topics(
    source: Cluster,
    selection: TopicSelection,
    entries: Mapping[TopicName, TopicEntry],
    mapping: Mapping[TopicName, TopicName],
) -> dict[TopicName, TopicName]:
    """Find the topics that are meant: without a selection, those that the migration holds."""
    left = {name: entry for name, entry in entries.items() if not entry.switched}
    if entries and not left and selection == TopicSelection():
        raise _nothing_left()
    topics = await look_at_source(source, selection, left)
    found = {}
    for one in topics.topics:
        entry = entries.get(one.name)
        if entry is not None and entry.switched:
            continue
        found[one.name] = entry.target if entry is not None else mapping.get(one.name, one.name)
    if not found:
        raise _nothing_left()
    return dict(sorted(found.items()))


def _nothing_left() -> NoTopics:
    return NoTopics(
        "every topic that is meant was handed over already",
        hint="kferry complete ends the migration; --topic names other topics",
    )
