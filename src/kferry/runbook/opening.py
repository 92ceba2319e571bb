"""What a walk needs, opened and closed again: clusters, ledgers, the flow, the operations.

Owns putting it together for either direction, and that two never walk at once.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from kferry.config import Beginning, ClusterSettings
from kferry.copying import Clusters
from kferry.ledger import LedgerTopic, create_ledger, open_ledger
from kferry.migration.book import read_topics
from kferry.migration.clusters import Sides, open_sides
from kferry.migration.group_images import Image, images_of
from kferry.migration.maps import Documents, read_documents
from kferry.migration.requests import CopyRequest, Unconsumed
from kferry.migration.signing import sign
from kferry.migration.switching.book import CutoverBook, insist_on_nobody, ourselves
from kferry.migration.switching.fence import Fence
from kferry.migration.switching.fence_book import FENCE, read_wish
from kferry.migration.switching.scope import Scope
from kferry.migration.switching.silence import SilenceWatch
from kferry.migration.switching.way_back import NoWayBack
from kferry.names import TopicName
from kferry.runbook.arming import Way
from kferry.runbook.both_sides import BothSides, reader, with_files
from kferry.runbook.bundle import Keepsake
from kferry.runbook.comparing import Comparison
from kferry.runbook.fencing import scheme_of
from kferry.runbook.finding import CutoverRequest, find, scope_of
from kferry.runbook.flow import Flow
from kferry.runbook.live import Live
from kferry.runbook.operator import Operator
from kferry.runbook.record import Record
from kferry.runbook.runner import Runner
from kferry.runbook.steps import Scheme
from kferry.runbook.unset import read_choice


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """Both clusters, as the migration names them, and what its ledger says."""

    migration: str
    sides: Sides
    ledger: LedgerTopic | None
    documents: Documents


@dataclass(slots=True, kw_only=True)
class Opened:
    """Everything for one walk."""

    request: CutoverRequest
    operator: Operator
    stop: asyncio.Event
    record: Record
    live: Live
    flow: Flow
    book: CutoverBook
    """Keeps the record, on the target."""
    keepsake: Keepsake | None
    """Keeps it beside, in a file, where there is something to take back."""

    def runner(self) -> Runner:
        """Make who walks."""
        return Runner(
            scheme=self.live.scheme,
            record=self.record,
            memory=_Memory(self.book, self.keepsake),
            do=self.live,
            copying=self.flow,
            operator=self.operator,
            by=ourselves(),
            stop=self.stop,
            patience_s=self.request.patience_s,
            every_s=self.request.every_s,
        )


@dataclass(frozen=True, slots=True)
class _Memory:
    book: CutoverBook
    keepsake: Keepsake | None

    async def keep(self, record: Record) -> None:
        await self.book.write(record.document(), ended=not record.open)
        if self.keepsake is not None:
            self.keepsake.keep(record)

    def glance(self, record: Record) -> None:
        self.book.glance(record.document())


@asynccontextmanager
async def opened_sides(request: CutoverRequest) -> AsyncIterator[Base]:
    """Connect, read the ledger, and refuse to walk beside another process."""
    async with open_sides(request.copy.source, request.copy.target) as sides:
        migration = request.copy.migration or sides.default_migration
        target = sides.clusters.target
        ledger = await open_ledger(target, migration)
        documents: Documents = {}
        if ledger is not None:
            documents = await read_documents(target, ledger, source=sides.clusters.source)
            await insist_on_nobody(target, ledger, documents)
        yield Base(migration=migration, sides=sides, ledger=ledger, documents=documents)


@asynccontextmanager
async def open_way_there(
    base: Base, request: CutoverRequest, operator: Operator, stop: asyncio.Event
) -> AsyncIterator[Opened]:
    """Open what the cutover that is under way needs, or a new one."""
    request = with_files(request, base.sides)
    record, scope = await find(request, base.sides, base.documents, base.migration)
    scheme = scheme_of(record)
    ledger = base.ledger
    if ledger is None:
        ledger = await create_ledger(
            base.sides.clusters.target,
            base.migration,
            slots=request.copy.slots,
            replication=request.copy.replication,
        )
    await sign(
        base.sides.clusters.target,
        ledger,
        base.documents,
        source_id=base.sides.source_id,
        target_id=base.sides.target_id,
    )
    way = Way(
        migration=base.migration,
        source_settings=request.copy.source,
        target_settings=request.copy.target,
        sides=base.sides,
        ledger=ledger,
        scope=scope,
    )
    other = record.facts.get("way_back") if scheme.returns else None
    names = frozenset(scope.topics.values())
    keepsake = _keepsake(request, base, names)

    async def keep_images() -> None:
        keepsake.positions = _images(await read_documents(way.sides.clusters.target, ledger), names)

    async with _opened(
        base,
        request,
        operator,
        stop,
        record=record,
        scheme=scheme,
        way=way,
        record_ledger=ledger,
        other=other if isinstance(other, str) else None,
        copy=_copy_there(request.copy, base.migration, scheme, scope),
        keep_images=keep_images,
        keepsake=keepsake,
    ) as opened:
        yield opened


@asynccontextmanager
async def open_way_back(
    base: Base, record: Record, request: CutoverRequest, operator: Operator, stop: asyncio.Event
) -> AsyncIterator[Opened]:
    """Open what the way back needs: the same with the sides exchanged."""
    name = str(record.facts.get("way_back"))
    sides = _exchanged(base.sides)
    ledger = await open_ledger(sides.clusters.target, name)
    if ledger is None or base.ledger is None:
        raise NoWayBack(
            "the ledger of the way back is not on the source any more",
            f"{name} was made there before the hand-over",
            hint="kferry complete ends the migration",
        )
    there = scope_of(record, request.copy.mapping, read_topics(base.documents))
    way = Way(
        migration=name,
        source_settings=request.copy.target,
        target_settings=request.copy.source,
        sides=sides,
        ledger=ledger,
        scope=there.exchanged,
    )

    async def nothing() -> None:
        """The way there keeps the images."""

    async with _opened(
        base,
        request,
        operator,
        stop,
        record=record,
        scheme=scheme_of(record),
        way=way,
        record_ledger=base.ledger,
        other=base.migration,
        copy=_copy_back(request.copy, way),
        keep_images=nothing,
        keepsake=None,
    ) as opened:
        yield opened


def _exchanged(sides: Sides) -> Sides:
    clusters = sides.clusters
    return Sides(
        clusters=Clusters(
            source=clusters.target,
            source_data=clusters.target_data,
            target=clusters.source,
            target_data=clusters.source_data,
        ),
        source_id=sides.target_id,
        target_id=sides.source_id,
    )


@asynccontextmanager
async def _opened(
    base: Base,
    request: CutoverRequest,
    operator: Operator,
    stop: asyncio.Event,
    *,
    record: Record,
    scheme: Scheme,
    way: Way,
    record_ledger: LedgerTopic,
    other: str | None,
    copy: CopyRequest,
    keep_images: Callable[[], Awaitable[None]],
    keepsake: Keepsake | None,
) -> AsyncIterator[Opened]:
    operator.about(hook_facts(base.migration, record, request.copy.source, request.copy.target))
    flow = Flow(request=copy, narrate=operator.narrate, stop=stop)
    book = CutoverBook(base.sides.clusters.target, record_ledger)
    silence = SilenceWatch(cluster=way.sides.clusters.source, seconds=request.silence_s)
    live = Live(
        scheme=scheme,
        way=way,
        other=other,
        flow=flow,
        book=CutoverBook(way.sides.clusters.target, way.ledger),
        silence=silence,
        both=_both(request, scheme, way, silence),
        compare=Comparison(
            copy=copy,
            migration=way.migration,
            scope=way.scope,
            level=request.verify,
            narrate=operator.narrate,
            stop=stop,
        ).run,
        keep_images=keep_images,
        accept_late=request.accept_late,
        uncommitted=read_choice(record.facts),
        fence_around=_fence(base, record, record_ledger, keepsake, operator),
    )
    signs = asyncio.create_task(book.signs(stop.set))
    try:
        yield Opened(
            request=request,
            operator=operator,
            stop=stop,
            record=record,
            live=live,
            flow=flow,
            book=book,
            keepsake=keepsake,
        )
    finally:
        signs.cancel()
        await asyncio.gather(signs, return_exceptions=True)
        await flow.abandon()


def _both(
    request: CutoverRequest, scheme: Scheme, way: Way, silence: SilenceWatch
) -> BothSides | None:
    if not scheme.dual:
        return None
    return BothSides(
        source=way.sides.clusters.source,
        target=way.sides.clusters.target,
        scope=way.scope,
        read=reader(request, way.sides),
        silence=silence,
        accept_late=request.accept_late,
    )


def _fence(
    base: Base,
    record: Record,
    ledger: LedgerTopic,
    keepsake: Keepsake | None,
    operator: Operator,
) -> Fence | None:
    """Return the fence of a cutover: around the way there's source, whichever way is walked."""
    wish = read_wish(record.facts)
    if wish is None:
        return None
    return Fence(
        source=base.sides.clusters.source,
        target=base.sides.clusters.target,
        ledger=ledger,
        topics=tuple(map(TopicName, record.topics)),
        wish=wish,
        keep=_forget_it if keepsake is None else keepsake.keep_fence,
        narrate=operator.narrate,
    )


