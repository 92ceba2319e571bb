"""Live traffic: told what to do it does it, and its journals tell the truth about it."""

import json
import uuid
from typing import Any

import pytest
from confluent_kafka.admin import AdminClient
from copying import copy, ended, kferry, sides
from judge import PATIENCE_S, client_config
from loading import bounds
from machine import eventually, processes_of
from machine import kferry as run_kferry

from kferry.errors import ExitCode
from kferry.sandbox import Cluster, Live, LiveSpec, Sandbox
from kferry.sandbox.live.accounts import Accounts
from kferry.sandbox.live.errors import BadLiveError, LiveError
from kferry.sandbox.live.judging import LiveVerdict
from kferry.sandbox.load.shape import Topic
from kferry.sandbox.load.topics import create_topics

SMALL = {"topics": 1, "partitions": 2, "producers": 2, "groups": 1, "rate": 400.0}


def prefix() -> str:
    return f"live-{uuid.uuid4().hex[:8]}"


def spec(**changes: Any) -> LiveSpec:
    return LiveSpec(prefix=prefix(), **{**SMALL, **changes})


def acknowledged(live: Live, side: str = "") -> int:
    accounts = Accounts(live.journals)
    accounts.read_on()
    return sum(len(life.acknowledged) for life in accounts.lives if side in {"", life.run.side})


def flow(live: Live, records: int, side: str = "") -> None:
    """Wait until so many more were acknowledged."""
    wanted = acknowledged(live, side) + records
    eventually(lambda: acknowledged(live, side) >= wanted)


def aborted(live: Live) -> int:
    accounts = Accounts(live.journals)
    accounts.read_on()
    return sum(len(life.aborted) for life in accounts.lives)


def assert_exact(verdict: LiveVerdict, *, at_least: int) -> None:
    assert verdict.exact, verdict.as_json()
    assert verdict.sent == verdict.seen >= at_least
    assert not verdict.faults


def members(cluster: Cluster, group: str) -> int:
    admin = AdminClient(dict(client_config(cluster.properties)))  # kept: its futures die with it
    found = admin.describe_consumer_groups([group])[group].result(PATIENCE_S)
    return len(found.members)


def test_traffic_moves_behind_a_plain_copy_and_nobody_loses_or_repeats_anything(
    plain: Sandbox,
) -> None:
    with Live.begin(plain, spec()) as live:
        name = live.spec.prefix
        flow(live, 600)
        eventually(lambda: aborted(live))
        live.stop(live.producers)
        done = copy(plain, "--topic", f"{name}-*", migration=name)
        assert done.code == 0, done.said
        live.stop(live.groups)
        chosen = ("--group", f"{name}-*", "--json", "--yes")
        synced = ended(kferry("groups", "sync", *sides(plain), "-m", name, *chosen))
        assert synced.code == 0, synced.said
        live.move([*live.groups, *live.producers], to="target")
        assert {one.side for one in live.running} == {"target"}
        flow(live, 600, "target")
        verdict = live.judge()
        assert_exact(verdict, at_least=1_200)
        assert verdict.aborted > 0
        assert verdict.unknown == verdict.aborted_seen == 0
        assert verdict.producers.moving > 0
        assert verdict.consumers.moving > 0


def test_a_group_moved_without_its_positions_shows_as_a_fault_and_as_loss(plain: Sandbox) -> None:
    with Live.begin(plain, spec(transactional=0)) as live:
        (group,) = live.groups
        with pytest.raises(LiveError, match="the target has no live-"):
            live.move([group], to="target")
        create_topics(plain.target, [Topic(name=t, partitions=2) for t in live.spec.all_topics])
        assert {one.side for one in live.running} == {"source"}
        with pytest.raises(LiveError, match="cannot work there") as raised:
            live.move([group], to="target")
        assert f"no position in {live.spec.all_topics[0]}-" in raised.value.detail
        flow(live, 100)
        verdict = live.judge(patience_s=0)
        assert verdict.faults
        assert verdict.lost >= 100
        assert verdict.groups[0].behind == verdict.lost
        # It never was told to leave the source's records alone: back there it finds them all.
        live.move([group], to="source")
        verdict = live.judge()
        assert (verdict.lost, verdict.repeated, verdict.reordered) == (0, 0, 0)


def test_killed_clients_are_judged_by_what_they_had_journalled(plain: Sandbox) -> None:
    with Live.begin(plain, spec(transactional=0)) as live:
        (group,) = live.groups
        flow(live, 200)
        live.kill("producer-1")
        live.kill(f"{group}.1")
        flow(live, 200)
        live.kill("producer-2")
        live.start([*live.producers, group])
        flow(live, 200)
        verdict = live.judge(patience_s=40)
        assert verdict.lost == verdict.reordered == verdict.strange == 0, verdict.as_json()
        # A member may be killed between its journal and its commit; what is told is what was seen.
        assert verdict.repeated == _seen_again(live)


def _seen_again(live: Live) -> int:
    seen = [
        tuple(line.split(" ")[1:3])
        for file in live.journals.glob("*.live-*")
        for line in file.read_text().splitlines()
        if line.startswith("see ")
    ]
    return len(seen) - len(set(seen))


