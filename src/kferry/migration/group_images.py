"""What the ledger remembers of positions that kferry set on the target.

Owns two documents for each: what stood there before the first commit, which is never written again,
and what kferry set last, by which it knows later whether somebody else has moved on. Both are
written before the commit. Their writer is nobody in particular: a copy may be at work and owns the
slots, and no document here is one of its own.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zlib import crc32

from kferry.copying import BadDocument
from kferry.ledger import Entry, LedgerTopic, append
from kferry.names import GroupId, PartitionId, TopicName, TopicPartition
from kferry.wire import Cluster

_BEFORE = "commit/"
_SET = "synced/"
Documents = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """A position of a group on the target: what was there, and what kferry made of it."""

    group: GroupId
    place: TopicPartition
    before: int | None
    metadata: str
    ours: tuple[int, ...]
    """What kferry set last, and what it had set before that: one of them was committed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """A position that is about to be set."""

    group: GroupId
    place: TopicPartition
    offset: int
    before: int | None
    metadata: str
    """What stands beside the position that is there before."""


async def remember(
    cluster: Cluster, ledger: LedgerTopic, documents: Documents, settings: Iterable[Setting]
) -> None:
    """Write down what is there, where that is not known yet, and what will be."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    entries: list[Entry] = []
    for one in settings:
        before, ours = _keys(one.group, one.place)
        if before not in documents:
            entries.append((before, {"offset": one.before, "metadata": one.metadata, "at": now}))
        former = documents.get(ours, {}).get("offset")
        entries.append((ours, {"offset": one.offset, "former": former, "at": now}))
    await _append(cluster, ledger, entries)


async def forget(cluster: Cluster, ledger: LedgerTopic, images: Iterable[Image]) -> None:
    """Forget what kferry set; what was there before stays known."""
    await _append(cluster, ledger, [(_keys(one.group, one.place)[1], None) for one in images])


def images_of(documents: Documents) -> list[Image]:
    """Read every position that kferry has set and not taken back."""
    found = []
    for key, value in documents.items():
        if key.startswith(_SET):
            name = key.removeprefix(_SET)
            found.append(_image(name, value, documents.get(_BEFORE + name)))
    return sorted(found, key=lambda one: (one.group, one.place))


def _image(name: str, ours: Mapping[str, Any], before: Mapping[str, Any] | None) -> Image:
    try:
        # Topic names hold no slash, those of groups may.
        group, topic, partition = name.rsplit("/", 2)
        place = TopicPartition(TopicName(topic), PartitionId(int(partition)))
        if before is None:
            raise ValueError("what was there before is missing")  # noqa: TRY301 one way out
        set_last, former = _offset(ours["offset"]), _offset(ours.get("former"))
        return Image(
            group=GroupId(group),
            place=place,
            before=_offset(before["offset"]),
            metadata=str(before.get("metadata", "")),
            ours=tuple(one for one in (set_last, former) if one is not None),
        )
    except (KeyError, ValueError) as error:
        raise BadDocument(
            f"the ledger's document {_SET}{name} cannot be read",
            str(error),
            hint="somebody else wrote to the ledger's topic; look at it before going on",
        ) from None


def _offset(value: object) -> int | None:
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError(f"{value!r} where an offset was expected")
    return value


def _keys(group: GroupId, place: TopicPartition) -> tuple[str, str]:
    name = f"{group}/{place.topic}/{place.partition}"
    return _BEFORE + name, _SET + name


async def _append(cluster: Cluster, ledger: LedgerTopic, entries: Iterable[Entry]) -> None:
    by_slot: dict[int, list[Entry]] = defaultdict(list)
    for key, value in entries:
        # The two documents of a position share a slot, and with it their order.
        name = key.partition("/")[2]
        by_slot[crc32(name.encode()) % ledger.slots].append((key, value))
    for slot, own in by_slot.items():
        await append(cluster, ledger, slot, own)
