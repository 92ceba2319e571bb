"""A rehearsal finds what a cutover would stumble over, and leaves both clusters as they were."""

import asyncio
import contextlib
import signal
import subprocess
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import TopicPartition
from copying import Ended, copy, ended, kferry, sides
from following import running
from inspecting import admin_of
from judge import PATIENCE_S
from judging import read_all
from machine import eventually
from mixing import KINDS, Mix
from planting import plant, write
from standing_still import Picture, groups_of, picture, positions_of
from switching import assert_exact, flow, switching
from test_inspect_groups import commit, member
from test_verify import create, some

from kferry.sandbox import Sandbox

SEED = 20_261_107
ODD = ("plain", "transactions", "compacted")
SHADOW = ".kferry-rehearsal"
_REHEARSE = ("cutover", "--rehearse", "--yes", "--json")


def unique(name: str) -> str:
    return f"rehearsal-{name}-{uuid.uuid4().hex[:8]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shop:
    """Topics of every odd kind, copied, and groups that lag behind on them."""

    sandbox: Sandbox
    prefix: str
    topics: tuple[str, ...]

    @property
    def lagging(self) -> str:
        return f"{self.prefix}-lagging"

    @property
    def working(self) -> str:
        return f"{self.prefix}-working"

    def start(
        self, *more: str, hooks: Path | None = None, scheme: str = "mirror"
    ) -> subprocess.Popen[str]:
        return kferry(
            *_REHEARSE,
            *sides(self.sandbox),
            *("-m", self.prefix, "--scheme", scheme, "--topic", f"{self.prefix}-*"),
            *("--silence", "2s", *more),
            *(("--hooks", str(hooks)) if hooks else ()),
        )

    def rehearse(self, *more: str, hooks: Path | None = None, scheme: str = "mirror") -> Ended:
        return ended(self.start(*more, hooks=hooks, scheme=scheme))

    def pictures(self) -> tuple[Picture, Picture]:
        return (
            picture(self.sandbox.source, self.prefix),
            picture(self.sandbox.target, self.prefix),
        )

    @property
    def shadows(self) -> list[str]:
        return [
            one
            for one in groups_of(self.sandbox.target)
            if one.endswith(SHADOW) and self.prefix in one
        ]


