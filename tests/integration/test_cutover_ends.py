"""What is behind a switch: late records on the source, the offsets of the switch, the end."""

import json
import sys
from pathlib import Path
from typing import Any

from confluent_kafka import Producer, TopicPartition
from copying import Ended, ended, kferry, sides
from judge import PATIENCE_S, client_config
from test_cancel import place
from test_groups_sync import committed
from topic_making import ago, fill, make, unique

from kferry.sandbox import Sandbox

_CUTOVER = (
    *("cutover", "--yes", "--silence", "1s", "--patience", "60s", "--producers-stopped"),
    *("--verify", "none", "--no-way-back", "--hooks", "hooks"),
)


def of(sandbox: Sandbox, *arguments: str, migration: str, cwd: Path) -> Ended:
    words = (*arguments, *sides(sandbox), "-m", migration)
    return ended(kferry(*words, cwd=cwd))


def handing_over(sandbox: Sandbox, topic: str, folder: Path, *late: str) -> None:
    """Write the hook that lets a producer work on the target; `late` are scripts of others."""
    send = (
        f"{sys.executable} -m kferry messages send --topic {topic} --value new --execute --force "
        f"--target-config {sandbox.target.kferry_properties}"
    )
    hook = folder / "hooks" / "on-handover"
    hook.parent.mkdir()
    hook.write_text("\n".join(["#!/bin/sh", "set -e", *late, send, ""]))
    hook.chmod(0o755)


def gate(walked: dict[str, Any], name: str) -> dict[str, Any]:
    (found,) = [one for one in walked["gates"] if one["gate"] == name]
    return dict(found)


def test_who_writes_to_the_source_behind_the_switch_is_named_and_counted(
    plain: Sandbox, tmp_path: Path
) -> None:
    topic = make(plain.source, unique("late"))
    fill(plain.source, topic, [ago(1000)] * 20)
    migration = str(topic)
    name = f"{topic}-rogue"
    script = (
        "import sys; sys.path[:0] = sys.argv[1].split(':')\n"
        "from test_cutover_ends import late_ones; late_ones(*sys.argv[2:])\n"
    )
    (tmp_path / "late.py").write_text(script)
    handing_over(
        plain,
        topic,
        tmp_path,
        f"{sys.executable} {tmp_path}/late.py {':'.join(p for p in sys.path if p)} "
        f"{plain.source.properties} {topic} {name}",
    )
    walked = of(
        plain,
        *_CUTOVER,
        *("--scheme", "mirror", "--topic", topic),
        migration=migration,
        cwd=tmp_path,
    )
    assert walked.code == 5, walked.said
    status = of(plain, "status", "--json", migration=migration, cwd=tmp_path).result["cutover"]
    assert (status["step"], status["no_return"]) == ("done", True)
    late = gate(status, "source silent")
    assert late["measured"] == "5 records written since"
    assert "3 records from 20 to 22 by a producer without an id" in late["why"]
    assert "2 records from 23 to 24 by producer" in late["why"]
    assert f"(transactional id {name})" in late["why"]
    assert "kferry messages query" in late["why"]

    done = of(plain, *_CUTOVER, "--accept-late", "--json", migration=migration, cwd=tmp_path)
    assert done.code == 0, done.said
    (last,) = [one for one in done.result["cutover"]["passed"] if one["step"] == "done"]
    (reading,) = last["readings"]
    assert "accepted, they stay on the source" in reading["measured"]
    assert name in reading["why"]


def late_ones(properties: str, topic: str, name: str) -> None:
    """Write as others do who were forgotten: three plain records, then a transaction."""
    config = client_config(Path(properties))
    producer = Producer(dict(config))
    for _ in range(3):
        producer.produce(topic, b"late", partition=0)
    assert producer.flush(PATIENCE_S) == 0
    transactional = Producer({**config, "transactional.id": name})
    transactional.init_transactions(PATIENCE_S)
    transactional.begin_transaction()
    for _ in range(2):
        transactional.produce(topic, b"late", partition=0)
    transactional.commit_transaction(PATIENCE_S)


def test_groups_go_to_the_switch_and_the_report_keeps_it(plain: Sandbox, tmp_path: Path) -> None:
    topic = make(plain.source, unique("switch"))
    other = make(plain.source, unique("switch-other"))
    fill(plain.source, topic, [ago(1000)] * 20)
    fill(plain.source, other, [ago(1000)] * 3)
    migration = str(topic)
    group = f"{topic}-group"
    place(plain.source, group, [TopicPartition(topic, 0, 7), TopicPartition(other, 0, 1)])
    handing_over(plain, topic, tmp_path)
    early = of(
        plain,
        *("groups", "reset", "--on", "target", "--group", group, "--all-topics", "--to-switch"),
        migration=migration,
        cwd=tmp_path,
    )
    assert early.code == 2
    walked = of(
        plain,
        *_CUTOVER,
        *("--scheme", "mirror", "--topic", topic),
        migration=migration,
        cwd=tmp_path,
    )
    assert walked.code == 0, walked.said
    assert committed(plain.target, group, topic)[0] == 7
    for side, cluster in (("target", plain.target), ("source", plain.source)):
        reset = of(
            plain,
            *("groups", "reset", "--on", side, "--group", group, "--all-topics", "--to-switch"),
            "--execute",
            migration=migration,
            cwd=tmp_path,
        )
        assert reset.code == 0, reset.said
        assert committed(cluster, group, topic)[0] == 20
    assert committed(plain.source, group, other)[0] == 1, "it was not switched over"

    refused = of(plain, "cancel", "--yes", migration=migration, cwd=tmp_path)
    assert refused.code == 5
    assert "kferry complete" in refused.said
    done = of(plain, "complete", "--yes", "--report", "end.json", migration=migration, cwd=tmp_path)
    assert done.code == 0, done.said
    report = json.loads((tmp_path / "end.json").read_text())
    (switch,) = report["switches"]
    assert switch["topic"] == topic
    assert switch["partitions"] == [{"partition": 0, "source_offset": 20, "target_offset": 20}]
    assert [one["state"] for one in report["cutovers"]] == ["done"]
