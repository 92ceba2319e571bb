"""When the next record of a topic reaches a consumer.

Owns one waiting consumer. It is there before the command starts, so that its own start does not
count.
"""

import time
from types import TracebackType
from typing import Self

from kferry.sandbox import Cluster
from kferry.sandbox.load.confluent import Consumer, TopicPartition, client_settings

_PATIENCE_S = 120.0


class Arrival:
    """Waits at the end of a topic."""

    def __init__(self, cluster: Cluster, topic: str) -> None:
        self._consumer = Consumer(
            {
                **client_settings(cluster),
                "group.id": "bench-arrival",  # asked for, not used: assigned by hand
                "enable.auto.commit": False,
            }
        )
        found = self._consumer.list_topics(topic, timeout=_PATIENCE_S).topics[topic].partitions
        ends = [
            self._consumer.get_watermark_offsets(TopicPartition(topic, number), _PATIENCE_S)[1]
            for number in found
        ]
        self._consumer.assign(
            [TopicPartition(topic, number, end) for number, end in zip(found, ends, strict=True)]
        )
        self._consumer.poll(0.5)  # the fetch is on its way: nothing is left to be looked up

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._consumer.close()

    def drain(self, quiet_s: float = 1.0) -> None:
        """Take what else comes, until nothing has for a while."""
        while self._consumer.poll(quiet_s) is not None:
            pass

    def wait(self, what: str) -> float:
        """Return the moment, by `time.perf_counter`, at which a record is there."""
        message = self._consumer.poll(_PATIENCE_S)
        if message is None or message.error():
            raise RuntimeError(f"{what}: nothing arrived within {_PATIENCE_S:.0f} s")
        return time.perf_counter()
