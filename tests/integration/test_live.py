"""Live traffic: told what to do it does it, and its journals tell the truth about it."""

import uuid
from typing import Any

from copying import copy, ended, kferry, sides
from machine import eventually

from kferry.sandbox import Live, LiveSpec, Sandbox
from kferry.sandbox.live.accounts import Accounts
from kferry.sandbox.live.judging import LiveVerdict

SMALL = {"topics": 1, "partitions": 2, "producers": 2, "groups": 1, "rate": 400.0}


def spec(**changes: Any) -> LiveSpec:
    return LiveSpec(prefix=f"live-{uuid.uuid4().hex[:8]}", **{**SMALL, **changes})


def acknowledged(live: Live) -> int:
    accounts = Accounts(live.journals)
    accounts.read_on()
    return sum(len(life.acknowledged) for life in accounts.lives)


def flow(live: Live, records: int) -> None:
    """Wait until so many more were acknowledged."""
    wanted = acknowledged(live) + records
    eventually(lambda: acknowledged(live) >= wanted)


def assert_exact(verdict: LiveVerdict, *, at_least: int) -> None:
    assert verdict.exact, verdict.as_json()
    assert verdict.sent == verdict.seen >= at_least
    assert not verdict.faults


def test_traffic_moves_behind_a_plain_copy_and_nobody_loses_or_repeats_anything(
    plain: Sandbox,
) -> None:
    with Live.begin(plain, spec()) as live:
        prefix = live.spec.prefix
        flow(live, 600)
        live.stop(live.producers)
        done = copy(plain, "--topic", f"{prefix}-*", migration=prefix)
        assert done.code == 0, done.said
        live.stop(live.groups)
        synced = ended(
            kferry(
                "groups",
                "sync",
                *sides(plain),
                "-m",
                prefix,
                "--json",
                "--yes",
                "--group",
                f"{prefix}-*",
            )
        )
        assert synced.code == 0, synced.said
        live.move([*live.groups, *live.producers], to="target")
        assert {one.side for one in live.running} == {"target"}
        flow(live, 600)
        verdict = live.judge()
        assert_exact(verdict, at_least=1_200)
        assert verdict.aborted > 0
        assert verdict.unknown == verdict.aborted_seen == 0
        assert verdict.producers.moving > 0
        assert verdict.consumers.moving > 0


def test_killed_clients_are_judged_by_what_they_had_journalled(plain: Sandbox) -> None:
    with Live.begin(plain, spec(transactional=0)) as live:
        group = live.groups[0]
        for number in (1, 2):
            flow(live, 200)
            live.kill(f"producer-{number}")
            live.kill(f"{group}.{number}")
        live.start([*live.producers, group])
        flow(live, 200)
        verdict = live.judge(patience_s=40)
        assert verdict.lost == verdict.reordered == verdict.strange == 0, verdict.as_json()
        # A member may be killed between its journal and its commit; what is told is what was seen.
        assert verdict.repeated == _seen_again(live)
        assert verdict.in_flight < live.spec.rate


def _seen_again(live: Live) -> int:
    seen = [
        tuple(line.split(" ")[1:3])
        for file in live.journals.glob("*.live-*")
        for line in file.read_text().splitlines()
        if line.startswith("see ")
    ]
    return len(seen) - len(set(seen))
