"""Looking again and again at the groups of a cutover without asking about all others."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

from kferry.admin.group_members import GroupType
from kferry.groups import GroupFacts
from kferry.migration.switching.scope import GroupsWatch, Scope, Seen
from kferry.names import GroupId
from kferry.wire import Cluster


def group(name: str) -> GroupFacts:
    return GroupFacts(
        id=GroupId(name),
        type=GroupType.CLASSIC,
        protocol="consumer",
        state="Stable",
        coordinator=0,
        members=(),
        positions=(),
    )


@dataclass
class World:
    """A cluster's groups, and which of them were asked about."""

    ours: set[str]
    others: set[str]
    asked: list[set[str]] = field(default_factory=list)

    async def seen_on(
        self, _: object, *, of_target: bool, among: Callable[[GroupId], bool]
    ) -> Seen:
        assert not of_target
        meant = {one for one in self.ours | self.others if among(GroupId(one))}
        self.asked.append(meant)
        return Seen(
            groups=[group(one) for one in sorted(meant & self.ours)],
            gaps=(),
            others=frozenset(map(GroupId, meant & self.others)),
        )


async def test_groups_of_others_are_asked_about_once_and_once_more_in_the_end() -> None:
    world = World(ours={"a", "b"}, others={"x", "y"})
    watch = GroupsWatch(cluster=cast("Cluster", None), scope=cast("Scope", cast("Any", world)))
    assert not watch.partial
    assert [one.id for one in (await watch.look()).groups] == ["a", "b"]
    assert watch.partial
    world.ours.add("new")
    assert [one.id for one in (await watch.look()).groups] == ["a", "b", "new"]
    assert world.asked == [{"a", "b", "x", "y"}, {"a", "b", "new"}]
    # One that has come to read these topics is found before anything is called silent.
    world.others.remove("x")
    world.ours.add("x")
    assert "x" not in {one.id for one in (await watch.look()).groups}
    assert "x" in {one.id for one in (await watch.look(whole=True)).groups}
    await watch.look()
    assert world.asked[-1] == {"a", "b", "new", "x"}
