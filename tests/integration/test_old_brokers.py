"""What old brokers cannot do is said in words, and asking them does no harm."""

import json
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from kferry.config import load_properties
from kferry.names import TopicName
from kferry.sandbox import Sandbox
from kferry.wire import open_cluster

KFERRY = str(Path(sys.executable).with_name("kferry"))


async def test_asking_an_old_broker_about_a_topic_does_not_create_it(old: Sandbox) -> None:
    """Before 0.11 a metadata request that names a topic creates it."""
    nobodys = TopicName(f"old-{uuid.uuid4().hex[:8]}")
    async with open_cluster(load_properties(old.source.properties)) as cluster:
        metadata = await cluster.refresh([nobodys])
        assert nobodys not in metadata.topics
    client = AdminClient({"bootstrap.servers": old.source.bootstrap})
    assert nobodys not in client.list_topics(timeout=20).topics


def test_a_check_of_old_brokers_says_what_it_could_not_ask(old: Sandbox) -> None:
    topic = f"old-{uuid.uuid4().hex[:8]}"
    client = AdminClient({"bootstrap.servers": old.source.bootstrap})
    client.create_topics([NewTopic(topic, 2, 1)])[topic].result(20)
    sides = ("--source", old.source.bootstrap, "--target", old.target.bootstrap)
    done = subprocess.run(
        [KFERRY, "check", "--json", *sides, "--topic", topic],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    findings: list[dict[str, Any]] = json.loads(done.stdout)["findings"]
    told = {(one["side"], one["code"]): one for one in findings}
    assert "0.10.2" in told["source", "release"]["subject"]
    assert "does not know this call" in told["source", "settings-unknown"]["message"]
    assert told["source", "rights-unknown"]["severity"] == "info"
    assert "UNKNOWN_PRODUCER_ID" in told["target", "release-forgets-producers"]["message"]
    rights = {one["subject"]: one["code"] for one in findings if one["side"] == "target"}
    asked = ("Write", "Read", "AlterConfigs", "DescribeConfigs", "Delete")
    assert {rights[f"{operation} on topics"] for operation in asked} == {"allowed"}
    assert (
        topic
        not in AdminClient({"bootstrap.servers": old.target.bootstrap})
        .list_topics(timeout=20)
        .topics
    )
