"""One way through a relay: how fast its bytes pass, and what happens to them.

Owns the conditions of one direction, shared by all connections of a relay. Knows no socket.
"""

import asyncio
from dataclasses import dataclass, field
from enum import StrEnum


class Way(StrEnum):
    """A direction, named by what travels in it."""

    REQUESTS = "requests"
    ANSWERS = "answers"


class Struck(Exception):
    """The byte that was waited for has passed: the connection ends here."""


def _open() -> asyncio.Event:
    event = asyncio.Event()
    event.set()
    return event


@dataclass(slots=True, kw_only=True)
class Lane:
    """The conditions of one direction. All may be changed while bytes pass."""

    bytes_per_second: float | None = None
    latency: float = 0.0
    passed: int = 0
    """Bytes that went through so far, over all connections."""
    flowing: asyncio.Event = field(default_factory=_open)
    _strike_at: int | None = None
    _struck: asyncio.Event = field(default_factory=asyncio.Event)

    def strike_after(self, count: int) -> asyncio.Event:
        """End the connection that passes the byte after the next `count`; return what tells."""
        self._strike_at = self.passed + count
        self._struck = asyncio.Event()
        return self._struck

    def mend(self) -> None:
        """Let everything pass, at once."""
        self.bytes_per_second = None
        self.latency = 0.0
        self._strike_at = None
        self.flowing.set()

    def allow(self, count: int) -> int:
        """Return how many of `count` bytes may pass before the connection is to end."""
        return count if self._strike_at is None else min(count, self._strike_at - self.passed)

    def note(self, count: int) -> None:
        """Count bytes that have passed; raise if the connection ends with them."""
        self.passed += count
        if self._strike_at is not None and self.passed >= self._strike_at:
            self._strike_at = None
            self._struck.set()
            raise Struck
