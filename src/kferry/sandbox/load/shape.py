"""What a shape is: a name, the topics and groups it makes, and the Kafka it takes.

Owns the value types between the shapes, the loader and whoever shows the result. Knows no client.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kferry.sandbox.load.workbench import Workbench

Release = tuple[int, ...]

PREFIX = "load-"
_EVER: Release = (0,)
_NEVER: Release = (99,)


class Scale(StrEnum):
    """How much: enough to be complete, or enough to take time."""

    SMALL = "small"
    FULL = "full"


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """A topic that a shape makes. Without a word on retention everything is kept for ever.

    It must be: the records are from 2024, and the sandbox looks for expired ones every second.
    """

    name: str
    partitions: int = 1
    configs: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """One thing that real clusters hold and a copy must survive."""

    name: str
    about: str
    fill: "Callable[[Workbench], None]"
    topics: Sequence[Topic]
    groups: Sequence[str] = ()
    since: Release = _EVER
    before: Release = _NEVER
    limit: str = ""
    """Why other versions cannot hold it."""

    def why_not(self, release: Release) -> str:
        """Return why that release cannot hold this shape; nothing if it can."""
        if release < self.since:
            return f"needs Kafka {_dotted(self.since)}: {self.limit}"
        if release >= self.before:
            return f"gone since Kafka {_dotted(self.before)}: {self.limit}"
        return ""

    @property
    def versions(self) -> str:
        """The versions that can hold it, in a word."""
        if self.before != _NEVER:
            return f"before {_dotted(self.before)}"
        return "all" if self.since == _EVER else f"from {_dotted(self.since)}"


class Outcome(StrEnum):
    """What became of a shape."""

    LOADED = "loaded"
    THERE_ALREADY = "there already"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What one shape has put into the cluster, or why it has not."""

    shape: str
    outcome: Outcome
    topics: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    records: int = 0
    note: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return what scripts get."""
        return {
            "shape": self.shape,
            "outcome": self.outcome,
            "topics": list(self.topics),
            "groups": list(self.groups),
            "records": self.records,
            "note": self.note,
        }


def release_of(version: str) -> Release:
    """Make a version comparable."""
    return tuple(map(int, version.split(".")))


def _dotted(release: Release) -> str:
    return ".".join(map(str, release))
