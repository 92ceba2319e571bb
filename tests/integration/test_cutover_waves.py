"""Two cutovers of one migration, one after the other, while both waves' traffic goes on."""

from pathlib import Path
from typing import Any

import pytest
from copying import ended, kferry
from machine import eventually
from switching import assert_exact, flow, switching

from kferry.runbook import SCHEMES
from kferry.sandbox import Sandbox

_TINY: dict[str, Any] = {
    "producers": 1,
    "consumers_per_group": 1,
    "transactional": 0,
    "rate": 100.0,
}


@pytest.mark.long
def test_waves_of_one_migration_are_switched_one_after_the_other(
    plain: Sandbox, tmp_path: Path
) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    with (
        switching(plain, "mirror", tmp_path / "one", **_TINY) as first,
        switching(plain, "mirror", tmp_path / "two", **_TINY) as second,
    ):
        second.migration = first.prefix
        names = [f"--topic={one.prefix}-*" for one in (first, second)]
        following = kferry("copy", *first.arguments, "-q", *names)
        eventually(lambda: _status(first).get("topics"))
        flow(first.live, 100)

        go = tmp_path / "go"
        waits = f"while [ ! -e {go} ]; do sleep 0.1; done"
        first.hook("on-silence", f"{waits}\nlive stop --all-producers")
        walk = first.walk(f"--group={first.prefix}-*")
        walk.until("hand")
        seen = _status(first)["cutover"]
        assert (seen["scheme"], seen["step"]) == ("mirror", "silence")
        assert (seen["walked"], seen["no_return"]) == (True, False)
        steps = [step.name for step in SCHEMES["mirror"].steps]
        assert (seen["number"], seen["of"]) == (steps.index("silence") + 1, len(steps))
        assert [one["step"] for one in seen["passed"]] == steps[: steps.index("silence")]
        assert any(one["gates"] for one in seen["passed"])
        go.touch()
        done = walk.ended()
        assert done.code == 0, done.said
        # The cutover's copy took the migration over from the other one, which ended by itself.
        assert ended(following).code == 8
        following = kferry("copy", *first.arguments, "-q", *names)
        eventually(lambda: _status(first)["state"] == "following")
        flow(second.live, 100)

        done = second.walk(f"--group={second.prefix}-*").ended()
        assert done.code == 0, done.said
        assert ended(following).code == 8
        flow(second.live, 100)
        flow(first.live, 100)
        status = _status(first)
        assert status["cutover"] is None
        assert [(one["state"], one["groups"]) for one in status["cutovers"]] == [
            ("done", [f"{first.prefix}-*"]),
            ("done", [f"{second.prefix}-*"]),
        ]
        for one in (first, second):
            assert_exact(one.judge(), at_least=200)
        again = first.plain("cutover", "--scheme", "mirror", "--dry-run", *names)
        assert again.code == 2
        assert "handed over already" in again.said

        # Only the newest one goes back, and that is said.
        back = second.roll_back()
        assert back.code == 0, back.said
        assert f"this is about the newest cutover: 1 topic, {second.prefix}-1" in back.said
        assert f"1 topic of earlier waves stays on the target: {first.prefix}-1" in back.said
        flow(second.live, 50)
        sides = [{one.side for one in each.live.running} for each in (first, second)]
        assert sides == [{"target"}, {"source"}]
        refused = second.roll_back()
        assert refused.code == 2
        assert f"stays on the target: {first.prefix}-1" in refused.said


def _status(switch: Any) -> dict[str, Any]:
    shown = switch.plain("status", "--json")
    return dict(shown.result)
