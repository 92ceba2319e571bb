"""What a search finds is what an independent consumer finds: every shape, on the oldest and newest.

The oracle is confluent-kafka, which shares no code with kferry.
"""

import asyncio
import threading
from collections.abc import Iterator

import pytest
from confluent_kafka import TIMESTAMP_LOG_APPEND_TIME
from judge import client_config
from judging import Records, Seen, read_all

from kferry.config import load_cluster
from kferry.messages import Message, Query, Search, Where
from kferry.names import TopicName
from kferry.sandbox import Cluster, ClusterSpec, Sandbox
from kferry.sandbox.load import choose, load
from kferry.wire import open_cluster

_FAR = 10_000_000


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox.start(source=ClusterSpec(version="0.10.2.2")) as running:
        threads = [
            threading.Thread(target=lambda where=one: list(load(where, choose(()))))
            for one in (running.source, running.target)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        yield running


@pytest.fixture(scope="module", params=["source", "target"])
def cluster(request: pytest.FixtureRequest, sandbox: Sandbox) -> Cluster:
    found: Cluster = getattr(sandbox, request.param)
    return found


def everything(topic: str, **more: object) -> Query:
    given = {"limit": _FAR, "scan_records": _FAR, "scan_bytes": 1 << 40, **more}
    return Query(where=Where(topic=TopicName(topic)), **given)  # type: ignore[arg-type]


async def searched(cluster: Cluster, *queries: Query) -> list[tuple[Search, list[Message]]]:
    found = []
    async with open_cluster(load_cluster(None, cluster.properties, side="source")) as there:
        for query in queries:
            search = Search(query=query)
            found.append((search, [one async for one in search.run(there)]))
    return found


def seen(messages: list[Message]) -> Records:
    """Put what a search found as the oracle puts what it read."""
    records: Records = {}
    for one in messages:
        records.setdefault(one.partition.partition, []).append(
            Seen(
                offset=one.offset,
                timestamp=one.timestamp,
                timestamp_type=TIMESTAMP_LOG_APPEND_TIME if one.append_time else 1,
                key=one.key,
                value=one.value,
                headers=tuple(one.headers),
            )
        )
    return records


def comparable(records: Records) -> Records:
    return {
        number: [one._replace(timestamp_type=max(1, one.timestamp_type)) for one in own]
        for number, own in records.items()
        if own
    }


def topics_of(cluster: Cluster) -> list[str]:
    from confluent_kafka.admin import AdminClient  # noqa: PLC0415

    admin = AdminClient(dict(client_config(cluster.properties)))
    return sorted(name for name in admin.list_topics(timeout=30).topics if name[:5] == "load-")


async def test_everything_is_found_in_both_directions_as_a_consumer_reads_it(
    cluster: Cluster,
) -> None:
    topics = topics_of(cluster)
    assert len(topics) > 15
    forwards = await searched(cluster, *map(everything, topics))
    backwards = await searched(cluster, *(everything(one, newest_first=True) for one in topics))
    for topic, (first, there), (_, back) in zip(topics, forwards, backwards, strict=True):
        oracle = comparable(await asyncio.to_thread(read_all, cluster, topic))
        assert seen(there) == oracle, topic
        assert seen(back[::-1]) == oracle, topic
        assert first.scanned == first.found == sum(map(len, oracle.values()))
        assert (first.hit, first.failures) == (None, {})
