"""The verb `messages query`: records of one side, as they are.

Owns finding the topic that is meant. Writes nothing.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from kferry.config import ClusterSettings
from kferry.errors import ExitCode, KferryError
from kferry.messages import Message, Search, may_not_read
from kferry.migration.maps import Maps, read_documents
from kferry.migration.status import NoMigration, find
from kferry.names import TopicName
from kferry.topics.names_near import no_such_topic
from kferry.wire import Cluster, Limits, Topic, open_cluster

LIMITS = Limits(connect=5, request=20, retry=10)
"""Shorter than for work: whoever looks wants to see what is there now."""

_DENIED = frozenset({29, 30})


class NoSuchTopic(KferryError):
    """A topic was named that is not there."""

    code = "K272"
    exit_code = ExitCode.USAGE


@asynccontextmanager
async def open_side(settings: ClusterSettings, topic: TopicName) -> AsyncIterator[Cluster]:
    """Connect to a cluster that has this topic."""
    async with open_cluster(settings, LIMITS) as cluster:
        await topic_of(cluster, topic)
        yield cluster


async def topic_of(cluster: Cluster, name: TopicName) -> Topic:
    """Return a topic that must be there; if it is not, say which one was meant."""
    found = (await cluster.refresh({name})).topics.get(name)
    if found is not None and not found.error_code:
        return found
    if found is not None and found.error_code in _DENIED:
        raise may_not_read(name)
    everything = (await cluster.refresh(None)).topics
    raise NoSuchTopic(
        no_such_topic(name, list(everything)),
        hint="kferry inspect topics shows what there is",
        changed="Nothing was read.",
    )


async def query(settings: ClusterSettings, search: Search) -> AsyncIterator[Message]:
    """Yield what a search finds; the search itself says how far it came."""
    async with open_side(settings, search.query.where.topic) as cluster:
        async for message in search.run(cluster):
            yield message


async def target_name(
    sides: Mapping[str, ClusterSettings], topic: TopicName, migration: str | None
) -> TopicName:
    """Return a topic's name on the target: as the ledger has it, if there is one."""
    async with open_cluster(sides["target"], LIMITS) as target:
        maps = await maps_of(target, source=sides.get("source"), migration=migration)
    found = None if maps is None else maps.topics.get(topic)
    return topic if found is None else found.target


async def maps_of(
    target: Cluster, *, source: ClusterSettings | None, migration: str | None
) -> Maps | None:
    """Return what a ledger knows; None where there is none, and none was named."""
    try:
        ledger = await find(target, migration=migration, source=source)
    except NoMigration:
        if migration is not None:
            raise
        return None
    return Maps.of(await read_documents(target, ledger))
