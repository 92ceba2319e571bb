"""The map file tells the same, however it was cut into frames, and whenever its writer died."""

import tempfile
from collections import defaultdict
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kferry.dualwrite.errors import MapFileError
from kferry.dualwrite.frames import (
    HEAD,
    BadFrame,
    Closed,
    ClusterIds,
    Entry,
    Missing,
    Opened,
    Pairs,
    Pending,
    TopicNames,
    frame,
    unframe,
)
from kferry.dualwrite.growing import Growing
from kferry.dualwrite.map_file import MapFile, read_map
from kferry.dualwrite.written import put_together, without

NUMBERS = st.integers(0, 2**63 - 1)
TEXTS = st.text(max_size=30)
ENTRIES = st.one_of(
    st.builds(ClusterIds, primary=TEXTS, secondary=TEXTS),
    st.builds(TopicNames, index=NUMBERS, primary=TEXTS, secondary=TEXTS),
    st.builds(Opened, at_ms=NUMBERS),
    st.builds(Closed, at_ms=NUMBERS),
    st.builds(
        Pairs, topic=NUMBERS, partition=NUMBERS, primary=NUMBERS, secondary=NUMBERS, length=NUMBERS
    ),
    st.builds(
        Missing, topic=NUMBERS, partition=NUMBERS, primary=NUMBERS, length=NUMBERS, reason=TEXTS
    ),
    st.builds(Pending, topic=NUMBERS, partition=NUMBERS, primary=NUMBERS, length=NUMBERS),
)
FRAMES = st.lists(st.lists(ENTRIES, min_size=1, max_size=5), max_size=6)


@given(FRAMES)
def test_entries_are_read_as_they_were_written(frames: list[list[Entry]]) -> None:
    data = HEAD + b"".join(frame(entries) for entries in frames)
    assert unframe(data) == ([one for entries in frames for one in entries], len(data))


@given(FRAMES, st.data())
def test_a_file_cut_anywhere_holds_every_whole_frame_and_nothing_else(
    frames: list[list[Entry]], data: st.DataObject
) -> None:
    laid = [frame(entries) for entries in frames]
    whole = b"".join(laid)
    cut = data.draw(st.integers(0, len(whole)))
    kept = 0
    while kept < len(laid) and sum(map(len, laid[: kept + 1])) <= cut:
        kept += 1
    found, end = unframe(HEAD + whole[:cut])
    assert found == [one for entries in frames[:kept] for one in entries]
    assert end == len(HEAD) + sum(map(len, laid[:kept]))


@given(FRAMES.filter(len), st.integers(1, 300))
def test_zeros_that_a_power_cut_leaves_are_cut_away(frames: list[list[Entry]], zeros: int) -> None:
    data = HEAD + b"".join(frame(entries) for entries in frames)
    assert unframe(data + bytes(zeros))[1] == len(data)


@given(st.lists(ENTRIES, min_size=1, max_size=5), st.lists(ENTRIES, min_size=1), st.data())
def test_damage_in_front_of_whole_frames_is_refused_and_never_cut(
    first: list[Entry], second: list[Entry], data: st.DataObject
) -> None:
    laid = frame(first)
    at = data.draw(st.integers(4, len(laid) - 1))  # its check sum or what it guards
    damaged = laid[:at] + bytes([laid[at] ^ 0x40]) + laid[at + 1 :]
    with pytest.raises(BadFrame, match="damaged at byte"):
        unframe(HEAD + damaged + frame(second))


@st.composite
def histories(draw: st.DrawFn) -> list[tuple[str, int, int, int]]:
    """What happened to records of two partitions: what, partition, primary and secondary offset.

    The primary acknowledges in order, others' records in between; the secondary in an order of its
    own, or not at all, or not before the end.
    """
    story: list[tuple[str, int, int, int]] = []
    owed: dict[int, list[int]] = {0: [], 1: []}
    primary, secondary = {0: draw(NUMBERS) % 99, 1: 0}, {0: 0, 1: draw(NUMBERS) % 99}
    for _ in range(draw(st.integers(0, 60))):
        partition = draw(st.integers(0, 1))
        what = draw(st.sampled_from(["ack", "ack", "ack", "pair", "pair", "miss", "write"]))
        if what == "ack":
            primary[partition] += draw(st.sampled_from([0, 0, 0, 3]))
            owed[partition].append(primary[partition])
            story.append(("ack", partition, primary[partition], -1))
            primary[partition] += 1
        elif what == "pair" and owed[partition]:
            secondary[partition] += draw(st.sampled_from([0, 0, 0, 2]))
            story.append(("pair", partition, owed[partition].pop(0), secondary[partition]))
            secondary[partition] += 1
        elif what == "miss" and owed[partition]:
            which = draw(st.integers(0, len(owed[partition]) - 1))
            story.append(("miss", partition, owed[partition].pop(which), -1))
        else:
            story.append(("write", 0, 0, 0))
    return [*story, ("write", 0, 0, 0)]


