"""What plan and apply do with topics that are there, with files, and as commands of others."""

import json
import shlex
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka.cimpl import NewPartitions
from copying import SHORT, ended, kferry, sides
from inspecting import admin_of
from judge import PATIENCE_S
from machine import eventually
from planning import apply, names, only, plan
from topic_making import delete, fill, make, official, own_configs, unique

from kferry.names import TopicName
from kferry.sandbox import Cluster, Sandbox, run_tool

CONFIGS = "kafka.admin.ConfigCommand"
TOOLS = {"kafka-topics": "org.apache.kafka.tools.TopicCommand", "kafka-configs": CONFIGS}


def partitions_of(cluster: Cluster, topic: str) -> int:
    # All are asked for: asked for by its name, the broker would create it.
    found = admin_of(cluster).list_topics(timeout=PATIENCE_S).topics.get(topic)
    return 0 if found is None else len(found.partitions)


def grow(cluster: Cluster, topic: TopicName, count: int) -> None:
    admin = admin_of(cluster)
    admin.create_partitions([NewPartitions(topic, count)])[topic].result(PATIENCE_S)
    eventually(lambda: partitions_of(cluster, topic) == count)


def settings(sandbox: Sandbox, folder: Path, topics: str) -> tuple[str, ...]:
    """Write a migration file; return the options that name it."""
    file = folder / "kferry.yaml"
    file.write_text(
        "version: 1\n"
        f"source: {{bootstrap: '{sandbox.source.bootstrap}'}}\n"
        f"target: {{bootstrap: '{sandbox.target.bootstrap}'}}\n"
        f"topics: {topics}\n"
    )
    return ("-c", str(file))


def run(*arguments: str) -> Any:
    return ended(kferry(*arguments))


def test_topics_of_others_are_left_as_they_are_until_the_file_says_otherwise(
    plain: Sandbox, tmp_path: Path
) -> None:
    topic = make(plain.source, unique("plan"), partitions=4, configs={"retention.ms": "172800000"})
    make(
        plain.target, topic, partitions=2, configs={"retention.ms": "864000000", "segment.ms": "9"}
    )
    first = plan(plain, "--topic", topic, migration=topic)
    assert "the target has 2 partitions, the source has 4" in only(first, "conflict")[topic]
    refused = apply(plain, "--topic", topic, migration=topic)
    assert (refused.code, refused.result["changed"]) == (5, [])
    assert partitions_of(plain.target, topic) == 2

    file = settings(plain, tmp_path, f"{{include: [{topic}], change: [{topic}]}}")
    wanted = run("plan", *file, "-m", topic, "--json")
    reason = only(wanted, "change")[topic]
    assert reason == "partitions: 2 → 4; retention.ms: 864000000 → 172800000"
    done = run("apply", *file, "-m", topic, "--json", "--yes")
    assert (done.code, names(done, "changed")) == (0, [topic])
    assert partitions_of(plain.target, topic) == 4
    assert own_configs(plain.target, topic) == {"retention.ms": "172800000", "segment.ms": "9"}
    last = run("plan", *file, "-m", topic, "--json", "--detailed-exitcode")
    assert (last.code, list(only(last, "same"))) == (0, [topic])


def test_a_topic_that_grows_on_the_source_grows_on_the_target(plain: Sandbox) -> None:
    topic = make(plain.source, unique("plan"), partitions=2)
    assert apply(plain, "--topic", topic, migration=topic).code == 0
    grow(plain.source, topic, 5)
    found = plan(plain, "--topic", topic, migration=topic)
    assert only(found, "change") == {topic: "partitions: 2 → 5"}
    assert apply(plain, "--topic", topic, migration=topic).code == 0
    assert partitions_of(plain.target, topic) == 5
    assert list(only(plan(plain, "--topic", topic, migration=topic), "same")) == [topic]


def test_a_plan_that_was_kept_is_applied_just_as_it_was_seen(
    plain: Sandbox, tmp_path: Path
) -> None:
    topic, other = make(plain.source, unique("plan")), unique("other")
    file = tmp_path / "plan.json"
    pattern = f"*{topic[-8:]}*"
    chosen = ("--topic", pattern, "--map", f"{topic}={topic}.new", "--exclude-config", "flush.*")
    assert plan(plain, *chosen, "--out", str(file), migration=topic).code == 0
    # What came later was not seen, and is not made.
    make(plain.source, TopicName(f"{topic}-later"))
    done = apply(plain, str(file), migration=topic)
    assert (done.code, names(done, "created")) == (0, [f"{topic}.new"]), done.said
    again = apply(plain, str(file), migration=topic)
    assert (again.code, again.result["created"]) == (0, [])
    assert partitions_of(plain.target, f"{topic}-later") == 0

    mixed = apply(plain, str(file), "--clamp", migration=topic)
    assert (mixed.code, "K100" in mixed.said) == (2, True)
    elsewhere = apply(plain, str(file), migration=other)
    assert (elsewhere.code, "K230" in elsewhere.said) == (5, True)


