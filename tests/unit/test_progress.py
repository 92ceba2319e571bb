"""Snapshots survive JSON, hostile ones do not; a pace promises nothing too early."""

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kferry.progress import (
    Gap,
    Pace,
    Snapshot,
    Stopped,
    Throttled,
    TopicProgress,
    from_json,
    to_json,
)

FULL = Snapshot(
    migration="orders-2026",
    source_cluster="5L6g",
    target_cluster="Xr2P",
    owner="host:42",
    taken_at="2026-03-01T12:00:00+00:00",
    state="copying",
    limited_by="target",
    reason="disk",
    topics=(
        TopicProgress(
            source="orders",
            target="orders-new",
            partitions=3,
            copied=10,
            total=100,
            lag=90,
            records=9,
            bytes=900,
            rate=1.5,
            state="copying",
        ),
    ),
    stopped=(Stopped(topic="a", partition=0, offset=None, reason="gone", code="K300"),),
    gaps=(Gap(topic="a", partition=1, first=5, last=9, reason="trimmed"),),
    records=9,
    bytes=900,
    remaining_seconds=60.0,
    rate_limit=1024,
    throttled_ms=Throttled(source=1, target=2),
    retention_suspended=("orders-new",),
)


def encoded() -> dict[str, Any]:
    value = json.loads(json.dumps(to_json(FULL)))
    assert isinstance(value, dict)
    return value


def test_a_snapshot_comes_back_from_json_as_it_was() -> None:
    assert from_json(encoded()) == FULL


def test_what_a_newer_version_adds_is_no_obstacle() -> None:
    assert from_json({**encoded(), "v": 1, "colour": "green"}) == FULL


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("state", "exploded"),
        ("state", ["copying"]),
        ("taken_at", "noon"),
        ("taken_at", "2026-03-01T12:00:00"),
        ("records", -1),
        ("records", True),
        ("records", 2**63),
        ("records", "9"),
        ("records", None),
        ("remaining_seconds", float("nan")),
        ("remaining_seconds", float("inf")),
        ("remaining_seconds", 10**400),
        ("remaining_seconds", -1),
        ("rate_limit", 1.5),
        ("reason", "x" * 5000),
        ("topics", {}),
        ("topics", "ab"),
        ("topics", [1]),
        ("topics", [{"source": "a"}]),
        ("gaps", [None]),
        ("stopped", [{}]),
        ("throttled_ms", 3),
        ("throttled_ms", {"source": -1}),
        ("retention_suspended", [3]),
    ],
)
def test_what_is_not_a_snapshot_is_refused_without_repeating_it(key: str, value: object) -> None:
    with pytest.raises(ValueError, match=key) as refused:
        from_json({**encoded(), key: value})
    assert len(str(refused.value)) < 200


@pytest.mark.parametrize("value", [None, [], "x", 3])
def test_only_an_object_is_a_snapshot(value: Any) -> None:
    with pytest.raises(ValueError, match="object"):
        from_json(value)


@pytest.mark.parametrize("key", ["migration", "source_cluster", "taken_at", "state"])
def test_what_a_snapshot_cannot_be_without_is_missed(key: str) -> None:
    value = encoded()
    del value[key]
    with pytest.raises(ValueError, match=f"`{key}` is missing"):
        from_json(value)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(key=st.sampled_from(sorted(to_json(FULL))), value=JSON)
def test_hostile_values_are_refused_with_the_one_error_that_callers_expect(
    key: str, value: object
) -> None:
    with contextlib.suppress(ValueError):
        assert isinstance(from_json({**encoded(), key: value}), Snapshot)


def test_the_rate_is_that_of_the_recent_window() -> None:
    pace = Pace(window=10)
    for second in range(101):
        pace.add(second, second * 100 if second <= 80 else 8000 + (second - 80) * 7)
    assert pace.rate == 7


def test_one_sample_is_no_rate() -> None:
    pace = Pace()
    assert pace.rate == 0
    pace.add(5, 100)
    assert pace.rate == 0
    pace.add(5, 200)
    assert pace.rate == 0
    pace.add(6, 210)
    assert pace.rate == 10


def test_rare_samples_still_make_a_rate() -> None:
    pace = Pace(window=10)
    pace.add(0, 0)
    pace.add(60, 600)
    pace.add(120, 660)
    assert pace.rate == 1


def test_a_count_that_begins_anew_begins_a_new_pace() -> None:
    pace = Pace()
    pace.add(0, 1000)
    pace.add(1, 2000)
    pace.add(2, 5)
    assert pace.rate == 0


def test_no_remaining_time_before_one_percent_nor_from_the_first_moments() -> None:
    pace = Pace()
    pace.add(0, 0)
    pace.add(1, 50)
    assert pace.remaining(50, 1000) is None
    pace.add(10, 500)
    assert pace.remaining(9, 1000) is None
    assert pace.remaining(10, 1000) == pytest.approx(990 / 50)
    assert pace.remaining(1000, 1000) == 0
    assert pace.remaining(0, 0) == 0


def test_standing_still_has_no_remaining_time() -> None:
    pace = Pace()
    pace.add(0, 500)
    pace.add(10, 500)
    assert pace.remaining(500, 1000) is None
