"""A copy reads its source and leaves it as it was; and it needs no more rights than are listed.

Both sides deny by default here; kferry comes as the user with the least rights.
"""

import uuid
from typing import Any

import pytest
from confluent_kafka import ConsumerGroupTopicPartitions, TopicPartition
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # its stubs export too little
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    ConfigResource,
    ResourcePatternType,
    ResourceType,
)
from copying import copy, ended, kferry
from following import running
from inspecting import admin_of
from judge import PATIENCE_S
from judging import assert_same
from numbering import Numbers
from test_inspect_groups import commit
from topic_making import make, unique

from kferry.sandbox import Cluster, Sandbox


def seen(cluster: Cluster) -> dict[str, Any]:
    """Return all that an administrator sees: topics, settings, groups, positions, ACLs, users."""
    admin = admin_of(cluster)
    topics = admin.list_topics(timeout=PATIENCE_S).topics
    wanted = [ConfigResource(ConfigResource.Type.TOPIC, name) for name in topics]
    wanted.append(ConfigResource(ConfigResource.Type.BROKER, "1"))
    configs = {
        str(resource): {key: entry.value for key, entry in future.result(PATIENCE_S).items()}
        for resource, future in admin.describe_configs(wanted).items()
    }
    groups = admin.list_consumer_groups().result(PATIENCE_S).valid
    positions = {
        one.group_id: sorted(
            (place.topic, place.partition, place.offset)
            for place in admin.list_consumer_group_offsets(
                [ConsumerGroupTopicPartitions(one.group_id)]
            )[one.group_id]
            .result(PATIENCE_S)
            .topic_partitions
        )
        for one in groups
    }
    anyone: Any = None  # the stubs of filters want names
    anything = AclBindingFilter(
        ResourceType.ANY,
        anyone,
        ResourcePatternType.ANY,
        anyone,
        anyone,
        AclOperation.ANY,
        AclPermissionType.ANY,
    )
    return {
        "topics": {name: sorted(topic.partitions) for name, topic in topics.items()},
        "configs": configs,
        "groups": positions,
        "acls": sorted(map(str, admin.describe_acls(anything).result(PATIENCE_S))),
    }


@pytest.fixture(scope="module")
def topic(sasl: Sandbox) -> str:
    name = make(sasl.source, unique("untouched"), partitions=3, configs={"retention.ms": "-1"})
    Numbers(sasl.source, name, partitions=3).write(300)
    group = f"reader-{uuid.uuid4().hex[:8]}"
    commit(sasl.source, group, [TopicPartition(name, 0, 40), TopicPartition(name, 2, 7)])
    return name


def test_the_source_is_as_it_was_and_a_reader_is_enough(sasl: Sandbox, topic: str) -> None:
    before = seen(sasl.source)
    first = copy(sasl, "--topic", topic, migration=topic)
    assert first.code == 0, first.said
    done = copy(sasl, "--topic", topic, "--complete", migration=topic)
    assert done.code == 0, done.said
    assert done.result["total_records"] == 300
    assert_same(sasl.source, sasl.target, topic)
    unread = copy(
        sasl,
        *("--topic", topic, "--map", f"{topic}={topic}-unread", "--unconsumed"),
        migration=f"{topic}-unread",
    )
    assert unread.code == 0, unread.said
    assert seen(sasl.source) == before


def test_what_is_unsettled_is_settled_with_no_more_rights(sasl: Sandbox) -> None:
    topic = make(sasl.source, unique("killed"), partitions=2)
    numbers = Numbers(sasl.source, topic, partitions=2, size=1_000)
    numbers.write(1_000)
    before = seen(sasl.source)
    with running(sasl, "--topic", topic, "--rate", "200KiB/s", migration=topic) as run:
        run.until_copied(100)
        run.process.kill()
        run.process.wait()
    done = copy(sasl, "--topic", topic, migration=topic)
    assert done.code == 0, done.said
    assert "cut short" in done.said
    assert_same(sasl.source, sasl.target, topic)
    assert seen(sasl.source) == before
    properties = str(sasl.target.kferry_properties)
    shown = ended(kferry("status", "--json", "--target-config", properties, "-m", topic))
    assert shown.code == 0, shown.said


def test_the_check_finds_the_rights_of_a_copy_in_place(sasl: Sandbox, topic: str) -> None:
    checked = ended(
        kferry(
            "check",
            "--json",
            *("--source-config", str(sasl.source.kferry_properties)),
            *("--target-config", str(sasl.target.kferry_properties)),
            *("--topic", topic),
        )
    )
    denied = [one for one in checked.result["findings"] if one["code"] == "denied"]
    assert denied == []
