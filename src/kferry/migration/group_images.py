"""What the ledger remembers of positions that kferry set on the target.

Owns two documents for each: what stood there before the first commit, which is never written again,
and what kferry set last, by which it knows later whether somebody else has moved on. Both are
written before the commit. Their writer is nobody in particular: a copy may be at work and owns the
slots, and no document here is one of its own. Two syncs may begin at once: each writes what it saw
under a key of its own, and what came first into the log is what was there.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4
from zlib import crc32

from kferry.config import TopicSelection
from kferry.copying import BadDocument
from kferry.ledger import Entry, LedgerTopic, append
from kferry.names import GroupId, PartitionId, TopicName, TopicPartition
from kferry.wire import Cluster

_BEFORE = "commit/"
_SET = "synced/"
_OURSELVES = uuid4().hex[:12]
"""Sets what this process saw apart from what another one saw at the same time."""
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
    at: datetime
    """When it was set last."""


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
    now = _now()
    known = _first(documents)
    entries: list[Entry] = []
    for one in settings:
        name = _name(one.group, one.place)
        if name not in known:
            before = {"offset": one.before, "metadata": one.metadata, "at": now}
            entries.append((f"{_BEFORE}{_OURSELVES}/{name}", before))
        former = documents.get(_SET + name, {}).get("offset")
        entries.append((_SET + name, {"offset": one.offset, "former": former, "at": now}))
    await _append(cluster, ledger, entries)


async def remember_renewal(cluster: Cluster, ledger: LedgerTopic, images: Iterable[Image]) -> None:
    """Write down that positions were committed once more as they are."""
    now = _now()
    entries: list[Entry] = [
        (
            _SET + _name(one.group, one.place),
            {"offset": one.ours[0], "former": one.ours[-1], "at": now},
        )
        for one in images
    ]
    await _append(cluster, ledger, entries)


async def forget(cluster: Cluster, ledger: LedgerTopic, images: Iterable[Image]) -> None:
    """Forget what kferry set; what was there before stays known."""
    await _append(cluster, ledger, [(_SET + _name(one.group, one.place), None) for one in images])


def images_of(documents: Documents) -> list[Image]:
    """Read every position that kferry has set and not taken back."""
    befores, found = _first(documents), []
    for key, value in documents.items():
        if key.startswith(_SET):
            name = key.removeprefix(_SET)
            found.append(_image(name, value, befores.get(name)))
    return sorted(found, key=lambda one: (one.group, one.place))


def images_meant(
    documents: Documents,
    sources: Mapping[TopicName, TopicName],
    *,
    meant: Callable[[GroupId], bool],
    selection: TopicSelection,
) -> list[Image]:
    """Read those of some groups and topics; `sources` names the target's topics on the source."""
    return [
        image
        for image in images_of(documents)
        if meant(image.group)
        and (
            selection == TopicSelection()
            or selection.matches(sources.get(image.place.topic, image.place.topic), internal=False)
        )
    ]


def _first(documents: Documents) -> dict[str, Mapping[str, Any]]:
    """Of what was there before, take what was written first: documents come in the log's order."""
    found: dict[str, Mapping[str, Any]] = {}
    for key, value in documents.items():
        if key.startswith(_BEFORE):
            _, _, name = key.removeprefix(_BEFORE).partition("/")
            found.setdefault(name, value)
    return found


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
            at=_time(ours["at"]),
        )
    except (KeyError, TypeError, ValueError) as error:
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


def _time(value: Any) -> datetime:
    found = datetime.fromisoformat(value)
    if found.tzinfo is None:
        raise ValueError(f"{value!r} where a time with its zone was expected")
    return found


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _name(group: GroupId, place: TopicPartition) -> str:
    return f"{group}/{place.topic}/{place.partition}"


async def _append(cluster: Cluster, ledger: LedgerTopic, entries: Iterable[Entry]) -> None:
    by_slot: dict[int, list[Entry]] = defaultdict(list)
    for key, value in entries:
        # All documents of a position share a slot, and with it their order.
        start = key.partition("/")[2]
        name = start.partition("/")[2] if key.startswith(_BEFORE) else start
        by_slot[crc32(name.encode()) % ledger.slots].append((key, value))
    for slot, own in by_slot.items():
        await append(cluster, ledger, slot, own)
