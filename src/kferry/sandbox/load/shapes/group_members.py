"""Groups with members: living ones, one that went without leaving, and the kinds Kafka 4 brought.

Owns the shapes `group-*`. Living members are processes of their own, see `member`.
"""

from functools import partial

from kferry.sandbox.load import members
from kferry.sandbox.load.record import numbered
from kferry.sandbox.load.shape import PREFIX, Release, Shape, Topic
from kferry.sandbox.load.workbench import Workbench

_EACH = 300
_LONGEST = "group.max.session.timeout.ms"


def _fill(bench: Workbench, kind: members.Kind) -> None:
    bench.write(numbered(bench.dice(), partitions=2, each=_EACH, size=40))
    group = bench.shape.groups[0]
    if kind is members.Kind.SHARE:
        bench.set_group_config(group, "share.auto.offset.reset", "earliest")
    members.start(bench, kind, group)
    bench.notes.append("its member runs until the sandbox is stopped")


def _left_behind(bench: Workbench) -> None:
    bench.write(numbered(bench.dice(), partitions=2, each=_EACH, size=40))
    longest = bench.broker_setting(_LONGEST)
    members.join_and_go(bench, bench.shape.groups[0], session_ms=longest)
    bench.notes.append(
        f"its static member went without leaving: counts for {longest // 60_000} min ({_LONGEST})"
    )


def _living(name: str, kind: members.Kind, about: str, since: Release, limit: str) -> Shape:
    return Shape(
        name=f"group-{name}",
        about=about,
        fill=partial(_fill, kind=kind),
        topics=(Topic(name=f"{PREFIX}group-{name}", partitions=2),),
        groups=(f"{PREFIX}group-{name}",),
        since=since,
        limit=limit,
    )


SHAPES = (
    _living(
        "active", members.Kind.CLASSIC, "a group with a living member, halfway through", (0,), ""
    ),
    Shape(
        name="group-static",
        about="a static member that went without leaving",
        fill=_left_behind,
        topics=(Topic(name=f"{PREFIX}group-static", partitions=2),),
        groups=(f"{PREFIX}group-static",),
        since=(2, 3),
        limit="static members came with KIP-345",
    ),
    _living(
        "new-protocol",
        members.Kind.CONSUMER,
        "a living member of a group of the type `consumer`",
        (4, 0),
        "the new group protocol is on by default since then (KIP-848)",
    ),
    _living(
        "share",
        members.Kind.SHARE,
        "a living member of a share group, with records acknowledged",
        (4, 2),
        "share groups are on by default since then (KIP-932)",
    ),
)
