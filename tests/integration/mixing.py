"""Topics of every kind in one prefix, which grow and are cleaned while a copy of them is broken.

Owns what is written, and remembers it where the cleaner may take it: batches of usual size, tiny
ones, transactions of which some are aborted, compacted logs with holes, headers, old records.
"""

import random
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from cleaning import SEGMENT_MS, busy_cleaner
from confluent_kafka import TIMESTAMP_CREATE_TIME, Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic
from judge import PATIENCE_S, client_config
from judging import Headers, Records, Seen, read_all, same_records
from machine import eventually

from kferry.sandbox import Cluster, Sandbox
from kferry.sandbox.load.cleaner import cleaned

_MONTH_MS = 30 * 86_400_000
_FOR_EVER = {"retention.ms": "-1"}
_STEP_MS = 7
"""Between two records of a compacted topic: a segment ends with about each seventieth."""
_KEYS = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One topic of the mix. `share` says how much of each load it gets."""

    partitions: int = 2
    size: int = 400
    share: float = 1.0
    codec: str = "none"
    alone: bool = False
    """Each record in a batch of its own."""
    headers: bool = False
    compacted: bool = False
    transactions: bool = False
    age_ms: int = 0


KINDS: Mapping[str, Kind] = {
    "lz4": Kind(partitions=3, codec="lz4"),
    "plain": Kind(),
    "tiny": Kind(size=120, share=0.5, alone=True),
    "headers": Kind(partitions=1, share=0.3, codec="zstd", headers=True),
    "month-old": Kind(share=0.7, codec="lz4", age_ms=_MONTH_MS),
    "transactions": Kind(share=0.6, transactions=True),
    "compacted": Kind(size=250, compacted=True),
    "compacted-transactions": Kind(
        partitions=1, size=250, share=0.5, compacted=True, transactions=True
    ),
}


@dataclass(slots=True, kw_only=True)
class Mix:
    """Topics of these kinds on a cluster. Writes the same for the same seed, but for the times."""

    cluster: Cluster
    prefix: str
    seed: int
    kinds: Mapping[str, Kind] = field(default_factory=lambda: KINDS)
    committed: dict[str, dict[int, list[Seen]]] = field(default_factory=dict)
    """All that was ever to be seen in compacted topics."""
    _random: random.Random = field(init=False)
    _clock: int = field(init=False)
    _number: int = 0

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)
        # Far enough in the past that a whole campaign's steps do not reach the present.
        self._clock = int(time.time() * 1000) - 6 * 3_600_000

    @property
    def topics(self) -> list[str]:
        return [self.topic(name) for name in self.kinds]

    @property
    def partitions(self) -> int:
        return sum(kind.partitions for kind in self.kinds.values())

    def topic(self, name: str) -> str:
        return f"{self.prefix}-{name}"

    def create(self) -> None:
        admin = AdminClient(dict(client_config(self.cluster.properties)))
        for name, kind in self.kinds.items():
            topic = self.topic(name)
            if kind.compacted:
                busy_cleaner(self.cluster, topic, partitions=kind.partitions)
                self.committed[topic] = defaultdict(list)
            else:
                wanted = NewTopic(topic, kind.partitions, 1, config=_FOR_EVER)
                admin.create_topics([wanted])[topic].result(PATIENCE_S)

    def write(self, records: int) -> None:
        """Write to every topic, as many as its share of this."""
        for name, kind in self.kinds.items():
            if kind.transactions:
                self._transactions(name, kind, int(records * kind.share))
            else:
                self._plainly(name, kind, int(records * kind.share))

    def clean(self) -> None:
        """Wait until the cleaner has taken all it may; the last segments are not its own."""
        for name, kind in self.kinds.items():
            if kind.compacted:
                self._roll(name, kind)
        eventually(lambda: all(cleaned(self.cluster, topic) for topic in self.committed))

    def assert_copied(self, sandbox: Sandbox) -> dict[str, Records]:
        """Insist that a finished copy is exact; return what lies on the target."""
        found = {}
        for name, kind in self.kinds.items():
            topic = self.topic(name)
            source = read_all(sandbox.source, topic)
            found[topic] = read_all(sandbox.target, topic, "read_uncommitted")
            same_records(
                source,
                found[topic],
                compacted=kind.compacted,
                written=self.committed.get(topic),
                topic=topic,
            )
        return found

    def _plainly(self, name: str, kind: Kind, records: int) -> None:
        producer = self._producer(kind)
        for _ in range(records):
            self._remember(name, [self._one(producer, name, kind)])
        assert producer.flush(PATIENCE_S) == 0

    def _transactions(self, name: str, kind: Kind, records: int) -> None:
        """A third is aborted. Several at a time, unless what comes after what must be known."""
        identity = f"{self.topic(name)}-{self._random.getrandbits(32):08x}"
        producers = [
            self._producer(kind, identity=f"{identity}-{number}")
            for number in range(1 if kind.compacted else 2)
        ]
        for producer in producers:
            producer.init_transactions(PATIENCE_S)
        left = records
        while left > 0:
            for producer in producers:
                producer.begin_transaction()
            own: dict[Producer, list[tuple[int, Seen]]] = defaultdict(list)
            for _ in range(self._random.randint(4, 60)):
                producer = self._random.choice(producers)
                own[producer].append(self._one(producer, name, kind))
                left -= 1
                if self._random.random() < 0.1:
                    assert producer.flush(PATIENCE_S) == 0
            for producer in producers:
                assert producer.flush(PATIENCE_S) == 0
                if self._random.random() < 1 / 3:
                    producer.abort_transaction(PATIENCE_S)
                else:
                    producer.commit_transaction(PATIENCE_S)
                    self._remember(name, own[producer])

    def _remember(self, name: str, seen: Iterable[tuple[int, Seen]]) -> None:
        if self.kinds[name].compacted:
            for partition, one in seen:
                self.committed[self.topic(name)][partition].append(one)

    def _roll(self, name: str, kind: Kind) -> None:
        """End every partition's segment twice, with records that are copied like all others."""
        producer = self._producer(kind)
        for _ in range(2):
            self._clock += SEGMENT_MS + 1
            for partition in range(kind.partitions):
                value, at = b"%d" % self._clock, self._clock
                producer.produce(
                    self.topic(name), value, b"roll", partition=partition, timestamp=at
                )
                self._remember(name, [(partition, _seen(b"roll", value, (), at))])
            assert producer.flush(PATIENCE_S) == 0  # the times of a batch stay in one segment

    def _one(self, producer: Producer, name: str, kind: Kind) -> tuple[int, Seen]:
        draw = self._random
        self._number += 1
        number = self._number
        if kind.compacted:
            self._clock += _STEP_MS
        at = self._clock if kind.compacted else int(time.time() * 1000) - kind.age_ms
        key = b"key-%d" % (draw.randrange(_KEYS) if kind.compacted else number)
        partition = draw.randrange(kind.partitions)
        # Random bytes: what is to be slow must not shrink.
        value: bytes | None = b"%d " % number + draw.randbytes(draw.randint(10, 2 * kind.size))
        if kind.compacted and draw.random() < 0.05:
            value = None
        headers: Headers = ()
        if kind.headers:
            headers = (("again", b"1"), ("again", b"%d" % number), ("none", None), ("empty", b""))
        topic = self.topic(name)
        while True:
            try:
                producer.produce(
                    topic,
                    value,
                    key,
                    partition=partition,
                    timestamp=at,
                    headers=list(headers) or None,
                )
                break
            except BufferError:
                producer.poll(0.1)
        return partition, _seen(key, value, headers, at)

    def _producer(self, kind: Kind, *, identity: str = "") -> Producer:
        config = {
            **client_config(self.cluster.properties),
            "enable.idempotence": True,
            "linger.ms": 5,
            "batch.size": 16_384,
            "compression.type": kind.codec,
            **({"batch.num.messages": 1} if kind.alone else {}),
            **({"transactional.id": identity} if identity else {}),
        }
        return Producer(config)


def _seen(key: bytes | None, value: bytes | None, headers: Headers, at: int) -> Seen:
    return Seen(-1, at, TIMESTAMP_CREATE_TIME, key, value, headers)
