"""The way back, killed inside each of its steps, and given up: nobody loses or repeats anything."""

import random
import subprocess
from pathlib import Path

import pytest
from switching import Switch, assert_exact, flow, switching

from kferry.runbook.back import WAY_BACK
from kferry.sandbox import Sandbox

_STEPS = [step.name for step in WAY_BACK.steps]
_FINAL = _STEPS.index("hand-over")


def _sides(switch: Switch) -> set[str]:
    return {one.side for one in switch.live.running}


@pytest.mark.long
@pytest.mark.parametrize("scheme", ["mirror", "consumer-first"])
def test_killed_inside_every_step_of_the_way_back_it_comes_to_the_same_end(
    plain: Sandbox, tmp_path: Path, scheme: str
) -> None:
    with switching(plain, scheme, tmp_path) as switch:
        flow(switch.live, 200)
        for kill in (_kill_as_each_step_begins, _kill_anywhere):
            done = switch.walk().ended()
            assert done.code == 0, done.said
            assert _sides(switch) == {"target"}
            flow(switch.live, 200)
            kill(switch)
            flow(switch.live, 200)
            assert _sides(switch) == {"source"}
        done = switch.walk().ended()
        assert done.code == 0, done.said
        flow(switch.live, 200)
        assert_exact(switch.judge(), at_least=800)


def _kill_as_each_step_begins(switch: Switch) -> None:
    for step in _STEPS:
        walk = switch.walk_back()
        walk.until("step", step)
        walk.kill()
    back = switch.roll_back()
    assert back.code == 0, back.said


def _kill_anywhere(switch: Switch) -> None:
    """At moments drawn from the scheme's name; a walk goes on until one outruns its moment."""
    draw = random.Random(f"way back of {switch.scheme}")
    while True:
        walk = switch.walk_back()
        if not walk.reaches("step"):  # the last kill came behind the last step
            done = walk.ended()
            assert done.code == 0 or "no cutover" in done.said, done.said
            return
        try:
            # Not a wait for anything: the moment itself.
            code = walk.wait(seconds=draw.uniform(0.0, 4.0))
        except subprocess.TimeoutExpired:
            walk.kill()
            continue
        assert code == 0, walk.ended().said
        walk.ended()
        return


@pytest.mark.long
def test_a_way_back_that_is_killed_at_any_step_can_be_given_up_and_begun_again(
    plain: Sandbox, tmp_path: Path
) -> None:
    with switching(plain, "mirror", tmp_path) as switch:
        flow(switch.live, 200)
        done = switch.walk().ended()
        assert done.code == 0, done.said
        for step in _STEPS[:_FINAL]:
            walk = switch.walk_back()
            walk.until("step", step)
            walk.kill()
            given_up = switch.roll_back("--give-up")
            assert given_up.code == 0, given_up.said
            assert _sides(switch) == {"target"}
            flow(switch.live, 50)
        back = switch.roll_back()
        assert back.code == 0, back.said
        flow(switch.live, 200)
        assert _sides(switch) == {"source"}
        assert_exact(switch.judge(), at_least=600)
