"""What to say to a copy without topics: which are the largest.

Owns that one error. A copy never means everything by accident.
"""

from kferry.cli import loop
from kferry.cli.options import Options
from kferry.cli.tables import visible
from kferry.cli.words import count, size
from kferry.config import ClusterSettings, TopicSelection
from kferry.errors import UsageError
from kferry.topics import TopicFacts, take_topics
from kferry.wire import Limits, open_cluster

_LIMITS = Limits(connect=5, request=20, retry=3)
_SHOWN = 5


def no_topics_chosen(source: ClusterSettings, options: Options) -> UsageError:
    """Make the error for a copy that does not say of what."""
    again = f"kferry copy{options.again()}"
    largest = loop.run(_largest(source))
    if not largest:
        return UsageError(
            "no topics were chosen, and the source shows none",
            hint="`kferry check` tells whether they may be seen",
        )
    return UsageError(
        "no topics were chosen",
        "\n".join(["The largest of the source:", *largest_lines(largest)]),
        hint=f"{again} --topic {visible(largest[0].name)}, or --topic '*' for all of them",
    )


def largest_lines(topics: list[TopicFacts]) -> list[str]:
    """List topics with what is known of their size."""
    width = max(len(visible(topic.name)) for topic in topics)
    return [
        f"  {visible(topic.name):<{width}}  {_size(topic):>10}  {count(topic.records):>15} records"
        for topic in topics
    ]


async def _largest(source: ClusterSettings) -> list[TopicFacts]:
    async with open_cluster(source, _LIMITS) as cluster:
        found = await take_topics(cluster, TopicSelection(), rate_seconds=0)
    return sorted(found.topics, key=_weight, reverse=True)[:_SHOWN]


def _weight(topic: TopicFacts) -> tuple[int, int]:
    return topic.bytes or 0, topic.records or 0


def _size(topic: TopicFacts) -> str:
    return "size ?" if topic.bytes is None else size(topic.bytes)
