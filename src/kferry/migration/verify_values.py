"""What is asked of `verify` and what it answers: values only.

Owns the seam between the command line and the verb. Does nothing and knows no cluster.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

from kferry.config import ClusterSettings, TopicSelection
from kferry.errors import ExitCode
from kferry.names import TopicName, TopicPartition
from kferry.verify import Difference, Tally

Level = Literal["counts", "digest", "records"]


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyRequest:
    """What is to be verified, and how."""

    source: ClusterSettings
    target: ClusterSettings
    migration: str | None = None
    selection: TopicSelection = field(default_factory=TopicSelection)
    """Without any: all that the ledger holds."""
    level: Level = "digest"
    both: bool = False
    """Read both sides, also where digests were taken while copying."""
    rate: int | None = None
    """Bytes per second, over both sides."""
    max_seconds: float | None = None
    follow: bool = False
    """Go on behind the copy until stopped."""
    producers_moved: bool = False
    """Others write to the target now: records of theirs are no damage."""
    since: Mapping[TopicPartition, int] = field(default_factory=dict)
    """Source offsets to begin at, where what lies before was compared already."""
    report: Path | None = None
    """Where the answer is kept, and how far it is while it is worked on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PartitionVerdict:
    """What was found in one partition."""

    partition: TopicPartition
    """By its name on the source."""
    target_topic: TopicName
    source_topic_id: str | None = None
    target_topic_id: str | None = None
    tally: Tally = field(default_factory=Tally)
    differences: tuple[Difference, ...] = ()
    """The first ones; the tally counts all."""
    done: bool = True
    source_range: tuple[int, int] = (0, 0)
    """Offsets that were compared, the last not included."""
    target_range: tuple[int, int] = (0, 0)
    not_copied: int = 0
    """Offsets of the source behind what was copied."""
    digest: int = 0
    """Over what was read of the target."""
    producers: tuple[int, ...] = ()
    """The ids of those who wrote what was copied."""
    judged_to: int = -1
    """Target offset up to which records by others were judged."""
    checked_at: str = ""
    """When its end was reached."""
    trouble: str = ""
    """Why it could not be compared to its end."""

    @property
    def first_difference(self) -> Difference | None:
        """The first one, in the log's order."""
        return self.differences[0] if self.differences else None


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyResult:
    """The answer."""

    migration: str
    level: Level
    both: bool
    source_id: str
    target_id: str
    began: str
    ended: str
    bytes: int
    partitions: tuple[PartitionVerdict, ...]
    seconds: float = 0.0
    """What this run took to compare, both clusters having been asked what there is."""
    followed: bool = False
    """It was to go on until it was stopped."""
    report: Path | None = None

    @property
    def total(self) -> Tally:
        """All partitions together."""
        total = Tally()
        for one in self.partitions:
            total.add(one.tally)
        return total

    @property
    def done(self) -> bool:
        """Whether everything was compared."""
        return all(one.done for one in self.partitions)

    @property
    def exit_code(self) -> ExitCode:
        """Say it as scripts hear it: a difference weighs more than whatever else there was."""
        if not self.total.clean:
            return ExitCode.DIFFERENCES
        if any(one.trouble for one in self.partitions):
            return ExitCode.FAILED
        return ExitCode.DONE if self.done or self.followed else ExitCode.STOPPED_EARLY


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyProgress:
    """How far it is."""

    records: int
    total: int
    """Records that the maps say there are."""
    bytes: int
    """Read in this run."""
    seconds: float
    differences: int


class VerifyWatch(Protocol):
    """Who looks on."""

    def narrate(self, line: str) -> None:
        """Hear one sentence about what happens."""

    def verified(self, progress: VerifyProgress, /) -> None:
        """See how far it is, about once a second."""
