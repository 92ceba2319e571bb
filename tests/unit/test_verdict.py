"""Numbered records: what is exact passes, and each kind of trouble is counted as what it is."""

import dataclasses
from collections.abc import Mapping, Sequence

import pytest

from kferry.sandbox.verdict import judge


def test_numbers_that_ascend_in_each_partition_are_exact() -> None:
    verdict = judge({0: [0, 2, 4], 1: [1, 3], 2: []}, range(5))
    assert verdict.exact
    assert (verdict.sent, verdict.seen) == (5, 5)


@pytest.mark.parametrize(
    ("partitions", "lost", "repeated", "reordered", "strange"),
    [
        ({0: [0, 2], 1: [1]}, 1, 0, 0, 0),
        ({}, 4, 0, 0, 0),
        ({0: [0, 2, 2], 1: [1, 3]}, 0, 1, 0, 0),
        ({0: [0, 2, 0, 2], 1: [1, 3]}, 0, 2, 0, 0),
        ({0: [0, 2], 1: [1, 3, 2]}, 0, 1, 0, 0),
        ({0: [2, 0], 1: [1, 3]}, 0, 0, 1, 0),
        ({0: [0, 2], 1: [1, 3, 9]}, 0, 0, 0, 1),
    ],
)
def test_trouble_is_told_once_and_by_its_name(
    partitions: Mapping[int, Sequence[int]],
    lost: int,
    repeated: int,
    reordered: int,
    strange: int,
) -> None:
    verdict = judge(partitions, range(4))
    found = (verdict.lost, verdict.repeated, verdict.reordered, verdict.strange)
    assert found == (lost, repeated, reordered, strange)
    assert not verdict.exact


def test_examples_are_few() -> None:
    found = dataclasses.asdict(judge({0: [1, 1, 0]}, range(100)))
    assert found["examples"] == {
        "lost": [2, 3, 4, 5, 6],
        "repeated": [1],
        "reordered": [0],
    }
    with pytest.raises(ValueError, match="once each"):
        judge({}, [1, 1])
