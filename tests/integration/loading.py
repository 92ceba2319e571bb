"""What was loaded, as other people's tools see it: confluent-kafka, and Kafka's own."""

import hashlib
import re
import threading
import time
from collections import defaultdict
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import shapes_table
from confluent_kafka import Consumer, Message, TopicPartition

from kferry.sandbox import Cluster, run_tool
from kferry.sandbox.load import Outcome, Summary, choose, load, release_of

_PATIENCE_S = 30.0
Row = tuple[int, int, bytes | None, bytes | None, tuple[tuple[str, bytes | None], ...], int]
"""Partition, offset, key, value, headers, timestamp."""

_FIELD = re.compile(r"(\w+): (\S+)")
Batch = dict[str, str]

_BROKERS_TIMES = {"load-log-append-time", "load-log-append-time-lz4"}
_DIGESTS: dict[str, dict[str, str]] = {}
"""Of every version seen in this run: the same seed makes the same records on all of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """One cluster after a load of everything."""

    cluster: Cluster
    summaries: dict[str, Summary]
    dumps: dict[str, list[Batch]]
    """What DumpLogSegments says of the batches of each partition, `topic-0`."""

    @property
    def version(self) -> str:
        return self.cluster.version

    @property
    def topics(self) -> list[str]:
        return [topic for one in self.summaries.values() for topic in one.topics]


def load_both(*clusters: Cluster) -> list[Loaded]:
    """Load everything into several clusters at once."""
    found: dict[str, Loaded] = {}

    def one(cluster: Cluster) -> None:
        summaries = {one.shape: one for one in load(cluster, choose(()))}
        topics = [topic for one in summaries.values() for topic in one.topics]
        found[cluster.version] = Loaded(
            cluster=cluster, summaries=summaries, dumps=dump(cluster, topics)
        )

    threads = [threading.Thread(target=one, args=(cluster,)) for cluster in clusters]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [found[cluster.version] for cluster in clusters]


def bounds(cluster: Cluster, topic: str, *, committed: bool = False) -> list[tuple[int, int]]:
    """Where each partition starts and ends; `committed`: at the last stable offset."""
    with _consumer(cluster, committed=committed) as consumer:
        return _bounds(consumer, topic)


def _bounds(consumer: Consumer, topic: str) -> list[tuple[int, int]]:
    partitions = consumer.list_topics(topic, timeout=_PATIENCE_S).topics[topic].partitions
    places = [TopicPartition(topic, number) for number in sorted(partitions)]
    return [consumer.get_watermark_offsets(place, timeout=_PATIENCE_S) for place in places]


def read(
    cluster: Cluster, topics: Iterable[str], *, committed: bool = False
) -> dict[str, list[Row]]:
    """Read topics to their ends, or to their last stable offsets."""
    rows: dict[str, list[Row]] = defaultdict(list)
    with _consumer(cluster, committed=committed) as consumer:
        places = {
            (topic, number)
            for topic in topics
            for number, (start, end) in enumerate(_bounds(consumer, topic))
            if start < end
        }
        consumer.assign([TopicPartition(topic, number, 0) for topic, number in places])
        open_ = set(places)
        deadline = time.monotonic() + _PATIENCE_S
        while open_:
            assert time.monotonic() < deadline, f"no end came of {open_}"
            for message in consumer.consume(10_000, timeout=0.1):
                topic, partition = message.topic() or "", message.partition() or 0
                if (error := message.error()) is not None:
                    # The end of a partition comes behind markers, too, which are no messages.
                    assert error.name() == "_PARTITION_EOF", error
                    open_.discard((topic, partition))
                else:
                    rows[topic].append(_row(partition, message))
    return {topic: sorted(found, key=lambda row: row[:2]) for topic, found in rows.items()}


def _row(partition: int, message: Message) -> Row:
    given: Any = message.headers() or ()  # a list of pairs, whatever the type says
    headers = tuple((name, value) for name, value in given)
    key, value = _bytes(message.key()), _bytes(message.value())
    return partition, message.offset() or 0, key, value, headers, message.timestamp()[1]


def _bytes(value: str | bytes | None) -> bytes | None:
    return value.encode() if isinstance(value, str) else value


def digests(cluster: Cluster, topics: Iterable[str]) -> dict[str, str]:
    """One number for all that stands in each topic that is not empty."""
    found = read(cluster, topics)
    return {topic: hashlib.sha256(repr(rows).encode()).hexdigest() for topic, rows in found.items()}


def check_essentials(one: Loaded) -> None:
    """What must be so on every version; the table of shapes is compared, or written."""
    _check_cleaner(one)
    if release_of(one.version) >= (0, 11):
        _check_transactions(one)
    own = digests(one.cluster, one.topics)
    has = {name for name in loaded_ones(one) if own.keys() & set(one.summaries[name].topics)}
    shapes_table.check(one.version, has)
    _DIGESTS[one.version] = own
    for other in _DIGESTS.values():
        common = (own.keys() & other.keys()) - _BROKERS_TIMES
        assert {topic: own[topic] for topic in common} == {topic: other[topic] for topic in common}


def _check_cleaner(one: Loaded) -> None:
    rows = read(one.cluster, ["load-compacted"])["load-compacted"]
    offsets = [row[1] for row in rows if row[0] == 0]
    assert len(offsets) < offsets[-1] + 1
    assert any(row[3] is None for row in rows)
    if release_of(one.version) >= (3, 1):
        horizons = {batch["deleteHorizonMs"] for batch in one.dumps["load-compacted-0"]}
        assert len(horizons) > 1


def _check_transactions(one: Loaded) -> None:
    assert bounds(one.cluster, "load-transactions") == [(0, 22), (0, 19)]
    assert bounds(one.cluster, "load-open-transaction", committed=True) == [(0, 11)]
    assert bounds(one.cluster, "load-trimmed") == [(100, 200), (125, 200), (200, 200)]
    first = one.dumps["load-compacted-emptied-0"][0]
    assert first["lastOffset"] == "9"
    assert first.get("count", "0") == "0"  # old tools do not tell


def dump(cluster: Cluster, topics: Iterable[str]) -> dict[str, list[Batch]]:
    """Let Kafka's own tool read the logs, all in one run."""
    (node,) = cluster.layout.nodes
    files = [file for topic in topics for file in sorted(node.data.glob(f"{topic}-[0-9]*/*.log"))]
    modern = release_of(cluster.version) >= (4,)
    tool = "org.apache.kafka.tools.DumpLogSegments" if modern else "kafka.tools.DumpLogSegments"
    done = run_tool(cluster, tool, "--files", ",".join(map(str, files)))
    assert done.returncode == 0, done.stderr
    batches: dict[str, list[Batch]] = defaultdict(list)
    place = ""
    for line in done.stdout.splitlines():
        if line.startswith("Dumping "):
            place = Path(line.removeprefix("Dumping ")).parent.name
        elif "magic: " in line:
            batches[place].append(dict(_FIELD.findall(line)))
    return dict(batches)


def tool(cluster: Cluster, name: str, *arguments: str) -> str:
    """Run an official tool that asks the brokers."""
    done = run_tool(
        cluster,
        f"org.apache.kafka.tools.{name}",
        "--bootstrap-server",
        cluster.bootstrap,
        *arguments,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def table(text: str, *wanted: str) -> list[tuple[str, ...]]:
    """Return columns of the tables that the official tools print."""
    rows: list[tuple[str, ...]] = []
    at: list[int] = []
    for line in text.splitlines():
        words = line.split()
        if all(one in words for one in wanted):
            at = [words.index(one) for one in wanted]
        elif at and len(words) > max(at):
            rows.append(tuple(words[one] for one in at))
    return rows


def loaded_ones(found: Loaded) -> set[str]:
    return {name for name, one in found.summaries.items() if one.outcome is Outcome.LOADED}


def _consumer(cluster: Cluster, *, committed: bool) -> "closing[Consumer]":
    return closing(
        Consumer(
            {
                "bootstrap.servers": cluster.bootstrap,
                "group.id": "judge",
                "enable.auto.commit": False,
                "enable.partition.eof": True,
                "auto.offset.reset": "earliest",
                "isolation.level": "read_committed" if committed else "read_uncommitted",
            }
        )
    )
