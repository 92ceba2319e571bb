"""The check itself: addresses first, then facts, then judgements.

Owns the order and what a missing side means. Each side is looked at by itself; what compares them
needs both.
"""

import asyncio
import difflib
from collections.abc import Collection
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

from kferry.config import ClusterSettings, TopicSelection
from kferry.names import GroupId, TopicName
from kferry.preflight.capacity import judge_capacity
from kferry.preflight.clocks import judge_clock
from kferry.preflight.cluster_facts import Facts, gather_facts
from kferry.preflight.findings import Finding, Report, Side, failure
from kferry.preflight.identity import judge_identity
from kferry.preflight.limits import judge_limits
from kferry.preflight.listeners import trouble, try_bootstrap, try_brokers
from kferry.preflight.permissions import RIGHTS_UNANSWERED, check_source, check_target
from kferry.wire import Cluster, Limits, WireError, open_cluster


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckRequest:
    """Which clusters to look at, and which topics are meant."""

    source: ClusterSettings | None
    target: ClusterSettings | None
    selection: TopicSelection = field(default_factory=TopicSelection)
    limits: Limits = field(default_factory=Limits)


@dataclass(slots=True, kw_only=True)
class _Look:
    """One side while it is looked at; without facts where it could not be asked."""

    side: Side
    findings: list[Finding]
    cluster: Cluster | None = None
    facts: Facts | None = None
    unanswered: bool = False


async def check(request: CheckRequest) -> Report:
    """Look at both sides, or the one that was named."""
    async with AsyncExitStack() as open_clusters:
        looks = {
            look.side: look
            for look in await asyncio.gather(
                *(
                    _look(side, settings, request, open_clusters)
                    for side, settings in (
                        (Side.SOURCE, request.source),
                        (Side.TARGET, request.target),
                    )
                    if settings is not None
                )
            )
        }
        source, target = looks.get(Side.SOURCE), looks.get(Side.TARGET)
        findings = [finding for look in looks.values() for finding in look.findings]
        findings += await _rights(source, target)
    source_facts = source.facts if source else None
    target_facts = target.facts if target else None
    findings += judge_identity(source_facts, target_facts)
    if source_facts is not None and target_facts is not None:
        findings += judge_capacity(source_facts, target_facts)
        findings += judge_limits(source_facts, target_facts)
    findings += [judge_clock(look.side, look.facts) for look in looks.values() if look.facts]
    order = list(Side)
    return Report(
        findings=tuple(sorted(findings, key=lambda finding: order.index(finding.side))),
        unanswered=any(look.unanswered for look in looks.values())
        or any(finding.code == RIGHTS_UNANSWERED for finding in findings),
    )


async def _look(
    side: Side, settings: ClusterSettings, request: CheckRequest, open_clusters: AsyncExitStack
) -> _Look:
    bootstrap = await try_bootstrap(side, settings, request.limits)
    look = _Look(side=side, findings=bootstrap.findings)
    if not bootstrap.answered:
        look.unanswered = bootstrap.silent
        return look
    try:
        look.cluster = await open_clusters.enter_async_context(
            open_cluster(settings, request.limits)
        )
        look.findings += (await try_brokers(side, look.cluster)).findings
        look.facts = await gather_facts(look.cluster, request.selection)
    except WireError as error:
        look.findings.append(trouble(side, "metadata", error))
        look.unanswered = error.retriable
        return look
    look.findings += _invisible(side, look.facts, request.selection)
    return look


async def _rights(source: _Look | None, target: _Look | None) -> list[Finding]:
    findings: list[Finding] = []
    topics: Collection[TopicName] = ()
    groups: set[GroupId] = set()
    if source is not None and source.cluster is not None and source.facts is not None:
        topics = source.facts.selected
        groups = {
            group.id
            for found in source.facts.groups.values()
            if isinstance(found, list)
            for group in found
        }
        findings += await check_source(source.cluster, source.facts, groups=groups)
    if target is not None and target.cluster is not None and target.facts is not None:
        findings += await check_target(target.cluster, target.facts, topics=topics, groups=groups)
    return findings


def _invisible(side: Side, facts: Facts, selection: TopicSelection) -> list[Finding]:
    """Name topics that were asked for by name and are not shown: absent, or not for our eyes."""
    if side is Side.TARGET:
        return []
    missing = sorted(selection.exact - facts.metadata.topics.keys())
    mistyped = [
        failure(
            side,
            f"--topic {text}",
            code="pattern-matches-nothing",
            message="matches no topic that may be seen",
            hint="a glob or a /regular expression/ must match the whole name",
        )
        for text in selection.unmatched(facts.selected)
    ]
    return mistyped + [
        failure(
            side,
            f"topic {name}",
            code="topic-invisible",
            message="does not exist, or Describe on it is not allowed",
            hint=_nearest(name, facts),
        )
        for name in missing
    ]


def _nearest(name: TopicName, facts: Facts) -> str:
    near = difflib.get_close_matches(name, facts.metadata.topics, n=1)
    return f"did you mean `{near[0]}`?" if near else "list them with kafka-topics --list"
