"""A migration's maps turned round: what lies where, told from the other side.

Owns making the ledger of the way back from the one of the way there, and later the way there from
the way back. Both then know every record of both logs, so that positions translate exactly whether
a group lags behind the switch or is past it, and either copy can go on at the ends it was given.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from zlib import crc32

from kferry.copying import OWNER, Position, position_key, runs_key, whole_map
from kferry.ledger import Contents, Entry, LedgerTopic, append, read_ledger
from kferry.migration.book import Manifest, TopicEntry
from kferry.migration.maps import Maps, merged
from kferry.migration.switching.scope import Scope
from kferry.migration.turned import turned_key
from kferry.names import TopicPartition
from kferry.offsets import OffsetMap, Runs
from kferry.wire import Cluster


@dataclass(frozen=True, slots=True, kw_only=True)
class Ends:
    """Where the two logs of a partition end, and one is the copy of the other."""

    here: int
    """On the side that was copied from."""
    there: int


def turned(offsets: OffsetMap) -> Runs:
    """Turn the runs of a map round."""
    runs = Runs()
    for run in offsets.runs:
        runs.append(run.target, run.source, run.length)
    return runs


async def turn(
    maps: Maps,
    scope: Scope,
    ends: Mapping[TopicPartition, Ends],
    *,
    cluster: Cluster,
    ledger: LedgerTopic,
    manifest: Manifest,
) -> None:
    """Write a migration's maps, turned round, into a ledger on the cluster that was copied from.

    Nobody may own that ledger just now. It is left as a copy leaves it that ended in good order.
    """
    contents = await read_ledger(cluster, ledger)
    known = merged(contents)
    by_slot: dict[int, list[Entry]] = {slot: [] for slot in range(ledger.slots)}
    if "manifest" not in known:
        by_slot[0].append(manifest.document())
    for name in scope.topics:
        by_slot[0].append(_entry(maps.topics[name], known).document())
    for partition, there in ends.items():
        back = scope.there(partition)
        by_slot[_slot_of(back, contents, ledger)] += _documents(
            maps.map_of(partition), back, there, known
        )
    for slot, entries in by_slot.items():
        if OWNER not in contents.get(slot, {}):
            entries.append((OWNER, _left_in_order()))
        if entries:
            await append(cluster, ledger, slot, entries)


def _entry(entry: TopicEntry, known: Mapping[str, object]) -> TopicEntry:
    """What a copy of the other direction calls source and target."""
    key = f"topic/{entry.target}"
    before = known.get(key)
    made = before.get("created") is True if isinstance(before, Mapping) else False
    finish = dict(before.get("finish", {})) if isinstance(before, Mapping) else {}
    return TopicEntry(
        source=entry.target,
        target=entry.source,
        source_id=entry.target_id,
        target_id=entry.source_id or "none",
        partitions=entry.partitions,
        created=made,
        finish=finish,
        completed=isinstance(before, Mapping) and before.get("completed") is True,
    )


def _documents(
    offsets: OffsetMap | None,
    back: TopicPartition,
    ends: Ends,
    known: Mapping[str, object],
) -> list[Entry]:
    runs = Runs() if offsets is None else turned(offsets)
    begins = runs[0].source if len(runs) else ends.there
    position = Position(
        begins=begins,
        copied_to=ends.there,
        next_target=ends.here,
        chunk=0,
        leader_epoch=-1,
        records=runs.records,
        gaps=(),
    )
    documents: list[Entry] = [
        (turned_key(back), {"source": ends.there, "target": ends.here}),
        *whole_map(back, position, runs),
    ]
    written = {key for key, _ in documents}
    stale = runs_key(back, 0).rpartition("/")[0] + "/"
    documents += [(key, None) for key in known if key.startswith(stale) and key not in written]
    return documents


def _slot_of(partition: TopicPartition, contents: Contents, ledger: LedgerTopic) -> int:
    """Return the slot that holds a partition already, or one that may."""
    key = position_key(partition)
    for slot, own in contents.items():
        if key in own:
            return slot
    return crc32(key.encode()) % ledger.slots


def _left_in_order() -> dict[str, object]:
    return {
        "id": "turned",
        "host": "",
        "pid": 0,
        "since": datetime.now(UTC).isoformat(timespec="seconds"),
        "state": "stopped",
        "clean": True,
        "at": 0,
    }
