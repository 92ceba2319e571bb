"""The verb `messages tail`: records of one side or both, as they come.

Owns what is followed on which side, and the newest ones before that. Writes nothing.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from heapq import merge
from typing import NamedTuple

from kferry.config import ClusterSettings
from kferry.messages import Filters, Follower, Message, Query, Search, Where
from kferry.migration.looking import open_side, target_name
from kferry.names import PartitionId, TopicName


@dataclass(frozen=True, slots=True, kw_only=True)
class Tail:
    """What is followed; `sides` are one or both, by their names."""

    sides: Mapping[str, ClusterSettings]
    topic: TopicName
    """By its name on the source, where both sides are followed."""
    migration: str | None = None
    partitions: tuple[PartitionId, ...] = ()
    filters: Filters = field(default_factory=Filters)
    uncommitted: bool = False
    from_end: int = 0
    """So many of the newest records first."""


class Came(NamedTuple):
    """A record, and the side it is on."""

    side: str
    message: Message


async def tail(wanted: Tail, narrate: Callable[[str], None]) -> AsyncIterator[Came]:
    """Yield records as they come, until whoever looks goes away."""
    async with AsyncExitStack() as stack:
        followers: dict[str, Follower] = {}
        for side, settings in wanted.sides.items():
            topic = wanted.topic
            if side == "target" and len(wanted.sides) > 1:
                topic = await target_name(wanted.sides, topic, wanted.migration)
            cluster = await stack.enter_async_context(open_side(settings, topic))
            followers[side] = Follower(
                cluster=cluster,
                topic=topic,
                partitions=wanted.partitions,
                filters=wanted.filters,
                uncommitted=wanted.uncommitted,
            )
            await followers[side].begin()
        narrate(f"following {', '.join(_named(followers))}; Ctrl-C ends this")
        if wanted.from_end:
            found = [await _newest(side, one, wanted) for side, one in followers.items()]
            for came in merge(*found, key=lambda one: one.message.timestamp):
                yield came
        told: dict[str, str] = {}
        while True:
            rounds = await asyncio.gather(
                *(_round(side, follower) for side, follower in followers.items())
            )
            for came in merge(*rounds, key=lambda one: one.message.timestamp):
                yield came
            told = _tell_troubles(followers, told, narrate)


async def _newest(side: str, follower: Follower, wanted: Tail) -> list[Came]:
    """Find the newest records before the place that is followed from."""
    search = Search(
        query=Query(
            where=Where(
                topic=follower.topic,
                partitions=follower.partitions,
                left={one.partition: end for one, end in follower.positions.items()},
            ),
            filters=wanted.filters,
            newest_first=True,
            uncommitted=wanted.uncommitted,
            limit=wanted.from_end,
        )
    )
    found = [Came(side, one) async for one in search.run(follower.cluster)]
    return found[::-1]


async def _round(side: str, follower: Follower) -> list[Came]:
    return [Came(side, one) for one in await follower.round()]


def _tell_troubles(
    followers: Mapping[str, Follower], told: Mapping[str, str], narrate: Callable[[str], None]
) -> dict[str, str]:
    """Say what is new, and what is over."""
    now = {
        f"{side}: {where}": what
        for side, follower in followers.items()
        for where, what in follower.troubles.items()
    }
    for where, what in now.items():
        if told.get(where) != what:
            narrate(f"{where}: {what}")
    for where in told.keys() - now.keys():
        narrate(f"{where}: goes on")
    return now


def _named(followers: Mapping[str, Follower]) -> list[str]:
    return [f"{follower.topic} on the {side}" for side, follower in followers.items()]
