"""A cutover is taken back although the target is dead; what only it can undo is done later."""

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import TopicPartition
from copying import ended, kferry, sides
from test_cancel import place
from test_groups_sync import committed
from topic_making import ago, fill, make, unique

from kferry.sandbox import Sandbox
from kferry.sandbox.faults import restart

pytestmark = pytest.mark.own_brokers
_NONE = -1001
_LOG = 'echo "$KFERRY_STEP: $KFERRY_DO" >> hooks.log\n'


@pytest.fixture
def pair() -> Iterator[Sandbox]:
    with Sandbox.start() as sandbox:
        yield sandbox


def hook(folder: Path, name: str, script: str) -> None:
    path = folder / "hooks" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\nset -e\n{script}")
    path.chmod(0o755)


def test_without_the_target_applications_go_back_and_the_rest_waits_for_it(
    pair: Sandbox, tmp_path: Path
) -> None:
    topic = make(pair.source, unique("offline"))
    fill(pair.source, topic, [ago(1000)] * 20)
    group = f"{topic}-group"
    place(pair.source, group, [TopicPartition(topic, 0, 7)])
    hook(tmp_path, "on-consumers-stop", "exit 0\n")
    hook(tmp_path, "on-consumers-start", "while [ -d /proc/$PPID ]; do sleep 0.1; done\n")
    hook(tmp_path, "on-rollback", _LOG)
    common = [*sides(pair), "-m", topic, "--yes", "--json"]
    bundle = ["--hooks", "hooks", "--bundle", "undo.json"]
    walk = kferry(
        "cutover",
        *common,
        *bundle,
        *("--scheme", "consumer-first", "--topic", topic, "--verify", "none"),
        cwd=tmp_path,
    )
    assert walk.stdout is not None
    for line in walk.stdout:
        event = json.loads(line)
        if event.get("event") == "hand" and event["hook"] == "on-consumers-start":
            break
    os.kill(walk.pid, signal.SIGKILL)
    walk.communicate()
    assert committed(pair.target, group, topic)[0] == 7

    pair.target.brokers[0].kill()
    back = ended(kferry("rollback", *common, *bundle, cwd=tmp_path))
    assert back.code == 7, back.said
    assert (tmp_path / "hooks.log").read_text().splitlines() == [
        "consumers-start: stop-consumers",
        "consumers-stop: start-consumers",
    ]
    left = {one["step"]: one["what"] for one in back.result["left"]}
    assert left["positions"] == f"group {group}, {topic}-0: delete its position"
    assert "consumers-start" in left

    restart(pair.target, pair.target.brokers[0].number)
    done = ended(kferry("rollback", *common, *bundle, cwd=tmp_path))
    assert done.code == 0, done.said
    assert done.result["cutover"]["state"] == "undone"
    assert committed(pair.target, group, topic)[0] == _NONE
    again = ended(kferry("rollback", *common, *bundle, cwd=tmp_path))
    assert again.code == 2, again.said
