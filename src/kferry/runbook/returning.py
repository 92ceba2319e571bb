"""Whether what will be written on the target could come back to the source: age and rights.

Owns asking beforehand, and the words. Nothing is written: a right that is missing must show while
nobody waits, not when everybody does.
"""

from collections.abc import Collection, Sequence

from kferry.ledger import ledger_topic
from kferry.migration.switching.scope import Scope
from kferry.migration.switching.way_back import Returning, look_at_return
from kferry.names import GroupId
from kferry.preflight.findings import Finding, Severity
from kferry.preflight.permissions import RIGHTS_UNANSWERED, check_way_back
from kferry.runbook.operations import Reading
from kferry.units import many, some
from kferry.wire import Cluster

_WITHOUT = "--no-way-back goes without it; the hand-over is then final"
_REMARKABLE = frozenset({Severity.WARNING, Severity.INFO})


async def can_return(
    source: Cluster, scope: Scope, groups: Collection[GroupId], migration: str
) -> list[Reading]:
    """Ask for all that a way back takes; `migration`: that of the way back."""
    found = await look_at_return(source, scope.topics)
    if not found.possible:
        return [by_age(found)]
    rights = await check_way_back(
        source, topics=list(scope.topics), groups=groups, ledger=ledger_topic(migration)
    )
    return [by_age(found), by_rights(rights)]


def by_age(found: Returning) -> Reading:
    """Say what the source's brokers, and the format of its topics, allow."""
    if not found.brokers:
        return Reading(
            gate="way back",
            passed=False,
            final=True,
            measured=f"none: the source's brokers ({found.release}) are older than 0.11 and know "
            "no idempotent producers",
            why=_WITHOUT,
        )
    if found.old_formats:
        named = some(f"{name} ({value})" for name, value in sorted(found.old_formats.items()))
        return Reading(
            gate="way back",
            passed=False,
            final=True,
            measured=f"none: {many(len(found.old_formats), 'topic')} of the source store records "
            "in a format from before 0.11, which has no place for a producer's id",
            why=f"{named}. kafka-configs --alter --entity-type topics --entity-name TOPIC "
            f"--add-config message.format.version=VERSION gives them a newer one, if all who read "
            f"there understand it; {_WITHOUT}",
        )
    remarks = []
    if found.untold:
        remarks.append(
            f"whether these store a format from before 0.11 may not be asked: {some(found.untold)}"
        )
    if found.forgetful:
        remarks.append(
            f"Kafka {found.release} forgets producers early: coming back may pause to look again"
        )
    if not found.zstd:
        remarks.append(
            f"Kafka {found.release} does not know zstd: what producers write on the target in it "
            "cannot come back"
        )
    return Reading(
        gate="way back",
        passed=True,
        measured="exact: the source takes idempotent producers",
        why="; ".join(remarks),
    )


def by_rights(findings: Sequence[Finding]) -> Reading:
    """Say whether kferry may bring back records and positions."""
    unanswered = [one for one in findings if one.code == RIGHTS_UNANSWERED]
    denied = [one for one in findings if one.severity is Severity.ERROR and one not in unanswered]
    remarks = [one for one in findings if one.severity in _REMARKABLE]
    if denied:
        missing = "; ".join(f"{one.subject}: {one.message} ({one.hint})" for one in denied)
        return Reading(
            gate="rights for the way back",
            passed=False,
            final=True,
            measured=f"{many(len(denied), 'right')} missing on the source",
            why=f"{missing}. Or {_WITHOUT}",
        )
    return Reading(
        gate="rights for the way back",
        passed=not unanswered,
        measured=f"{len(findings) - len(remarks) - len(unanswered):,} of "
        f"{many(len(findings), 'right')} found",
        why="; ".join(f"{one.subject}: {one.message}" for one in (*unanswered, *remarks)),
    )