@pytest.fixture(scope="module")
def shop(plain: Sandbox) -> Iterator[Shop]:
    prefix = unique("shop")
    mix = Mix(
        cluster=plain.source, prefix=prefix, seed=SEED, kinds={name: KINDS[name] for name in ODD}
    )
    mix.create()
    mix.write(400)
    mix.clean()
    made = Shop(sandbox=plain, prefix=prefix, topics=tuple(mix.topics))
    places = []
    for topic in mix.topics:
        for number, records in read_all(plain.source, topic).items():
            # Each third record, which in odd logs has odd offsets before and behind it.
            places.append(TopicPartition(topic, number, records[len(records) // 3].offset))
    commit(plain.source, made.lagging, places)
    here = [TopicPartition(mix.topics[0], number, 11) for number in range(2)]
    commit(plain.source, made.working, here)
    done = copy(plain, "--topic", f"{prefix}-*", migration=prefix)
    assert done.code == 0, done.said
    first_group(plain, mix.topics[0])
    with member(plain.source, mix.topics[0], **{"group.id": made.working}):
        yield made


def first_group(sandbox: Sandbox, topic: str) -> None:
    """A target on which no group was ever at work makes a topic of its own for the first one."""
    commit(sandbox.target, f"{topic}-elsewhere", [TopicPartition(topic, 0, 0)])


def hook(folder: Path, name: str, script: str) -> None:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


@contextlib.contextmanager
def held_up(shop: Shop, folder: Path) -> Iterator[subprocess.Popen[str]]:
    """A rehearsal that stands in its last hook, the shadows being there."""
    here = folder / "in-the-hook"
    hook(
        folder,
        "on-handover",
        f": $KFERRY_REHEARSAL\ntouch {here}\nwhile [ -e {here} ]; do sleep 0.1; done",
    )
    process = shop.start(hooks=folder)
    try:
        eventually(here.exists)
        yield process
    finally:
        here.unlink(missing_ok=True)
        if process.poll() is None:
            process.kill()
        process.communicate()


def test_it_compares_lagging_groups_on_odd_logs_and_leaves_both_clusters_as_they_were(
    shop: Shop, tmp_path: Path
) -> None:
    calls = tmp_path / "calls"
    for name in ("on-silence", "on-consumers-stop", "on-handover", "on-rollback"):
        hook(
            tmp_path / "hooks",
            name,
            f'echo "{name} $KFERRY_REHEARSAL $KFERRY_STEP $KFERRY_DO $KFERRY_ON" >> {calls}',
        )
    before = shop.pictures()
    assert before[0]["positions"].keys() == {shop.lagging, shop.working}
    done = shop.rehearse(hooks=tmp_path / "hooks")
    assert done.code == 0, f"{done.said}\n{done.result}"
    assert shop.pictures() == before
    found = done.result["rehearsal"]
    groups = {one["group"]: one for one in found["groups"]}
    assert set(groups) == {shop.lagging, shop.working}
    for one in groups.values():
        assert one["same"] == 100, one
        assert one["differ"] == one["only_source"] == one["only_target"] == 0, one
    assert groups[shop.lagging]["positions"] == 6
    assert calls.read_text().splitlines() == [
        "on-silence 1 silence stop-producers source",
        "on-consumers-stop 1 consumers-stop stop-consumers source",
        "on-handover 1 hand-over start-all target",
        "on-rollback 1 consumers-stop start-consumers source",
        "on-rollback 1 silence start-producers source",
    ]
    told = {one["step"]: one for one in found["steps"]}
    assert [one["gate"] for one in told["look"]["gates"]][:3] == [
        "groups", "target groups", "rights",
    ]  # fmt: skip
    assert "2 groups, 1 with members" in told["look"]["gates"][0]["measured"]
    who = {one["who"]: one for one in found["interruption"]}
    assert set(who) == {"producers", "consumers"}
    window = [one["seconds"] for one in who["producers"]["pieces"] if "silence" in one["what"]]
    assert 2.0 in window
    assert found["ok"] is True
    assert found["findings"] == []


def test_one_that_was_killed_is_cleaned_up_by_the_next_and_one_that_is_stopped_by_itself(
    shop: Shop, tmp_path: Path
) -> None:
    before = shop.pictures()
    with held_up(shop, tmp_path / "stopped") as process:
        assert shop.shadows == [f"{shop.lagging}{SHADOW}", f"{shop.working}{SHADOW}"]
        _assert_where_they_would_go_on(shop)
        beside = shop.rehearse()
        assert beside.code == 6, beside.said
        assert "another rehearsal is under way" in beside.said
        process.send_signal(signal.SIGINT)
        stopped = ended(process)
    assert stopped.code == 7, stopped.said
    assert shop.pictures() == before
    with held_up(shop, tmp_path / "killed") as process:
        process.kill()
        process.wait(PATIENCE_S)
    assert len(shop.shadows) == 2
    after = shop.rehearse()
    assert after.code == 0, after.said
    assert "takes away" in after.said
    assert shop.pictures() == before


def _assert_where_they_would_go_on(shop: Shop) -> None:
    """A real consumer, put where the shadow stands, reads what the group would have read next."""
    here = positions_of(shop.sandbox.source, shop.lagging)
    there = positions_of(shop.sandbox.target, f"{shop.lagging}{SHADOW}")
    assert there.keys() == here.keys()
    for topic in shop.topics:
        source, target = read_all(shop.sandbox.source, topic), read_all(shop.sandbox.target, topic)
        for number in source:
            left = [one for one in source[number] if one.offset >= here[topic, number]]
            kept = [one for one in target[number] if one.offset >= there[topic, number]]
            assert left[0].content == kept[0].content


def test_a_record_that_was_altered_is_named_with_its_group_and_its_place(plain: Sandbox) -> None:
    prefix = unique("altered")
    topic, near, far = f"{prefix}-topic", f"{prefix}-near", f"{prefix}-far"
    create(plain, topic, partitions=2)
    records = [some(number) for number in range(400)]
    for number in range(2):
        write(plain.source, topic, number, records)
    assert copy(plain, "--topic", topic, migration=prefix).code == 0
    damaged = [*records[:130], records[130]._replace(value=b"altered"), *records[131:]]
    asyncio.run(plant(plain, prefix, {topic: {0: records, 1: damaged}}))
    commit(plain.source, near, [TopicPartition(topic, 0, 90), TopicPartition(topic, 1, 90)])
    commit(plain.source, far, [TopicPartition(topic, 1, 131)])
    shop = Shop(sandbox=plain, prefix=prefix, topics=(topic,))
    done = shop.rehearse("--verify", "none")
    assert done.code == 4, f"{done.said}\n{done.result}"
    groups = {one["group"]: one for one in done.result["rehearsal"]["groups"]}
    assert groups[far]["same"] == 100
    assert not groups[far]["differences"]
    assert groups[near]["same"] == 99
    (found,) = groups[near]["differences"]
    assert (found["topic"], found["partition"]) == (topic, 1)
    assert (found["source_offset"], found["target_offset"]) == (130, 130)
    assert "value" in found["what"]
    assert near in done.said
    assert "kferry verify --level records" in done.said
    assert not shop.shadows


def test_a_group_of_somebody_else_with_a_shadows_name_is_left_alone(shop: Shop) -> None:
    theirs = f"{shop.lagging}{SHADOW}"
    commit(shop.sandbox.target, theirs, [TopicPartition(shop.topics[0], 0, 3)])
    try:
        before = shop.pictures()
        done = shop.rehearse()
        assert done.code == 5, done.said
        assert theirs in done.said
        assert shop.pictures() == before
    finally:
        admin = admin_of(shop.sandbox.target)
        admin.delete_consumer_groups([theirs])[theirs].result(PATIENCE_S)


def test_what_cannot_be_rehearsed_is_refused_with_the_next_command(
    plain: Sandbox, tmp_path: Path
) -> None:
    prefix = unique("refused")
    topic = f"{prefix}-topic"
    create(plain, topic)
    write(plain.source, topic, 0, [some(number) for number in range(20)])
    shop = Shop(sandbox=plain, prefix=prefix, topics=(topic,))
    nothing = shop.rehearse()
    assert nothing.code == 5
    assert "nothing of these topics is copied yet" in nothing.said
    assert "kferry copy" in nothing.said
    assert copy(plain, "--topic", topic, migration=prefix).code == 0
    mistyped = shop.rehearse("--group", f"{prefix}-nobody")
    assert mistyped.code == 2
    assert f"is called {prefix}-nobody" in " ".join(mistyped.said.split())
    hook(tmp_path / "hooks", "on-silence", "exit 3")
    unaware = shop.rehearse(hooks=tmp_path / "hooks")
    assert unaware.code == 5
    (finding,) = unaware.result["rehearsal"]["findings"]
    assert "not called" in finding
    # The same hook makes a cutover stand still: from then on there is nothing to rehearse.
    walk = ended(
        kferry(
            "cutover", *sides(plain), "-m", prefix, "--scheme", "mirror", "--topic", topic, "--yes",
            "--json", "--silence", "1s", "--no-way-back", "--hooks", str(tmp_path / "hooks"),
            "--bundle", str(tmp_path / "undo.json"),
        )
    )  # fmt: skip
    assert walk.code == 5, walk.said
    late = shop.rehearse()
    assert late.code == 5
    assert "a cutover is under way" in late.said


def test_without_a_copy_the_starts_of_the_targets_logs_are_tried(plain: Sandbox) -> None:
    prefix = unique("empty")
    topic, group = f"{prefix}-topic", f"{prefix}-group"
    create(plain, topic, partitions=2)
    write(plain.source, topic, 0, [some(number) for number in range(20)])
    commit(plain.source, group, [TopicPartition(topic, 0, 5), TopicPartition(topic, 1, 0)])
    shop = Shop(sandbox=plain, prefix=prefix, topics=(topic,))
    made = ended(kferry("apply", *sides(plain), "-m", prefix, "--topic", topic, "--yes"))
    assert made.code == 0, made.said
    before = shop.pictures()
    found: dict[str, Any] = {}
    for scheme in ("producer-first", "dual-consumer"):
        done = shop.rehearse("--producers-stopped", scheme=scheme)
        assert done.code == 0, f"{done.said}\n{done.result}"
        found = done.result["rehearsal"]
        told = {one["step"]: one["gates"] for one in found["steps"]}
        assert "2 positions of 1 group" in told["positions"][0]["measured"]
        assert "nothing to compare" in told["positions"][0]["measured"]
        assert found["groups"] == []
    assert [one["who"] for one in found["interruption"]] == ["producers"]
    assert shop.pictures() == before


@pytest.mark.long
def test_under_live_traffic_with_a_copy_at_work_nobody_notices(
    plain: Sandbox, tmp_path: Path
) -> None:
    with switching(plain, "mirror", tmp_path) as switch:
        flow(switch.live, 300)
        for name in ("on-silence", "on-consumers-stop", "on-handover", "on-rollback"):
            hook(tmp_path / "hooks", name, 'echo "would $KFERRY_DO ($KFERRY_REHEARSAL)"')
        shop = Shop(sandbox=plain, prefix=switch.prefix, topics=())
        with running(plain, "--topic", f"{switch.prefix}-*", migration=switch.prefix) as run:
            run.until_shown(lambda shown: shown["state"] == "following")
            first_group(plain, f"{switch.prefix}-1")
            names = [(one["topics"], one["groups"], one["acls"]) for one in shop.pictures()]
            for _ in range(3):
                done = shop.rehearse(hooks=tmp_path / "hooks")
                assert done.code == 0, f"{done.said}\n{done.result}"
            assert names == [(one["topics"], one["groups"], one["acls"]) for one in shop.pictures()]
        flow(switch.live, 300)
        assert_exact(switch.judge(), at_least=600)
