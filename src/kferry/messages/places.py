"""Where in each partition to look: from a time, an offset, or the ends.

Owns the questions for offsets, and what is said where there is nothing. A partition that cannot be
asked does not hold up the others.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from kferry.admin.offsets import ListedOffset, Place, list_offsets
from kferry.errors import ExitCode, KferryError
from kferry.messages.cursors import Span, open_cursor
from kferry.names import PartitionId, TopicName, TopicPartition
from kferry.wire import BrokerError, Cluster, Outcomes, WireError

_NO_TIMES = 43
_DENIED = frozenset({29, 30})


class NotThere(KferryError):
    """A partition or an offset was named that is not there."""

    code = "K270"
    exit_code = ExitCode.USAGE


class MayNotRead(KferryError):
    """The topic is there, and its records may not be read."""

    code = "K271"
    exit_code = ExitCode.USAGE


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """Which part of a topic is meant."""

    topic: TopicName
    partitions: tuple[PartitionId, ...] = ()
    """None named: all."""
    from_time: int | None = None
    to_time: int | None = None
    offset: int | None = None
    """From here on; going backwards, from here back."""
    left: Mapping[PartitionId, int] = field(default_factory=dict)
    """Where an earlier search stopped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spans:
    """What is to be read, and what cannot be asked just now."""

    spans: tuple[Span, ...]
    failures: Mapping[TopicPartition, WireError]


async def partitions_of(
    cluster: Cluster, topic: TopicName, wanted: Iterable[PartitionId]
) -> list[TopicPartition]:
    """Return the partitions that are meant; the topic is known to be there."""
    found = (await cluster.refresh({topic})).topics.get(topic)
    if found is not None and found.error_code in _DENIED:
        raise may_not_read(topic)
    if found is None or found.error_code or not found.partitions:
        raise BrokerError(3 if found is None else found.error_code, topic)
    there = {one.id for one in found.partitions}
    if absent := sorted(set(wanted) - there):
        raise NotThere(
            f"{topic} has no partition {', '.join(map(str, absent))}",
            f"its partitions are 0 to {max(there)}",
            hint=f"leave --partition out to look at all {len(there):,}",
            changed="Nothing was read.",
        )
    return [TopicPartition(topic, one) for one in sorted(set(wanted) or there)]


async def find_spans(
    cluster: Cluster, where: Where, *, newest_first: bool, uncommitted: bool
) -> Spans:
    """Look up where the part that is meant begins and ends in each partition, as it is now."""
    partitions = await partitions_of(cluster, where.topic, where.partitions)
    if where.offset is not None and len(partitions) > 1:
        raise NotThere(
            f"offset {where.offset:,} of which partition? {where.topic} has {len(partitions):,}",
            hint="add --partition N",
            changed="Nothing was read.",
        )
    starts, ends = await asyncio.gather(
        list_offsets(cluster, partitions, Place.START),
        list_offsets(cluster, partitions, Place.END, committed=not uncommitted),
    )
    failures = _failures(starts) | _failures(ends)
    spans = {
        one: Span(partition=one, start=_offset(starts, one), end=_offset(ends, one))
        for one in partitions
        if one not in failures
    }
    if where.from_time is not None:
        await _cut_before(cluster, spans, where.from_time, failures)
    if where.to_time is not None and newest_first:
        await _cut_after(cluster, spans, where.to_time, failures, uncommitted=uncommitted)
    if where.offset is not None:
        spans = {one: _from(spans[one], where.offset, newest_first) for one in spans}
    if where.left:
        spans = {one: _left(span, where.left, newest_first) for one, span in spans.items()}
    return Spans(spans=tuple(spans.values()), failures=failures)


def may_not_read(topic: str) -> MayNotRead:
    """Say which right is missing."""
    return MayNotRead(
        f"the records of {topic} may not be read",
        hint=f"grant READ and DESCRIBE on the topic {topic}; `kferry check` shows every right",
        changed="Nothing was read.",
    )


