"""What a group reads again, or never reads, after its move: kferry beside MirrorMaker 2.

Groups stand at 1 to 100 % of a plain, a compacted and a transactional topic. Both tools copy the
topics and take the positions along; then a real consumer reads on, on the target, from what is
committed there. MirrorMaker 2 runs as a user would start it, with its offsets synced every second
rather than every minute and the topic of its own name policy; a position that it does not commit is
counted as a start at the beginning, which is what `auto.offset.reset=earliest` makes of it.
"""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from confluent_kafka import Consumer, KafkaError, Producer, TopicPartition

from bench.contest import mirror_maker, topics
from bench.contest.options import Options
from bench.contest.results import Contender, Result, contender
from bench.record import KFERRY
from kferry.config.properties import parse_properties, render_properties
from kferry.sandbox import Cluster, Sandbox, tool_command
from kferry.sandbox.load.confluent import AdminClient, client_settings

_RECORDS = 100_000
_PERCENTS = (1, 10, 50, 90, 99, 100)
_PREFIX = "moved-"
_KINDS: Mapping[str, Mapping[str, str]] = {
    "plain": {},
    "compacted": {
        "cleanup.policy": "compact",
        "min.cleanable.dirty.ratio": "0.01",
        "segment.ms": "1000",
        "max.compaction.lag.ms": "1000",
    },
    "transactional": {},
}
_KEYS = 20_000
_IN_A_TRANSACTION, _ABORTED_EVERY = 50, 5
_DEADLINE_S = 300.0
_SETTLED_S = 20.0
"""MirrorMaker 2 syncs every second: what stands so long is its last word."""
_SOURCE_ALIAS = "s"
_MM2 = "connect-mirror-maker.sh bench/groups_moved.py:_mm2_settings"
_KFERRY = "kferry copy --source A --target B --topic …; kferry groups sync --source A --target B"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Topic:
    """A topic as a reader of committed records sees it."""

    name: str
    offsets: Sequence[int]
    ids: Sequence[str]
    end: int

    def position(self, percent: int) -> int:
        """Return where a group stands that has read so much."""
        read = len(self.offsets) * percent // 100
        return self.offsets[read] if read < len(self.offsets) else self.end

    def unread(self, percent: int) -> list[str]:
        return list(self.ids[len(self.ids) * percent // 100 :])


def run(options: Options) -> Sequence[Result]:
    records = options.scaled(_RECORDS, least=2_000)
    found: list[Contender] = []
    with Sandbox.start(name=f"bench-{os.getpid()}") as sandbox:
        for kind, configs in _KINDS.items():
            topics.create(sandbox.source, _PREFIX + kind, 1, configs)
            _write(sandbox.source, kind, records)
        held = {kind: _held(sandbox.source, kind, records) for kind in _KINDS}
        for kind, topic in held.items():
            print(f"  {kind}: {len(topic.ids):,} records to {topic.end:,}", file=sys.stderr)
            for percent in _PERCENTS:
                _stand(sandbox.source, _group(kind, percent), topic, percent)
        if options.takes_part("mm2"):
            _mirror_maker_2(sandbox, held)
            found += _judged(sandbox, held, "MirrorMaker 2 4.3.1", _MM2, f"{_SOURCE_ALIAS}.")
        if options.takes_part("kferry"):
            _kferry(sandbox, held)
            found += _judged(sandbox, held, "kferry groups sync", _KFERRY, "")
    return found


def _group(kind: str, percent: int) -> str:
    return f"{_PREFIX}{kind}-{percent}"


def _write(cluster: Cluster, kind: str, records: int) -> None:
    transactional = kind == "transactional"
    identity = {"transactional.id": f"{_PREFIX}{kind}"} if transactional else {}
    producer = Producer({**client_settings(cluster), "linger.ms": 10, **identity})
    if transactional:
        producer.init_transactions(_DEADLINE_S)
    for number in range(records):
        if transactional and number % _IN_A_TRANSACTION == 0:
            producer.begin_transaction()
        producer.produce(_PREFIX + kind, f"{number:08}", key=str(number * 7919 % _KEYS))
        if transactional and number % _IN_A_TRANSACTION == _IN_A_TRANSACTION - 1:
            aborts = number // _IN_A_TRANSACTION % _ABORTED_EVERY == 0
            (producer.abort_transaction if aborts else producer.commit_transaction)(_DEADLINE_S)
        elif number % 1_000 == 0:
            producer.poll(0)
            if not transactional:
                producer.flush(_DEADLINE_S)
    producer.flush(_DEADLINE_S)


def _held(cluster: Cluster, kind: str, records: int) -> _Topic:
    """Read what is there, of a compacted topic once the cleaner has stood still."""
    name = _PREFIX + kind
    topic = _read(cluster, name)
    deadline = time.monotonic() + _DEADLINE_S
    while kind == "compacted":
        # A segment is closed by a record that comes after its time.
        producer = Producer(client_settings(cluster))
        producer.produce(name, f"{time.time_ns()}", key="last")
        producer.flush(_DEADLINE_S)
        time.sleep(2)
        before, topic = len(topic.ids), _read(cluster, name)
        if len(topic.ids) < records // 2 and len(topic.ids) <= before:
            return topic
        if time.monotonic() > deadline:
            raise RuntimeError("the cleaner has not come")
    return topic


def _read(cluster: Cluster, name: str, start: int = 0) -> _Topic:
    config = {
        **client_settings(cluster),
        "group.id": f"{_PREFIX}reader",
        "enable.auto.commit": False,
        "enable.partition.eof": True,
        "auto.offset.reset": "error",
    }
    offsets: list[int] = []
    ids: list[str] = []
    with closing(Consumer(config)) as consumer:
        consumer.assign([TopicPartition(name, 0, start)])
        while True:
            for message in consumer.consume(1_000, 1.0):
                error = message.error()
                if error is None:
                    offsets.append(message.offset() or 0)
                    ids.append((message.value() or b"").decode())
                elif error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 its only name
                    return _Topic(name=name, offsets=offsets, ids=ids, end=message.offset() or 0)
                else:
                    raise RuntimeError(str(error))


def _stand(cluster: Cluster, group: str, topic: _Topic, percent: int) -> None:
    with closing(Consumer({**client_settings(cluster), "group.id": group})) as consumer:
        position = TopicPartition(topic.name, 0, topic.position(percent))
        consumer.commit(offsets=[position], asynchronous=False)


def _committed(cluster: Cluster, group: str, topic: str) -> int | None:
    with closing(Consumer({**client_settings(cluster), "group.id": group})) as consumer:
        (found,) = consumer.committed([TopicPartition(topic, 0)], timeout=_DEADLINE_S)
        return found.offset if found.offset >= 0 else None


def _kferry(sandbox: Sandbox, held: Mapping[str, _Topic]) -> None:
    where = ["--source", sandbox.source.bootstrap, "--target", sandbox.target.bootstrap]
    named = [word for topic in held.values() for word in ("--topic", topic.name)]
    for verb in (["copy", *named, "--until-caught-up"], ["groups", "sync", "--yes"]):
        subprocess.run(
            [KFERRY, *verb, *where, "--json"], check=True, stdout=subprocess.DEVNULL, timeout=600
        )


def _mirror_maker_2(sandbox: Sandbox, held: Mapping[str, _Topic]) -> None:
    """Run it until everything is copied and what it commits has stood still."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "mm2.properties"
        file.write_text(render_properties(_mm2_settings(sandbox)))
        environment = {**os.environ, "KAFKA_HEAP_OPTS": mirror_maker.HEAP}
        command = tool_command(
            sandbox.target, mirror_maker.MAIN_CLASS, str(file), environment=environment
        )
        process = subprocess.Popen(
            command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            _until_settled(sandbox.target, held)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(_DEADLINE_S)


def _mm2_settings(sandbox: Sandbox) -> dict[str, str]:
    flow = f"{_SOURCE_ALIAS}->t"
    settings = {
        "clusters": f"{_SOURCE_ALIAS}, t",
        f"{flow}.enabled": "true",
        f"{flow}.topics": f"{_PREFIX}.*",
        f"{flow}.groups": f"{_PREFIX}.*",
        f"t->{_SOURCE_ALIAS}.enabled": "false",
        "replication.factor": "1",
        # The copy keeps what it gets: no cleaner of the target takes part in the count.
        "config.properties.exclude": ".*",
        "sync.topic.acls.enabled": "false",
        "emit.heartbeats.enabled": "false",
        "emit.checkpoints.interval.seconds": "1",
        "sync.group.offsets.enabled": "true",
        "sync.group.offsets.interval.seconds": "1",
        "refresh.groups.interval.seconds": "5",
        f"{_SOURCE_ALIAS}.consumer.isolation.level": "read_committed",
        **{
            f"{name}.replication.factor": "1"
            for name in (
                *("checkpoints.topic", "heartbeats.topic", "offset-syncs.topic"),
                *("offset.storage", "status.storage", "config.storage"),
            )
        },
    }
    for alias, cluster in ((_SOURCE_ALIAS, sandbox.source), ("t", sandbox.target)):
        entries = parse_properties(cluster.properties.read_text())
        settings |= {f"{alias}.{key}": entry.value for key, entry in entries.items()}
    return settings


def _until_settled(target: Cluster, held: Mapping[str, _Topic]) -> None:
    admin = AdminClient(client_settings(target))
    deadline = time.monotonic() + 2 * _DEADLINE_S
    before: object = None
    since = time.monotonic()
    while time.monotonic() < deadline:
        time.sleep(2)
        there = admin.list_topics(timeout=_DEADLINE_S).topics
        names = {kind: f"{_SOURCE_ALIAS}.{topic.name}" for kind, topic in held.items()}
        if not there.keys() >= set(names.values()):
            continue
        if any(len(_read(target, names[kind]).ids) < len(held[kind].ids) for kind in held):
            continue
        now = [_committed(target, _group(k, p), names[k]) for k in held for p in _PERCENTS]
        if now != before or not any(one is not None for one in now):
            before, since = now, time.monotonic()
        elif time.monotonic() - since > _SETTLED_S:
            return
    raise RuntimeError("MirrorMaker 2 has not come to an end")


def _judged(
    sandbox: Sandbox, held: Mapping[str, _Topic], name: str, command: str, prefix: str
) -> list[Contender]:
    return [
        contender(
            f"{name}, {kind}, at {percent} %",
            command,
            [_counted(sandbox.target, topic, prefix + topic.name, _group(kind, percent), percent)],
        )
        for kind, topic in held.items()
        for percent in _PERCENTS
    ]


def _counted(
    target: Cluster, topic: _Topic, name: str, group: str, percent: int
) -> dict[str, float]:
    committed = _committed(target, group, name)
    found = _read(target, name, committed or 0).ids
    unread = set(topic.unread(percent))
    return {
        "again": float(sum(one not in unread for one in found)),
        "skipped": float(len(unread - set(found))),
        "no_position": float(committed is None),
    }