@given(histories())
def test_what_is_read_is_what_happened_whenever_it_was_written_down(
    story: list[tuple[str, int, int, int]],
) -> None:
    growing, written, owed = Growing({}), bytearray(HEAD), defaultdict(set)
    pairs: dict[int, dict[int, int]] = defaultdict(dict)
    missing = defaultdict(set)
    for what, partition, primary, secondary in story:
        if what == "write":
            written += frame(growing.take())
        elif what == "ack":
            growing.acknowledged("orders", "orders-new", partition, primary)
            owed[partition].add(primary)
        elif what == "pair":
            growing.paired("orders", partition, primary, secondary)
            pairs[partition][primary] = secondary
            owed[partition].discard(primary)
        else:
            growing.missed("orders", partition, primary, "refused")
            missing[partition].add(primary)
            owed[partition].discard(primary)
    told = put_together(unframe(bytes(written))[0])
    for (topic, partition), one in told.partitions.items():
        assert topic == "orders"
        assert told.secondary_name(topic) == "orders-new"
        found = {r.primary + n: r.secondary + n for r in one.pairs for n in range(r.length)}
        assert found == pairs[partition]
        assert {r.primary + n for r in one.missing for n in range(r.length)} == missing[partition]
        unknown = {offset for start, end in one.unknown for offset in range(start, end)}
        ours = owed[partition] | missing[partition] | set(pairs[partition])
        assert unknown & ours == owed[partition]
    seen = set(owed) | set(missing) | set(pairs)
    acknowledged = {number for number in seen if owed[number] | missing[number] | {*pairs[number]}}
    assert {number for _, number in told.partitions} == acknowledged


STRETCHES = st.lists(
    st.tuples(st.integers(0, 30), st.integers(0, 8)).map(lambda one: (one[0], one[0] + one[1])),
    max_size=6,
)


@given(STRETCHES, STRETCHES)
def test_stretches_without_others_are_what_sets_say(
    some: list[tuple[int, int]], taken: list[tuple[int, int]]
) -> None:
    left = without(some, taken)
    expected = {n for start, end in some for n in range(start, end)}
    expected -= {n for start, end in taken for n in range(start, end)}
    assert {n for start, end in left for n in range(start, end)} == expected
    assert all(one[1] < other[0] for one, other in pairwise(left))


@given(st.data())
def test_a_writer_that_died_at_any_byte_is_followed_by_one_that_loses_nothing(
    data: st.DataObject,
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "map"
        file = MapFile(path)
        names = TopicNames(index=0, primary="t", secondary="t")
        file.append([names, Pairs(topic=0, partition=0, primary=10, secondary=0, length=5)])
        safe = path.stat().st_size
        file.append([Pairs(topic=0, partition=0, primary=15, secondary=5, length=5)])
        file.close(in_order=False)
        cut = data.draw(st.integers(safe, path.stat().st_size - 1))
        with path.open("r+b") as torn:
            torn.truncate(cut)
        after = MapFile(path)
        after.append([Pairs(topic=0, partition=0, primary=40, secondary=20, length=1)])
        after.close(in_order=True)
        told = read_map(path)
        one = told.partitions["t", 0]
        assert [(run.primary, run.secondary, run.length) for run in one.pairs] == [
            (10, 0, 5),
            (40, 20, 1),
        ]
        assert one.unknown == [(15, 40)]
        assert told.sessions == 2
        assert told.closed


def test_a_file_whose_first_line_was_torn_begins_anew(tmp_path: Path) -> None:
    path = tmp_path / "map"
    path.write_bytes(HEAD[:7])
    MapFile(path).close(in_order=True)
    assert read_map(path).sessions == 1


@pytest.mark.parametrize("content", [b"not a map at all\n", b'{"json": true}', b"x" * 200])
def test_a_file_that_is_something_else_is_left_as_it_is(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "map"
    path.write_bytes(content)
    with pytest.raises(MapFileError, match="no double-write map"):
        MapFile(path)
    assert path.read_bytes() == content


def test_a_later_version_is_refused_by_its_number(tmp_path: Path) -> None:
    path = tmp_path / "map"
    path.write_bytes(HEAD.replace(b"version 1", b"version 27"))
    with pytest.raises(MapFileError, match="version 27"):
        MapFile(path)


def test_a_map_file_has_one_writer(tmp_path: Path) -> None:
    file = MapFile(tmp_path / "map")
    with pytest.raises(MapFileError, match="another producer"):
        MapFile(tmp_path / "map")
    file.close(in_order=True)
    MapFile(tmp_path / "map").close(in_order=True)
