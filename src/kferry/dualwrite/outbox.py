"""What the application is to hear, and how much it still waits for.

Owns the hand-over from our threads to the application's: callbacks run in poll() and flush(), where
confluent-kafka runs them.
"""

import threading
import time
from collections import deque
from typing import Any

from kferry.dualwrite.client import Callback, Room

_Event = tuple[Callback, tuple[Any, ...], int | None]


class Outbox:
    """Events in the order they happened, and a count of records that have none yet."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._events: deque[_Event] = deque()
        self._news = threading.Condition(threading.Lock())
        self._records = 0
        self._octets = 0

    def __len__(self) -> int:
        return self._records

    def enter(self, octets: int) -> None:
        """Count a record that is about to be sent; refuse it when too many wait."""
        with self._news:
            if self._records >= self._room.records or self._octets >= self._room.octets:
                raise BufferError("Local: Queue full")
            self._records += 1
            self._octets += octets

    def leave(self, octets: int) -> None:
        """Count a record out that nobody wants to hear of."""
        with self._news:
            self._records -= 1
            self._octets -= octets
            self._news.notify_all()

    def report(self, callback: Callback, arguments: tuple[Any, ...], octets: int) -> None:
        """Have a record reported; it counts until it is."""
        with self._news:
            self._events.append((callback, arguments, octets))
            self._news.notify_all()

    def tell(self, callback: Callback, arguments: tuple[Any, ...]) -> None:
        """Have something else told."""
        with self._news:
            self._events.append((callback, arguments, None))
            self._news.notify_all()

    def poll(self, timeout: float | None) -> int:
        """Serve what there is, after waiting for something; return how many were served."""
        if not self._events and timeout != 0:  # most calls only look, and many at each record
            with self._news:
                self._news.wait_for(lambda: self._events, None if _for_ever(timeout) else timeout)
        return self._serve(len(self._events))

    def flush(self, timeout: float | None) -> int:
        """Serve until nothing is waited for; return how many still are."""
        deadline = None if timeout is None or timeout < 0 else time.monotonic() + timeout
        while True:
            self._serve(len(self._events))
            with self._news:
                if not self._records and not self._events:
                    return 0
                left = None if deadline is None else deadline - time.monotonic()
                if left is not None and left <= 0 and not self._events:
                    return self._records
                self._news.wait_for(lambda: self._events or not self._records, left)

    def _serve(self, most: int) -> int:
        served = 0
        while served < most:
            with self._news:
                if not self._events:  # another thread of the application was quicker
                    break
                callback, arguments, octets = self._events.popleft()
                if octets is not None:
                    self._records -= 1
                    self._octets -= octets
                    self._news.notify_all()
            served += 1
            callback(*arguments)
        return served


def _for_ever(timeout: float | None) -> bool:
    return timeout is None or timeout < 0
