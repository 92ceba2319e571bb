"""What was found on the clusters, as comments of a new kferry.yaml.

Owns their wording. Knows neither keys nor files.
"""

from collections.abc import Iterator, Sequence

from kferry.cli.tables import visible
from kferry.cli.words import UNKNOWN, count, size
from kferry.migration.init import Seen
from kferry.topics import TopicFacts
from kferry.topics.applications import MOVING, Application
from kferry.topics.facts import total
from kferry.units import many

_MOST = 200


def cluster_lines(seen: Seen) -> list[str]:
    """Say what a cluster is."""
    name = seen.cluster_id or "a cluster without an id"
    return [f"Found: {name}, Kafka {seen.release}, {many(seen.brokers, 'broker')}."]


def topic_lines(seen: Seen) -> list[str]:
    """List the topics, the largest first, and the applications among them."""
    if not seen.topics:
        return ["Found on the source: no topics."]
    bytes_ = size(total(one.bytes for one in seen.topics))
    lines = [f"Found on the source: {many(len(seen.topics), 'topic')}, {bytes_}."]
    lines += _table(sorted(seen.topics, key=_weight, reverse=True))
    for one in seen.applications:
        lines += ["", *_application(one)]
    return lines


def access_lines(seen: Seen) -> list[str]:
    """Say what there is to take along."""
    known = seen.authorizer is not False
    rules = many(seen.acls, "rule") if known else "no authorizer, so no rules"
    users, quotas = many(seen.users, "SCRAM user"), many(seen.quotas, "quota")
    return [f"Found on the source: {rules}, {users}, {quotas}."]


def gap_lines(seen: Seen) -> list[str]:
    """Say what could not be seen."""
    return [
        f"not seen: {one.subject}: {one.reason}{f'; {one.hint}' if one.hint else ''}"
        for one in seen.gaps
    ]


def _table(topics: Sequence[TopicFacts]) -> Iterator[str]:
    shown = topics[:_MOST]
    width = max(len(visible(one.name)) for one in shown)
    for one in shown:
        partitions = many(len(one.partitions), "partition")
        records = f"{count(one.records)} records"
        policy = one.cleanup_policy or UNKNOWN
        yield (
            f"  {visible(one.name):<{width}}  {partitions:>16}  rf {one.replication}  "
            f"{size(one.bytes):>10}  {records:>22}  {policy}"
        )
    if len(topics) > len(shown):
        yield f"  and {len(topics) - len(shown):,} more: kferry inspect topics"


def _application(one: Application) -> Iterator[str]:
    looks = "" if one.sure else " (by the looks of it)"
    yield f"{one.title}{looks} keeps {many(len(one.topics), 'topic')} for itself:"
    yield from (f"  {name}" for name in one.topics)
    yield f"  Move them together or not at all: {MOVING[one.kind]}."


def _weight(topic: TopicFacts) -> tuple[int, int, str]:
    return topic.bytes or 0, topic.records or 0, topic.name
