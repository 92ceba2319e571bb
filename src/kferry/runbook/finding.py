"""Which cutover is meant: the one that is under way, or a new one.

Owns the request, and the refusal to walk two at once. Writes nothing.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from kferry.errors import ExitCode, KferryError, UsageError
from kferry.migration.book import TopicEntry, read_topics
from kferry.migration.clusters import Sides
from kferry.migration.maps import Documents
from kferry.migration.requests import CopyRequest
from kferry.migration.switching.book import CUTOVER
from kferry.migration.switching.fence_book import FenceWish
from kferry.migration.switching.scope import Scope, find_topics
from kferry.migration.switching.uncommitted import Choice
from kferry.migration.verify import Level
from kferry.names import TopicName
from kferry.runbook.fencing import can_be_fenced
from kferry.runbook.record import Record, read_record
from kferry.runbook.schemes import SCHEMES
from kferry.runbook.unset import asks_uncommitted


class NoScheme(KferryError):
    """It was not said how to switch over."""

    code = "K250"
    exit_code = ExitCode.USAGE


class NotFenceable(KferryError):
    """A scheme has no place for a fence."""

    code = "K264"
    exit_code = ExitCode.USAGE


class MapsOrNone(KferryError):
    """Map files are there for a scheme that has no use for them, or are missing."""

    code = "K280"
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
    named: frozenset[str] = frozenset()
    """Topics that the command line named, each by its whole name."""
    verify: Level | None
    """How closely both sides are compared; None: not at all."""
    silence_s: float
    patience_s: float
    bundle: Path | None
    """None: one in the current directory, named for the migration."""
    give_up: bool = False
    """Whether a way back that is being walked is taken back itself."""
    way_back: bool = True
    """Whether what is written on the target shall be able to return, where the scheme can."""
    accept_late: bool = False
    """Whether records that came to the source behind the switch may stay there."""
    maps: tuple[Path, ...] = ()
    """Map files of applications that write both sides, or folders of them."""
    fence: FenceWish | None = None
    """Whether writing to the source shall be forbidden once it is silent, and to whom."""
    uncommitted: Choice | None = None
    """Where groups at work go on that never committed."""
    every_s: float = 1.0


def newest(documents: Documents) -> Record | None:
    """Return the last cutover, whether it has an end or not."""
    value = documents.get(CUTOVER)
    if value is None:
        return None
    try:
        return read_record(value)
    except ValueError as error:
        raise KferryError(
            "the ledger's record of the cutover cannot be read",
            str(error),
            hint="somebody else wrote to the ledger's topic; look at it before going on",
        ) from None


def under_way(documents: Documents) -> Record | None:
    """Return the cutover that has no end yet."""
    record = newest(documents)
    return record if record is not None and record.open else None


def scope_of(
    record: Record,
    mapping: Mapping[TopicName, TopicName],
    entries: Mapping[TopicName, TopicEntry],
) -> Scope:
    """Return what a cutover that was begun is about."""
    names = {
        TopicName(name): entries[TopicName(name)].target
        if TopicName(name) in entries
        else mapping.get(TopicName(name), TopicName(name))
        for name in record.topics
    }
    return Scope(topics=names, groups=record.groups)


async def find(
    request: CutoverRequest, sides: Sides, documents: Documents, migration: str
) -> tuple[Record, Scope]:
    """Return the cutover that is under way, or a new one."""
    known = under_way(documents)
    _insist_on_use(request, known)
    entries = read_topics(documents)
    if known is not None:
        _insist_on_same(request, known)
        _insist_on_maps(request, known.scheme)
        if not request.way_back and not known.no_return and "way_back" in known.facts:
            without = {key: value for key, value in known.facts.items() if key != "way_back"}
            known = replace(known, facts=without)
        known = with_word(request, _with_fence(request, known))
        return known, scope_of(known, request.copy.mapping, entries)
    if request.scheme is None:
        raise NoScheme(
            "no scheme was named, and no cutover is under way",
            hint="kferry cutover --scheme mirror; kferry cutover alone lists them",
        )
    _insist_on_maps(request, request.scheme)
    topics = await find_topics(
        sides.clusters.source, request.copy.selection, entries, request.copy.mapping
    )
    id_ = uuid.uuid4().hex[:8]
    scheme = SCHEMES[request.scheme]
    facts: dict[str, object] = {}
    if request.way_back and scheme.returns:
        facts["way_back"] = f"{migration}.back-{id_}"
    if request.fence is not None:
        if not can_be_fenced(scheme):
            raise NotFenceable(
                f"{scheme.name} cannot be walked with a fence",
                "There is no time when the source is silent and kferry has copied it.",
                hint="leave --fence out, or take one of "
                + ", ".join(name for name, one in SCHEMES.items() if can_be_fenced(one)),
            )
        facts["fence"] = request.fence.document()
    if request.uncommitted is not None:
        facts["uncommitted"] = request.uncommitted.value
    record = Record(
        id=id_,
        scheme=request.scheme,
        topics=tuple(topics),
        groups=request.groups,
        started=datetime.now(UTC).isoformat(timespec="seconds"),
        facts=facts,
    )
    return record, Scope(topics=topics, groups=request.groups)


def _insist_on_use(request: CutoverRequest, known: Record | None) -> None:
    """Refuse a word that a scheme would not heed."""
    scheme = SCHEMES.get(request.scheme or ("" if known is None else known.scheme))
    if request.uncommitted is not None and scheme is not None and not asks_uncommitted(scheme):
        raise UsageError(
            f"{scheme.name} has its own rule for what no group has read",
            hint="leave --uncommitted out; it is for "
            + " and ".join(name for name, one in SCHEMES.items() if asks_uncommitted(one)),
        )


def with_word(request: CutoverRequest, known: Record) -> Record:
    """Go on with what is said now of positions that nobody committed; else with what was said."""
    if request.uncommitted is None:
        return known
    return replace(known, facts={**known.facts, "uncommitted": request.uncommitted.value})


def _with_fence(request: CutoverRequest, known: Record) -> Record:
    """Go on with the fence that is asked for now; without a word, with that of the beginning."""
    if request.fence is None:
        return known
    if "fence" not in known.facts and (
        not can_be_fenced(SCHEMES[known.scheme]) or known.has_passed("tail") or known.no_return
    ):
        raise OtherCutover(
            "it is too late for a fence in this cutover",
            "Its place is behind the silence, before the rest is copied.",
            hint="kferry cutover goes on without, kferry rollback takes it back",
            changed="Nothing was changed.",
        )
    return replace(known, facts={**known.facts, "fence": request.fence.document()})


def _insist_on_maps(request: CutoverRequest, name: str) -> None:
    """Where applications write both sides, their map files are needed at every walk."""
    dual = name in SCHEMES and SCHEMES[name].dual
    if dual and not request.maps:
        raise MapsOrNone(
            f"{name} goes by the map files of the applications, and none was named",
            hint="--map FOLDER: where the files of DualProducer(map_file=...) lie; repeatable",
        )
    if request.maps and not dual:
        raise MapsOrNone(
            f"--map does not go with {name}: it copies, or begins with an empty target",
            hint="kferry cutover --scheme double-write --map FOLDER, or leave --map out",
        )


def _insist_on_same(request: CutoverRequest, known: Record) -> None:
    if known.scheme not in SCHEMES:
        raise OtherCutover(
            "the way back is being walked",
            f"begun {known.started}",
            hint="kferry rollback goes on with it; kferry rollback --give-up stays on the target",
            changed="Nothing was changed.",
        )
    other_groups = request.groups and set(request.groups) != set(known.groups)
    other_topics = not request.named <= set(known.topics)
    if (request.scheme not in {None, known.scheme}) or other_groups or other_topics:
        raise OtherCutover(
            f"a cutover is under way already: {known.scheme}, begun {known.started}",
            f"topics {', '.join(known.topics[:5])}" + (" …" if len(known.topics) > 5 else ""),
            hint="kferry cutover goes on with it, kferry rollback takes it back",
            changed="Nothing was changed.",
        )
