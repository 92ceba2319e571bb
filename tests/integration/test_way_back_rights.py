"""What a source must allow so that records can return to it: asked for before anything is begun."""

import uuid
from pathlib import Path
from typing import Any

from confluent_kafka.admin import (  # type: ignore[attr-defined]  # its stubs export too little
    AclBinding,
    AclOperation,
)
from copying import Ended, ended, kferry, sides
from inspecting import admin_of
from judge import PATIENCE_S, client_config, create_topic
from planning import plan
from test_fence import ALLOW, LITERAL, PREFIXED, TOPIC, exactly
from test_inspect_access import add_user
from topic_making import make

from kferry.names import TopicName
from kferry.sandbox import Cluster, Sandbox

AGE, RIGHTS = "way back", "rights for the way back"


def dry(clusters: list[str], topic: str, folder: Path, *more: str) -> dict[str, dict[str, Any]]:
    """Return what the gates say beforehand."""
    told = ("cutover", *clusters, "-m", topic, "--topic", topic, "--scheme", "mirror")
    done = ended(kferry(*told, "--dry-run", "--json", *more, cwd=folder))
    assert done.code == 0, done.said
    return {one["gate"]: one for one in done.result["gates"]}


def walk(clusters: list[str], topic: str, folder: Path) -> Ended:
    told = ("cutover", *clusters, "-m", topic, "--topic", topic, "--scheme", "mirror")
    return ended(kferry(*told, "--yes", "--json", cwd=folder))


def topics_of(cluster: Cluster) -> set[str]:
    return set(admin_of(cluster).list_topics(timeout=PATIENCE_S).topics)


def test_a_right_that_is_missing_on_the_source_is_named_before_anything_is_begun(
    sasl: Sandbox, tmp_path: Path
) -> None:
    topic = f"returning-{uuid.uuid4().hex[:8]}"
    create_topic(client_config(sasl.source.properties), topic)
    name, file = add_user(sasl.source, tmp_path)
    clusters = ["--source-config", str(file), "--target-config", str(sasl.target.properties)]
    ours = "__kferry."

    def allow(name_: str, *operations: AclOperation) -> list[AclBinding]:
        pattern = PREFIXED if name_ == ours else LITERAL
        made = [
            AclBinding(TOPIC, name_, pattern, f"User:{name}", "*", one, ALLOW) for one in operations
        ]
        admin = admin_of(sasl.source)
        for future in admin.create_acls(made).values():
            future.result(PATIENCE_S)
        return made

    rules = allow(topic, AclOperation.READ, AclOperation.DESCRIBE_CONFIGS)
    try:
        found = dry(clusters, topic, tmp_path)
        assert found[AGE]["passed"]
        assert not found[RIGHTS]["passed"]
        for missing in (
            f"Write on topics: not allowed on 2 of 2: __kferry.{topic}.back",
            "Create on the cluster",
            f"--allow-principal 'User:{name}' --operation Write --topic",
            "--no-way-back",
        ):
            assert missing in found[RIGHTS]["why"], found[RIGHTS]
        refused = walk(clusters, topic, tmp_path)
        assert refused.code == 5, refused.said
        assert "missing on the source" in refused.said
        assert not [one for one in topics_of(sasl.source) if topic in one and one != topic]
        assert dry(clusters, topic, tmp_path, "--no-way-back")[AGE]["passed"]

        rules += allow(topic, AclOperation.WRITE) + allow(ours, AclOperation.ALL)
        found = dry(clusters, topic, tmp_path)
        assert found[RIGHTS]["passed"], found[RIGHTS]
        assert "to fence a former copy" in found[RIGHTS]["why"], "wanted, and said"
    finally:
        admin = admin_of(sasl.source)
        for future in admin.delete_acls([exactly(one) for one in rules]).values():
            future.result(PATIENCE_S)


def test_a_source_that_knows_no_producer_ids_is_refused_beforehand(
    old: Sandbox, tmp_path: Path
) -> None:
    topic = make(old.source, TopicName(f"aged-{uuid.uuid4().hex[:8]}"))
    found = dry(sides(old), topic, tmp_path)
    assert RIGHTS not in found
    assert not found[AGE]["passed"]
    assert "older than 0.11" in found[AGE]["measured"]
    assert "--no-way-back" in found[AGE]["why"]
    refused = walk(sides(old), topic, tmp_path)
    assert refused.code == 5, refused.said
    planned = plan(old, "--topic", topic, migration=topic)
    assert any("knows no idempotent producers" in note for note in planned.result["notes"])
    assert dry(sides(old), topic, tmp_path, "--no-way-back")[AGE]["passed"]
