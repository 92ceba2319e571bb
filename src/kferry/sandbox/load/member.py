"""A living member of a group: `member CLUSTER_FOLDER KIND GROUP TOPIC READY_FILE`.

A program, run by `members`. Reads a while, stands still at a known place, and stays in the group
until it is stopped: what it has committed is the same each time.
"""

import sys
from pathlib import Path

from kferry.sandbox import layout_file
from kferry.sandbox.cluster import Cluster
from kferry.sandbox.load.confluent import (
    Consumer,
    Settings,
    ShareConsumer,
    TopicPartition,
    client_settings,
)

_STANDS_AT = 150
_POLL_S = 1.0


def main(folder: str, kind: str, group: str, topic: str, ready_file: str) -> None:
    """Join `group` and stay."""
    settings = client_settings(Cluster(layout_file.load(Path(folder))))
    ready = Path(ready_file)
    if kind == "share":
        _share({**settings, "group.id": group}, topic, ready)
    else:
        _consume({**settings, "group.id": group, "group.protocol": kind}, topic, ready)


def _consume(settings: Settings, topic: str, ready: Path) -> None:
    consumer = Consumer({**settings, "enable.auto.commit": False})
    consumer.subscribe([topic])
    while not (own := consumer.assignment()):
        consumer.poll(_POLL_S)
    consumer.pause(own)
    places = [TopicPartition(topic, one.partition, _STANDS_AT) for one in own]
    consumer.commit(offsets=places, asynchronous=False)
    ready.touch()
    while True:
        consumer.poll(_POLL_S)


def _share(settings: Settings, topic: str, ready: Path) -> None:
    consumer = ShareConsumer(settings)
    consumer.subscribe([topic])
    while True:
        if consumer.poll(_POLL_S):
            consumer.commit_sync()
            ready.touch()


if __name__ == "__main__":
    main(*sys.argv[1:])
