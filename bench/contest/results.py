"""What a contest leaves behind: loads, runs, medians, ratios.

Owns the shapes of the JSON and its one-line forms. Measures nothing.
"""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

_MB = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What was carried, as it lay on the source."""

    what: str
    scale: float
    records: int
    bytes: int
    batches: int
    partitions: int
    kind: str = "load"

    def line(self) -> str:
        return (
            f"{self.what}: {self.records:,} records in {self.batches:,} batches, "
            f"{self.bytes / _MB:,.1f} MB, {self.partitions:,} partitions (scale {self.scale:g})"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Contender:
    """One program's runs: each a set of named numbers, seconds if nothing else is said."""

    name: str
    command: str
    runs: tuple[Mapping[str, float], ...]
    medians: Mapping[str, float] = field(default_factory=dict)
    kind: str = "contender"

    def line(self) -> str:
        shown = "  ".join(f"{name} {_short(value)}" for name, value in self.medians.items())
        return f"{self.name:<22} {shown}  (n={len(self.runs)})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """Two medians divided, beside what was to be reached."""

    what: str
    value: float
    at_least: float | None = None
    at_most: float | None = None
    kind: str = "ratio"

    @property
    def goal(self) -> str:
        if self.at_least is not None:
            return f"≥ {self.at_least:g}"
        return "" if self.at_most is None else f"≤ {self.at_most:g}"

    @property
    def reached(self) -> bool:
        low = self.at_least is None or self.value >= self.at_least
        return low and (self.at_most is None or self.value <= self.at_most)

    def line(self) -> str:
        verdict = ("reached" if self.reached else "NOT reached") if self.goal else ""
        return f"{self.what:<64} {_short(self.value):>9}  {self.goal:<8} {verdict}"


def contender(name: str, command: str, runs: Sequence[Mapping[str, float]]) -> Contender:
    """Add the medians to some runs."""
    names = dict.fromkeys(key for run in runs for key in run)
    medians = {key: statistics.median(run[key] for run in runs if key in run) for key in names}
    return Contender(name=name, command=command, runs=tuple(runs), medians=medians)


Result = Load | Contender | Ratio


def _short(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
