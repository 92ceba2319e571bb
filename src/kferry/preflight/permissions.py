"""May kferry do what it needs to do?

Owns the asking, right by right, without writing: bits where brokers tell them (2.3 and later),
questions that would be refused where they do not. What cannot be asked is said to be unknown.
"""

from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence

from kferry.admin import probes
from kferry.admin.operations import Operation
from kferry.names import GroupId, TopicName
from kferry.preflight import needs
from kferry.preflight.cluster_facts import Facts
from kferry.preflight.findings import Finding, Severity, Side, reason, some
from kferry.preflight.needs import Need
from kferry.wire import Cluster, Topic, WireError

_CHUNK = 500
_SAMPLE_TOPIC = TopicName("kferry-check")
_SAMPLE_GROUP = GroupId("kferry-check")
_LEDGER_ID = "__kferry.check"
_MOST_GROUPS = 200

_Probe = Callable[[Cluster, Sequence[TopicName]], Awaitable[set[TopicName]]]
_PROBES: dict[Operation, _Probe] = {
    Operation.READ: probes.topics_denied_read,
    Operation.WRITE: probes.topics_denied_write,
    Operation.DESCRIBE_CONFIGS: probes.topics_denied_configs,
    Operation.ALTER_CONFIGS: probes.topics_denied_alter,
    Operation.DELETE: probes.topics_denied_delete,
}


async def check_source(cluster: Cluster, facts: Facts) -> list[Finding]:
    """Ask for the source's rights; its topics are the selected ones."""
    findings = _cluster_rights(cluster, facts, needs.SOURCE_CLUSTER)
    topics = {name: topic for name, topic in facts.selected.items() if not topic.error_code}
    for need in needs.SOURCE_TOPICS if topics else ():
        findings.append(await _topic_right(cluster, need, topics))
    return findings


async def check_target(
    cluster: Cluster, facts: Facts, *, topics: Collection[TopicName], groups: Iterable[GroupId]
) -> list[Finding]:
    """Ask for the target's rights on what the source has: most of it does not exist there yet."""
    findings = _cluster_rights(cluster, facts, needs.TARGET_CLUSTER)
    wanted = {name: facts.metadata.topics.get(name) for name in topics or [_SAMPLE_TOPIC]}
    for need in needs.TARGET_TOPICS:
        findings.append(await _topic_right(cluster, need, wanted))
    findings.append(await _group_right(cluster, sorted(groups)))
    findings.append(await _transaction_right(cluster))
    return findings


def _cluster_rights(cluster: Cluster, facts: Facts, wanted: Iterable[Need]) -> list[Finding]:
    bits = facts.operations
    if bits is None or isinstance(bits, WireError):
        side = next(iter(wanted)).side
        why = "brokers before 2.3 do not tell" if bits is None else reason(bits)
        return [_unknown(side, "rights on the cluster", why)]
    return [_granted(need) if need.operation in bits else _denied(cluster, need) for need in wanted]


async def _topic_right(
    cluster: Cluster, need: Need, topics: dict[TopicName, Topic | None] | dict[TopicName, Topic]
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
        for start in range(0, len(untold), _CHUNK):
            denied |= await _PROBES[need.operation](cluster, untold[start : start + _CHUNK])
    except WireError as error:
        return _unknown(need.side, need.title, reason(error))
    if denied:
        return _denied(cluster, need, what=f"on {len(denied):,} of {len(topics):,}: {some(denied)}")
    return _granted(need)


async def _group_right(cluster: Cluster, groups: list[GroupId]) -> Finding:
    need = needs.TARGET_GROUPS
    asked = groups[:_MOST_GROUPS] or [_SAMPLE_GROUP]
    try:
        denied = await probes.groups_denied_commit(cluster, asked)
    except WireError as error:
        return _unknown(need.side, need.title, reason(error))
    if denied:
        return _denied(cluster, need, what=f"on {len(denied):,} of {len(asked):,}: {some(denied)}")
    return _granted(need)


async def _transaction_right(cluster: Cluster) -> Finding:
    need = needs.TARGET_TRANSACTIONS
    try:
        denied = await probes.transactional_id_denied(cluster, _LEDGER_ID)
    except WireError as error:
        return _unknown(need.side, need.title, reason(error))
    return _denied(cluster, need) if denied else _granted(need)


def _granted(need: Need) -> Finding:
    return Finding(
        side=need.side,
        subject=need.title,
        severity=Severity.OK,
        code="allowed",
        message=f"allowed, {need.purpose}",
    )


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
    return Finding(
        side=side,
        subject=subject,
        severity=Severity.INFO,
        code="rights-unknown",
        message=f"cannot be asked: {why}",
        hint="compare with the list in docs/permissions.md",
    )
