"""May kferry do what it needs to do?

Owns the asking, right by right, without writing: bits where brokers tell them (2.3 and later),
questions that would be refused where they do not. What cannot be asked is said to be unknown.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import TypeVar

from kferry.admin import probes
from kferry.admin.cluster import cluster_operations
from kferry.admin.operations import Operation
from kferry.names import GroupId, TopicName
from kferry.preflight import needs
from kferry.preflight.cluster_facts import Facts
from kferry.preflight.findings import Finding, Side, failure, note, ok, reason
from kferry.preflight.needs import Need
from kferry.units import some
from kferry.wire import Cluster, Topic, WireError
from kferry.wire.metadata import Operations

_CHUNK = 500
RIGHTS_UNANSWERED = "rights-unanswered"
"""The code of a finding that may be another one when asked again."""

_SAMPLE_TOPIC = TopicName("kferry-check")
_SAMPLE_GROUP = GroupId("kferry-check")
_LEDGER_ID = "kferry.check"
_LEDGER_TOPIC = TopicName("__kferry.check")
_ANYBODY_IDEMPOTENT = (2, 8)

_N = TypeVar("_N", TopicName, GroupId)
_Probe = Callable[[Cluster, Sequence[_N]], Awaitable[set[_N]]]
_PROBES: dict[Operation, _Probe[TopicName]] = {
    Operation.READ: probes.topics_denied_read,
    Operation.WRITE: probes.topics_denied_write,
    Operation.DESCRIBE_CONFIGS: probes.topics_denied_configs,
    Operation.ALTER_CONFIGS: probes.topics_denied_alter,
    Operation.DELETE: probes.topics_denied_delete,
}


async def check_source(
    cluster: Cluster, facts: Facts, *, groups: Collection[GroupId]
) -> list[Finding]:
    """Ask for the source's rights; its topics are the selected ones."""
    findings = _cluster_rights(cluster, facts, needs.SOURCE_CLUSTER)
    topics = {name: topic for name, topic in facts.selected.items() if not topic.error_code}
    for need in needs.SOURCE_TOPICS if topics else ():
        findings.append(await _topic_right(cluster, need, topics))
    if groups:
        probe = probes.groups_denied_describe
        findings.append(await _group_right(cluster, needs.SOURCE_GROUPS, probe, sorted(groups)))
    return findings


async def check_target(
    cluster: Cluster,
    facts: Facts,
    *,
    topics: Collection[TopicName],
    groups: Collection[GroupId],
    ledger: TopicName = _LEDGER_TOPIC,
) -> list[Finding]:
    """Ask for the target's rights on what the source has: most of it does not exist there yet."""
    findings = _cluster_rights(cluster, facts, _cluster_needs(facts))
    names = [*(topics or [_SAMPLE_TOPIC]), ledger]
    wanted = {name: facts.metadata.topics.get(name) for name in names}
    findings.append(await _create_right(cluster, facts.operations, wanted, needs.TARGET_CREATE))
    for need in needs.TARGET_TOPICS:
        findings.append(await _topic_right(cluster, need, wanted))
    asked = sorted(groups) or [_SAMPLE_GROUP]
    findings.append(
        await _group_right(cluster, needs.TARGET_GROUPS, probes.groups_denied_commit, asked)
    )
    findings.append(
        await _group_right(cluster, needs.TARGET_GROUPS_UNDO, probes.groups_denied_delete, asked)
    )
    findings.append(await _transaction_right(cluster, needs.TARGET_TRANSACTIONS))
    return findings


async def check_way_back(
    cluster: Cluster,
    *,
    topics: Collection[TopicName],
    groups: Collection[GroupId],
    ledger: TopicName,
) -> list[Finding]:
    """Ask for what the source must allow so that records and positions can return to it."""
    metadata = await cluster.refresh({*topics, ledger}, operations=True)
    own = {name: metadata.topics.get(name) for name in topics}
    found = metadata.topics.get(ledger)
    made = None if found is None or found.error_code else found
    operations = await cluster_operations(cluster)
    findings = [
        await _topic_right(cluster, need, {**own, ledger: made}) for need in needs.WAY_BACK_TOPICS
    ]
    if made is None:
        create = needs.WAY_BACK_CREATE
        findings.append(await _create_right(cluster, operations, {ledger: None}, create))
    release = (await cluster.any_connection()).versions.release_number
    if release < _ANYBODY_IDEMPOTENT:
        findings += _cluster_right(cluster, operations, needs.WAY_BACK_IDEMPOTENT)
    if groups:
        probe = probes.groups_denied_commit
        findings.append(await _group_right(cluster, needs.WAY_BACK_GROUPS, probe, sorted(groups)))
    findings.append(await _transaction_right(cluster, needs.WAY_BACK_TRANSACTIONS))
    findings.append(await _topic_right(cluster, needs.WAY_BACK_LEDGER, {ledger: made}))
    return findings


