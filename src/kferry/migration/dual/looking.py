"""Looking at partitions of both sides, where applications write both.

Owns the order of the questions, and how much is read. Of what no map file pairs, which is little
where all goes well, the records themselves are read on both sides and paired by their content: a
file is written a moment later than the records, and a writer that was killed has not written down
its last ones. The target's ends are asked for before the source's: what is on the target by then
has been on the source. Writes nothing.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from hashlib import blake2b
from typing import NamedTuple

from kferry.admin.offsets import ListedOffset, Place, list_offsets
from kferry.admin.stretches import stretches
from kferry.dualwrite.written import Stretch
from kferry.migration.dual.joined import (
    Joined,
    Lack,
    Seen,
    Why,
    lacks_of,
    matched,
    unclaimed,
    unpaired,
)
from kferry.migration.dual.told import Files, Told
from kferry.names import TopicPartition
from kferry.records import Record, Unreadable
from kferry.wire import Cluster, Outcomes, WireError

_MOST_READ = 500_000
"""Offsets of one partition; where more are in no map, they are counted and not read."""
_NEAR = 1000
"""Stretches that lie so near to each other are read in one go."""
_AT_ONCE = 8
_ARRIVES_S = 6.0
"""How long records may take to the target before they are called missing."""
_AGAIN_S = 0.5

Lowest = Mapping[TopicPartition, int | None]
"""Partitions of the source, and from where on its records matter; None: there is no reader."""


class _Read(NamedTuple):
    offset: int
    record: Record
    stamped: bool
    producer: int


async def look_until_settled(
    source: Cluster,
    target: Cluster,
    read: Callable[[], Files],
    lowest: Lowest,
    *,
    strangers: bool = True,
) -> tuple[Files, dict[TopicPartition, Joined]]:
    """Look until all that the source had at first is on the target, or had time to get there.

    `strangers`: whether what only the target has matters; positions need that.
    """
    clock = asyncio.get_running_loop().time
    until = clock() + _ARRIVES_S
    settled_to: dict[TopicPartition, int] = {}
    while True:
        files = read()
        found = await look(source, target, files, lowest, strangers=strangers)
        settled_to = {place: settled_to.get(place, one.end) for place, one in found.items()}
        found = {place: replace(one, settled_to=settled_to[place]) for place, one in found.items()}
        coming = any(
            one.why in {Why.WAITING, Why.UNTOLD, Why.UNKNOWN}
            for place, joined in found.items()
            for one in joined.lacking(lowest.get(place) or 0)
        )
        if not coming or clock() > until:
            return files, found
        await asyncio.sleep(_AGAIN_S)


async def look(
    source: Cluster, target: Cluster, files: Files, lowest: Lowest, *, strangers: bool = True
) -> dict[TopicPartition, Joined]:
    """Look once at partitions whose topics the files know."""
    told = {
        place: files.partitions.get(place) or Told(target=files.topics[place.topic])
        for place in lowest
    }
    there = {place: TopicPartition(one.target, place.partition) for place, one in told.items()}
    await target.refresh({one.topic for one in there.values()})
    await source.refresh({one.topic for one in there})
    starts_there = await list_offsets(target, there.values(), Place.START)
    ends_there = await list_offsets(target, there.values(), Place.END)
    starts = await list_offsets(source, there, Place.START)
    ends = await list_offsets(source, there, Place.END)
    few = asyncio.Semaphore(_AT_ONCE)

    async def one(place: TopicPartition) -> Joined:
        other = there[place]
        asked = (
            _offset(starts, place),
            _offset(ends, place),
            _offset(starts_there, other),
            _offset(ends_there, other),
        )
        trouble = next((each for each in asked if isinstance(each, WireError)), None)
        if trouble is not None:
            return _untold(told[place], str(trouble))
        here, over = _Log(*asked[:2]), _Log(*asked[2:])  # type: ignore[arg-type]  # no errors left
        async with few:
            try:
                return await _joined(
                    told[place],
                    (source, place, here),
                    (target, other, over),
                    lowest[place],
                    strangers=strangers,
                )
            except (WireError, Unreadable) as error:
                return _untold(told[place], str(error))

    places = list(told)
    return dict(zip(places, await asyncio.gather(*map(one, places)), strict=True))


class _Log(NamedTuple):
    start: int
    end: int


_Side = tuple[Cluster, TopicPartition, _Log]


async def _joined(
    told: Told, source: _Side, target: _Side, lowest: int | None, *, strangers: bool
) -> Joined:
    (_, _, here), (_, _, over) = source, target
    since = max(here.start, here.end if lowest is None else lowest)
    first = min((run.source for run in told.runs), default=here.end)
    gaps = unpaired(told, since, here.end)
    began = min((run.target for run in told.runs), default=over.end)
    # A record lies there once: no more can be from the source than are not paired.
    open_ = unclaimed(told, max(over.start, began - _length(gaps)), over.end)
    if not strangers and not gaps:
        open_ = []
    if open_:
        gaps = unpaired(told, min(since, max(here.start, first)), here.end)
    gaps, counted = _worth_reading(gaps, first, since)
    left_out = _length(open_) > _MOST_READ
    ours = await _read(source, gaps)
    theirs = [] if left_out else await _read(target, open_)
    stamped = all(one.stamped for one in (*ours, *theirs))
    runs, left, others = matched(told, _seen(ours, stamped), _seen(theirs, stamped))
    begun = min((run.target for run in runs), default=over.end)
    # What the source has lost since cannot be told from what it never had.
    gone_to = max(
        (run.target + min(run.length, here.start - run.source) for run in runs if run[0] < here[0]),
        default=begun,
    )
    strange = [one for one in others if one >= gone_to]
    lacks = [*lacks_of(told, left, runs, since=since), *counted]
    return Joined(
        target=told.target,
        runs=runs,
        start=here.start,
        end=here.end,
        settled_to=here.end,
        target_end=over.end,
        back=tuple(told.back),
        lacks=tuple(sorted(lacks, key=lambda one: one.start)),
        strangers=_length(open_) if left_out else len(strange),
        stranger=min(strange, default=open_[0][0] if left_out else -1),
    )


def _worth_reading(gaps: list[Stretch], first: int, since: int) -> tuple[list[Stretch], list[Lack]]:
    """Leave out what is too much to read; it is counted by its offsets."""
    if _length(gaps) <= _MOST_READ:
        return gaps, []
    read, counted = [], []
    room = _MOST_READ
    for start, end in reversed(gaps):
        for a, b in ((max(start, first), end), (start, min(end, first))):
            if b <= a:
                continue
            if b - a <= room:
                room -= b - a
                read.append((a, b))
            elif b > since:
                why = Why.BEFORE if b <= first else Why.UNTOLD
                counted.append(Lack(start=max(a, since), end=b, why=why))
    return sorted(read), counted


def _length(some: Iterable[Stretch]) -> int:
    return sum(end - start for start, end in some)


async def _read(side: _Side, gaps: Iterable[Stretch]) -> list[_Read]:
    cluster, place, log = side
    wanted = [(max(start, log.start), end) for start, end in gaps if end > log.start]
    out: list[_Read] = []
    for start, end, own in _together(wanted):
        async for stretch in stretches(cluster, place, start, end, uncommitted=True):
            for kept in stretch.kept:
                if kept.aborted:
                    continue
                stamped = kept.header is not None and not kept.header.log_append_time
                producer = -1 if kept.header is None else kept.header.producer_id
                out += [
                    _Read(one.offset, one, stamped, producer)
                    for one in kept.records()
                    if any(a <= one.offset < b for a, b in own)
                ]
    return out


def _together(wanted: Iterable[Stretch]) -> list[tuple[int, int, list[Stretch]]]:
    out: list[tuple[int, int, list[Stretch]]] = []
    for start, end in wanted:
        if out and start - out[-1][1] <= _NEAR:
            before, _, own = out[-1]
            out[-1] = before, end, [*own, (start, end)]
        else:
            out.append((start, end, [(start, end)]))
    return out


def _seen(read: Iterable[_Read], stamped: bool) -> list[Seen]:  # noqa: FBT001  # of all or none
    return [Seen(one.offset, _content(one.record, stamped), one.producer) for one in read]


def _content(record: Record, stamped: bool) -> bytes:  # noqa: FBT001  # as above
    """Return what makes a record this one; where a broker sets times, they are not its own."""
    digest = blake2b(digest_size=16)
    parts: list[bytes | None] = [record.key, record.value]
    for name, value in record.headers:
        parts += [name.encode(), value]
    for part in parts:
        digest.update(b"-" if part is None else b"%d:" % len(part) + part)
    if stamped:
        digest.update(b"@%d" % record.timestamp)
    return digest.digest()


def _offset(
    found: Outcomes[TopicPartition, ListedOffset], place: TopicPartition
) -> int | WireError:
    one = found[place]
    return one.offset if isinstance(one, ListedOffset) else one


def _untold(told: Told, trouble: str) -> Joined:
    return Joined(
        target=told.target,
        runs=(),
        start=0,
        end=0,
        settled_to=0,
        target_end=0,
        trouble=trouble,
    )
