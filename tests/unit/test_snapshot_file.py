"""Snapshots of positions: they come back as they were written, and nothing else is believed."""

import json
import re
from typing import Any

import pytest

from kferry.groups.position_file import BadPositions, checked_position
from kferry.groups.snapshot_file import PositionSnapshot, is_snapshot, read_json, to_json
from kferry.names import TopicName

SNAPSHOT = PositionSnapshot(
    cluster_id="abc",
    taken_at="2026-03-01T12:00:00+00:00",
    release="4.3",
    positions=(
        checked_position('a "b", c', "orders", 0, 5, "beside\x00 ü\n"),
        checked_position('a "b", c', "orders", 1, 0, ""),
        checked_position("z", "orders", 0, 2**63 - 1, ""),
    ),
    topic_ids={TopicName("orders"): "00000000-0000-0000-0000-000000000001"},
    missing=("z, orders-1: an open transaction is about to commit here",),
)


def document(**changed: Any) -> str:
    whole = json.loads(to_json(SNAPSHOT, version="1.2.3"))
    return json.dumps(whole | changed)


def with_position(**changed: Any) -> str:
    position = {"topic": "orders", "partition": 0, "offset": 5, "metadata": ""} | changed
    return document(groups=[{"group": "g", "positions": [position]}])


def test_a_snapshot_comes_back_as_it_was_written() -> None:
    text = to_json(SNAPSHOT, version="1.2.3")
    assert is_snapshot(text)
    assert not is_snapshot("orders,0,5")
    assert read_json(text, "file") == SNAPSHOT
    assert "epoch" not in text, "no position is ever set with one"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "is not JSON"),
        ("{" + '"a":[' * 100_000, "is not JSON"),
        ('{"offset": ' + "9" * 5000 + "}", "is not JSON"),
        ("{}", "is no snapshot"),
        ('{"format": "other"}', "is no snapshot"),
        (document(version=2), "has version 2"),
        (document(version="1"), "has version '1'"),
        (document(groups=[]), "holds no position"),
        (document(groups={}), "holds no position"),
        (document(groups=[7]), "a group without a name"),
        (document(groups=[{"group": 7}]), "a group without a name"),
        (document(groups=[{"group": "", "positions": [{}]}]), "is no position"),
        (document(groups=[{"group": "g", "positions": ["x"]}]), "is no position"),
        (with_position(topic="../etc"), "is no topic's name"),
        (with_position(topic=None), "is no position"),
        (with_position(partition=-1), "-1 is no partition"),
        (with_position(partition="0"), "whole numbers"),
        (with_position(offset=True), "whole numbers"),
        (with_position(offset=1.0), "whole numbers"),
        (with_position(offset=float("nan")), "whole numbers"),
        (with_position(offset=-1), "-1 is no offset"),
        (with_position(offset=2**63), "is no offset"),
        (with_position(metadata=7), "is no position"),
        (with_position(metadata="\ud800"), "is no text"),
    ],
)
def test_what_is_no_snapshot_is_refused_whole(text: str, words: str) -> None:
    with pytest.raises(BadPositions, match=re.escape(words)) as refused:
        read_json(text, "file")
    assert refused.value.changed == "Nothing was changed."
    assert "kferry" in refused.value.hint


def test_two_answers_for_one_position_are_none() -> None:
    whole = json.loads(to_json(SNAPSHOT, version="1"))
    whole["groups"][0]["positions"] *= 2
    with pytest.raises(BadPositions, match="orders-0 is there twice"):
        read_json(json.dumps(whole), "file")