def _cluster_right(cluster: Cluster, operations: Operations | None, need: Need) -> list[Finding]:
    """Judge one right on the cluster by itself: without Describe the others are not told."""
    if not operations:
        return [_unknown(need.side, need.title, "this source does not tell")]
    return [_granted(need) if need.operation in operations else _denied(cluster, need)]


def _cluster_needs(facts: Facts) -> list[Need]:
    # From 2.8 on whoever may write to any topic may do so idempotently (KIP-679).
    old = facts.versions.release_number < _ANYBODY_IDEMPOTENT
    return [*needs.TARGET_CLUSTER, *([needs.TARGET_IDEMPOTENT] if old else [])]


def _cluster_rights(cluster: Cluster, facts: Facts, wanted: Sequence[Need]) -> list[Finding]:
    bits = facts.operations
    side = wanted[0].side
    if bits is None or isinstance(bits, WireError):
        if bits is None:
            return [_unknown(side, "rights on the cluster", "brokers before 2.3 do not tell")]
        return [_not_answered(side, "rights on the cluster", bits)]
    if not bits:  # without Describe nothing else is told either
        describe = next(need for need in wanted if need.operation is Operation.DESCRIBE)
        others = _unknown(side, "other rights on the cluster", "not told without Describe")
        return [_denied(cluster, describe), others]
    return [_granted(need) if need.operation in bits else _denied(cluster, need) for need in wanted]


async def _create_right(
    cluster: Cluster,
    operations: Operations | WireError | None,
    wanted: Mapping[TopicName, Topic | None],
    need: Need,
) -> Finding:
    if isinstance(operations, frozenset) and need.operation in operations:
        return _granted(need)
    absent = sorted(name for name, topic in wanted.items() if topic is None)
    try:
        denied = await _in_chunks(cluster, probes.topics_denied_create, absent)
    except WireError as error:
        return _not_answered(need.side, need.title, error)
    if denied:
        return _denied(
            cluster, need, what=f"for {len(denied):,} of {len(absent):,}: {some(denied)}"
        )
    return _granted(need)


async def _topic_right(
    cluster: Cluster, need: Need, topics: Mapping[TopicName, Topic | None]
) -> Finding:
    denied = {
        name
        for name, topic in topics.items()
        if topic is not None
        and topic.operations is not None
        and need.operation not in topic.operations
    }
    untold = sorted(
        name for name, topic in topics.items() if topic is None or topic.operations is None
    )
    try:
        denied |= await _in_chunks(cluster, _PROBES[need.operation], untold)
    except WireError as error:
        return _not_answered(need.side, need.title, error)
    if denied:
        return _denied(cluster, need, what=f"on {len(denied):,} of {len(topics):,}: {some(denied)}")
    return _granted(need)


async def _group_right(
    cluster: Cluster, need: Need, probe: _Probe[GroupId], groups: list[GroupId]
) -> Finding:
    try:
        denied = await _in_chunks(cluster, probe, groups)
    except WireError as error:
        return _not_answered(need.side, need.title, error)
    if denied:
        return _denied(cluster, need, what=f"on {len(denied):,} of {len(groups):,}: {some(denied)}")
    return _granted(need)


async def _transaction_right(cluster: Cluster, need: Need) -> Finding:
    try:
        denied = await probes.transactional_id_denied(cluster, _LEDGER_ID)
    except WireError as error:
        return _not_answered(need.side, need.title, error)
    return _denied(cluster, need) if denied else _granted(need)


async def _in_chunks(cluster: Cluster, probe: _Probe[_N], names: Sequence[_N]) -> set[_N]:
    denied: set[_N] = set()
    for start in range(0, len(names), _CHUNK):
        denied |= await probe(cluster, names[start : start + _CHUNK])
    return denied


def _granted(need: Need) -> Finding:
    return ok(need.side, need.title, code="allowed", message=f"allowed, {need.purpose}")


def _denied(cluster: Cluster, need: Need, what: str = "") -> Finding:
    sasl = cluster.settings.sasl
    principal = f"User:{sasl.username}" if sasl is not None else "User:<kferry>"
    return Finding(
        side=need.side,
        subject=need.title,
        severity=need.severity,
        code="denied",
        message=f"not allowed{' ' if what else ''}{what}; needed {need.purpose}",
        hint=need.grant(principal),
    )


def _unknown(side: Side, subject: str, why: str) -> Finding:
    return note(
        side,
        subject,
        code="rights-unknown",
        message=f"cannot be asked: {why}",
        hint="compare with the list in docs/permissions.md",
    )


def _not_answered(side: Side, subject: str, error: WireError) -> Finding:
    """A question that this broker cannot be asked is a note; one that got no answer is not."""
    if not error.retriable:
        return _unknown(side, subject, reason(error))
    return failure(
        side,
        subject,
        code=RIGHTS_UNANSWERED,
        message=str(error),
        hint="look at the broker, then check again",
    )
