"""What live traffic finds and needs in a cluster before it starts: topics, and positions.

Owns the few calls. Imported when they are made: they need the client library.
"""

from collections.abc import Iterable, Mapping
from contextlib import closing

from kferry.sandbox.cluster import Cluster
from kferry.sandbox.live.errors import LiveError
from kferry.sandbox.live.spec import LiveSpec
from kferry.sandbox.load.confluent import AdminClient, Consumer, TopicPartition, client_settings
from kferry.sandbox.load.positions import committed
from kferry.sandbox.load.shape import Topic
from kferry.sandbox.load.topics import create_topics
from kferry.sandbox.waiting import came_true

_PATIENCE_S = 60.0


def partitions_of(cluster: Cluster, topics: Iterable[str]) -> Mapping[str, int]:
    """Return the topics that are there, and how many partitions each has."""
    there = AdminClient(client_settings(cluster)).list_topics(timeout=_PATIENCE_S).topics
    return {name: len(there[name].partitions) for name in topics if name in there}


def prepare(cluster: Cluster, spec: LiveSpec) -> None:
    """Make the topics, and let every group stand at their beginning, as if it had read before."""
    if taken := sorted(partitions_of(cluster, spec.all_topics)):
        raise LiveError(
            f"there is a topic {taken[0]} already",
            "no live traffic was started with this prefix, so it is somebody else's",
            hint="kferry sandbox load --live --prefix other",
        )
    create_topics(cluster, [Topic(name=n, partitions=spec.partitions) for n in spec.all_topics])
    for group, topics in spec.group_topics.items():
        places = [TopicPartition(t, p, 0) for t in topics for p in range(spec.partitions)]
        _commit(cluster, group, places)


def _commit(cluster: Cluster, group: str, places: list[TopicPartition]) -> None:
    settings = {**client_settings(cluster), "group.id": group, "enable.auto.commit": False}
    with closing(Consumer(settings)) as consumer:
        if not came_true(lambda: committed(consumer, places), _PATIENCE_S):
            raise LiveError(f"no coordinator for {group} came within {_PATIENCE_S:.0f} s")