def hook_facts(
    migration: str, record: Record, source: ClusterSettings, target: ClusterSettings
) -> dict[str, str]:
    """What hooks are told of a cutover."""
    return {
        "KFERRY_MIGRATION": migration,
        "KFERRY_CUTOVER": record.id,
        "KFERRY_SCHEME": record.scheme,
        "KFERRY_SOURCE": _servers(source),
        "KFERRY_TARGET": _servers(target),
        "KFERRY_TOPICS": " ".join(record.topics),
        "KFERRY_GROUPS": " ".join(record.groups),
        "KFERRY_REHEARSAL": "0",
    }


def _servers(settings: ClusterSettings) -> str:
    return ",".join(f"{one.host}:{one.port}" for one in settings.bootstrap)


def _copy_there(asked: CopyRequest, migration: str, scheme: Scheme, scope: Scope) -> CopyRequest:
    request = replace(asked, migration=migration, selection=scope.selection, within_cutover=True)
    if scheme.unconsumed:
        # Groups stand still by then, but some may have no member for long: that is no hindrance.
        return replace(request, start=Unconsumed(), live=True)
    return request


def _copy_back(asked: CopyRequest, way: Way) -> CopyRequest:
    return replace(
        asked,
        source=way.source_settings,
        target=way.target_settings,
        migration=way.migration,
        selection=way.scope.selection,
        mapping=dict(way.scope.topics),
        start=Beginning(),
        complete=False,
        within_cutover=True,
    )


def _forget_it(_: Mapping[str, Any] | None) -> None:
    """There is no bundle to keep it in."""


def _keepsake(request: CutoverRequest, base: Base, names: Collection[TopicName]) -> Keepsake:
    return Keepsake(
        path=request.bundle or Path(f"kferry-undo-{base.migration}.json"),
        migration=base.migration,
        source=base.sides.source_id,
        target=base.sides.target_id,
        positions=_images(base.documents, names),
        fence=base.documents.get(FENCE),
    )


def _images(documents: Documents, names: Collection[TopicName]) -> list[Image]:
    """Take the positions on these topics; those on topics handed over before are nobody's."""
    return [one for one in images_of(documents) if one.place.topic in names]
