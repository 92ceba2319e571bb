"""Looking at a migration, and telling it something, from any machine that reaches the target.

Owns finding the migration's ledger. Creates nothing, and needs no source.
"""

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from datetime import UTC, datetime

from kferry.config import ClusterSettings
from kferry.copying import SNAPSHOT
from kferry.errors import ExitCode, KferryError
from kferry.ledger import LedgerTail, LedgerTopic, append, find_ledgers, open_ledger, read_ledger
from kferry.migration.book import read_manifest
from kferry.migration.clusters import default_name
from kferry.migration.ownership import Documents, owner_of, plain
from kferry.migration.requests import Wish
from kferry.migration.wishes import wish_document
from kferry.progress import Snapshot, from_json
from kferry.wire import Cluster, open_cluster

_EVERY_S = 1.0
_SILENT_S = 15.0


class NoMigration(KferryError):
    """There is no such migration, or more than one."""

    code = "K203"
    exit_code = ExitCode.USAGE


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What a ledger says of its migration just now."""

    snapshot: Snapshot
    documents: Documents
    """Those that are about the migration as a whole, its cutovers among them."""


async def status(
    target: ClusterSettings, *, migration: str | None, source: ClusterSettings | None = None
) -> Seen:
    """Read the newest snapshot."""
    async with open_cluster(target) as cluster:
        ledger = await find(cluster, migration=migration, source=source)
        return _seen(ledger, plain(await read_ledger(cluster, ledger, [0]))[0])


async def follow_status(
    target: ClusterSettings, *, migration: str | None, source: ClusterSettings | None = None
) -> AsyncIterator[Seen]:
    """Read snapshots until whoever looks goes away."""
    async with open_cluster(target) as cluster:
        ledger = await find(cluster, migration=migration, source=source)
        contents = await read_ledger(cluster, ledger, [0])
        documents = dict(plain(contents)[0])
        tail = LedgerTail(cluster, ledger, [0], contents.ends)
        while True:
            yield _seen(ledger, documents)
            await asyncio.sleep(_EVERY_S)
            # Only what is new: a slot may hold hours of checkpoints.
            for document in await tail.poll(seconds=0):
                if document.value is None:
                    documents.pop(document.key, None)
                else:
                    documents[document.key] = document.value


async def control(
    target: ClusterSettings,
    *,
    migration: str | None,
    wish: Wish,
    source: ClusterSettings | None = None,
) -> str:
    """Leave a wish for the process that copies; return the migration it is for."""
    async with open_cluster(target) as cluster:
        ledger = await find(cluster, migration=migration, source=source)
        owner = owner_of(plain(await read_ledger(cluster, ledger, [0]))[0])
        if not owner:
            raise KferryError(
                f"nobody copies {ledger.migration} just now",
                hint="kferry copy goes on where it stopped",
            )
        await append(cluster, ledger, 0, [wish_document(wish)])
        return ledger.migration


async def find(
    cluster: Cluster, *, migration: str | None, source: ClusterSettings | None
) -> LedgerTopic:
    """Find the ledger that is meant: by name, by the source's id, or the only one there is."""
    if migration is None and source is not None:
        async with open_cluster(source) as other:
            named = default_name(other.metadata.cluster_id or "unknown")
        if (found := await open_ledger(cluster, named)) is not None:
            return found
    names = await find_ledgers(cluster)
    if migration is None and len(names) == 1:
        migration = names[0]
    if migration is None:
        raise NoMigration(
            "there is no migration on this target" if not names else "which migration is meant?",
            f"there are {', '.join(names)}" if names else "",
            hint="kferry status -m NAME" if names else "kferry copy --topic NAME begins one",
        )
    ledger = await open_ledger(cluster, migration)
    if ledger is None:
        raise NoMigration(
            f"there is no migration {migration} on this target",
            f"there are {', '.join(names)}" if names else "",
            hint="kferry status -m NAME" if names else "kferry copy --topic NAME begins one",
        )
    return ledger


def _seen(ledger: LedgerTopic, documents: Documents) -> Seen:
    return Seen(snapshot=snapshot_of(ledger, documents), documents=documents)


def snapshot_of(ledger: LedgerTopic, documents: Documents) -> Snapshot:
    """Read what whoever copies has told last; `stopped` where it has been silent for long."""
    value = documents.get(SNAPSHOT)
    manifest = read_manifest(documents)
    if value is None:
        return Snapshot(
            migration=ledger.migration,
            source_cluster=manifest.source_id if manifest else "",
            target_cluster=manifest.target_id if manifest else "",
            owner=owner_of(documents),
            taken_at=datetime.now(UTC).isoformat(timespec="seconds"),
            state="starting",
        )
    try:
        snapshot = from_json({key: found for key, found in value.items() if key != "v"})
        age = datetime.now(UTC) - datetime.fromisoformat(snapshot.taken_at)
    except (ValueError, TypeError) as error:  # the latter: a time without a zone
        raise KferryError(
            f"the ledger of {ledger.migration} holds a snapshot that cannot be read",
            str(error),
            hint="it is written anew every two seconds while kferry copies",
        ) from None
    return _if_silent(snapshot, owner_of(documents), age.total_seconds())


def _if_silent(snapshot: Snapshot, owner: str, age: float) -> Snapshot:
    """A process that died wrote no last word."""
    if not owner or age < _SILENT_S or snapshot.state in {"stopped", "done"}:
        return snapshot
    return dataclasses.replace(
        snapshot,
        state="stopped",
        reason=f"no sign of life from {owner} for {age:,.0f} s; kferry copy goes on where it was",
    )
