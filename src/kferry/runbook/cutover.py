"""The verbs `cutover` and `rollback`: from two clusters and a scheme to a walk.

Owns opening what a walk needs, and finding the cutover that is under way.
"""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from kferry.config import ClusterSettings
from kferry.errors import ExitCode, KferryError
from kferry.ledger import LedgerTopic, append, create_ledger, open_ledger
from kferry.migration.book import Manifest, read_manifest, read_topics
from kferry.migration.clusters import Sides, open_sides
from kferry.migration.group_images import images_of
from kferry.migration.maps import Documents, read_documents
from kferry.migration.requests import CopyRequest, Unconsumed
from kferry.migration.switching.book import CUTOVER, CutoverBook, insist_on_nobody
from kferry.migration.switching.scope import Scope
from kferry.migration.switching.silence import SilenceWatch
from kferry.runbook.bundle import write_bundle
from kferry.runbook.comparing import Comparison
from kferry.runbook.finding import CutoverRequest, find, under_way
from kferry.runbook.flow import Flow
from kferry.runbook.live import Live
from kferry.runbook.operator import Operator
from kferry.runbook.record import Record
from kferry.runbook.runner import Runner
from kferry.runbook.schemes import SCHEMES


class NoCutover(KferryError):
    """There is nothing to take back."""

    code = "K252"
    exit_code = ExitCode.USAGE


async def cutover(request: CutoverRequest, *, operator: Operator, stop: asyncio.Event) -> Record:
    """Walk on to the end."""
    async with _opened(request, operator, stop, create=True) as opened:
        return await opened.runner().walk()


async def rollback(request: CutoverRequest, *, operator: Operator, stop: asyncio.Event) -> Record:
    """Take back what was walked."""
    async with _opened(request, operator, stop, create=False) as opened:
        return await opened.runner().roll_back()


@dataclass(slots=True, kw_only=True)
class _Opened:
    request: CutoverRequest
    operator: Operator
    stop: asyncio.Event
    record: Record
    live: Live
    flow: Flow
    book: CutoverBook
    by: str

    def runner(self) -> Runner:
        return Runner(
            scheme=self.live.scheme,
            record=self.record,
            memory=_Memory(self.book),
            do=self.live,
            copying=self.flow,
            operator=self.operator,
            by=self.by,
            stop=self.stop,
            patience_s=self.request.patience_s,
            every_s=self.request.every_s,
        )


@dataclass(frozen=True, slots=True)
class _Memory:
    book: CutoverBook

    async def keep(self, record: Record) -> None:
        await self.book.write(record.document())


@asynccontextmanager
async def _opened(
    request: CutoverRequest, operator: Operator, stop: asyncio.Event, *, create: bool
) -> AsyncIterator[_Opened]:
    by = f"{socket.gethostname()}, process {os.getpid()}"
    async with open_sides(request.copy.source, request.copy.target) as sides:
        migration = request.copy.migration or sides.default_migration
        source, target = sides.clusters.source, sides.clusters.target
        ledger = await open_ledger(target, migration)
        documents: Documents = {}
        if ledger is not None:
            documents = await read_documents(target, ledger, source=source)
        insist_on_nobody(documents.get(CUTOVER, {}), by)
        if not create and not under_way(documents):
            raise NoCutover(
                f"no cutover of {migration} is under way",
                hint="kferry cutover begins one; kferry status shows what there was",
            )
        record, scope = await find(request, sides, documents)
        if ledger is None:
            ledger = await create_ledger(
                target, migration, slots=request.copy.slots, replication=request.copy.replication
            )
        await _sign(sides, ledger, migration, documents)
        operator.about(_facts(request, migration, record, scope))
        flow = Flow(
            request=_copy_request(request.copy, migration, record, scope),
            narrate=operator.narrate,
            stop=stop,
        )
        book = CutoverBook(target, ledger)
        live = Live(
            scheme=SCHEMES[record.scheme],
            migration=migration,
            source_settings=request.copy.source,
            target_settings=request.copy.target,
            sides=sides,
            ledger=ledger,
            scope=scope,
            flow=flow,
            book=book,
            silence=SilenceWatch(cluster=source, seconds=request.silence_s),
            compare=Comparison(
                copy=request.copy,
                migration=migration,
                scope=scope,
                level=request.verify,
                narrate=operator.narrate,
                stop=stop,
            ).run,
            keep_images=_keeping(request, sides, ledger, migration, record),
        )
        signs = asyncio.create_task(book.signs())
        try:
            yield _Opened(
                request=request,
                operator=operator,
                stop=stop,
                record=record,
                live=live,
                flow=flow,
                book=book,
                by=by,
            )
        finally:
            signs.cancel()
            await asyncio.gather(signs, return_exceptions=True)
            await flow.abandon()


async def _sign(sides: Sides, ledger: LedgerTopic, migration: str, documents: Documents) -> None:
    """Write down which clusters this is between, where no copy has done so."""
    if read_manifest(documents) is None:
        ours = Manifest(migration=migration, source_id=sides.source_id, target_id=sides.target_id)
        await append(sides.clusters.target, ledger, 0, [ours.document()])


def _facts(request: CutoverRequest, migration: str, record: Record, scope: Scope) -> dict[str, str]:
    return {
        "KFERRY_MIGRATION": migration,
        "KFERRY_CUTOVER": record.id,
        "KFERRY_SCHEME": record.scheme,
        "KFERRY_SOURCE": _servers(request.copy.source),
        "KFERRY_TARGET": _servers(request.copy.target),
        "KFERRY_TOPICS": " ".join(scope.topics),
        "KFERRY_TARGET_TOPICS": " ".join(scope.topics.values()),
        "KFERRY_GROUPS": " ".join(record.groups),
        "KFERRY_REHEARSAL": "0",
    }


def _servers(settings: ClusterSettings) -> str:
    return ",".join(f"{one.host}:{one.port}" for one in settings.bootstrap)


def _copy_request(asked: CopyRequest, migration: str, record: Record, scope: Scope) -> CopyRequest:
    request = replace(asked, migration=migration, selection=scope.selection, within_cutover=True)
    if SCHEMES[record.scheme].unconsumed:
        # Groups stand still by then, but some may have no member for long: that is no hindrance.
        return replace(request, start=Unconsumed(), live=True)
    return request


def _keeping(
    request: CutoverRequest, sides: Sides, ledger: LedgerTopic, migration: str, record: Record
) -> Callable[[], Awaitable[None]]:
    async def keep() -> None:
        documents = await read_documents(sides.clusters.target, ledger)
        write_bundle(
            request.bundle or Path(f"kferry-undo-{migration}.json"),
            {
                "migration": migration,
                "source": sides.source_id,
                "target": sides.target_id,
                "cutover": record.document(),
                "topics": {name: entry.target for name, entry in read_topics(documents).items()},
                "positions": [
                    {
                        "group": one.group,
                        "topic": one.place.topic,
                        "partition": one.place.partition,
                        "before": one.before,
                    }
                    for one in images_of(documents)
                ],
            },
        )

    return keep
