"""How fast it goes lately, and how long it will take.

Owns the recent window. Has no clock of its own: whoever adds a sample says when it was.
"""

from collections import deque

_ENOUGH_SECONDS = 2.0
"""From less than this no remaining time is told: the first answers of a run say nothing yet."""


class Pace:
    """A rate over the last `window` seconds, from samples of a count that grows."""

    def __init__(self, *, window: float = 30.0) -> None:
        self._window = window
        self._samples: deque[tuple[float, int]] = deque()

    def add(self, at: float, count: int) -> None:
        """Note how many there were at a time; times and counts only grow."""
        samples = self._samples
        if samples and (at < samples[-1][0] or count < samples[-1][1]):
            samples.clear()  # it began anew
        if samples and at == samples[-1][0]:
            samples.pop()
        samples.append((at, count))
        # One sample from before the window stays, so that a rare one is enough for a rate.
        while len(samples) > 2 and samples[1][0] <= at - self._window:
            samples.popleft()

    @property
    def rate(self) -> float:
        """Return how many per second; 0 until there are two samples."""
        if len(self._samples) < 2:
            return 0.0
        (began, first), (ended, last) = self._samples[0], self._samples[-1]
        return (last - first) / (ended - began)

    def remaining(self, copied: int, total: int) -> float | None:
        """Return how many seconds are left; None while an honest answer cannot be given."""
        if copied >= total:
            return 0.0
        if copied * 100 < total or not self._settled or self.rate <= 0:
            return None
        return (total - copied) / self.rate

    @property
    def long_enough(self) -> bool:
        """Whether the samples reach over a third of the window: enough to foretell."""
        return bool(self._samples) and (
            self._samples[-1][0] - self._samples[0][0] >= self._window / 3
        )

    @property
    def _settled(self) -> bool:
        return bool(self._samples) and (
            self._samples[-1][0] - self._samples[0][0] >= _ENOUGH_SECONDS
        )
