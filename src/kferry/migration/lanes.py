"""A lane for every partition: where it goes on, or where it begins.

Owns the choice between the ledger's word and a start that was asked for, and the slot each new lane
gets. Writes nothing; the engine's first checkpoint writes new lanes down before any record.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from kferry.admin.configs import Configs
from kferry.admin.offsets import ListedOffset, Place, list_offsets
from kferry.config import Beginning, FromEnd, Since, Start
from kferry.copying import (
    Budget,
    Lane,
    Rules,
    Slot,
    position_key,
    read_position,
    read_runs,
    resumed_digests,
)
from kferry.migration.book import TopicEntry
from kferry.migration.ownership import Taken
from kferry.names import PartitionId, TopicName, TopicPartition
from kferry.records import Codec
from kferry.topics import TopicFacts
from kferry.topics.effective import effective_configs
from kferry.wire import Cluster, Outcomes, WireError

_DEFAULT_MESSAGE_BYTES = 1_048_588
_CODECS = {
    "none": Codec.NONE,
    "uncompressed": Codec.NONE,
    "gzip": Codec.GZIP,
    "snappy": Codec.SNAPPY,
    "lz4": Codec.LZ4,
    "zstd": Codec.ZSTD,
}
_NO_TIME_SO_LATE = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Unready:
    """A partition that could not be asked where it begins."""

    partition: TopicPartition
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One partition of a chosen topic, and its counterpart."""

    source: TopicPartition
    target: TopicPartition
    size: int


def ways(topic: TopicFacts, entry: TopicEntry) -> list[Way]:
    """Return the partitions of a topic, each with its counterpart of the same number."""
    return [
        Way(
            source=TopicPartition(topic.name, PartitionId(one.partition)),
            target=TopicPartition(entry.target, PartitionId(one.partition)),
            size=one.bytes or 0,
        )
        for one in topic.partitions
    ]


async def rules_of(target: Cluster, topics: Iterable[TopicName]) -> dict[TopicName, Rules]:
    """Ask what the target topics take."""
    return {
        name: _rules(None if isinstance(configs, WireError) else configs)
        for name, configs in (await effective_configs(target, topics)).items()
    }


def _rules(configs: Configs | None) -> Rules:
    if configs is None:
        return Rules(max_bytes=_DEFAULT_MESSAGE_BYTES)
    codec = configs.get("compression.type")
    # A batch that is larger than a segment is refused, whatever the other limit says.
    limits = [
        int(limit.value)
        for name in ("max.message.bytes", "segment.bytes")
        if (limit := configs.get(name)) and limit.value
    ]
    return Rules(
        max_bytes=min(limits, default=_DEFAULT_MESSAGE_BYTES),
        stored_codec=_CODECS.get(codec.value) if codec and codec.value else None,
    )


class LaneMaker:
    """Makes the lanes of one process."""

    def __init__(self, source: Cluster, target: Cluster, taken: Taken, budget: Budget) -> None:
        self._source, self._target = source, target
        self._taken = taken
        self._budget = budget
        self._documents = taken.all_documents
        self._slot_of = {
            key: slot for slot, documents in taken.documents.items() for key in documents
        }
        self._load = dict.fromkeys((slot.number for slot in taken.slots), 0)

    async def make(
        self, wanted: list[Way], rules: Mapping[TopicName, Rules], start: "Start | Starts"
    ) -> tuple[list[Lane], list[Unready]]:
        """Make lanes: those the ledger knows go on there, the others begin where `start` says."""
        known = [way for way in wanted if position_key(way.source) in self._slot_of]
        fresh = [way for way in wanted if position_key(way.source) not in self._slot_of]
        ends = await list_offsets(self._target, [way.target for way in wanted], Place.END)
        begins = await self._begins([way.source for way in fresh], start)
        unready: list[Unready] = []
        lanes = [self._resumed(way, rules[way.target.topic], ends) for way in known]
        for way in sorted(fresh, key=lambda one: one.size, reverse=True):
            begin, end = begins[way.source], ends[way.target]
            if isinstance(begin, WireError) or isinstance(end, WireError):
                failure = begin if isinstance(begin, WireError) else end
                unready.append(Unready(partition=way.source, reason=str(failure)))
            else:
                lanes.append(self._begun(way, rules[way.target.topic], begin, end.offset))
        return lanes, unready

    def _resumed(
        self, way: Way, rules: Rules, ends: Outcomes[TopicPartition, ListedOffset]
    ) -> Lane:
        key = position_key(way.source)
        position = read_position(key, self._documents[key])
        slot = self._slot(self._slot_of[key])
        lane = Lane(
            source=way.source,
            target=way.target,
            slot=slot.number,
            rules=rules,
            budget=self._budget,
            begins=position.begins,
            copied_to=position.copied_to,
            next_target=position.next_target,
            chunk=position.chunk,
            runs=read_runs(way.source, position, self._documents),
            digests=resumed_digests(way.source, position, self._documents),
            leader_epoch=position.leader_epoch,
            total_records=position.records,
            gaps=list(position.gaps),
            resumed=True,
        )
        self._load[slot.number] += way.size
        end = ends[way.target]
        unmoved = isinstance(end, ListedOffset) and end.offset == position.next_target
        if slot.number in self._taken.clean and unmoved:
            lane.settled(
                slot.identity, next_target=position.next_target, copied_to=position.copied_to
            )
        return lane

    def _begun(self, way: Way, rules: Rules, begin: int, end: int) -> Lane:
        slot = self._slot(min(self._load, key=lambda number: self._load[number]))
        self._load[slot.number] += max(1, way.size)
        lane = Lane(
            source=way.source,
            target=way.target,
            slot=slot.number,
            rules=rules,
            budget=self._budget,
            begins=begin,
            copied_to=begin,
            next_target=end,
        )
        # Nobody but a former owner of the slot could have written, and only after a position.
        lane.settled(slot.identity, next_target=end, copied_to=begin)
        return lane

    def _slot(self, number: int) -> Slot:
        return next(slot for slot in self._taken.slots if slot.number == number)

    async def _begins(
        self, partitions: list[TopicPartition], start: "Start | Starts"
    ) -> dict[TopicPartition, int | WireError]:
        """Find the offsets to begin at."""
        source = self._source
        starts = await list_offsets(source, partitions, Place.START)
        found: dict[TopicPartition, int | WireError] = {
            one: listed.offset if isinstance(listed, ListedOffset) else listed
            for one, listed in starts.items()
        }
        if isinstance(start, Starts):
            return {one: start.offsets.get(one, found[one]) for one in partitions}
        if isinstance(start, Beginning):
            return found
        ends = await list_offsets(source, partitions, Place.END, committed=True)
        at = ends
        if isinstance(start, Since):
            at = await list_offsets(source, partitions, start.ms)
        elif not isinstance(start, FromEnd):
            raise TypeError(f"{start} is for whoever knows the groups")
        for one in partitions:
            listed, end = at[one], ends[one]
            if isinstance(listed, ListedOffset) and listed.offset != _NO_TIME_SO_LATE:
                found[one] = listed.offset
            else:  # nothing so late: what comes is later
                found[one] = end.offset if isinstance(end, ListedOffset) else end
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Starts:
    """Offsets to begin at, found elsewhere; partitions without one begin at their beginning."""

    offsets: Mapping[TopicPartition, int]
