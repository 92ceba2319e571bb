"""Which cutover is meant: the one that is under way, or a new one.

Owns the request, and the refusal to walk two at once. Writes nothing.
"""

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from kferry.errors import ExitCode, KferryError
from kferry.migration.book import read_topics
from kferry.migration.clusters import Sides
from kferry.migration.maps import Documents
from kferry.migration.requests import CopyRequest
from kferry.migration.switching.book import CUTOVER
from kferry.migration.switching.scope import Scope, find_topics
from kferry.migration.verify import Level
from kferry.names import TopicName
from kferry.runbook.record import Record, read_record


class NoScheme(KferryError):
    """It was not said how to switch over."""

    code = "K250"
    exit_code = ExitCode.USAGE


class OtherCutover(KferryError):
    """A cutover of something else is under way."""

    code = "K251"
    exit_code = ExitCode.REFUSED


@dataclass(frozen=True, slots=True, kw_only=True)
class CutoverRequest:
    """A cutover as it was asked for."""

    copy: CopyRequest
    """Clusters, names and how to copy; its selection is what the cutover is about."""
    scheme: str | None
    """None: the one that is under way."""
    groups: tuple[str, ...]
    verify: Level | None
    """How closely both sides are compared; None: not at all."""
    silence_s: float
    patience_s: float
    bundle: Path | None
    """None: one in the current directory, named for the migration."""
    every_s: float = 1.0


def under_way(documents: Documents) -> Record | None:
    """Return the cutover that has no end yet."""
    value = documents.get(CUTOVER)
    if value is None:
        return None
    try:
        record = read_record(value)
    except ValueError as error:
        raise KferryError(
            "the ledger's record of the cutover cannot be read",
            str(error),
            hint="somebody else wrote to the ledger's topic; look at it before going on",
        ) from None
    return record if record.open else None


async def find(request: CutoverRequest, sides: Sides, documents: Documents) -> tuple[Record, Scope]:
    """Return the cutover that is under way, or a new one."""
    known = under_way(documents)
    entries = read_topics(documents)
    if known is not None:
        _insist_on_same(request, known)
        names = {
            TopicName(name): entries[TopicName(name)].target
            if TopicName(name) in entries
            else request.copy.mapping.get(TopicName(name), TopicName(name))
            for name in known.topics
        }
        return known, Scope(topics=names, groups=known.groups)
    if request.scheme is None:
        raise NoScheme(
            "no scheme was named, and no cutover is under way",
            hint="kferry cutover --scheme mirror; kferry cutover alone lists them",
        )
    topics = await find_topics(
        sides.clusters.source, request.copy.selection, entries, request.copy.mapping
    )
    record = Record(
        id=uuid.uuid4().hex[:8],
        scheme=request.scheme,
        topics=tuple(topics),
        groups=request.groups,
        started=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    return record, Scope(topics=topics, groups=request.groups)


def _insist_on_same(request: CutoverRequest, known: Record) -> None:
    other_groups = request.groups and set(request.groups) != set(known.groups)
    selection = request.copy.selection
    other_topics = selection.exact and not set(selection.exact) <= set(known.topics)
    if (request.scheme not in {None, known.scheme}) or other_groups or other_topics:
        raise OtherCutover(
            f"a cutover is under way already: {known.scheme}, begun {known.started}",
            f"topics {', '.join(known.topics[:5])}" + (" …" if len(known.topics) > 5 else ""),
            hint="kferry cutover goes on with it, kferry rollback takes it back",
            changed="Nothing was changed.",
        )
