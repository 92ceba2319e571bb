"""Topics of a reset, as `--topic T` or `--topic T:0,1` names them.

Owns the reading of it, and which partitions that is. Pure.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from kferry.config import TopicSelection
from kferry.errors import UsageError
from kferry.groups.partition_filter import missing, partition_numbers
from kferry.migration.chosen import NoSuchTopic
from kferry.names import PartitionId, TopicName, TopicPartition
from kferry.units import many
from kferry.wire import Topic


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicChoice:
    """A name or pattern, and the partitions that are meant; None means all."""

    pattern: str
    partitions: frozenset[int] | None = None

    @classmethod
    def parse(cls, text: str) -> "TopicChoice":
        """Read what was typed; no topic has a colon in its name."""
        if text.startswith("/"):
            return cls(pattern=text)
        name, colon, numbers = text.partition(":")
        if not name:
            raise UsageError(f"--topic {text} names no topic", hint="--topic orders, or orders:0,1")
        return cls(pattern=name, partitions=partition_numbers(numbers) if colon else None)

    @staticmethod
    def selection(choices: "Iterable[TopicChoice]") -> TopicSelection:
        """Return all of them as a selection of topics."""
        return TopicSelection.parse(one.pattern for one in choices)


def partitions_of(
    topics: Mapping[TopicName, Topic], choices: Iterable[TopicChoice]
) -> list[TopicPartition]:
    """Return the partitions that are meant, sorted; a number that is not there is refused."""
    found: set[TopicPartition] = set()
    for choice in choices:
        selection = TopicSelection.parse([choice.pattern])
        for name, topic in topics.items():
            if not selection.matches(name, internal=topic.internal):
                continue
            numbers = {partition.id for partition in topic.partitions}
            absent = missing(choice.partitions or (), numbers)
            if absent:
                raise NoSuchTopic(
                    f"{name} has {many(len(numbers), 'partition')}, and none with the number "
                    + ", ".join(map(str, absent)),
                    hint="kferry inspect topics shows what there is",
                )
            meant = numbers if choice.partitions is None else choice.partitions
            found |= {TopicPartition(name, PartitionId(number)) for number in meant}
    return sorted(found)
