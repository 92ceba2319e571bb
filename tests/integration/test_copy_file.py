"""A migration as a file: what it says about topics holds for those that a copy makes."""

from pathlib import Path

from confluent_kafka.admin import ConfigResource  # type: ignore[attr-defined]  # see judging
from copying import SHORT, ended, kferry
from inspecting import admin_of
from judge import PATIENCE_S
from judging import assert_same
from numbering import Numbers
from topic_making import make, unique

from kferry.sandbox import Cluster, Sandbox


def own_configs(cluster: Cluster, topic: str) -> dict[str, str]:
    resource = ConfigResource(ConfigResource.Type.TOPIC, topic)
    admin = admin_of(cluster)  # it must outlive the answer
    found = admin.describe_configs([resource])[resource].result(PATIENCE_S)
    return {name: one.value for name, one in found.items() if one.source == 1}


def test_a_topic_gets_the_name_and_the_settings_that_the_file_says(
    plain: Sandbox, tmp_path: Path
) -> None:
    name = make(plain.source, unique("filed"), configs={"segment.ms": "700000", "flush.ms": "9000"})
    Numbers(plain.source, name, partitions=1).write(50)
    file = tmp_path / "kferry.yaml"
    file.write_text(
        f"""
version: 1
name: {unique("file")}
source: {{properties: {plain.source.kferry_properties}}}
target: {{properties: {plain.target.kferry_properties}}}
topics:
  include: ["{name}"]
  rename: {{"*": "kept.*"}}
  configs: {{"*": {{retention.ms: 123456789}}}}
  exclude_configs: [flush.*]
"""
    )
    done = ended(kferry("copy", "-c", str(file), *SHORT, "--complete"))
    assert done.code == 0, done.said
    target = f"kept.{name}"
    assert_same(plain.source, plain.target, name, target_topic=target)
    assert own_configs(plain.target, target) == {
        "retention.ms": "123456789",
        "segment.ms": "700000",
    }
