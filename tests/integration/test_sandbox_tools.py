"""Kafka's own classes from a cluster's own jars: tools, MirrorMaker 2."""

import json
import secrets
import subprocess
from pathlib import Path

import judge
import pytest
from machine import kferry

from kferry.sandbox import Sandbox, learnt, run_tool, tool_command

_TOPICS = "org.apache.kafka.tools.TopicCommand"


def test_a_tool_runs_with_the_clusters_own_jars_and_returns_its_exit_code(plain: Sandbox) -> None:
    topic = f"made-{secrets.token_hex(4)}"
    target = ["--bootstrap-server", plain.target.bootstrap]
    made = run_tool(plain.target, _TOPICS, *target, "--create", "--topic", topic)
    assert made.returncode == 0, made.stderr
    listed = run_tool(plain.target, _TOPICS, *target, "--list")
    assert topic in listed.stdout.split()
    assert listed.stderr == ""
    again = run_tool(plain.target, _TOPICS, *target, "--create", "--topic", topic)
    assert again.returncode == 1


def test_what_java_has_learnt_is_used_and_a_damaged_file_of_it_harms_nobody(
    plain: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = learnt.file_of(plain.target.version, learnt.Use.TOOL)
    where = ["--bootstrap-server", plain.target.bootstrap, "--list"]
    command = tool_command(plain.target, _TOPICS, *where)
    assert f"-XX:AOTCache={there}" in command
    listed = run_tool(plain.target, _TOPICS, *where)
    assert listed.returncode == 0, listed.stderr
    (tmp_path / "jars").symlink_to(there.parents[1] / "jars")
    monkeypatch.setenv("KFERRY_CACHE", str(tmp_path))
    damaged = learnt.file_of(plain.target.version, learnt.Use.TOOL)
    damaged.parent.mkdir()
    damaged.write_bytes(there.read_bytes()[:100_000])
    again = run_tool(plain.target, _TOPICS, *where)
    assert (again.returncode, again.stderr) == (0, "")
    assert "[aot" not in again.stdout
    monkeypatch.setenv("KFERRY_COLD_JAVA", "1")
    cold = tool_command(plain.target, _TOPICS, *where)
    assert not any("AOT" in word for word in cold)


def test_a_tool_takes_the_client_file_of_a_secured_cluster(sasl: Sandbox) -> None:
    for cluster in (sasl.source, sasl.target):
        for properties in (cluster.properties, cluster.kferry_properties):
            listed = run_tool(
                cluster,
                _TOPICS,
                *("--bootstrap-server", cluster.bootstrap, "--list"),
                *("--command-config", str(properties)),
            )
            assert listed.returncode == 0, listed.stderr


def test_the_command_hands_over_directory_input_output_and_exit_code(
    own_home: Path, tmp_path: Path
) -> None:
    up = kferry("sandbox", "up", "--json", "--name", "tools", "--source-version", "3.9.2")
    assert up.returncode == 0, up.stderr
    try:
        made = json.loads(up.stdout)
        assert made["source"]["version"] == "3.9.2"
        (tmp_path / "client.properties").write_text("acks=all\n")
        on_source = ("sandbox", "run", "--name", "tools", "--on", "source")
        bootstrap = ("--bootstrap-server", made["source"]["bootstrap"])
        sent = kferry(
            *on_source,
            "kafka.tools.ConsoleProducer",
            *bootstrap,
            *("--topic", "typed", "--producer.config", "client.properties"),
            stdin="one\ntwo\n",
            folder=tmp_path,
        )
        assert sent.returncode == 0, sent.stderr
        assert judge.read(judge.client_config(Path(made["source"]["properties"])), "typed") == "one"
        assert kferry(*on_source, "no.such.Class").returncode == 1
    finally:
        assert kferry("sandbox", "down", "--name", "tools").returncode == 0


def test_mirror_maker_copies_a_record(plain: Sandbox, tmp_path: Path) -> None:
    topic = f"mirrored-{secrets.token_hex(4)}"
    source = judge.client_config(plain.source.properties)
    judge.create_topic(source, topic)
    judge.send(source, topic, "by mirror maker")
    config = tmp_path / "mm2.properties"
    config.write_text(
        f"clusters=a, b\na.bootstrap.servers={plain.source.bootstrap}\n"
        f"b.bootstrap.servers={plain.target.bootstrap}\n"
        f"a->b.enabled=true\na->b.topics={topic}\nb->a.enabled=false\n"
        "replication.factor=1\nemit.heartbeats.enabled=false\nemit.checkpoints.enabled=false\n"
        "checkpoints.topic.replication.factor=1\nheartbeats.topic.replication.factor=1\n"
        "offset-syncs.topic.replication.factor=1\noffset.storage.replication.factor=1\n"
        "status.storage.replication.factor=1\nconfig.storage.replication.factor=1\n"
    )
    command = tool_command(plain.target, "org.apache.kafka.connect.mirror.MirrorMaker", str(config))
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as mirror_maker:
        try:
            target = judge.client_config(plain.target.properties)
            copied = judge.read(target, f"a.{topic}", patience_s=100)
        finally:
            mirror_maker.kill()
    assert copied == "by mirror maker"
