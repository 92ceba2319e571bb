"""There, back, and there again from older sources under live traffic, and what is said before."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from copying import sides
from planning import plan
from switching import assert_exact, flow, switching
from test_way_back_rights import AGE, RIGHTS, dry
from topic_making import make

from kferry.names import TopicName
from kferry.sandbox import ClusterSpec, Sandbox

pytestmark = pytest.mark.versions


@pytest.fixture(scope="module", params=["2.8.2", "2.4.1", "1.1.1"])
def aged(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    with Sandbox.start(source=ClusterSpec(version=request.param)) as sandbox:
        yield sandbox


def test_from_an_older_source_it_goes_there_and_back_and_there_again(
    aged: Sandbox, tmp_path: Path
) -> None:
    with switching(aged, "mirror", tmp_path) as switch:
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
        assert_exact(switch.judge(), at_least=1000)


def test_a_topic_in_a_format_from_before_producer_ids_has_no_way_back_and_that_is_said(
    aged: Sandbox, tmp_path: Path
) -> None:
    prefix = f"formats-{uuid.uuid4().hex[:8]}"
    old = TopicName(f"{prefix}-old")
    make(aged.source, old, configs={"message.format.version": "0.10.2"})
    present = make(aged.source, TopicName(f"{prefix}-present"))
    found = dry(sides(aged), present, tmp_path)
    assert found[AGE]["passed"]
    assert found[RIGHTS]["passed"]
    forgetful = "forgets producers early" in found[AGE]["why"]
    assert forgetful == (not aged.source.version.startswith("2.8"))
    found = dry(sides(aged), old, tmp_path)
    assert not found[AGE]["passed"]
    assert "before 0.11" in found[AGE]["measured"]
    assert f"{old} (0.10.2" in found[AGE]["why"]
    assert dry(sides(aged), old, tmp_path, "--no-way-back")[AGE]["passed"]
    planned = plan(aged, "--topic", f"{prefix}-*", migration=prefix)
    (note,) = [one for one in planned.result["notes"] if "no way back" in one]
    assert f"{old} (0.10.2" in note
    assert present not in note
