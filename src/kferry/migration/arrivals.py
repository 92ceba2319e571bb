"""The unconsumed copy: what nobody has read yet, found before it, and counted after it.

Owns the refusal while somebody still reads or writes, and the account per group and topic.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kferry.copying import Lane
from kferry.errors import ExitCode, KferryError
from kferry.migration.requests import Arrived
from kferry.names import PartitionId, TopicPartition
from kferry.topics import Topics
from kferry.wire import Cluster

if TYPE_CHECKING:
    from kferry.groups import Unconsumed


class StillMoving(KferryError):
    """Somebody reads or writes what is to be copied as unconsumed."""

    code = "K221"
    exit_code = ExitCode.REFUSED


@dataclass(frozen=True, slots=True, kw_only=True)
class Unread:
    """What was found, and where to start."""

    found: "Unconsumed"

    @property
    def starts(self) -> Mapping[TopicPartition, int]:
        """Where each partition begins."""
        return self.found.starts

    @property
    def listing(self) -> list[str]:
        """What will be copied and what not, and why."""
        lines = ["Prepare to migrate"]
        for one in self.found.partitions:
            place = f"{one.topic}-{one.partition}"
            if one.skip:
                lines.append(f"  {place}: skip migrate: {one.skip}")
            else:
                lines.append(
                    f"  {place}: from {one.start:,} to {one.end:,}, {one.records:,} records at "
                    f"most (decided by {one.decided_by})"
                )
        return [*lines, *(f"  warning: {line}" for line in self.found.warnings)]

    def arrived(self, lanes: list[Lane]) -> tuple[Arrived, ...]:
        """Count for each group and topic what it had not read, and what has arrived."""
        counts: dict[str, int] = {}
        for lane in lanes:
            counts[lane.source.topic] = counts.get(lane.source.topic, 0) + lane.total_records
        return tuple(
            Arrived(
                group=row.group,
                topic=row.topic,
                unconsumed=row.unconsumed,
                arrived=counts.get(row.topic, 0),
            )
            for row in self.found.rows
            if row.unconsumed is not None
        )


async def look_at_unread(source: Cluster, topics: Topics, *, live: bool) -> Unread:
    """Find out where to start; refuse while somebody is at work, unless `live`."""
    partitions = [
        TopicPartition(topic.name, PartitionId(one.partition))
        for topic in topics.topics
        for one in topic.partitions
    ]
    # Imported here: the calls about groups are many, and no other copy needs them.
    from kferry.groups import take_unconsumed  # noqa: PLC0415

    found = await take_unconsumed(source, partitions)
    if found.obstacles and not live:
        raise StillMoving(
            "unconsumed records cannot be told while somebody is at work",
            "\n".join(f"{one.subject}: {one.message}" for one in found.obstacles),
            hint="; ".join(dict.fromkeys(one.hint for one in found.obstacles if one.hint))
            + "; or start with --live, and what moves meanwhile is on you",
        )
    return Unread(found=found)
