"""Every scheme under live traffic: what it promises is counted, by the clients' own journals."""

from pathlib import Path

import pytest
from switching import assert_exact, flow, switching

from kferry.sandbox import Sandbox

_COPYING = ("mirror", "consumer-first", "drain")
_WITHOUT = ("producer-first", "dual-consumer")


@pytest.mark.parametrize("scheme", _COPYING)
def test_a_scheme_that_copies_loses_and_repeats_nothing(
    plain: Sandbox, tmp_path: Path, scheme: str
) -> None:
    with switching(plain, scheme, tmp_path) as switch:
        flow(switch.live, 300)
        done = switch.walk().ended()
        assert done.code == 0, done.said
        assert done.result["cutover"]["state"] == "done"
        flow(switch.live, 300)
        assert {one.side for one in switch.live.running} == {"target"}
        assert_exact(switch.judge(), at_least=600)
        again = switch.plain("copy", "--until-caught-up", "--topic", f"{switch.prefix}-*")
        assert again.code == 0
        assert "handed over" in again.said


@pytest.mark.parametrize("scheme", _WITHOUT)
def test_a_scheme_that_begins_with_an_empty_target_loses_and_repeats_nothing(
    plain: Sandbox, tmp_path: Path, scheme: str
) -> None:
    with switching(plain, scheme, tmp_path) as switch:
        flow(switch.live, 300)
        made = switch.plain("apply", "--yes", "--topic", f"{switch.prefix}-*")
        assert made.code == 0, made.said
        done = switch.walk().ended()
        assert done.code == 0, done.said
        flow(switch.live, 300)
        assert {one.side for one in switch.live.running} == {"target"}
        # Both sides are read at once for a time: order across the move is not promised.
        assert_exact(switch.judge(), at_least=600, order=scheme != "dual-consumer")
