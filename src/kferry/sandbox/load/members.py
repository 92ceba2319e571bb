"""Consumers that a load leaves behind: as processes of the sandbox, or as a name in a group.

Owns their start. A process lies in a folder of the cluster like a broker, so whoever stops the
sandbox stops it, too.
"""

import sys
from contextlib import closing
from enum import StrEnum
from pathlib import Path

from kferry.sandbox.load.confluent import Consumer, TopicPartition
from kferry.sandbox.load.errors import LoadError
from kferry.sandbox.load.workbench import Workbench
from kferry.sandbox.process import Process

_MODULE = "kferry.sandbox.load.member"


class Kind(StrEnum):
    """The type of a group, as Kafka 4 calls it."""

    CLASSIC = "classic"
    CONSUMER = "consumer"
    SHARE = "share"


def start(bench: Workbench, kind: Kind, group: str) -> None:
    """Start a living member of `group` on the shape's topic; return when it has its partitions."""
    folder = bench.cluster.layout.folder / f"member-{group}"
    folder.mkdir()
    ready = folder / "ready"  # also what `Process` knows it by
    process = Process(folder)
    place = bench.cluster.layout.folder
    process.start([sys.executable, "-m", _MODULE, str(place), kind, group, bench.topic, str(ready)])
    bench.wait_until(lambda: ready.exists() or process.pid is None, f"a member of {group}")
    if process.pid is None:
        raise LoadError(f"the member of {group} ended", _last_words(process.log))
    if bench.lasting:
        process.release()


def join_and_go(bench: Workbench, group: str, *, session_ms: int) -> None:
    """Join as a static member, commit, and go without leaving (KIP-345)."""
    settings = {
        **bench.settings,
        "group.id": group,
        "group.instance.id": f"{group}-1",
        "session.timeout.ms": session_ms,
        "max.poll.interval.ms": session_ms,
        "enable.auto.commit": False,
    }
    with closing(Consumer(settings)) as consumer:
        consumer.subscribe([bench.topic])

        def assigned() -> bool:
            consumer.poll(0.1)
            return bool(consumer.assignment())

        bench.wait_until(assigned, f"the assignment of {group}")
        consumer.commit(
            offsets=[
                TopicPartition(bench.topic, one.partition, 50) for one in consumer.assignment()
            ],
            asynchronous=False,
        )


def _last_words(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-5:])
