"""The verb `cancel`: a migration is given up before anything was handed over.

Owns when that is legal, and the order. Afterwards nothing of kferry is left on the target but the
topics that nobody asked to delete.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from kferry.config import ClusterSettings
from kferry.errors import ExitCode, KferryError, UsageError
from kferry.ledger import LedgerTopic, find_ledgers
from kferry.migration.book import read_topics
from kferry.migration.cancelling import (
    Created,
    Leftovers,
    delete_created,
    export,
    forget,
    give_back_settings,
    leftovers,
    take_positions_back,
)
from kferry.migration.complete import insist_on_rest
from kferry.migration.group_undo import TakenBack
from kferry.migration.maps import Documents, read_documents
from kferry.migration.status import NoMigration, find
from kferry.migration.switching.book import read_switches
from kferry.runbook.standing import handed_over, standings
from kferry.units import many, some
from kferry.wire import Cluster, open_cluster


class TooLate(KferryError):
    """Something was handed over, or is about to be."""

    code = "K257"
    exit_code = ExitCode.REFUSED


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelRequest:
    """A migration to be given up."""

    target: ClusterSettings
    migration: str | None
    source: ClusterSettings | None
    delete: bool
    """Whether topics that kferry created go, too."""
    file: Path | None
    """Where the ledger is kept; None: a name that says which one and when."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancelled:
    """What was done. `agreed`: False where somebody said no; `found` is None: nothing was there."""

    migration: str
    agreed: bool
    found: Leftovers | None
    positions: tuple[TakenBack, ...] = ()
    deleted: tuple[Created, ...] = ()
    file: Path | None = None
    documents: int = 0
    others: tuple[str, ...] = ()
    """Where nothing was there: the migrations that are."""


async def cancel(
    request: CancelRequest,
    *,
    agree: Callable[[Leftovers], bool],
    name_file: Callable[[str], Path],
    tell: Callable[[str], None],
) -> Cancelled:
    """Take away what the migration left on the target, keep its ledger in a file, and delete it."""
    async with open_cluster(request.target) as target:
        ledger = await _find(target, request)
        if ledger is None:
            others = tuple(await find_ledgers(target))
            name = request.migration or ""
            return Cancelled(migration=name, agreed=True, found=None, others=others)
        documents = await read_documents(target, ledger)
        insist_on_nothing_handed_over(documents)
        await insist_on_rest(target, ledger)
        found = await leftovers(target, ledger, documents, closely=request.delete)
        _insist_on_no_group(found)
        file = request.file or name_file(ledger.migration)
        _insist_on_room(file)
        if not agree(found):
            return Cancelled(migration=ledger.migration, agreed=False, found=found)
        chosen = found.deletable if request.delete else []
        await _give_back(target, ledger, found, chosen, tell)
        positions = await take_positions_back(request.target, ledger.migration)
        kept = await export(target, ledger, file)
        tell(f"the ledger is kept in {file}: {many(kept, 'document')}")
        deleted = await delete_created(target, chosen) if chosen else []
        await forget(target, ledger, tell)
        return Cancelled(
            migration=ledger.migration,
            agreed=True,
            found=found,
            positions=tuple(positions),
            deleted=tuple(deleted),
            file=file,
            documents=kept,
        )


async def _find(target: Cluster, request: CancelRequest) -> LedgerTopic | None:
    try:
        return await find(target, migration=request.migration, source=request.source)
    except NoMigration as error:
        if error.detail and request.migration is None:
            raise  # there are several
        return None


def insist_on_nothing_handed_over(documents: Documents) -> None:
    """Refuse to give up what applications rely on already."""
    found = standings(documents)
    entries = read_topics(documents)
    switched: set[str] = {name for name, entry in entries.items() if entry.switched}
    gone = handed_over(found.ended, switched)
    if gone:
        raise TooLate(
            f"topics were handed over to the target already: {some(gone, 5)}",
            "Applications work there; what they wrote is nowhere else.",
            hint="kferry complete ends the migration",
        )
    if found.open is not None and found.open.record.no_return:
        raise TooLate(
            "a cutover is under way, and its point of no return is behind",
            f"{found.open.record.scheme}, {some(found.open.record.topics, 5)}; "
            f"{many(len(read_switches(documents)), 'topic')} marked",
            hint="kferry cutover goes on with it",
        )
    if found.open is not None:
        raise TooLate(
            "a cutover is under way",
            f"{found.open.record.scheme}, {some(found.open.record.topics, 5)}",
            hint="kferry rollback takes it back first; then cancel",
        )


def _insist_on_no_group(found: Leftovers) -> None:
    if found.in_the_way:
        raise TooLate(
            f"{many(len(found.in_the_way), 'position')} on the target cannot be taken back now",
            "\n".join(
                f"{one.image.group}, {one.image.place}: {one.reason}"
                for one in found.in_the_way[:5]
            ),
            hint="stop what consumes on the target, then kferry cancel again",
        )


def _insist_on_room(file: Path) -> None:
    if file.exists():
        raise UsageError(
            f"{file} is there already, and is never written over",
            hint="--export names another file",
        )
    if not file.absolute().parent.is_dir():
        raise UsageError(
            f"there is no directory {file.absolute().parent}", hint="--export names another file"
        )


async def _give_back(
    target: Cluster,
    ledger: LedgerTopic,
    found: Leftovers,
    chosen: list[Created],
    tell: Callable[[str], None],
) -> None:
    going = {one.entry.target for one in chosen}
    entries = [one for one in found.suspended if one.target not in going]
    if entries:
        await give_back_settings(target, ledger, entries)
        have = "has its" if len(entries) == 1 else "have their"
        tell(f"{many(len(entries), 'topic')} {have} own settings again")
