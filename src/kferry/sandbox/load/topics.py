"""Topics of a load: made all at once, so that a taken name is found before anything is written.

Owns what every topic of a load has in common. Knows no shape by name.
"""

from collections.abc import Mapping, Sequence

from kferry.sandbox.cluster import Cluster
from kferry.sandbox.load.confluent import AdminClient, NewTopic, client_settings
from kferry.sandbox.load.errors import LoadError
from kferry.sandbox.load.journal import other_load
from kferry.sandbox.load.shape import Release, Shape, Topic, release_of

_PATIENCE_S = 60.0
_KEEP: Mapping[str, str] = {"retention.ms": "-1"}
_ANY_FUTURE = {"message.timestamp.after.max.ms": str(2**63 - 1)}
"""KIP-937: since 3.6 a limit can be set, since 4.0 it is an hour (KIP-1030)."""
_LIMITED_SINCE = (3, 6)


def refuse_taken(cluster: Cluster, shapes: Sequence[Shape]) -> None:
    """Raise if a topic of these shapes is there already."""
    there = AdminClient(client_settings(cluster)).list_topics(timeout=_PATIENCE_S).topics
    for shape in shapes:
        taken = [topic.name for topic in shape.topics if topic.name in there]
        if taken:
            raise other_load(shape, f"there is a topic {taken[0]} that no load has made")


def create(cluster: Cluster, shapes: Sequence[Shape]) -> None:
    """Create the topics of many shapes in one call, and wait until they are there."""
    create_topics(cluster, [topic for shape in shapes for topic in shape.topics])


def create_topics(cluster: Cluster, topics: Sequence[Topic]) -> None:
    """Create topics in one call, and wait until they are there."""
    replication = cluster.layout.spec.replication
    release = release_of(cluster.version)
    wanted = [_new(topic, replication, release) for topic in topics]
    if not wanted:
        return
    admin = AdminClient(client_settings(cluster))
    made = admin.create_topics(wanted, operation_timeout=_PATIENCE_S, request_timeout=_PATIENCE_S)
    for name, future in made.items():
        failure = future.exception(_PATIENCE_S)
        if failure is not None:
            raise LoadError(f"the topic {name} could not be created", str(failure))


def _new(topic: Topic, replication: int, release: Release) -> NewTopic:
    future = _ANY_FUTURE if release >= _LIMITED_SINCE else {}
    return NewTopic(
        topic.name,
        num_partitions=topic.partitions,
        replication_factor=replication,
        config={**_KEEP, **future, **topic.configs},
    )
