"""Runs while they grow: what happened to records since the file was written last.

Owns the joining of single records into runs. Pure: whoever holds it takes the entries and writes
them. Within a partition the primary answers in the order of its log.
"""

from dataclasses import dataclass, field

from kferry.dualwrite.frames import Entry, Missing, Pairs, Pending, TopicNames


@dataclass(slots=True)
class _Partition:
    topic: int
    partition: int
    owed: dict[int, None] = field(default_factory=dict)
    """Offsets of the primary that the secondary has not answered for; a dict for its order."""
    acknowledged_to: int = 0
    told: int = 0
    """Up to where what is owed was written down."""
    pair: list[int] | None = None
    gap: list[int] | None = None
    reason: str = ""


class Growing:
    """Entries to come, in the order in which they are to be written."""

    def __init__(self, topics: dict[str, TopicNames]) -> None:
        self._topics = topics
        self._partitions: dict[tuple[str, int], _Partition] = {}
        self._entries: list[Entry] = []
        self._restless: set[tuple[str, int]] = set()

    def acknowledged(self, topic: str, secondary: str, partition: int, offset: int) -> None:
        """Note that the primary has a record."""
        one = self._partitions.get((topic, partition))
        if one is None:
            names = self._topics.get(topic)
            if names is None or names.secondary != secondary:
                index = max((t.index for t in self._topics.values()), default=-1) + 1
                names = TopicNames(index=index, primary=topic, secondary=secondary)
                self._topics[topic] = names
                self._entries.append(names)
            one = self._partitions[topic, partition] = _Partition(names.index, partition)
        one.owed[offset] = None
        one.acknowledged_to = offset + 1
        self._restless.add((topic, partition))

    def paired(self, topic: str, partition: int, primary: int, secondary: int) -> None:
        """Note that the secondary has it, too."""
        one = self._partitions[topic, partition]
        run = one.pair
        if run and run[0] + run[2] == primary and run[1] + run[2] == secondary:
            run[2] += 1
        else:
            self._end_pair(one)
            one.pair = [primary, secondary, 1]
        one.owed.pop(primary, None)
        self._restless.add((topic, partition))

    def missed(self, topic: str, partition: int, primary: int, reason: str) -> None:
        """Note that the secondary did not acknowledge a record of the primary."""
        one = self._partitions[topic, partition]
        run = one.gap
        if run and run[0] + run[1] == primary and one.reason == reason:
            run[1] += 1
        else:
            self._end_gap(one)
            one.gap, one.reason = [primary, 1], reason
        one.owed.pop(primary, None)
        self._restless.add((topic, partition))

    def take(self) -> list[Entry]:
        """Return what is new since the last time; runs begin anew after it."""
        for place in self._restless:
            one = self._partitions[place]
            self._end_pair(one)
            self._end_gap(one)
            self._tell_owed(one)
        self._restless.clear()
        entries, self._entries = self._entries, []
        return entries

    def _tell_owed(self, one: _Partition) -> None:
        if not one.owed or one.told == one.acknowledged_to:
            return
        start = max(next(iter(one.owed)), one.told)
        one.told = one.acknowledged_to
        length = one.acknowledged_to - start
        self._entries.append(
            Pending(topic=one.topic, partition=one.partition, primary=start, length=length)
        )

    def _end_pair(self, one: _Partition) -> None:
        if one.pair:
            primary, secondary, length = one.pair
            self._entries.append(
                Pairs(
                    topic=one.topic,
                    partition=one.partition,
                    primary=primary,
                    secondary=secondary,
                    length=length,
                )
            )
            one.pair = None

    def _end_gap(self, one: _Partition) -> None:
        if one.gap:
            primary, length = one.gap
            self._entries.append(
                Missing(
                    topic=one.topic,
                    partition=one.partition,
                    primary=primary,
                    length=length,
                    reason=one.reason,
                )
            )
            one.gap = None
