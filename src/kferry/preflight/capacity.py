"""Will it fit: bytes against free space, replicas against brokers, partitions per broker.

Owns the arithmetic and its judgement. Pure.
"""

from collections.abc import Mapping

from kferry.admin.log_dirs import Disk
from kferry.names import BrokerId, TopicName, TopicPartition
from kferry.preflight.cluster_facts import Facts
from kferry.preflight.findings import Finding, Severity, Side, note, reason, warning
from kferry.units import binary_size, many
from kferry.wire import Outcomes, WireError

_COMFORTABLE = 1.2
"""Free space over needed space below which an operator should know."""
_MANY_PARTITIONS = 4000
"""Replicas per broker at which Kafka's own advice begins to warn."""


def judge_capacity(source: Facts, target: Facts) -> list[Finding]:
    """Judge space, replication and partition counts of the target against the source."""
    return [*_space(source, target), *_replicas(source, target), *_partitions(source, target)]


def _space(source: Facts, target: Facts) -> list[Finding]:
    if (error := _first_error(source.disks)) is not None:
        return [_cannot_tell(Side.SOURCE, error)]
    if (error := _first_error(target.disks)) is not None:
        return [_cannot_tell(Side.TARGET, error)]
    sizes = _leader_sizes(source)
    brokers = len(target.metadata.brokers)
    needed = sum(
        sizes.get(TopicPartition(topic.name, partition.id), 0)
        * min(len(partition.replicas), brokers)
        for topic in source.selected.values()
        for partition in topic.partitions
    )
    total = sum(sizes.get(partition, 0) for partition in _selected_partitions(source))
    needed = max(0, needed - _already_there(target, source))  # a second check, after a copy
    subject = "free space"
    usable = [disk.usable for disk in _all_disks(target) if not disk.error_code]
    what = f"{binary_size(total)} to copy, {binary_size(needed)} with the source's replication"
    if not usable or None in usable:
        return [
            note(
                Side.TARGET,
                subject,
                code="space-unknown",
                message=f"{what}; a target before 3.3 does not tell how much is free",
                hint=f"see that {binary_size(needed * _COMFORTABLE)} are free on its disks",
            )
        ]
    free = sum(size for size in usable if size is not None)
    message = f"{what}; {binary_size(free)} free"
    if free < needed:
        severity, code = Severity.ERROR, "space-short"
    elif free < needed * _COMFORTABLE:
        severity, code = Severity.WARNING, "space-tight"
    else:
        severity, code = Severity.OK, "space"
    hint = "" if severity is Severity.OK else "add disks or brokers, or migrate in waves (--topic)"
    return [
        Finding(
            side=Side.TARGET,
            subject=subject,
            severity=severity,
            code=code,
            message=message,
            hint=hint,
        )
    ]


def _replicas(source: Facts, target: Facts) -> list[Finding]:
    wanted = max(
        (len(p.replicas) for topic in source.selected.values() for p in topic.partitions), default=0
    )
    brokers = len(target.metadata.brokers)
    if wanted <= brokers:
        return []
    return [
        warning(
            Side.TARGET,
            "replication",
            code="fewer-brokers",
            message=f"topics with {wanted} replicas will have {brokers}: "
            f"the target has {many(brokers, 'broker')}",
            hint="add brokers before the migration if the replication matters",
        )
    ]


def _partitions(source: Facts, target: Facts) -> list[Finding]:
    brokers = len(target.metadata.brokers)
    present = sum(
        len(p.replicas) for topic in target.metadata.topics.values() for p in topic.partitions
    )
    coming = sum(
        min(len(p.replicas), brokers)
        for topic in source.selected.values()
        if topic.name not in target.metadata.topics
        for p in topic.partitions
    )
    each = (present + coming) / brokers
    on_source = sum(
        len(p.replicas) for topic in source.metadata.topics.values() for p in topic.partitions
    ) / len(source.metadata.brokers)
    many = each > _MANY_PARTITIONS
    return [
        Finding(
            side=Side.TARGET,
            subject="partitions per broker",
            severity=Severity.WARNING if many else Severity.OK,
            code="many-partitions" if many else "partitions",
            message=f"{each:,.0f} replicas on each of {brokers:,} after the migration; "
            f"the source has {on_source:,.0f} on each of {len(source.metadata.brokers):,}",
            hint=f"more than {_MANY_PARTITIONS:,} make restarts slow; add brokers" if many else "",
        )
    ]


def _leader_sizes(facts: Facts) -> Mapping[TopicPartition, int]:
    return {
        partition: size
        for disk in _all_disks(facts)
        for partition, size in disk.sizes.items()
        if facts.metadata.leader(partition) == disk.broker
    }


def _already_there(target: Facts, source: Facts) -> int:
    return sum(
        size
        for disk in _all_disks(target)
        for partition, size in disk.sizes.items()
        if partition.topic in source.selected
    )


def _selected_partitions(facts: Facts) -> list[TopicPartition]:
    return [
        TopicPartition(TopicName(topic.name), partition.id)
        for topic in facts.selected.values()
        for partition in topic.partitions
    ]


def _all_disks(facts: Facts) -> list[Disk]:
    return [disk for found in facts.disks.values() if isinstance(found, list) for disk in found]


def _first_error(outcomes: Outcomes[BrokerId, list[Disk]]) -> WireError | None:
    return next((one for one in outcomes.values() if isinstance(one, WireError)), None)


def _cannot_tell(side: Side, error: WireError) -> Finding:
    return note(
        side,
        "disk usage",
        code="space-unknown",
        message=f"cannot be asked: {reason(error)}",
        hint="compare the size of the source with the target's free disks yourself",
    )
