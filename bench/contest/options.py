"""What a measurement may be told on the command line.

Owns the options. Knows no measurement.
"""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How much, how often, who takes part, and where the results go."""

    scale: float = 1.0
    rounds: int = 3
    large: bool = False
    only: tuple[str, ...] = ()
    """Contenders by their short names; empty = all."""
    results: Path | None = None
    """None: beside the others, if the scale is 1; a smaller run is not kept."""

    def scaled(self, number: int, *, least: int = 1) -> int:
        """Return the part of a number that this scale asks for."""
        return max(least, round(number * self.scale))

    def takes_part(self, name: str) -> bool:
        """Whether a contender was asked for."""
        return not self.only or name in self.only
