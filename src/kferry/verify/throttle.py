"""At most so many bytes per second.

Owns the waiting. Knows nothing of what is read.
"""

import asyncio

_LEAST = 64 * 1024


class Throttle:
    """At most so many bytes per second, over everything that is read."""

    def __init__(self, rate: int | None) -> None:
        self._rate = rate
        self._due = 0.0

    def share(self, most: int) -> int:
        """Return how many bytes to read at a time, so that it stays a matter of seconds."""
        return most if self._rate is None else max(_LEAST, min(most, self._rate))

    async def spend(self, size: int) -> None:
        """Wait until these bytes are paid for."""
        if self._rate is None:
            return
        now = asyncio.get_running_loop().time()
        self._due = max(self._due, now) + size / self._rate
        await asyncio.sleep(self._due - now)
