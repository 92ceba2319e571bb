"""The verb `offsets get`: where partitions of one cluster begin, end, or stood at a time.

Owns the question and what each answer is worth. Writes nothing.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from kferry.admin.offsets import ListedOffset, Place, list_offsets
from kferry.config import LEDGER_PREFIX, ClusterSettings, TopicSelection
from kferry.groups.by_time import Exactness, Timed, offsets_by_time
from kferry.groups.when import When
from kferry.migration.chosen import NoSuchTopic
from kferry.migration.one_cluster import EVERYTHING, topics_of
from kferry.names import PartitionId, TopicName, TopicPartition
from kferry.wire import Cluster, Outcomes, WireError, open_cluster

_Side = TypeVar("_Side", bound=str)
_NOTES = {
    Exactness.END: "no record at or after that time",
    Exactness.NO_TIMES: "the records carry no timestamps, so nothing can be found by time",
    Exactness.SEGMENT: "too old for times of records: this is the start of a segment file, early "
    "by up to a segment",
}
_NO_SUCH_PLACE = {
    Place.NEWEST_TIMESTAMP: "no record carries a timestamp",
    Place.TIERED_END: "nothing is in remote storage",
    Place.PENDING_UPLOAD: "nothing waits for remote storage",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class OffsetsRequest:
    """Which partitions, and which place or time in them."""

    when: When
    selection: TopicSelection = EVERYTHING
    partitions: Callable[[str, int], bool] | None = None
    exclude_internal: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Got:
    """The answer about one partition. `note` says what it is worth, if that is not plain."""

    partition: TopicPartition
    offset: int | None = None
    """As Kafka's own tool tells it: None where there is no such record."""
    resume: int | None = None
    """Where a group would go on: the end, where there is no such record."""
    timestamp: int | None = None
    note: str = ""
    error: WireError | None = None


async def get_offsets(
    settings: ClusterSettings, request: OffsetsRequest, *, side: str
) -> list[Got]:
    """Ask about every partition that is meant, sorted."""
    async with open_cluster(settings) as cluster:
        partitions = await _partitions(cluster, request, side)
        if request.when.is_time:
            timed = await offsets_by_time(cluster, partitions, int(request.when.at))
            return [_by_time(one, timed[one]) for one in partitions]
        listed = await list_offsets(
            cluster, partitions, request.when.at, committed=request.when.committed
        )
        nowhere = [
            one
            for one, answer in listed.items()
            if isinstance(answer, ListedOffset) and answer.offset < 0
        ]
        ends = await list_offsets(cluster, nowhere, Place.END) if nowhere else {}
        return [_at_place(one, listed[one], ends, request.when) for one in partitions]


async def get_offsets_of_both(
    sides: Mapping[_Side, ClusterSettings], request: OffsetsRequest
) -> dict[_Side, list[Got]]:
    """Do the same on two clusters; topics may be missing on one of them."""
    found: dict[_Side, list[Got]] = {}
    missing: NoSuchTopic | None = None
    for side, settings in sides.items():
        try:
            found[side] = await get_offsets(settings, request, side=side)
        except NoSuchTopic as error:
            found[side], missing = [], missing or error
    if missing is not None and not any(found.values()):
        raise missing
    return found


async def _partitions(cluster: Cluster, request: OffsetsRequest, side: str) -> list[TopicPartition]:
    if request.selection == EVERYTHING:
        found = {
            name: topic
            for name, topic in sorted((await cluster.refresh(None)).topics.items())
            if not name.startswith(LEDGER_PREFIX)
        }
    else:
        found = await topics_of(cluster, request.selection, side)
    partitions = [
        TopicPartition(TopicName(name), PartitionId(partition.id))
        for name, topic in found.items()
        if not (request.exclude_internal and topic.internal)
        for partition in topic.partitions
        if request.partitions is None or request.partitions(name, partition.id)
    ]
    if not partitions:
        raise NoSuchTopic(
            f"no partition on the {side} matches what was asked for",
            hint="kferry inspect topics shows what there is",
        )
    return partitions


def _by_time(partition: TopicPartition, answer: Timed | WireError) -> Got:
    if isinstance(answer, WireError):
        return Got(partition=partition, error=answer)
    told = answer.exactness in {Exactness.RECORD, Exactness.SEGMENT}
    return Got(
        partition=partition,
        offset=answer.offset if told else None,
        resume=answer.offset,
        timestamp=answer.timestamp,
        note=_NOTES.get(answer.exactness, ""),
    )


def _at_place(
    partition: TopicPartition,
    answer: ListedOffset | WireError,
    ends: Outcomes[TopicPartition, ListedOffset],
    when: When,
) -> Got:
    if isinstance(answer, WireError):
        return Got(partition=partition, error=answer)
    if answer.offset >= 0:
        timestamp = answer.timestamp if answer.timestamp >= 0 else None
        return Got(
            partition=partition, offset=answer.offset, resume=answer.offset, timestamp=timestamp
        )
    end = ends[partition]
    if isinstance(end, WireError):
        return Got(partition=partition, error=end)
    return Got(
        partition=partition, resume=end.offset, note=_NO_SUCH_PLACE.get(Place(when.at), "nothing")
    )
