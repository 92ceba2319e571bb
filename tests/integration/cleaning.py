"""Topics over which the log cleaner goes all the time, so that a copy has it running beside itself.

Owns their configs. The brokers must look often, too: sandboxes do (`log.cleaner.backoff.ms` is half
a second there), unless they were started with `broker_defaults`.
"""

import time
from collections.abc import Mapping

from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic
from judge import PATIENCE_S, client_config
from machine import eventually

from kferry.sandbox import Cluster
from kferry.sandbox.load.cleaner import cleaned
from kferry.sandbox.load.shape import release_of

SEGMENT_MS = 500
_DAY_MS = 86_400_000
_LAG_SINCE = (2, 3)
_PUSH = b"push"


def busy_cleaner(
    cluster: Cluster,
    topic: str,
    *,
    partitions: int = 1,
    replicas: int = 1,
    segment_ms: int = SEGMENT_MS,
    tombstones_ms: int = _DAY_MS,
    configs: Mapping[str, str] | None = None,
) -> None:
    """Create a compacted topic whose superseded records go within a second or two.

    A segment ends with the first record whose time is `segment_ms` past that of the segment's
    first; the cleaner takes all segments but the last. So it needs records that keep coming, or a
    `push`. Tombstones stay for `tombstones_ms`.
    """
    busy = {
        "cleanup.policy": "compact",
        "min.cleanable.dirty.ratio": "0.001",
        "segment.ms": str(segment_ms),
        "segment.index.bytes": "65536",  # many small segments; 10 MB is set aside for each else
        "delete.retention.ms": str(tombstones_ms),
        "file.delete.delay.ms": "1000",
    }
    if release_of(cluster.version) >= _LAG_SINCE:
        busy["max.compaction.lag.ms"] = str(segment_ms)  # however little there is to gain
    wanted = NewTopic(topic, partitions, replicas, config={**busy, **(configs or {})})
    admin = AdminClient(dict(client_config(cluster.properties)))  # kept: its futures die with it
    admin.create_topics([wanted])[topic].result(PATIENCE_S)


def push(
    cluster: Cluster,
    topic: str,
    *,
    partitions: int = 1,
    segment_ms: int = SEGMENT_MS,
    times: int = 1,
) -> None:
    """End each partition's segment with a record of the key `push`, so that it can be cleaned.

    For records with times of up to now: its own lies just ahead of them.
    """
    producer = Producer({**client_config(cluster.properties)})
    now = int(time.time() * 1000)
    for number in range(1, times + 1):
        at = now + number * (segment_ms + 1)
        for partition in range(partitions):
            producer.produce(topic, b"%d" % at, _PUSH, partition=partition, timestamp=at)
        assert producer.flush(PATIENCE_S) == 0  # the times of one batch would stay in one segment


def clean(
    cluster: Cluster, topic: str, *, partitions: int = 1, segment_ms: int = SEGMENT_MS
) -> None:
    """Push, and wait until the cleaner has taken all it may, on every replica.

    For a topic that nobody else writes to just now.
    """
    # Twice: a partition that was empty has one segment after the first, and never counts as clean.
    push(cluster, topic, partitions=partitions, segment_ms=segment_ms, times=2)
    eventually(lambda: cleaned(cluster, topic))
