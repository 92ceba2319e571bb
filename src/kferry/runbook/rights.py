"""Whether kferry may do all that a cutover takes, asked on both sides beforehand.

Owns the words; the questions are those of `check`. Nothing is written.
"""

from collections.abc import Collection, Sequence

from kferry.admin.operations import Operation
from kferry.ledger import ledger_topic
from kferry.migration.clusters import Sides
from kferry.migration.switching.scope import Scope
from kferry.names import GroupId
from kferry.preflight import Finding, Severity, needs
from kferry.preflight.cluster_facts import gather_facts
from kferry.preflight.permissions import check_source, check_target
from kferry.runbook.operations import Reading

_DONE_WITH = frozenset(
    (need.side, need.title)
    for need in (*needs.SOURCE_TOPICS, *needs.TARGET_TOPICS)
    if need.operation in {Operation.DESCRIBE_CONFIGS, Operation.ALTER_CONFIGS}
)
"""What `apply` and the beginning of a copy take, and a cutover no more."""


async def rights(
    sides: Sides, scope: Scope, groups: Collection[GroupId], migration: str
) -> Reading:
    """Ask for what copying, comparing and committing take."""
    source, target = sides.clusters.source, sides.clusters.target
    findings = await check_source(
        source, await gather_facts(source, scope.selection), groups=groups
    )
    findings += await check_target(
        target,
        await gather_facts(target, scope.exchanged.selection),
        topics=list(scope.topics.values()),
        groups=groups,
        ledger=ledger_topic(migration),
    )
    return judged(findings)


def judged(findings: Sequence[Finding]) -> Reading:
    """Say what is lacking: what forbids, and what is only wanted."""
    errors = [one for one in findings if one.severity is Severity.ERROR]
    lacking = [one for one in errors if (one.side, one.subject) not in _DONE_WITH]
    wanted = [one for one in findings if one.severity is Severity.WARNING]
    wanted += [one for one in errors if one not in lacking]
    asked = sum(one.severity in {Severity.OK, Severity.ERROR, Severity.WARNING} for one in findings)
    return Reading(
        gate="rights",
        passed=not lacking,
        final=bool(lacking),
        measured=f"{asked - len(lacking) - len(wanted):,} of {asked:,} kinds granted",
        why="; ".join(
            f"{one.side}, {one.subject}: {one.message}"
            + (f" ({one.hint})" if one.severity is Severity.ERROR else "")
            for one in [*lacking, *wanted]
        ),
    )