async def _cut_before(
    cluster: Cluster,
    spans: dict[TopicPartition, Span],
    time: int,
    failures: dict[TopicPartition, WireError],
) -> None:
    """Every record before the first one that is as new is older."""
    found = await list_offsets(cluster, spans, time)
    _insist_on_times(found)
    for one in list(spans):
        answer = found[one]
        if isinstance(answer, WireError):
            failures[one] = answer
            del spans[one]
            continue
        span = spans[one]
        start = span.end if answer.offset < 0 else max(span.start, min(answer.offset, span.end))
        spans[one] = Span(partition=one, start=start, end=span.end)


async def _cut_after(
    cluster: Cluster,
    spans: dict[TopicPartition, Span],
    time: int,
    failures: dict[TopicPartition, WireError],
    *,
    uncommitted: bool,
) -> None:
    """Find the last record that is not too new.

    Brokers answer with the first offset whose time is; where transactions end in markers, which
    carry the broker's time, that may lie before many records that are older (measured), as it may
    in a log that is not in order of time: so it is read on from there.
    """
    found = await list_offsets(cluster, spans, time)
    _insist_on_times(found)
    for one in list(spans):
        answer, span = found[one], spans[one]
        if isinstance(answer, WireError):
            failures[one] = answer
            del spans[one]
        elif 0 <= answer.offset < span.end:
            begin = max(span.start, answer.offset)
            rest = Span(partition=one, start=begin, end=span.end)
            cursor = open_cursor(
                cluster, rest, newest_first=False, uncommitted=uncommitted, before=time
            )
            end = begin
            while await cursor.advance():
                assert cursor.row is not None  # noqa: S101 it has just advanced
                end = cursor.row.offset + 1
            spans[one] = Span(partition=one, start=span.start, end=end)


def _insist_on_times(found: Outcomes[TopicPartition, ListedOffset]) -> None:
    for partition, answer in found.items():
        if isinstance(answer, BrokerError) and answer.error_code == _NO_TIMES:
            raise NotThere(
                f"the records of {partition.topic} have no times",
                "they are kept in a format from before Kafka 0.10",
                hint="look at them by --offset or --last",
                changed="Nothing was read.",
            )


def _from(span: Span, offset: int, newest_first: bool) -> Span:  # noqa: FBT001 a direction
    if not span.start <= offset < span.end:
        there = (
            "it holds no records"
            if span.empty
            else f"its offsets are {span.start:,} to {span.end - 1:,}"
        )
        raise NotThere(
            f"{span.partition} has nothing at {offset:,}",
            there,
            hint="name an offset within; --last 1 shows the newest record",
            changed="Nothing was read.",
        )
    if newest_first:
        return Span(partition=span.partition, start=span.start, end=offset + 1)
    return Span(partition=span.partition, start=offset, end=span.end)


def _left(span: Span, left: Mapping[PartitionId, int], newest_first: bool) -> Span:  # noqa: FBT001
    offset = left.get(span.partition.partition)
    if offset is None:
        return span
    if newest_first:
        return Span(partition=span.partition, start=span.start, end=min(span.end, offset))
    return Span(partition=span.partition, start=max(span.start, offset), end=span.end)


def _failures(outcomes: Outcomes[TopicPartition, ListedOffset]) -> dict[TopicPartition, WireError]:
    return {one: found for one, found in outcomes.items() if isinstance(found, WireError)}


def _offset(
    outcomes: Mapping[TopicPartition, ListedOffset | WireError], one: TopicPartition
) -> int:
    found = outcomes[one]
    assert isinstance(found, ListedOffset)  # noqa: S101 failures were taken out
    return found.offset


def said(failures: Mapping[TopicPartition, WireError]) -> Sequence[str]:
    """Say what could not be asked, a line each."""
    return [f"{one} could not be read: {failure}" for one, failure in sorted(failures.items())]
