"""The verb `messages query`: records of one side, as they are.

Owns finding the topic that is meant. Writes nothing.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from kferry.config import ClusterSettings
from kferry.errors import ExitCode, KferryError
from kferry.messages import Message, Search, may_not_read
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
