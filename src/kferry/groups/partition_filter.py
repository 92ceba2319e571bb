"""Which partitions are meant, in the words of Kafka's own tools.

Owns the grammar of `--topic-partitions` and of the tools' `--topic`: a comma separated list of
`topic:partition`, the topic a regular expression for the whole name or nothing, the partition a
number, a range `from-before`, `from-`, `-before`, or nothing. Asks no cluster.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from kferry.errors import ConfigError

_ITEM = re.compile(r"([^:,]*)(?::(?:([0-9]*)|(?:([0-9]*)-([0-9]*))))?")
_LARGEST = 2**31
_HINT = "write TOPIC, TOPIC:PARTITION, TOPIC:FROM-BEFORE, or :PARTITION for every topic"

Filter = Callable[[str, int], bool]
"""Whether a partition of a topic is meant."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Item:
    topic: re.Pattern[str] | None
    first: int
    before: int

    def matches(self, topic: str, partition: int) -> bool:
        named = self.topic is None or self.topic.fullmatch(topic) is not None
        return named and self.first <= partition < self.before


def topic_partitions(text: str) -> Filter:
    """Read `--topic-partitions`."""
    items = [_item(part) for part in text.split(",")]
    return lambda topic, partition: any(item.matches(topic, partition) for item in items)


def official_topic(text: str) -> Callable[[str], bool]:
    """Read a `--topic` as Kafka's tools do: a regular expression for the whole name."""
    # Their list of topics is separated by commas, and quotes around it are not part of it.
    expression = _expression(
        text.strip().strip("\"'").replace(",", "|").replace(" ", ""), "--topic"
    )
    return lambda topic: expression.fullmatch(topic) is not None


def partition_numbers(text: str) -> frozenset[int]:
    """Read `--partitions`: numbers, separated by commas."""
    parts = [part.strip() for part in text.split(",")]
    if not all(re.fullmatch(r"[0-9]{1,9}", part) for part in parts):
        raise ConfigError(f"--partitions: `{text}` is not a list of partitions", hint="write 0,1,2")
    return frozenset(map(int, parts))


def missing(wanted: Iterable[int], there: Iterable[int]) -> list[int]:
    """Return the numbers that were named and are not there."""
    return sorted(set(wanted) - set(there))


def _item(part: str) -> _Item:
    found = _ITEM.fullmatch(part.strip())
    if found is None:
        raise ConfigError(f"--topic-partitions: `{part}` is not understood", hint=_HINT)
    topic, one, first, before = found.groups()
    return _Item(
        topic=_expression(topic, "--topic-partitions") if topic else None,
        first=int(one or first or 0),
        before=int(one) + 1 if one else int(before or _LARGEST),
    )


def _expression(text: str, where: str) -> re.Pattern[str]:
    try:
        return re.compile(text)
    except re.error as error:
        raise ConfigError(
            f"{where}: `{text}` is not a regular expression", str(error), hint=_HINT
        ) from None
