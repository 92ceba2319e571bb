"""After a crash the copy goes on at the right record, whatever a cleaner took in between."""

import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import pytest
from aiokafka.record._crecords.default_records import DefaultRecordBatchBuilder
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from kferry.copying import paths
from kferry.copying.align import Aligner, Alignment, Mismatch, Wants, Whole
from kferry.names import SourceOffset, TargetOffset
from kferry.records import Codec, CorruptBatch, Record, read_header
from kferry.records.header import checksum

RECORD, GONE_LONG_AGO, MARKER = "record", "gone long ago", "marker"


def record(offset: int, number: int, *, timestamp: int = 5, headers: int = 0) -> Record:
    kept = [("h", None), ("h", b"")][:headers]
    return Record(offset, timestamp, b"key%d" % (number % 3), b"value%d" % number, kept)


def content(one: Record) -> tuple[object, ...]:
    return (one.timestamp, one.key, one.value, tuple(one.headers))


def contents(records: Sequence[Record]) -> list[tuple[object, ...]]:
    return [content(one) for one in records]


def is_part(part: Sequence[object], whole: Sequence[object]) -> bool:
    """Whether all of `part` is in `whole`, in order."""
    rest = iter(whole)
    return all(one in rest for one in part)


@dataclass(frozen=True)
class Story:
    """A source log, what of it was copied when the copy died, and what the cleaner left."""

    begin: int
    then: list[Record]
    markers: list[int]
    copied: int
    now: list[Record]
    end: int
    target: list[Record]

    @property
    def truth(self) -> int:
        """How many records that are there now had been copied."""
        copied = {one.offset for one in self.then[: self.copied]}
        return sum(one.offset in copied for one in self.now)


@st.composite
def stories(draw: st.DrawFn, *, kinds: int | None = 4, most: int = 30, gaps: bool = True) -> Story:
    begin = draw(st.integers(0, 5))
    kind = st.sampled_from([RECORD, RECORD, RECORD, MARKER, *[GONE_LONG_AGO] * gaps])
    slots = draw(st.lists(kind, min_size=1, max_size=most))
    then = [
        record(
            begin + ahead,
            ahead if kinds is None else draw(st.integers(0, kinds - 1)),
            headers=0 if kinds is None else draw(st.integers(0, 1)),
        )
        for ahead, slot in enumerate(slots)
        if slot is RECORD
    ]
    markers = [begin + ahead for ahead, slot in enumerate(slots) if slot is MARKER]
    copied = draw(st.integers(0, len(then)))
    now = draw(st.sampled_from([as_it_was, compacted, trimmed, anything]))(then, draw)
    target_offset = draw(st.integers(0, 100))
    target = []
    for one in then[:copied]:
        target_offset += draw(st.sampled_from([0, 0, 0, 0, 1]))
        target.append(one._replace(offset=target_offset))
        target_offset += 1
    return Story(begin, then, markers, copied, now, begin + len(slots), target)


def as_it_was(then: list[Record], draw: st.DrawFn) -> list[Record]:
    return then


def compacted(then: list[Record], draw: st.DrawFn) -> list[Record]:
    """For each key the last record is left, of the others any."""
    last = {one.key: one.offset for one in then}
    return [one for one in then if last[one.key] == one.offset or draw(st.booleans())]


def trimmed(then: list[Record], draw: st.DrawFn) -> list[Record]:
    return then[draw(st.integers(0, len(then))) :]


def anything(then: list[Record], draw: st.DrawFn) -> list[Record]:
    return [one for one in then if draw(st.booleans())]


def as_batch(records: Sequence[Record], codec: Codec = Codec.NONE) -> Whole:
    builder = DefaultRecordBatchBuilder(2, int(codec), 0, 7, 1, 3, 1 << 30)
    base = records[0].offset
    for one in records:
        builder.append(one.offset - base, one.timestamp, one.key, one.value, list(one.headers))
    batch = memoryview(builder.build())
    struct.pack_into(">q", batch, 0, base)
    return Whole(batch, read_header(batch))


Cut = Callable[[Sequence[Record]], list[Whole | Sequence[Record]]]


def cut_by(data: st.DataObject) -> Cut:
    """Cut both sides anyhow, or both alike, so that equal batches come side by side."""
    alike = data.draw(st.sampled_from([None, 1, 2]))

    def cut(records: Sequence[Record]) -> list[Whole | Sequence[Record]]:
        cuts: list[Whole | Sequence[Record]] = []
        while records:
            size = alike or data.draw(st.sampled_from([1, 2, 5, len(records)]))
            own, records = records[:size], records[size:]
            as_records = not alike and data.draw(st.integers(0, 3)) == 0
            cuts.append(own if as_records else as_batch(own))
        return cuts

    return cut


