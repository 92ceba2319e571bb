"""Transactions: committed, aborted, interleaved, and one that nobody ends.

Owns the shapes that are about what a transaction leaves in a log, and about positions in there.
"""

import time
from collections.abc import Iterator

from kferry.sandbox.load.confluent import TopicPartition
from kferry.sandbox.load.record import Record, filled, time_of
from kferry.sandbox.load.shape import PREFIX, Shape, Topic
from kferry.sandbox.load.workbench import Workbench

_SINCE = (0, 11)
_LIMIT = "transactions came with KIP-98"
_LONGEST = "transaction.max.timeout.ms"

_ON_MARKER = f"{PREFIX}transactions-on-marker"
_IN_ABORTED = f"{PREFIX}transactions-in-aborted"


class _Log:
    """One partition that grows; knows where its end must be, so that markers land where we say.

    A marker is written after the broker has confirmed the end of the transaction (measured): what
    is written right away may come to stand before it.
    """

    def __init__(self, bench: Workbench, partition: int) -> None:
        self.end = 0
        self._bench = bench
        self._partition = partition

    def records(self, count: int) -> Iterator[Record]:
        """Return the next records of this partition."""
        chance = self._bench.dice(f"{self._partition}/{self.end}")
        for offset in range(self.end, self.end + count):
            name = f"{self._partition}/{offset}".encode()
            yield Record(
                partition=self._partition,
                key=name,
                value=filled(chance, name, 60),
                timestamp=time_of(offset),
            )
        self.end += count

    def marked(self) -> None:
        """Wait until a marker has taken the next offset."""
        self.end += 1
        self._bench.wait_for_bounds(self._bench.topic, self._partition, (0, self.end))


def _transactions(bench: Workbench) -> None:
    topic, one, both = bench.topic, _Log(bench, 0), _Log(bench, 1)
    with (
        bench.transactional_writer("first") as first,
        bench.transactional_writer("second") as second,
        bench.writer() as plain,
    ):
        first.begin()  # committed: 0 to 9, the marker at 10
        first.write_batch(topic, one.records(10))
        first.commit()
        one.marked()

        first.begin()  # aborted: 11 to 15, the marker at 16
        first.write_batch(topic, one.records(5))
        first.abort()
        one.marked()

        first.begin()  # over two partitions
        first.write_batch(topic, one.records(4))
        first.write_batch(topic, both.records(4))
        first.commit()
        one.marked()
        both.marked()

        first.begin()  # two at a time, one aborted, and a bystander who is in neither
        second.begin()
        first.write_batch(topic, both.records(3))
        second.write_batch(topic, both.records(3))
        plain.write_batch(topic, both.records(3))
        first.write_batch(topic, both.records(3))
        second.abort()
        both.marked()
        first.commit()
        both.marked()
    bench.commit(_ON_MARKER, [TopicPartition(topic, 0, 10)])
    bench.commit(_IN_ABORTED, [TopicPartition(topic, 0, 13)])


def _open(bench: Workbench) -> None:
    topic, log = bench.topic, _Log(bench, 0)
    longest = bench.broker_setting(_LONGEST)
    with bench.transactional_writer("first") as first:
        first.begin()
        first.write_batch(topic, log.records(10))
        first.commit()
        log.marked()
    with (
        bench.transactional_writer("open", timeout_ms=longest) as writer,
        bench.writer() as plain,
    ):
        writer.begin()
        writer.write_batch(topic, log.records(3))
        plain.write_batch(topic, log.records(5))
        # We go without a word, as a process does that dies.
    until = time.strftime("%H:%M", time.localtime(time.time() + longest / 1000))
    bench.notes.append(
        f"open from offset 11, until {until}: after {longest // 60_000} min ({_LONGEST}) "
        "the broker aborts it"
    )


SHAPES = (
    Shape(
        name="transactions",
        about="committed, aborted, over two partitions, interleaved; positions on a marker",
        fill=_transactions,
        topics=(Topic(name=f"{PREFIX}transactions", partitions=2),),
        groups=(_ON_MARKER, _IN_ABORTED),
        since=_SINCE,
        limit=_LIMIT,
    ),
    Shape(
        name="open-transaction",
        about="a transaction whose process has gone; records follow behind it",
        fill=_open,
        topics=(Topic(name=f"{PREFIX}open-transaction"),),
        since=_SINCE,
        limit=_LIMIT,
    ),
)
