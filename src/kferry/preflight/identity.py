"""Who the two clusters are: not the same one, and of ages kferry knows.

Owns the judgement of ids and releases. Pure.
"""

from kferry.preflight.cluster_facts import Facts
from kferry.preflight.findings import Finding, Severity, Side, failure, ok, warning
from kferry.units import some

_OLDEST_SOURCE = (0, 10, 2)
_OLDEST_TARGET = (0, 11)
_TARGET_KEEPS_IDENTITY = (2, 5)


def judge_identity(source: Facts | None, target: Facts | None) -> list[Finding]:
    """Judge ids and releases, of as many sides as there are."""
    findings: list[Finding] = []
    for side, facts in ((Side.SOURCE, source), (Side.TARGET, target)):
        if facts is not None:
            findings += _one_side(side, facts)
    if source is not None and target is not None:
        findings += _not_the_same(source, target)
    return findings


def _one_side(side: Side, facts: Facts) -> list[Finding]:
    return [_cluster(side, facts), _release(side, facts), *_broken(side, facts)]


def _cluster(side: Side, facts: Facts) -> Finding:
    brokers, topics = len(facts.metadata.brokers), len(facts.selected)
    partitions = sum(len(topic.partitions) for topic in facts.selected.values())
    empty = side is Side.SOURCE and not topics
    scope = f"{_count(topics, 'topic')} in scope with {_count(partitions, 'partition')}"
    return Finding(
        side=side,
        subject=f"cluster {facts.metadata.cluster_id or 'without an id'}",
        severity=Severity.WARNING if empty else Severity.OK,
        code="nothing-in-scope" if empty else "cluster",
        message=f"{_count(brokers, 'broker')}, {scope}",
        hint="there is nothing to migrate, or nothing that may be seen; see --topic"
        if empty
        else "",
    )


def _release(side: Side, facts: Facts) -> Finding:
    release, number = facts.versions.release, facts.versions.release_number
    subject = f"Kafka {release}"
    if side is Side.SOURCE and number < _OLDEST_SOURCE:
        return failure(
            side,
            subject,
            code="release-too-old",
            message="kferry copies from 0.10.2 and later",
            hint="upgrade the source to 0.10.2 first; the step is small",
        )
    if side is Side.TARGET and number < _OLDEST_TARGET:
        return failure(
            side,
            subject,
            code="release-too-old",
            message="kferry copies to 0.11 and later: before it there are no idempotent producers",
            hint="choose a newer target",
        )
    if side is Side.TARGET and number < _TARGET_KEEPS_IDENTITY:
        return warning(
            side,
            subject,
            code="release-forgets-producers",
            message="targets before 2.5 answer UNKNOWN_PRODUCER_ID once they forgot a producer; "
            "kferry settles the log each time, which costs pauses",
            hint="2.5 or later is better",
        )
    return Finding(
        side=side, subject=subject, severity=Severity.OK, code="release", message="supported"
    )


def _broken(side: Side, facts: Facts) -> list[Finding]:
    findings: list[Finding] = []
    leaderless = {
        f"{topic.name}-{partition.id}"
        for topic in facts.selected.values()
        for partition in topic.partitions
        if partition.leader is None
    }
    if leaderless:
        findings.append(
            failure(
                side,
                "partitions without a leader",
                code="no-leader",
                message=f"{len(leaderless):,}: {some(leaderless)}",
                hint="bring their brokers back; the others could be copied meanwhile",
            )
        )
    lagging = {
        f"{topic.name}-{partition.id}"
        for topic in facts.selected.values()
        for partition in topic.partitions
        if partition.under_replicated
    }
    if lagging:
        findings.append(
            warning(
                side,
                "under-replicated partitions",
                code="under-replicated",
                message=f"{len(lagging):,}: {some(lagging)}",
                hint="a copy adds load; wait until the replicas have caught up",
            )
        )
    return findings


def _not_the_same(source: Facts, target: Facts) -> list[Finding]:
    ours, theirs = source.metadata.cluster_id, target.metadata.cluster_id
    if ours is None or theirs is None:
        return [
            warning(
                Side.BOTH,
                "cluster ids",
                code="cluster-id-unknown",
                message="a side does not tell its id, so it cannot be excluded that both are one",
                hint="compare the addresses yourself",
            )
        ]
    if ours == theirs:
        return [
            failure(
                Side.BOTH,
                f"cluster {ours}",
                code="same-cluster",
                message="source and target are the same cluster",
                hint="check --source and --target",
            )
        ]
    return [
        ok(Side.BOTH, "cluster ids", code="different-clusters", message="two different clusters")
    ]


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
