"""How much may be in memory, and how fast it may come.

Owns the byte budget over everything between the two clusters, and the token bucket of `--rate`.
"""

import asyncio


class Budget:
    """Bytes that are fetched and not yet acknowledged, over all lanes."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.held = 0
        self.waiting: set[asyncio.Event] = set()
        """Set whenever bytes are freed."""

    @property
    def left(self) -> int:
        """Bytes that may still be fetched."""
        return self.limit - self.held

    def hold(self, size: int) -> None:
        """Count bytes in, or out where negative, and wake who waits for room."""
        self.held += size
        if size < 0:
            for event in self.waiting:
                event.set()


class Bucket:
    """A rate in bytes a second, changeable at any time; None is no limit."""

    def __init__(self, rate: int | None = None) -> None:
        self.rate = rate
        self.brake: int | None = None
        """Another limit, while a cluster is not well."""
        self._owed_until = 0.0

    @property
    def effective(self) -> int | None:
        """The lower of the two."""
        return min((one for one in (self.rate, self.brake) if one), default=None)

    def spend(self, size: int) -> None:
        """Count bytes that came."""
        if rate := self.effective:
            now = asyncio.get_running_loop().time()
            self._owed_until = max(self._owed_until, now) + size / rate

    @property
    def wait_s(self) -> float:
        """Seconds until more may come."""
        if not self.effective:
            return 0.0
        return max(0.0, self._owed_until - asyncio.get_running_loop().time())

    def change(self, rate: int | None) -> None:
        """Take another rate; what is owed at the old one is forgiven."""
        self.rate = rate
        self._owed_until = 0.0

    def most(self, otherwise: int) -> int:
        """Return how many bytes to ask for at once: at a low rate less, so that it stays smooth."""
        rate = self.effective
        return otherwise if not rate else max(64 * 1024, min(otherwise, rate // 2))
