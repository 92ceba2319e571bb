"""The scheme double-write, with applications that write both sides while they move."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from signal import SIGKILL
from typing import Any

import pytest
from confluent_kafka import Producer
from copying import Ended, ended, kferry, sides
from dual_apps import Apps
from dual_writing import to
from judge import PATIENCE_S
from machine import eventually
from test_dual_groups import fresh
from test_groups_sync import committed
from topic_making import make

from kferry.dualwrite.frames import ClusterIds
from kferry.dualwrite.map_file import MapFile
from kferry.runbook import SCHEMES
from kferry.sandbox import Sandbox

ONE = {"a": "both"}
TWO = {"a": "both", "b": "both"}


@contextmanager
def applications(sandbox: Sandbox, folder: Path, name: str, **changes: Any) -> Iterator[Apps]:
    """Begin with writers on both sides and a consumer on the source."""
    topic = fresh(name)
    plan: dict[str, Any] = {
        "topic": topic,
        "partitions": 3,
        "written": 2,
        "every_s": 0.004,
        "producers": ONE,
        "groups": ["g"],
        "consumers": "source",
        "release": "target",
        **changes,
    }
    for side, cluster in (("source", sandbox.source), ("target", sandbox.target)):
        make(cluster, topic, partitions=plan["partitions"])
        plan[side] = to(cluster)["bootstrap.servers"]
    apps = Apps.begin(folder / "apps", **plan)
    try:
        eventually(lambda: len(apps.seen("g")) > 200)
        yield apps
    finally:
        apps.end()


def walking(
    sandbox: Sandbox, apps: Apps, *more: str, verb: str = "cutover", silence: str = "2s"
) -> subprocess.Popen[str]:
    scheme = ["--scheme", "double-write"] if verb == "cutover" else []
    return kferry(
        verb, *sides(sandbox), "-m", apps.topic, *scheme, "--map", str(apps.maps),
        "--silence", silence, "--patience", "40s", "--yes", "--json", "--producers-stopped",
        "--hooks", str(apps.folder / "hooks"), "--bundle", str(apps.folder / "undo.json"),
        *more,
        cwd=apps.folder,
    )  # fmt: skip


def cutover(sandbox: Sandbox, apps: Apps, *more: str, **how: str) -> Ended:
    return ended(walking(sandbox, apps, *more, **how))


def writes_alone(sandbox: Sandbox, apps: Apps, silence: str = "2s") -> str:
    """Look what is said of those who write to the source alone."""
    dry = cutover(sandbox, apps, "--dry-run", silence=silence)
    (found,) = [one for one in dry.result["gates"] if one["gate"] == "source's writers"]
    assert found["passed"] == found["measured"].startswith("0 records")
    return str(found["measured"])


def said(done: Ended) -> str:
    """Read it as people do, wherever its lines break."""
    return " ".join(done.said.replace("│", " ").split())


def gates(done: Ended, step: str) -> dict[str, dict[str, Any]]:
    (passed,) = [one for one in done.result["cutover"]["passed"] if one["step"] == step]
    return {one["gate"]: one for one in passed["readings"]}


def rest(apps: Apps) -> None:
    """Let the writers end, and the readers come to the end."""
    apps.stop("write")
    eventually(lambda: not apps.lost("g"))


def test_nothing_is_lost_or_repeated_with_one_writer_in_a_partition(
    plain: Sandbox, tmp_path: Path
) -> None:
    with applications(plain, tmp_path, "one") as apps:
        dry = cutover(plain, apps, "--dry-run")
        assert dry.code == 0, dry.said
        shut = [one for one in dry.result["gates"] if not one["passed"]]
        # Whose records are an hour old at most, nobody can call quiet.
        assert {one["gate"] for one in shut} <= {"quiet partitions"}, shut
        done = cutover(plain, apps)
        assert done.code == 0, done.said
        assert done.result["cutover"]["state"] == "done"
        assert gates(done, "dual")["both sides"]["measured"].startswith("0 records")
        before = len(apps.sent())
        eventually(lambda: len(apps.sent()) > before + 100)
        rest(apps)
        assert len(apps.sent()) > 400
        assert (apps.repeated("g"), apps.reordered("g")) == (0, 0)
        completed = ended(kferry("complete", *sides(plain), "-m", apps.topic, "--yes", "--json"))
        assert completed.code == 0, completed.said


@pytest.mark.long
def test_with_two_writers_in_a_partition_repetitions_are_as_many_as_were_told(
    plain: Sandbox, tmp_path: Path
) -> None:
    with applications(plain, tmp_path, "two", producers=TWO, release="turned") as apps:
        done = cutover(plain, apps)
        assert done.code == 0, done.said
        told = gates(done, "positions")["positions"]["measured"]
        assert "second only" in gates(done, "hand-over")["silence"]["measured"]
        rest(apps)
        assert f"; {apps.repeated('g'):,} records read again, 0 skipped" in told
        assert apps.reordered("g") <= apps.repeated("g")


@pytest.mark.long
def test_what_would_be_lost_is_refused_by_name_and_a_rollback_loses_nothing(
    plain: Sandbox, tmp_path: Path
) -> None:
    with applications(plain, tmp_path, "refused") as apps:
        other = MapFile(apps.maps / "others.map")
        other.append([ClusterIds(primary="here", secondary="there")])
        other.close(in_order=True)
        done = cutover(plain, apps)
        assert done.code == 5
        assert "others.map is about other clusters" in said(done)
        (apps.maps / "others.map").unlink()

        alone = Producer(to(plain.source))
        alone.produce(apps.topic, b"rogue-old", partition=2)
        assert alone.flush(PATIENCE_S) == 0

        # What a killed writer left open is behind every group once they have read past it.
        apps.stop("write", how=SIGKILL)
        apps.start("write")
        seen = len(apps.seen("g"))
        eventually(lambda: len(apps.seen("g")) > seen + 100)

        # Somebody who writes to the source alone, where the group does not read on.
        apps.stop("read")
        for number in range(7):
            alone.produce(apps.topic, f"rogue-{number}".encode(), partition=1)
        assert alone.flush(PATIENCE_S) == 0
        done = cutover(plain, apps)
        assert done.code == 5, done.said
        assert "7 records" in said(done)
        assert "somebody writes to the source alone" in said(done)
        assert f"read still by {apps.topic}-g" in said(done)
        apps.start("read")
        eventually(lambda: sum(one.startswith("rogue") for one in apps.seen("g")) == 8)
        # All have read them, and somebody wrote them all the same.
        assert writes_alone(plain, apps, silence="1000s").startswith("7 records")
        eventually(lambda: writes_alone(plain, apps).startswith("0 records"))

        # The same once consumers are on the target: nothing is handed over, and they go back.
        apps.change(rogue=5)
        done = cutover(plain, apps)
        assert done.code == 5, done.said
        assert "5 records" in said(done)
        assert apps.plan["consumers"] == "target"
        seen = len(apps.seen("g"))
        eventually(lambda: len(apps.seen("g")) > seen + 100)
        back = cutover(plain, apps, verb="rollback")
        assert back.code == 0, back.said
        assert back.result["cutover"]["state"] == "undone"
        assert apps.plan["consumers"] == "source"
        eventually(lambda: sum(one.startswith("rogue") for one in apps.seen("g")) == 13)
        rest(apps)
        assert apps.repeated("g") == 0
        assert committed(plain.target, f"{apps.topic}-g", apps.topic)[0] < 0


@pytest.mark.long
@pytest.mark.parametrize("release", ["target", "turned"])
def test_killed_inside_every_step_it_comes_to_the_same_end(
    plain: Sandbox, tmp_path: Path, release: str
) -> None:
    with applications(plain, tmp_path, "kills", release=release) as apps:
        for step in SCHEMES["double-write"].steps:
            process = walking(plain, apps)
            assert process.stdout is not None
            events = (json.loads(line) for line in process.stdout if line.startswith("{"))
            assert any(one.get("step") == step.name for one in events), process.communicate()
            process.send_signal(SIGKILL)
            process.communicate()
        done = cutover(plain, apps)
        assert done.code == 0, done.said
        before = len(apps.sent())
        eventually(lambda: len(apps.sent()) > before + 100)
        assert apps.plan["consumers"] == "target"
        assert apps.plan["producers"] == {"a": release}
        rest(apps)
        assert (apps.repeated("g"), apps.reordered("g")) == (0, 0)
