"""The way back behind the point of no return, under live traffic, and there again."""

from pathlib import Path

import pytest
from switching import assert_exact, flow, switching

from kferry.sandbox import Sandbox


@pytest.mark.parametrize("scheme", ["mirror", "consumer-first"])
def test_there_and_back_and_there_again_nothing_is_lost_or_repeated(
    plain: Sandbox, tmp_path: Path, scheme: str
) -> None:
    with switching(plain, scheme, tmp_path) as switch:
        flow(switch.live, 200)
        for _ in range(2):
            done = switch.walk().ended()
            assert done.code == 0, done.said
            flow(switch.live, 200)
            assert {one.side for one in switch.live.running} == {"target"}
            back = switch.roll_back()
            assert back.code == 0, back.said
            flow(switch.live, 200)
            assert {one.side for one in switch.live.running} == {"source"}
        done = switch.walk().ended()
        assert done.code == 0, done.said
        flow(switch.live, 200)
        assert_exact(switch.judge(), at_least=1_200)
