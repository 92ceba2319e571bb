"""The end of a migration: what retention will take is said before it takes it."""

import json
from pathlib import Path

from confluent_kafka import TopicPartition
from copying import Ended, copy, ended, kferry, sides
from test_cancel import place
from topic_making import DAY_MS, ago, fill, make, own_configs, unique

from kferry.sandbox import Sandbox


def complete(sandbox: Sandbox, *arguments: str, migration: str) -> Ended:
    words = ("complete", *sides(sandbox), "-m", migration, "--yes", *arguments)
    return ended(kferry(*words))


def test_what_goes_and_who_has_yet_to_read_it_is_said_before_anything_is_set(
    plain: Sandbox, tmp_path: Path
) -> None:
    kept = {"retention.ms": str(2 * DAY_MS)}
    topic = make(plain.source, unique("complete"), configs=kept)
    other = make(plain.source, unique("complete-other"), configs={"cleanup.policy": "compact"})
    fill(plain.source, other, [ago(1000)] * 5)
    fill(plain.source, topic, [ago(3 * DAY_MS)] * 30 + [ago(1000)] * 10)
    migration = str(topic)
    copied = copy(plain, f"--topic={topic}", f"--topic={other}", migration=migration)
    assert copied.code == 0, copied.said
    behind, level = f"{topic}-behind", f"{topic}-level"
    place(plain.target, behind, [TopicPartition(topic, 0, 12)])
    place(plain.target, level, [TopicPartition(topic, 0, 30)])

    refused = complete(plain, migration=migration)
    assert refused.code == 5, refused.said
    assert f"{behind}, {topic}-0: at 12, and up to 30 may go" in " ".join(refused.said.split())
    assert level not in refused.said
    assert own_configs(plain.target, topic)["retention.ms"] == "-1"

    file = tmp_path / "report.json"
    forced = complete(plain, "--force", "--json", "--report", str(file), migration=migration)
    assert forced.code == 0, forced.said
    assert "has yet to read" in forced.said
    assert "of each key the newest record stays" in forced.said
    going = {one["topic"]: one for one in forced.result["going"]}
    assert going[topic]["offsets"] == 30
    assert 0 < going[topic]["bytes"] < 100_000
    assert going[other]["offsets"] == 0
    assert [one["group"] for one in forced.result["behind"]] == [behind]
    assert own_configs(plain.target, topic)["retention.ms"] == str(2 * DAY_MS)
    report = json.loads(file.read_text())
    assert {one["topic"] for one in report["topics"]} == {topic, other}
    assert all(one["completed"] for one in report["topics"])

    file.unlink()
    again = complete(plain, "--report", str(file), migration=migration)
    assert again.code == 0, again.said
    assert json.loads(file.read_text())["migration"] == migration