def test_a_plan_is_refused_when_the_clusters_have_moved_on_or_it_was_edited(
    plain: Sandbox, tmp_path: Path
) -> None:
    topic = make(plain.source, unique("plan"))
    file = tmp_path / "plan.json"
    assert plan(plain, "--topic", topic, "--out", str(file), migration=topic).code == 0
    told = json.loads(file.read_text())
    told["create"][0]["work"]["replication"] = 3
    edited = tmp_path / "edited.json"
    edited.write_text(json.dumps(told))
    done = apply(plain, str(edited), migration=topic)
    assert (done.code, "changed after it was made" in done.said) == (5, True)
    edited.write_text("[")
    assert apply(plain, str(edited), migration=topic).code == 2

    grow(plain.source, topic, 2)
    done = apply(plain, str(file), migration=topic)
    assert (done.code, "have moved on" in done.said) == (5, True)
    assert partitions_of(plain.target, topic) == 0


def test_the_same_as_commands_for_whoever_may(plain: Sandbox) -> None:
    configs = {"cleanup.policy": "compact,delete", "retention.ms": "172800000"}
    topic = make(plain.source, unique("plan"), partitions=2, configs=configs)
    done = ended(
        kferry(
            *("plan", "--source", plain.source.bootstrap, "--target", plain.target.bootstrap),
            *("-m", topic, "--topic", topic, "--as-commands", "--json"),
        )
    )
    assert partitions_of(plain.target, topic) == 0
    for line in done.result["commands"]:
        tool, *words = shlex.split(line)
        official_tool(plain.target, TOOLS[tool], words)
    assert own_configs(plain.target, f"__kferry.{topic}")["cleanup.policy"] == "compact"
    same = plan(plain, "--topic", topic, migration=topic)
    assert partitions_of(plain.target, topic) == 2
    assert names(same, "create") == names(same, "conflict") == []
    for line in done.result["when_complete"]:
        tool, *words = shlex.split(line)
        official_tool(plain.target, TOOLS[tool], words)
    assert own_configs(plain.target, topic) == configs


def official_tool(cluster: Cluster, main_class: str, words: list[str]) -> None:
    done = run_tool(cluster, main_class, *words, timeout_s=PATIENCE_S)
    assert done.returncode == 0, done.stdout + done.stderr


def test_nobody_is_asked_without_a_terminal(plain: Sandbox) -> None:
    topic = make(plain.source, unique("plan"))
    done = ended(kferry("apply", *sides(plain), "-m", topic, "--topic", topic))
    assert (done.code, "--yes" in done.said) == (2, True)
    assert partitions_of(plain.target, topic) == 0
    listed = official(plain.target, TOOLS["kafka-topics"], "--list")
    assert topic not in listed


def test_a_mistyped_topic_is_an_error(plain: Sandbox) -> None:
    topic = make(plain.source, unique("plan"))
    done = plan(plain, "--topic", f"{topic}x", migration=topic)
    assert (done.code, topic in done.said) == (2, True)


def test_a_topic_that_was_deleted_after_records_were_copied_is_not_made_anew(
    plain: Sandbox,
) -> None:
    topic = make(plain.source, unique("plan"))
    assert apply(plain, "--topic", topic, migration=topic).code == 0
    delete(plain.target, topic)
    assert list(only(plan(plain, "--topic", topic, migration=topic), "create")) == [topic]
    assert apply(plain, "--topic", topic, migration=topic).code == 0
    fill(plain.source, topic, [1000])
    done = ended(kferry("copy", *sides(plain), "-m", topic, "--topic", topic, *SHORT))
    assert done.code == 0, done.said
    delete(plain.target, topic)
    found = plan(plain, "--topic", topic, migration=topic)
    assert "not on the target any more" in only(found, "conflict")[topic]


@pytest.mark.parametrize("flag", ["--clamp", "--mm2-excludes"])
def test_flags_decide_what_of_the_settings_arrives(plain: Sandbox, flag: str) -> None:
    configs = {"min.insync.replicas": "1", "segment.bytes": "1048576", "flush.ms": "77"}
    topic = make(plain.source, unique("plan"), configs=configs)
    assert apply(plain, "--topic", topic, flag, migration=topic).code == 0
    found = own_configs(plain.target, topic)
    assert found["flush.ms"] == "77"
    assert ("min.insync.replicas" in found) == (flag == "--clamp")
    assert list(only(plan(plain, "--topic", topic, flag, migration=topic), "same")) == [topic]
