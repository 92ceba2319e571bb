"""What is carried: records made with confluent-kafka, in batches of a known shape.

Owns the loads. Values are noise that hardly shrinks, which is in favour of whoever compresses
anew; the JSON loads shrink as JSON does.
"""

import random
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from bench.contest import topics
from bench.contest.options import Options
from kferry.sandbox import Cluster
from kferry.sandbox.load.cleaner import cleaned
from kferry.sandbox.load.confluent import KafkaError, Message, Producer, Settings, client_settings

MONTH_MS = 30 * 24 * 3600 * 1000
HOUR_MS = 3600 * 1000
_BLOB = random.Random(5).randbytes(16 << 20)
_STEP = 104_729  # a prime: neighbours share nothing
_PATIENCE_S = 300.0
_POLL_EVERY = 5_000


class Record(NamedTuple):
    """One record to be written."""

    partition: int
    key: bytes | None
    value: bytes
    timestamp: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """A load, before it is made."""

    what: str
    records: int
    make: Callable[[int, int], Iterator[Record]]
    """From a number of records and of partitions."""
    batch_bytes: int
    codec: str = "none"
    partitions: int = 8
    batch_records: int = 100_000
    producers: int = 1
    configs: Mapping[str, str] = field(default_factory=dict)
    cleaned: bool = False
    few_partitions: bool = True
    """Whether a smaller scale means fewer records in as many partitions, or in fewer."""

    def scaled(self, options: Options) -> "Recipe":
        """Return the part of it that these options ask for."""
        partitions = self.partitions
        if not self.few_partitions:
            partitions = options.scaled(partitions)
        records = options.scaled(self.records, least=partitions)
        return replace(self, records=records, partitions=partitions)


def fill(cluster: Cluster, topic: str, recipe: Recipe) -> None:
    """Make the topic, and return when every record is there and the cleaner, if any, has gone."""
    topics.create(cluster, topic, recipe.partitions, {"retention.ms": "-1", **recipe.configs})
    write(cluster, topic, recipe)
    if recipe.cleaned:
        _wait_for_cleaner(cluster, topic)


def write(cluster: Cluster, topic: str, recipe: Recipe) -> None:
    """Write the records, and return when every one is there."""
    failures: list[KafkaError] = []

    def delivered(error: KafkaError | None, _: Message) -> None:
        if error is not None:
            failures.append(error)

    producers = [Producer(_settings(cluster, recipe)) for _ in range(recipe.producers)]
    for number, record in enumerate(recipe.make(recipe.records, recipe.partitions)):
        # One producer per partition: their order is the recipe's.
        producer = producers[record.partition % len(producers)]
        _send(producer, topic, record, delivered)
        if number % _POLL_EVERY == 0:
            for each in producers:
                each.poll(0)
    for producer in producers:
        if left := producer.flush(_PATIENCE_S):
            raise RuntimeError(f"{left} records of {topic} did not arrive")
    if failures:
        raise RuntimeError(f"{len(failures)} records of {topic} were refused: {failures[0].str()}")


def noise(key_bytes: int, value_bytes: int, *, age_ms: int = 0) -> Callable[..., Iterator[Record]]:
    """Records of one size, as old as that, spread over the partitions by turns."""

    def make(records: int, partitions: int) -> Iterator[Record]:
        since = _now() - age_ms
        room = len(_BLOB) - value_bytes
        for number in range(records):
            at = number * _STEP % room
            yield Record(
                number % partitions,
                number.to_bytes(key_bytes, "big"),
                _BLOB[at : at + value_bytes],
                since + number // 1000,
            )

    return make


def orders(records: int, partitions: int) -> Iterator[Record]:
    """JSON as applications write it, about 250 bytes each."""
    since = _now()
    for number in range(records):
        customer = number * 7919 % 100_003
        at = number * _STEP % (len(_BLOB) - 20)
        trace = _BLOB[at : at + 16].hex()
        yield Record(
            number % partitions,
            b"order-%d" % number,
            (
                f'{{"id":{number},"customer":"customer-{customer}","currency":"EUR","amount":'
                f'{number * 31 % 99_991 / 100},"status":"{("new", "paid", "sent")[number % 3]}",'
                f'"lines":[{{"article":{number * 17 % 5003},"count":{number % 7 + 1}}},{{"article":'
                f'{number * 13 % 5003},"count":{number % 3 + 1}}}],"trace":"{trace}",'
                f'"shop":"https://shop.example/orders/{number}"}}'
            ).encode(),
            since + number // 1000,
        )


def updates(records: int, partitions: int) -> Iterator[Record]:
    """Updates of keys at random, of which compaction leaves 60 %; then one record that ends it.

    With x records for each key, (1 - e^-x) / x of them stay: 0.6 at x = 1.13. The cleaner leaves
    the newest segment alone; a record two hours on begins a new one (segment.ms).
    """
    chance = random.Random(7)
    keys = max(1, round(records / partitions / 1.13))
    since = _now() - 3 * HOUR_MS
    for number in range(records):
        at = number * _STEP % (len(_BLOB) - 92)
        key = chance.randrange(keys).to_bytes(8, "big")
        yield Record(number % partitions, key, _BLOB[at : at + 92], since + number // 1000)
    for partition in range(partitions):
        yield Record(partition, b"the end.", b"", since + 2 * HOUR_MS)


COMPACTED = {
    "cleanup.policy": "compact",
    "min.cleanable.dirty.ratio": "0.01",
    "segment.ms": str(HOUR_MS),
    "segment.bytes": str(8 << 20),
}


def _send(
    producer: Producer,
    topic: str,
    record: Record,
    delivered: Callable[[KafkaError | None, Message], None],
) -> None:
    while True:
        try:
            producer.produce(
                topic,
                value=record.value,
                key=record.key,
                partition=record.partition,
                timestamp=record.timestamp,
                on_delivery=delivered,
            )
        except BufferError:  # the queue is full: let some of it arrive
            producer.poll(0.05)
        else:
            return


def _settings(cluster: Cluster, recipe: Recipe) -> Settings:
    return {
        **client_settings(cluster),
        "acks": "all",
        "retries": 0,  # a repeated request may be a repeated record: better none at all
        # One: without idempotence more could reorder; single records need them, and keep order
        # because nothing is tried again.
        "max.in.flight.requests.per.connection": 100 if recipe.batch_records == 1 else 5,
        "linger.ms": 0 if recipe.batch_records == 1 else 2_000,
        "message.timeout.ms": int(_PATIENCE_S * 1000),
        "request.timeout.ms": 120_000,
        "batch.size": recipe.batch_bytes,
        "batch.num.messages": recipe.batch_records,
        "queue.buffering.max.messages": 500_000,
        "queue.buffering.max.kbytes": 256 << 10,
        "compression.type": recipe.codec,
    }


def _wait_for_cleaner(cluster: Cluster, topic: str) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while not cleaned(cluster, topic):
        if time.monotonic() > deadline:
            raise RuntimeError(f"the cleaner did not finish {topic} within {_PATIENCE_S:.0f} s")
        time.sleep(0.5)


def _now() -> int:
    return int(time.time() * 1000)
