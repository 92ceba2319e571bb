"""A cutover that is cut short, hindered or lied to: nobody loses, repeats or waits for nothing."""

import contextlib
from pathlib import Path

import pytest
from switching import assert_exact, flow, switching

from kferry.runbook import SCHEMES
from kferry.sandbox import Sandbox
from kferry.sandbox.live.errors import LiveError

_OTHERS = ("producer-first", "dual-consumer", "consumer-first", "drain")
_LONG = [pytest.param(scheme, marks=pytest.mark.long) for scheme in _OTHERS]


@pytest.mark.parametrize("scheme", ["mirror", *_LONG])
def test_killed_inside_every_step_it_comes_to_the_same_end(
    plain: Sandbox, tmp_path: Path, scheme: str
) -> None:
    with switching(plain, scheme, tmp_path) as switch:
        flow(switch.live, 200)
        if not SCHEMES[scheme].copies:
            made = switch.plain("apply", "--yes", "--topic", f"{switch.prefix}-*")
            assert made.code == 0, made.said
        for number, step in enumerate(SCHEMES[scheme].steps):
            walk = switch.walk(scheme=number == 0)
            walk.until("step", step.name)
            walk.kill()
        done = switch.walk(scheme=False).ended()
        assert done.code == 0, done.said
        flow(switch.live, 200)
        assert {one.side for one in switch.live.running} == {"target"}
        assert_exact(switch.judge(), at_least=400, order=scheme != "dual-consumer")


def _before_the_hand_over(scheme: str) -> list[str]:
    names = [step.name for step in SCHEMES[scheme].steps]
    marked = next(step.name for step in SCHEMES[scheme].steps if step.no_return)
    return names[1 : names.index(marked)]


@pytest.mark.parametrize(
    ("scheme", "steps"),
    [
        ("consumer-first", ["consumers-stop", "silence", "mark"]),
        *(
            pytest.param(scheme, _before_the_hand_over(scheme), marks=pytest.mark.long)
            for scheme in ("mirror", "consumer-first", "dual-consumer", "drain")
        ),
    ],
)
def test_rolled_back_traffic_goes_on_where_it_was(
    plain: Sandbox, tmp_path: Path, scheme: str, steps: list[str]
) -> None:
    with switching(plain, scheme, tmp_path) as switch:
        flow(switch.live, 200)
        if not SCHEMES[scheme].copies:
            made = switch.plain("apply", "--yes", "--topic", f"{switch.prefix}-*")
            assert made.code == 0, made.said
        for step in steps:
            walk = switch.walk()
            walk.until("step", step)
            walk.kill()
            back = switch.roll_back()
            assert back.code == 0, back.said
            assert {one.side for one in switch.live.running} == {"source"}
            flow(switch.live, 50)
        assert_exact(switch.judge(), at_least=300)


@pytest.mark.long
def test_a_static_member_that_keeps_its_place_is_named(plain: Sandbox, tmp_path: Path) -> None:
    with switching(plain, "mirror", tmp_path, static=True, transactional=0) as switch:
        flow(switch.live, 200)
        refused = switch.walk(patience="12s").ended()
        assert refused.code == 5
        assert "no consumer on the source" in refused.said
        assert "static:" in refused.said
        assert {one.side for one in switch.live.running} == {"source"}
        flow(switch.live, 50)
        assert_exact(switch.judge(), at_least=250)


def test_a_producer_that_goes_on_is_named_and_everybody_starts_again(
    plain: Sandbox, tmp_path: Path
) -> None:
    with switching(plain, "mirror", tmp_path, transactional=0) as switch:
        flow(switch.live, 200)
        switch.live.start([switch.live.spec.rogue.name])
        refused = switch.walk(patience="12s").ended()
        assert refused.code == 5
        assert "silence" in refused.said
        assert "stand still" in refused.said
        flow(switch.live, 50)
        assert {one.side for one in switch.live.running} == {"source"}
        switch.live.stop([switch.live.spec.rogue.name])
        done = switch.walk(scheme=False).ended()
        assert done.code == 0, done.said
        assert_exact(switch.judge(), at_least=250)


def test_an_open_transaction_a_group_on_the_target_and_a_hook_that_fails_are_refused(
    plain: Sandbox, tmp_path: Path
) -> None:
    with switching(plain, "mirror", tmp_path) as switch:
        flow(switch.live, 200)
        switch.live.hang(["transactional-1"])
        switch.hook("on-silence", "live stop --producers producer-1 producer-2")
        refused = switch.walk(patience="12s").ended()
        assert refused.code == 5
        assert "open transaction" in refused.said
        switch.live.resume(["transactional-1"])

        switch.hook("on-silence", "echo the deployment is locked; exit 7")
        refused = switch.walk(scheme=False).ended()
        assert refused.code == 5
        assert "on-silence failed with exit code 7" in refused.said
        assert "the deployment is locked" in refused.said
        flow(switch.live, 50)

        switch.hook("on-silence", "live stop --all-producers")
        with contextlib.suppress(
            LiveError
        ):  # it has no position there, and is a member all the same
            switch.live.start([switch.live.groups[0]], side="target")
        back = switch.roll_back()
        assert back.code == 0, back.said
        refused = switch.walk().ended()
        assert refused.code == 5
        assert f"{switch.live.groups[0]} is active on the target" in refused.said
        switch.live.stop([switch.live.groups[0]], side="target")
        done = switch.walk(scheme=False).ended()
        assert done.code == 0, done.said
        assert_exact(switch.judge(), at_least=250)
