"""A cluster as an independent client sees it: what must be the same before and after a rehearsal.

Owns the questions, asked with confluent-kafka alone.
"""

from collections.abc import Mapping
from typing import Any

from confluent_kafka import ConsumerGroupTopicPartitions, TopicPartition
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # its stubs export too little
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ConfigResource,
    ConsumerGroupListing,
    OffsetSpec,
    ResourcePatternType,
    ResourceType,
)
from inspecting import admin_of
from judge import PATIENCE_S

from kferry.sandbox import Cluster

_BROKERS_OWN = "__consumer_offsets"
"""Commits go there, and what takes them away again."""
Picture = Mapping[str, Any]


def groups_of(cluster: Cluster) -> list[str]:
    """Name every group."""
    admin = admin_of(cluster)  # kept: its futures die with it
    return sorted(one.group_id for one in _listed(admin))


def positions_of(cluster: Cluster, group: str) -> dict[tuple[str, int], int]:
    """Return what a group has committed."""
    asked = ConsumerGroupTopicPartitions(group)
    admin = admin_of(cluster)  # kept: its futures die with it
    found = admin.list_consumer_group_offsets([asked])[group].result(PATIENCE_S)
    return {(one.topic, one.partition): one.offset for one in found.topic_partitions}


def picture(cluster: Cluster, prefix: str) -> Picture:
    """Look at all names; at whatever bears the prefix closely, others may be at work."""
    admin = admin_of(cluster)
    topics = admin.list_topics(timeout=PATIENCE_S).topics
    groups = groups_of(cluster)
    own = [name for name in topics if prefix in name]
    return {
        "topics": {name: len(one.partitions) for name, one in topics.items()},
        "configs": _configs(admin, own),
        "logs": _logs(admin, own, {name: len(topics[name].partitions) for name in own}),
        "groups": groups,
        "states": {
            one.group_id: (one.state, one.type) for one in _listed(admin) if prefix in one.group_id
        },
        "positions": {group: positions_of(cluster, group) for group in groups if prefix in group},
        "acls": _acls(admin),
    }


def _listed(admin: AdminClient) -> list[ConsumerGroupListing]:
    found = admin.list_consumer_groups().result(PATIENCE_S)
    assert not found.errors, found.errors
    return list(found.valid)


def _configs(admin: AdminClient, topics: list[str]) -> dict[str, dict[str, str]]:
    wanted = [ConfigResource(ConfigResource.Type.TOPIC, name) for name in topics]
    return {
        resource.name: {key: str(one.value) for key, one in found.result(PATIENCE_S).items()}
        for resource, found in admin.describe_configs(wanted).items()
    }


def _logs(admin: AdminClient, topics: list[str], partitions: Mapping[str, int]) -> dict[Any, Any]:
    places = [
        TopicPartition(name, number)
        for name in topics
        if name != _BROKERS_OWN
        for number in range(partitions[name])
    ]
    told: dict[Any, list[int]] = {(one.topic, one.partition): [] for one in places}
    earliest = OffsetSpec.earliest()  # type: ignore[no-untyped-call]  # its stubs say too little
    latest = OffsetSpec.latest()  # type: ignore[no-untyped-call]
    for spec in (earliest, latest):
        found = admin.list_offsets(dict.fromkeys(places, spec))
        for one in places:
            told[one.topic, one.partition].append(found[one].result(PATIENCE_S).offset)
    return told


def _acls(admin: AdminClient) -> list[str]:
    anybody: Any = None  # its stubs take no None, the client means everything by it
    everything = AclBindingFilter(
        ResourceType.ANY,
        anybody,
        ResourcePatternType.ANY,
        anybody,
        anybody,
        AclOperation.ANY,
        AclPermissionType.ANY,
    )
    return sorted(map(str, admin.describe_acls(everything).result(PATIENCE_S)))