def test_what_stands_in_the_way_of_a_move_can_be_had_on_demand(plain: Sandbox) -> None:
    with Live.begin(plain, spec(static=True)) as live:
        ordinary, transactions = live.groups
        (topic,) = live.spec.transactional_topics

        live.hang(["transactional-1"])
        ends = bounds(plain.source, topic)
        stable = bounds(plain.source, topic, committed=True)
        assert ends != stable, "a transaction is open"
        live.resume(["transactional-1"])

        live.pause([ordinary])
        live.stop([transactions])
        assert members(plain.source, transactions) == 2, "static members hold on to their place"
        live.start(["rogue-1"])
        flow(live, 200)
        assert live.judge(patience_s=0).lost >= 200, "a backlog grows"
        with pytest.raises(BadLiveError, match="does not move"):
            live.move(["rogue-1"], to="target")
        live.resume([ordinary])
        live.start([transactions])

        create_topics(plain.target, [Topic(name=t, partitions=2) for t in live.spec.all_topics])
        live.move(live.producers, to="target")
        writers = [one for one in live.running if one.client.role.writes]
        assert [one.name for one in writers if one.side == "source"] == ["rogue-1@source"]
        assert [one.client.name for one in writers if one.side == "target"] == list(live.producers)
        with pytest.raises(BadLiveError, match="one side at a time"):
            live.start(["producer-1"], side="source")
        live.stop(["rogue-1"])
        assert all(one.side == "source" for one in live.running if one.client.group)


@pytest.mark.own_brokers
def test_brokers_may_die_and_come_back_and_the_end_of_the_sandbox_is_the_end_of_its_traffic() -> (
    None
):
    with Sandbox.start() as sandbox:
        live = Live.begin(sandbox, spec(), lasting=True)
        flow(live, 200)
        sandbox.source.brokers[0].kill()
        sandbox.source.brokers[0].start()
        flow(live, 200)
        assert len(live.running) == len(live.spec.clients)
        verdict = live.judge(patience_s=40)
        # A commit may fail while its coordinator is away: then a few are read twice, never lost.
        assert (verdict.lost, verdict.reordered, verdict.strange) == (0, 0, 0), verdict.as_json()
        assert processes_of(live.home)
    assert not processes_of(sandbox.folder)
    assert not sandbox.folder.exists()


def test_secured_clusters_carry_traffic_like_others(sasl: Sandbox) -> None:
    with Live.begin(sasl, spec()) as live:
        flow(live, 200)
        assert_exact(live.judge(), at_least=200)


def told(*arguments: str, code: ExitCode = ExitCode.DONE) -> dict[str, Any]:
    done = run_kferry("sandbox", *arguments, "--json")
    assert done.returncode == code, done.stderr
    assert "next: kferry" in done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_commands_start_traffic_that_outlives_them_and_judge_it(plain: Sandbox) -> None:
    where = ("--name", plain.name, "--prefix", prefix())
    # One partition for two members: the one without any works, too.
    counts = {"topics": 1, "partitions": 1, "groups": 1, "producers": 1, "transactional": 0}
    size = [word for what, count in counts.items() for word in (f"--{what}", str(count))]
    # This returns although the clients run on: they hold none of our pipes.
    begun = told("load", "--live", *where, *size)
    live = Live.find(plain, begun["prefix"])
    try:
        assert {one["phase"] for one in begun["clients"]} == {"working"}
        assert [one.client.name for one in live.running] == [c["client"] for c in begun["clients"]]
        assert told("load", "--live", *where, *size)["clients"]
        stopped = told("live", "stop", "--all-producers", *where)
        assert [one["phase"] for one in stopped["clients"]] == ["stopped"]
        verdict = told("judge", *where)
        assert verdict["exact"]
        assert verdict["sent"] == verdict["seen"] > 0
        told("live", "stop", "--all", *where)
        assert not live.running
        shown = run_kferry("sandbox", "judge", *where)
        assert shown.stdout.startswith(f"exactly once: {verdict['sent']:,} sent"), shown
        assert run_kferry("sandbox", "live", "status", *where).stdout.count("stopped") == 3
        told("live", "start", "--all-producers", *where)
        flow(live, 10)
        told("live", "stop", "--all", *where)
        # Nobody has read these: told as lost, and whom to start.
        assert told("judge", *where, code=ExitCode.DIFFERENCES)["lost"] >= 10
        shown = run_kferry("sandbox", "judge", *where)
        assert shown.stdout.startswith("NOT exactly once")
        assert f"live start --consumers {live.groups[0]}" in shown.stderr
        assert not processes_of(live.home)
    finally:
        live.end()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("live", "stop", "--producers", "producer-9"), "no client or group producer-9"),
        (("live", "move", "--to", "target"), "nobody was named"),
        (("live", "status", "--prefix", "other"), "no live traffic with the prefix other"),
        (("load", "--live", "--rate", "0"), "rate"),
        (("load", "--live", "--partitions", "5"), "other live traffic"),
        (("load", "--live", "--prefix", "UP/.."), "prefix"),
        (("load", "--producers", "5"), "--producers is for live traffic"),
        (("live", "hang", "--producers", "producer-1"), "has no transactions"),
    ],
)
def test_what_cannot_be_is_said_and_nothing_changes(
    plain: Sandbox, standing: Live, arguments: tuple[str, ...], said: str
) -> None:
    mine = () if "--prefix" in arguments else ("--prefix", standing.spec.prefix)
    if arguments[:1] == ("load",) and "--live" not in arguments:
        mine = ()
    done = run_kferry("sandbox", *arguments, *mine, "--name", plain.name)
    assert done.returncode == ExitCode.USAGE, done.stderr
    assert said in done.stderr
    assert "hint: " in done.stderr
    assert not standing.running


@pytest.fixture(scope="module")
def standing(plain: Sandbox) -> Live:
    """Traffic that was stopped."""
    live = Live.begin(plain, spec(producers=1, groups=0))
    live.stop_all()
    return live
