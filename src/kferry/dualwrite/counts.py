"""How many records went where, and why some did not.

Owns the numbers that `DualProducer.stats()` gives.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

_PREFIX = "kferry_dualwrite_"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stats:
    """Counts since the producer was made."""

    produced: int
    """Handed to produce()."""
    primary: int
    """Acknowledged by the primary."""
    primary_failed: int
    both: int
    """Acknowledged by both."""
    missing: int
    """Acknowledged by the primary, and given up for the secondary."""
    missing_by_reason: Mapping[str, int]
    missing_by_partition: Mapping[tuple[str, int], tuple[int, int, int]]
    """How many, and the first and last offset on the primary, by topic and partition there."""
    waiting: int
    """Acknowledged by the primary, and waiting for the secondary."""
    behind: bool
    """Whether reports go out without the secondary's part, because it does not keep up."""
    secondary_error: str
    """What the secondary said last, if it was an error."""
    map_error: str
    """Why the map file cannot be written, as long as it cannot."""

    def prometheus(self, **labels: str) -> str:
        """Write them as Prometheus reads them, for whoever serves an application's metrics."""
        lines: list[str] = []
        for name, (kind, says, samples) in self._samples().items():
            lines += [f"# HELP {_PREFIX}{name} {says}", f"# TYPE {_PREFIX}{name} {kind}"]
            for more, value in samples:
                own = ",".join(f'{key}="{_quoted(one)}"' for key, one in (labels | more).items())
                lines.append(f"{_PREFIX}{name}{{{own}}} {value}")
        return "\n".join(lines) + "\n"

    def _samples(self) -> "Mapping[str, tuple[str, str, list[tuple[dict[str, str], int]]]]":
        missing = [({"reason": reason}, count) for reason, count in self.missing_by_reason.items()]
        return {
            "produced_total": ("counter", "Records handed to produce().", [({}, self.produced)]),
            "primary_total": ("counter", "Acknowledged by the primary.", [({}, self.primary)]),
            "primary_failed_total": (
                "counter",
                "Not acknowledged by the primary.",
                [({}, self.primary_failed)],
            ),
            "both_total": ("counter", "Acknowledged by both.", [({}, self.both)]),
            "missing_total": ("counter", "Given up for the secondary.", missing or [({}, 0)]),
            "waiting": ("gauge", "Waiting for the secondary.", [({}, self.waiting)]),
            "behind": ("gauge", "1: the secondary does not keep up.", [({}, int(self.behind))]),
            "map_failing": (
                "gauge",
                "1: the map file cannot be written.",
                [({}, int(bool(self.map_error)))],
            ),
        }


def _quoted(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


@dataclass(slots=True, kw_only=True)
class Counts:
    """The same, while they are counted."""

    produced: int = 0
    primary: int = 0
    primary_failed: int = 0
    both: int = 0
    missing: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
    places: dict[tuple[str, int], tuple[int, int, int]] = field(default_factory=dict)
    secondary_error: str = ""

    def missed(self, topic: str, partition: int, offset: int, reason: str) -> None:
        """Count a record that the secondary will not get."""
        self.missing += 1
        self.reasons[reason] = self.reasons.get(reason, 0) + 1
        count, first, last = self.places.get((topic, partition), (0, offset, offset))
        self.places[topic, partition] = count + 1, min(first, offset), max(last, offset)

    def frozen(self, *, waiting: int, behind: bool, map_error: str) -> Stats:
        """Return them as they are now."""
        return Stats(
            produced=self.produced,
            primary=self.primary,
            primary_failed=self.primary_failed,
            both=self.both,
            missing=self.missing,
            missing_by_reason=dict(self.reasons),
            missing_by_partition=dict(self.places),
            waiting=waiting,
            behind=behind,
            secondary_error=self.secondary_error,
            map_error=map_error,
        )
