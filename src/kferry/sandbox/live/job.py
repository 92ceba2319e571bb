"""What a client of the live traffic works with.

Owns the bundle, the pace, and what a record looks like. Knows no client library.
"""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import cycle

from kferry.sandbox.live.journal import Journal, Run, key_of
from kferry.sandbox.live.reins import Reins
from kferry.sandbox.live.spec import KEYS, LiveSpec
from kferry.sandbox.load.confluent import Settings

TICK_S = 0.05
_MOST_AT_ONCE_S = 1.0
"""After a standstill nobody catches up on more than this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One life of one client."""

    spec: LiveSpec
    run: Run
    settings: Settings
    version: str
    next_numbers: Mapping[str, int]
    journal: Journal
    reins: Reins


class Numbers:
    """The next record of each key in turn: strictly ascending numbers, no two ever the same."""

    def __init__(self, job: Job) -> None:
        client = job.run.client
        self._topics = {
            key_of(client, topic, number): topic
            for number in range(KEYS)
            for topic in job.run.topics
        }
        self._next = {key: job.next_numbers.get(key, 0) for key in self._topics}
        self._turn = cycle(self._topics)
        self._filler = b" " + b"x" * max(0, job.spec.size - 10)

    def take(self, count: int) -> Iterator[tuple[str, int]]:
        """Return the next ones; they are used up, whatever becomes of them."""
        for _ in range(count):
            key = next(self._turn)
            number = self._next[key]
            self._next[key] += 1
            yield key, number

    def topic(self, key: str) -> str:
        """Return where a key's records go."""
        return self._topics[key]

    def value(self, number: int) -> bytes:
        """Return what a record with this number holds."""
        return b"%d" % number + self._filler


class Pace:
    """How many records are due."""

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._since = time.monotonic()

    def due(self) -> int:
        """Return how many since the last call."""
        now = time.monotonic()
        self._since = max(self._since, now - _MOST_AT_ONCE_S)
        count = int((now - self._since) * self._rate)
        self._since += count / self._rate
        return count

    def rest(self) -> None:
        """Let nothing be due."""
        self._since = time.monotonic()
