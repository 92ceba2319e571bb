"""Numbered records, written and read back by a client that shares no code with kferry.

Owns the writing, the counting while a copy is at work, and the reading to the end. What the numbers
tell is judged by `verdict`.
"""

import time
from contextlib import closing

from kferry.sandbox.cluster import Cluster
from kferry.sandbox.errors import SandboxError
from kferry.sandbox.load.confluent import (
    AdminClient,
    Consumer,
    KafkaError,
    KafkaException,
    Message,
    NewTopic,
    Producer,
    TopicPartition,
    client_settings,
)

_PATIENCE_S = 30.0
_AT_ONCE = 10_000
_RECORDS_A_BATCH = 100
"""Small batches: a copy that is cut short has some of them, and not others."""
_FILLER = b" " + b"x" * 200
_KEYS = 97
_PASSING = frozenset(
    {
        KafkaError._TRANSPORT,  # noqa: SLF001  # librdkafka names its own codes so
        KafkaError._TIMED_OUT,  # noqa: SLF001  # as above
        KafkaError.LEADER_NOT_AVAILABLE,
        KafkaError.NOT_LEADER_FOR_PARTITION,
        KafkaError.UNKNOWN_TOPIC_OR_PART,
    }
)
"""What is said of a topic that somebody is just creating."""


class NumberedError(SandboxError):
    """Numbered records could not be written or read."""

    code = "K920"


def write_numbered(cluster: Cluster, topic: str, *, records: int, partitions: int) -> range:
    """Make a topic and write the numbers from 0 on into it, round-robin; return them."""
    settings = client_settings(cluster)
    admin = AdminClient(settings)  # kept: its futures die with it
    new = NewTopic(topic, partitions, cluster.layout.spec.replication)
    failures: list[KafkaError] = []

    def delivered(error: KafkaError | None, _: Message) -> None:
        if error is not None:
            failures.append(error)

    producer = Producer(
        {
            **settings,
            "enable.idempotence": True,
            "batch.num.messages": _RECORDS_A_BATCH,
            "message.timeout.ms": int(_PATIENCE_S * 1000),
        }
    )
    try:
        admin.create_topics([new], operation_timeout=_PATIENCE_S)[topic].result(_PATIENCE_S)
        for number in range(records):
            producer.produce(
                topic,
                b"%d" % number + _FILLER,
                b"%d" % (number % _KEYS),
                partition=number % partitions,
                on_delivery=delivered,
            )
            producer.poll(0)
        left = producer.flush(_PATIENCE_S)
    except (KafkaException, BufferError) as error:
        raise NumberedError(
            f"numbered records could not be written to {topic}", str(error)
        ) from error
    if left or failures:
        why = str(failures[0]) if failures else f"{left:,} got no answer"
        raise NumberedError(f"numbered records could not be written to {topic}", why)
    return range(records)


class Arrivals:
    """How many records a topic holds by now, asked again and again while others write to it."""

    def __init__(self, cluster: Cluster, topic: str) -> None:
        self._client = Consumer({**client_settings(cluster), "group.id": "numbered"})
        self._topic = topic

    def count(self) -> int:
        """Count; a topic that is not there yet holds none."""
        try:
            # Of all topics: asking for one by its name might create it.
            found = self._client.list_topics(timeout=_PATIENCE_S).topics.get(self._topic)
            if found is None or found.error is not None:
                return 0
            return sum(self._held(number) for number in found.partitions)
        except KafkaException as error:
            if error.args[0].code() in _PASSING:
                return 0
            raise NumberedError(f"{self._topic} cannot be looked at", str(error)) from error

    def close(self) -> None:
        """Let go of the connection."""
        self._client.close()

    def _held(self, partition: int) -> int:
        place = TopicPartition(self._topic, partition)
        low, high = self._client.get_watermark_offsets(place, timeout=_PATIENCE_S)
        return int(high - low)


def read_numbered(cluster: Cluster, topic: str) -> dict[int, list[int]]:
    """Read all there is, committed or not, in the order it stands there, by partition."""
    settings = {
        **client_settings(cluster),
        "group.id": "numbered",
        "enable.auto.commit": False,
        "enable.partition.eof": True,
        "auto.offset.reset": "earliest",
        "isolation.level": "read_uncommitted",
        "check.crcs": True,
    }
    with closing(Consumer(settings)) as consumer:
        found = consumer.list_topics(timeout=_PATIENCE_S).topics.get(topic)
        if found is None:
            return {}
        numbers: dict[int, list[int]] = {partition: [] for partition in sorted(found.partitions)}
        consumer.assign([TopicPartition(topic, partition, 0) for partition in numbers])
        open_ = set(numbers)
        deadline = time.monotonic() + _PATIENCE_S
        while open_:
            if time.monotonic() > deadline:
                raise NumberedError(f"{topic} was not read within {_PATIENCE_S:.0f} s")
            for message in consumer.consume(_AT_ONCE, timeout=0.1):
                _take(message, numbers, open_)
    return numbers


def _take(message: Message, numbers: dict[int, list[int]], open_: set[int]) -> None:
    error, partition = message.error(), message.partition()
    if partition is None:
        return
    if error is None:
        numbers[partition].append(int(bytes(message.value() or b"-1").split(b" ", 1)[0]))
    elif error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001  # as above
        open_.discard(partition)
    elif error.code() not in _PASSING:
        raise NumberedError(f"partition {partition} cannot be read", str(error))
