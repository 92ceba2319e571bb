"""What a cluster says about itself: its id, brokers, topics, partitions.

Owns the metadata question for brokers of every age and the frozen picture made of the answer. Keeps
nothing up to date; `cluster` does.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from kafka.protocol.metadata import MetadataRequest, MetadataResponse

from kferry.names import Address, BrokerId, ClusterId, PartitionId, TopicName, TopicPartition
from kferry.wire.connection import Connection
from kferry.wire.errors import Stage, Unreachable

Operations = frozenset[int]
"""Kafka's numbers of the ACL operations that we may do."""

_NOT_TOLD = 31
"""The only bit of -2³¹, which stands for "not asked" or "cannot tell"."""

_CANNOT_FORBID_CREATION = 4  # the first version with allow_auto_topic_creation


@dataclass(frozen=True, slots=True, kw_only=True)
class Broker:
    """One broker and the address it advertises on the listener we came through."""

    id: BrokerId
    address: Address
    rack: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Partition:
    """Who leads a partition and who has copies. `leader` is None where there is none just now."""

    id: PartitionId
    leader: BrokerId | None
    leader_epoch: int
    replicas: tuple[BrokerId, ...]
    in_sync: tuple[BrokerId, ...]
    error_code: int

    @property
    def under_replicated(self) -> bool:
        """Whether a copy lags behind or is gone."""
        return len(self.in_sync) < len(self.replicas)


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """One topic as metadata shows it."""

    name: TopicName
    id: UUID | None
    internal: bool
    partitions: tuple[Partition, ...]
    error_code: int
    operations: Operations | None = None
    """What we may do with it, where the broker was asked and can tell (2.3 and later)."""

    def partition(self, id_: PartitionId) -> Partition | None:
        """Return one partition; they are sorted and as a rule without gaps."""
        if id_ < len(self.partitions) and self.partitions[id_].id == id_:
            return self.partitions[id_]
        return next((partition for partition in self.partitions if partition.id == id_), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """A cluster at one moment."""

    cluster_id: ClusterId | None
    controller: BrokerId | None
    brokers: Mapping[BrokerId, Broker]
    topics: Mapping[TopicName, Topic]
    operations: Operations | None = None

    def leader(self, partition: TopicPartition) -> BrokerId | None:
        """Return who leads a partition, if anybody does and we know it."""
        topic = self.topics.get(partition.topic)
        found = None if topic is None else topic.partition(partition.partition)
        return None if found is None else found.leader


async def ask_metadata(
    connection: Connection,
    topics: Iterable[TopicName] | None,
    *,
    seconds: float,
    operations: bool = False,
) -> Metadata:
    """Ask one broker about some topics, none (`()`), or all (None)."""
    version = connection.versions.choose(MetadataRequest, connection.where)
    wanted = None if topics is None else set(topics)
    answer = await connection.request(
        _request(version, wanted, operations=operations),
        MetadataResponse,
        version=version,
        seconds=seconds,
    )
    if not answer.brokers:
        raise Unreachable(
            connection.address,
            Stage.API,
            "it lists no brokers, not even itself",
            hint="it has just started, or is fenced; try again",
        )
    return _picture(answer, wanted)


def told(operations: Iterable[int] | None) -> Operations | None:
    """Return what we may do, or None where a broker did not tell."""
    return None if operations is None or _NOT_TOLD in operations else frozenset(operations)


def _request(version: int, wanted: set[TopicName] | None, *, operations: bool) -> Any:
    topics: list[Any] | None = None
    if version < _CANNOT_FORBID_CREATION and wanted:
        # An old broker creates a topic it is asked about by name. We write nothing on a source by
        # asking: all topics are asked for, and the answer is narrowed here.
        topics = None
    elif wanted is not None:
        topics = [MetadataRequest.MetadataRequestTopic(name=name) for name in sorted(wanted)]
    elif version == 0:
        topics = []
    return MetadataRequest(
        topics=topics,
        allow_auto_topic_creation=False,
        include_cluster_authorized_operations=operations,
        include_topic_authorized_operations=operations,
    )


def _picture(answer: Any, wanted: set[TopicName] | None) -> Metadata:
    brokers = {
        BrokerId(broker.node_id): Broker(
            id=BrokerId(broker.node_id),
            address=Address(broker.host, broker.port),
            rack=broker.rack,
        )
        for broker in answer.brokers
    }
    return Metadata(
        cluster_id=ClusterId(answer.cluster_id) if answer.cluster_id else None,
        controller=BrokerId(answer.controller_id) if answer.controller_id in brokers else None,
        brokers=brokers,
        topics={
            TopicName(topic.name): _topic(topic)
            for topic in answer.topics
            if wanted is None or topic.name in wanted
        },
        operations=told(answer.authorized_operations),
    )


def _topic(topic: Any) -> Topic:
    return Topic(
        name=TopicName(topic.name),
        id=topic.topic_id if topic.topic_id and topic.topic_id.int else None,
        internal=bool(topic.is_internal),
        partitions=tuple(
            sorted((_partition(partition) for partition in topic.partitions), key=lambda p: p.id)
        ),
        error_code=topic.error_code,
        operations=told(topic.authorized_operations),
    )


def _partition(partition: Any) -> Partition:
    return Partition(
        id=PartitionId(partition.partition_index),
        leader=BrokerId(partition.leader_id) if partition.leader_id >= 0 else None,
        leader_epoch=partition.leader_epoch,
        replicas=tuple(map(BrokerId, partition.replica_nodes)),
        in_sync=tuple(map(BrokerId, partition.isr_nodes)),
        error_code=partition.error_code,
    )