def in_halves(records: Sequence[Record]) -> list[Whole | Sequence[Record]]:
    half = max(1, len(records) // 2)
    return [as_batch(part) for part in (records[:half], records[half:]) if part]


def align(
    story: Story, cut: Cut = in_halves, *, tell: bool = True, timestamps: bool = True
) -> Alignment:
    """Drive an aligner as the copy does."""
    aligner = Aligner(
        source=SourceOffset(story.begin), target=TargetOffset(0), timestamps=timestamps
    )
    markers = list(story.markers) if tell else []
    stretches = split_at(markers, story.now)
    target = iter(cut(story.target))
    source = iter([one for stretch in stretches for one in cut(stretch)])
    while (wants := aligner.wants) is not Wants.NOTHING:
        fed = next(target if wants is Wants.TARGET else source, None)
        if fed is None and wants is Wants.TARGET:
            aligner.end_of_target()
        elif fed is None:
            tell_markers(aligner, markers, story.end)
            aligner.end_of_source(story.end)
        elif wants is Wants.TARGET:
            aligner.feed_target(fed)
        else:
            # As a reader does: it learns of a marker when it comes by.
            first = fed.header.base_offset if isinstance(fed, Whole) else fed[0].offset
            tell_markers(aligner, markers, first)
            aligner.feed_source(fed)
    return aligner.result()


def split_at(markers: list[int], records: list[Record]) -> list[list[Record]]:
    """No batch has a marker inside."""
    bounds = [-1, *markers, records[-1].offset + 1] if records else []
    return [[one for one in records if low < one.offset < high] for low, high in pairwise(bounds)]


def tell_markers(aligner: Aligner, markers: list[int], before: int) -> None:
    while markers and markers[0] < before:
        marker = markers.pop(0)
        aligner.left_out(marker, marker)


def pairs(found: Alignment) -> Iterator[tuple[int, int]]:
    for run in found.runs:
        for ahead in range(run.length):
            yield run.source + ahead, run.target + ahead


def insist_that_the_copy_can_go_on(story: Story, found: Alignment) -> None:
    """What is on the target in the end lies between what the source has and what it had."""
    rest = [one for one in story.now if one.offset >= found.resume]
    final = contents(story.target) + contents(rest)
    assert is_part(contents(story.now), final), "lost"
    assert is_part(final, contents(story.then)), "repeated"
    by_source = {one.offset: one for one in story.now}
    by_target = {one.offset: one for one in story.target}
    matched = list(pairs(found))
    assert all(content(by_source[s]) == content(by_target[t]) for s, t in matched)
    assert [s for s, _ in matched] == [
        one.offset for one in story.now if one.offset < found.resume
    ], "each record before the resume point is on the target, once"
    targets = [t for _, t in matched]
    assert targets == sorted(set(targets))
    assert found.matched == len(matched)
    assert found.matched + found.vanished == len(story.target)
    assert found.matched >= story.truth


@given(story=stories(), data=st.data(), tell=st.booleans())
@settings(max_examples=400)
def test_nothing_is_lost_or_repeated_whatever_the_cleaner_took(
    story: Story, data: st.DataObject, *, tell: bool
) -> None:
    insist_that_the_copy_can_go_on(story, align(story, cut_by(data), tell=tell))


@given(stories(kinds=1), st.data())
def test_nothing_is_lost_or_repeated_where_all_records_are_equal(
    story: Story, data: st.DataObject
) -> None:
    insist_that_the_copy_can_go_on(story, align(story, cut_by(data)))


@given(story=stories(kinds=None), data=st.data(), tell=st.booleans())
def test_where_all_records_differ_each_is_found_at_its_place(
    story: Story, data: st.DataObject, *, tell: bool
) -> None:
    found = align(story, cut_by(data), tell=tell)
    insist_that_the_copy_can_go_on(story, found)
    place = {one.offset: copy.offset for one, copy in zip(story.then, story.target, strict=False)}
    assert list(pairs(found)) == [
        (one.offset, place[one.offset]) for one in story.now if one.offset in place
    ]


def by_all_ways(story: Story, *, tell: bool) -> set[int]:
    """How many records each possible path matches: all of them tried, nothing clever."""
    rooms, behind = [], story.begin
    for offset in [*(one.offset for one in story.now), story.end]:
        empty = range(behind, offset)
        rooms.append(sum(not (tell and slot in story.markers) for slot in empty))
        behind = offset + 1
    ways = {(0, 0)}
    for one in story.target:
        following = set()
        for matched, vanished in ways:
            if matched < len(story.now) and content(story.now[matched]) == content(one):
                following.add((matched + 1, 0))
            if vanished < rooms[matched]:
                following.add((matched, vanished + 1))
        ways = following
    return {matched for matched, _ in ways}


@given(story=stories(kinds=2, most=14), data=st.data(), tell=st.booleans())
@settings(max_examples=1000)
def test_a_target_that_somebody_else_may_have_written_to_is_judged_as_by_trying_everything(
    story: Story, data: st.DataObject, *, tell: bool
) -> None:
    foreign: bool = data.draw(st.booleans())
    if foreign:
        tail = data.draw(st.lists(st.integers(0, 1), min_size=1, max_size=10))
        target = [record(number, kind) for number, kind in enumerate(tail)]
        story = Story(**{**vars(story), "target": target})
    expected = by_all_ways(story, tell=tell)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(paths, "_AT_LEAST", data.draw(st.sampled_from([0, 1024])))
        try:
            found = align(story, cut_by(data), tell=tell)
        except Mismatch:
            assert not expected
        else:
            assert found.matched == max(expected)


@given(stories(kinds=None, gaps=False), st.data())
def test_a_foreign_record_is_noticed_where_nothing_is_missing(
    story: Story, data: st.DataObject
) -> None:
    assume(story.copied)
    now = story.then
    place = data.draw(st.integers(0, story.copied))
    foreign = record(0, 10_000)
    tail = [*story.target[:place], foreign, *story.target[place:]]
    target = [one._replace(offset=at) for at, one in enumerate(tail)]
    with pytest.raises(Mismatch) as caught:
        align(Story(**{**vars(story), "now": now, "target": target}), cut_by(data))
    assert caught.value.target_offset == place


@pytest.mark.parametrize(
    ("changed", "differs"),
    [
        ({"timestamp": 6}, "timestamp"),
        ({"key": None}, "key"),
        ({"value": b""}, "value"),
        ({"headers": [("h", b"")]}, "headers"),
        ({"key": b"", "value": None}, "key and value"),
    ],
)
def test_a_mismatch_names_both_places_and_what_differs(
    changed: dict[str, Any], differs: str
) -> None:
    then = [record(10 + number, number, headers=1) for number in range(5)]
    target = [one._replace(offset=90 + number) for number, one in enumerate(then)]
    target[3] = target[3]._replace(**changed)
    with pytest.raises(Mismatch) as caught:
        align(Story(10, then, [], 5, then, 15, target))
    assert (caught.value.target_offset, caught.value.source_offset) == (93, 13)
    assert caught.value.differs == f"another {differs}"


def test_a_target_that_goes_on_behind_the_sources_end_is_a_mismatch() -> None:
    then = [record(number, number) for number in range(3)]
    target = [*then, record(3, 3)]
    with pytest.raises(Mismatch, match="the source ends there"):
        align(Story(0, then, [], 3, then, 3, target))


def test_a_cleaner_between_two_equal_records_does_not_mislead() -> None:
    """The nearest match is a twin that is gone; the offsets fit only the right one."""
    then = [record(0, 0), record(1, 1), record(2, 0), record(3, 2), record(4, 0)]
    story = Story(0, then, [], 4, then[2:], 5, [*then[:4]])
    found = align(story)
    assert list(pairs(found)) == [(2, 2), (3, 3)]
    assert (found.resume, found.vanished) == (4, 2)


def test_times_are_not_compared_where_the_target_gives_its_own() -> None:
    then = [record(number, number, timestamp=number) for number in range(6)]
    target = [one._replace(timestamp=77) for one in then[:4]]
    story = Story(0, then, [], 4, then, 6, target)
    assert align(story, timestamps=False).resume == 4
    with pytest.raises(Mismatch):
        align(story)


def test_equal_record_bytes_at_another_base_time_do_not_match() -> None:
    then = [record(number, number, timestamp=5) for number in range(4)]
    target = [one._replace(timestamp=6) for one in then]
    assert as_batch(then).batch[61:] == as_batch(target).batch[61:]
    with pytest.raises(Mismatch):
        align(Story(0, then, [], 4, then, 4, target))


def test_equal_batches_match_without_being_read() -> None:
    """So it goes as fast as bytes can be compared: records that nobody could read do match."""
    garbage = bytearray(as_batch([record(number, number) for number in range(4)]).batch)
    garbage[61:] = b"\xff" * (len(garbage) - 61)
    struct.pack_into(">I", garbage, 17, checksum(memoryview(garbage)))
    batch = Whole(memoryview(garbage), read_header(memoryview(garbage)))
    aligner = Aligner(source=SourceOffset(0), target=TargetOffset(0))
    aligner.feed_target(batch)
    aligner.feed_source(batch)
    aligner.end_of_target()
    assert aligner.result().runs == ((0, 0, 4),)
    assert aligner.result().resume == 4
    behind_a_marker = Aligner(source=SourceOffset(-1), target=TargetOffset(0))
    behind_a_marker.feed_target(batch)
    behind_a_marker.left_out(-1, -1)
    behind_a_marker.feed_source(batch)
    assert behind_a_marker.wants is Wants.TARGET
    differing = Aligner(source=SourceOffset(0), target=TargetOffset(0))
    differing.feed_target(batch)
    with pytest.raises(CorruptBatch):
        differing.feed_source(as_batch([record(number, number) for number in range(4)]))


def test_an_empty_tail_needs_no_look_at_the_source() -> None:
    aligner = Aligner(source=SourceOffset(8), target=TargetOffset(3))
    aligner.end_of_target()
    assert aligner.wants == "nothing"
    assert aligner.result().resume == 8


def test_what_lies_before_the_checkpoint_is_not_looked_at() -> None:
    then = [record(number, number) for number in range(10)]
    aligner = Aligner(source=SourceOffset(4), target=TargetOffset(54))
    aligner.feed_target(as_batch([one._replace(offset=50 + one.offset) for one in then[2:7]]))
    aligner.feed_source(as_batch(then))
    aligner.end_of_target()
    assert aligner.result().runs == ((4, 54, 3),)


@pytest.mark.parametrize("kinds", [1, 2, None])
@given(data=st.data())
def test_little_memory_costs_certainty_but_never_a_record(
    kinds: int | None, data: st.DataObject
) -> None:
    story = data.draw(stories(kinds=kinds, most=60))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(paths, "_MOST_RECORDS", data.draw(st.integers(1, 4)))
        patched.setattr(paths, "_MOST_ALIKE", data.draw(st.integers(1, 3)))
        patched.setattr(paths, "_AT_LEAST", 0)
        try:
            found = align(story, cut_by(data))
        except Mismatch:
            return
    insist_that_the_copy_can_go_on(story, found)


def test_a_long_tail_with_holes_and_equal_records_is_aligned_in_a_small_window() -> None:
    then = [record(2 * number, number % 997) for number in range(9_000)]
    now = then[3_000:]
    aligner = Aligner(source=SourceOffset(0), target=TargetOffset(0))
    target, source = iter(chunks(then[:8_000], 500)), iter(chunks(now, 100))
    widest = 0
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(paths, "_MOST_RECORDS", 4_000)
        while aligner.wants != "nothing":
            side = target if aligner.wants is Wants.TARGET else source
            part = next(side, None)
            if part is None and side is target:
                aligner.end_of_target()
            elif part is None:
                aligner.end_of_source(18_000)
            elif side is target:
                aligner.feed_target(part)
            else:
                aligner.feed_source(part)
            widest = max(widest, len(aligner._ahead))
    assert 3_000 < widest <= 4_100
    found = aligner.result()
    final = contents(then[:8_000]) + contents([one for one in now if one.offset >= found.resume])
    assert is_part(contents(now), final)
    assert is_part(final, contents(then))


def test_a_mismatch_after_paths_were_given_up_says_that_it_is_not_certain() -> None:
    then = [record(2 * number, number % 2) for number in range(600)]
    aligner = Aligner(source=SourceOffset(0), target=TargetOffset(0))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(paths, "_MOST_ALIKE", 4)
        aligner.feed_target([*then[:500], record(5000, 7)])
        aligner.feed_source(then[200:])
        with pytest.raises(Mismatch, match="too many equal records") as caught:
            aligner.end_of_source(1200)
    assert not caught.value.certain


def chunks(records: list[Record], size: int) -> list[list[Record]]:
    return [records[at : at + size] for at in range(0, len(records), size)]


def test_feeding_the_wrong_side_is_refused() -> None:
    aligner = Aligner(source=SourceOffset(0), target=TargetOffset(0))
    with pytest.raises(ValueError, match="wants target"):
        aligner.feed_source([record(0, 0)])
    with pytest.raises(ValueError, match="wants target"):
        aligner.result()
