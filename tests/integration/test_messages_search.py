"""What a search finds is what an independent consumer finds: every shape, on the oldest and newest.

The oracle is confluent-kafka, which shares no code with kferry.
"""

import asyncio
import threading
from collections.abc import Callable, Iterator

import pytest
from confluent_kafka import TIMESTAMP_LOG_APPEND_TIME
from judge import client_config
from judging import Records, Seen, read_all

from kferry.config import load_cluster
from kferry.messages import Filters, Limit, Message, Query, Search, State, Where
from kferry.names import PartitionId, TopicName
from kferry.sandbox import Cluster, ClusterSpec, Sandbox
from kferry.sandbox.load import SHAPES, choose, load
from kferry.wire import open_cluster

_FAR = 10_000_000
_DATA = [one.name for one in SHAPES if not one.name.startswith("group")]
_WAITS = ("compacted", "expired", "trimmed", "records-")
"""What takes brokers long; once is enough."""


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox.start(source=ClusterSpec(version="0.10.2.2")) as running:
        quick = [name for name in _DATA if not name.startswith(_WAITS)]
        threads = [
            threading.Thread(target=_fill, args=given)
            for given in ((running.source, quick), (running.target, _DATA))
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


def _fill(cluster: Cluster, shapes: list[str]) -> None:
    for _ in load(cluster, choose(shapes)):
        pass


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
    assert len(topics) > 10
    forwards = await searched(cluster, *map(everything, topics))
    backwards = await searched(cluster, *(everything(one, newest_first=True) for one in topics))
    for topic, (first, there), (_, back) in zip(topics, forwards, backwards, strict=True):
        oracle = comparable(await asyncio.to_thread(read_all, cluster, topic))
        assert seen(there) == oracle, topic
        assert seen(back[::-1]) == oracle, topic
        assert first.scanned == first.found == sum(map(len, oracle.values()))
        assert (first.hit, first.failures) == (None, {})


async def test_what_is_not_committed_is_found_where_asked_for_and_marked(
    sandbox: Sandbox,
) -> None:
    topics = ["load-transactions", "load-open-transaction", "load-compacted-transactions"]
    queries = [
        everything(topic, uncommitted=True, newest_first=newest_first)
        for topic in topics
        for newest_first in (False, True)
    ]
    found = await searched(sandbox.target, *queries)
    states = set()
    for (search, messages), topic in zip(found, [t for t in topics for _ in "ab"], strict=True):
        if search.query.newest_first:
            messages.reverse()
        committed = await asyncio.to_thread(read_all, sandbox.target, topic)
        oracle = await asyncio.to_thread(read_all, sandbox.target, topic, "read_uncommitted")
        assert seen(messages) == comparable(oracle), topic
        kept = [one for one in messages if one.state is State.COMMITTED]
        assert seen(kept) == comparable(committed), topic
        states |= {one.state for one in messages}
    assert states >= {State.COMMITTED, State.ABORTED, State.OPEN}


@pytest.mark.parametrize("newest_first", [False, True])
@pytest.mark.parametrize("limits", [{"limit": 7}, {"scan_records": 23}, {"scan_bytes": 900}])
async def test_a_search_that_a_limit_ended_goes_on_where_it_was(
    sandbox: Sandbox,
    newest_first: bool,  # noqa: FBT001
    limits: dict[str, int],
) -> None:
    topic = "load-null-keys"
    (_, whole), *_ = await searched(sandbox.target, everything(topic, newest_first=newest_first))
    found: list[Message] = []
    left: dict[PartitionId, int] = {}
    stops = 0
    while True:
        where = Where(topic=TopicName(topic), left=left)
        given = {"limit": _FAR, **limits}
        query = Query(where=where, newest_first=newest_first, **given)  # type: ignore[arg-type]
        ((search, some),) = await searched(sandbox.target, query)
        found += some
        if search.hit is None:
            break
        stops += 1
        left = {**left, **search.left}
        assert len(some) <= limits.get("limit", _FAR)
        assert search.scanned <= limits.get("scan_records", _FAR)
    assert found == whole
    assert stops > 3


@pytest.mark.parametrize("topic", ["load-json-lz4", "load-transactions", "load-timestamps"])
@pytest.mark.parametrize("newest_first", [False, True])
async def test_a_range_of_time_holds_what_a_consumer_would_pick(
    sandbox: Sandbox,
    topic: str,
    newest_first: bool,  # noqa: FBT001
) -> None:
    """Markers carry the time of the broker, which misleads its own index; see kafka-facts."""
    oracle = comparable(await asyncio.to_thread(read_all, sandbox.target, topic))
    times = sorted(one.timestamp for own in oracle.values() for one in own if one.timestamp >= 0)
    begin, end = times[len(times) // 4], times[3 * len(times) // 4]
    query = Query(
        where=Where(topic=TopicName(topic), from_time=begin, to_time=end),
        filters=Filters(from_time=begin, to_time=end),
        newest_first=newest_first,
        limit=_FAR,
    )
    ((_, messages),) = await searched(sandbox.target, query)
    picked = {
        number: [one for one in own if begin <= one.timestamp < end]
        for number, own in oracle.items()
    }
    assert seen(messages[::-1] if newest_first else messages) == comparable(picked)
    assert messages


async def test_the_last_ones_are_the_newest_of_all_partitions(cluster: Cluster) -> None:
    oracle = await asyncio.to_thread(read_all, cluster, "load-plain")
    newest = sorted(
        (one.timestamp, number, one.offset) for number, own in oracle.items() for one in own
    )[-50:]
    ((search, messages),) = await searched(cluster, everything("load-plain", last=50))
    assert search.scanned == len(messages) == 50
    assert search.hit is None
    found = sorted((one.timestamp, one.partition.partition, one.offset) for one in messages)
    assert [time for time, *_ in found] == [time for time, *_ in newest]


async def test_records_are_found_by_what_is_in_them(sandbox: Sandbox) -> None:
    oracle = comparable(await asyncio.to_thread(read_all, sandbox.target, "load-headers"))
    trace = next(
        dict(one.headers)["trace-id"]
        for own in oracle.values()
        for one in own
        if "trace-id" in dict(one.headers)
    )
    assert trace is not None
    conditions: list[tuple[Filters, Callable[[Seen], bool]]] = [
        (Filters(key=b"7"), lambda one: one.key == b"7"),
        (Filters(headers=(("retry", b"2"),)), lambda one: ("retry", b"2") in one.headers),
        (Filters(headers=(("retry", b"1"), ("other", b"x"))), lambda one: len(one.headers) == 4),
        (Filters(contains=trace), lambda one: ("trace-id", trace) in one.headers),
        (Filters(contains=b"nowhere at all"), lambda _: False),
    ]
    queries = [everything("load-headers", filters=filters) for filters, _ in conditions]
    found = await searched(sandbox.target, *queries)
    for (search, messages), (filters, meant) in zip(found, conditions, strict=True):
        expected = {number: [one for one in own if meant(one)] for number, own in oracle.items()}
        assert seen(messages) == comparable(expected), filters
        assert search.scanned == sum(map(len, oracle.values()))


async def test_an_offset_leads_forwards_and_back(cluster: Cluster) -> None:
    topic, number = TopicName("load-plain"), PartitionId(1)
    own = (await asyncio.to_thread(read_all, cluster, topic))[number]
    where = Where(topic=topic, partitions=(number,), offset=own[10].offset)
    (_, onwards), (_, back) = await searched(
        cluster, Query(where=where, limit=5), Query(where=where, limit=5, newest_first=True)
    )
    assert [one.offset for one in onwards] == [one.offset for one in own[10:15]]
    assert [one.offset for one in back] == [one.offset for one in own[10:5:-1]]


async def test_limits_say_which_it_was(sandbox: Sandbox) -> None:
    topic = "load-plain"
    found = await searched(
        sandbox.target,
        everything(topic, limit=3),
        everything(topic, scan_records=3),
        everything(topic, scan_bytes=1),
        everything(topic, limit=3_000),
    )
    assert [search.hit for search, _ in found] == [Limit.FOUND, Limit.RECORDS, Limit.BYTES, None]
