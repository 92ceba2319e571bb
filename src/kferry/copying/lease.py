"""The right to write: kept by reaching the ledger, lost by silence.

Owns one clock, which also counts while the machine sleeps. A process that was suspended finds its
lease expired before it can send another byte, and somebody else may have gone on meanwhile.
"""

import time

_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


class Lease:
    """Valid for `seconds` after the beginning of the last write that the ledger took."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._until = 0.0

    @staticmethod
    def now() -> float:
        """Return the lease's own time."""
        return time.clock_gettime(_CLOCK)

    def renew(self, began: float) -> None:
        """Count from when a write began that the ledger took."""
        self._until = max(self._until, began + self._seconds)

    @property
    def valid(self) -> bool:
        """Whether we may still write."""
        return self.now() < self._until
