"""What an existing topic would take away from records that it was given.

Owns the judgement of retention and cleaner. Pure.
"""

from collections.abc import Iterator

from kferry.topics.hazard_case import Case, Hazard
from kferry.topics.words import span

_SUSPEND = (
    "--suspend-retention keeps retention and cleaner away from the topic until `kferry complete`"
)


def not_kept(case: Case) -> Iterator[Hazard]:
    """Say what would be lost on arrival, or at the cleaner's next round."""
    if case.suspend_retention:
        return
    if "delete" in case.policies():
        yield from _retention_by_time(case)
        yield from _retention_by_size(case)
    yield from _compaction(case)


def _retention_by_time(case: Case) -> Iterator[Hazard]:
    retention = int(case.value("retention.ms") or -1)
    if retention < 0:
        return
    oldest = case.times.oldest
    if oldest is not None and oldest.timestamp + retention < case.now_ms:
        yield case.hazard(
            "retention-eats-records",
            f"retention.ms={retention} ({span(retention)}) would delete records on arrival: the "
            f"oldest is {case.age(oldest)}",
            f"{_SUSPEND}, or {case.set_hint('retention.ms', '-1')}",
            forbids=True,
        )
    elif case.times.unknown is not None:
        yield case.hazard(
            "oldest-unknown",
            f"retention.ms={retention} ({span(retention)}) may delete records on arrival: how old "
            f"the oldest is cannot be asked ({case.times.unknown})",
            _SUSPEND,
            forbids=False,
        )


def _retention_by_size(case: Case) -> Iterator[Hazard]:
    retention = int(case.value("retention.bytes") or -1)
    if retention < 0:
        return
    sizes = [one.bytes for one in case.pair.source.partitions]
    largest = max((size for size in sizes if size is not None), default=0)
    limit = f"retention.bytes={retention} ({retention:,} bytes a partition)"
    if largest > retention:
        yield case.hazard(
            "retention-eats-bytes",
            f"{limit} would delete records on arrival: the source's largest partition has "
            f"{largest:,}",
            f"{_SUSPEND}, or {case.set_hint('retention.bytes', '-1')}",
            forbids=True,
        )
    elif None in sizes:
        yield case.hazard(
            "size-unknown",
            f"{limit} may delete records on arrival: how large the source's partitions are is "
            "not known",
            _SUSPEND,
            forbids=False,
        )


def _compaction(case: Case) -> Iterator[Hazard]:
    if "compact" in case.policies():
        yield case.hazard(
            "compacted",
            f"cleanup.policy={case.value('cleanup.policy')}: records without a key are refused, "
            "and the cleaner may take records away that must be compared after a crash",
            f"{_SUSPEND}, or {case.set_hint('cleanup.policy', 'delete')}",
            forbids=True,
        )
