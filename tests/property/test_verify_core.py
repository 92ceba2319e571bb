"""Whatever happened to a copy, the comparing core counts it exactly."""

from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st

from kferry.names import SourceOffset, TargetOffset
from kferry.offsets import OffsetMap, Runs
from kferry.records import Codec, Record, Stamp, encode
from kferry.verify.compare import Standards, Tally
from kferry.verify.comparison import Comparison, Found
from kferry.verify.diff import matched
from kferry.verify.pieces import Piece, piece_of
from kferry.verify.ranges import Chunks

OURS = 7


def lcs(left: Sequence[object], right: Sequence[object]) -> int:
    """The length of the longest common subsequence, by trying everything."""
    row = [0] * (len(right) + 1)
    for one in left:
        before = row
        row = [0]
        for index, other in enumerate(right):
            row.append(before[index] + 1 if one == other else max(before[index + 1], row[-1]))
    return row[-1]


@given(st.lists(st.integers(0, 4), max_size=40), st.lists(st.integers(0, 4), max_size=40))
def test_the_most_elements_are_matched_in_order(left: list[int], right: list[int]) -> None:
    pairs = matched(left, right)
    assert all(left[one] == right[other] for one, other in pairs)
    assert pairs == sorted(pairs)
    assert len({one for one, _ in pairs}) == len({other for _, other in pairs}) == len(pairs)
    assert len(pairs) == lcs(left, right)


def test_thousands_of_edits_among_unique_elements_are_matched_too() -> None:
    left = list(range(10_000))
    right = [one for one in left if one % 3] + [-1]
    assert len(matched(left, right)) == sum(one % 3 > 0 for one in left)


def batches(records: Sequence[Record], sizes: Callable[[], int], *, who: int = OURS) -> list[Piece]:
    """Lay records out in batches of their own offsets; a hole begins a new one."""
    pieces: list[Piece] = []
    start = 0
    while start < len(records):
        count, end = max(1, sizes()), start + 1
        while (
            end < len(records)
            and end - start < count
            and records[end].offset == records[end - 1].offset + 1
        ):
            end += 1
        batch = encode(records[start:end], Codec.NONE, Stamp(who, 0, 0))
        batch[:8] = records[start].offset.to_bytes(8, "big")
        pieces.append(piece_of(memoryview(batch)))
        start = end
    return pieces


@dataclass(frozen=True)
class World:
    """A log, what was copied of it, what its owner left of it since, and what lies there."""

    then: list[Record]
    offsets: OffsetMap
    here: list[Record]
    there: list[Record]
    """With the target's offsets."""


def record(offset: int, content: int) -> Record:
    return Record(offset, 1_000 + content, b"k%d" % (content % 3), b"v%d" % content, ())


@st.composite
def worlds(draw: st.DrawFn, *, contents: int | None = None, most: int = 60) -> World:
    """A copy of any log, whole, and what the cleaner left of the log since.

    `contents` is how many different ones there are; without it each record has its own.
    """
    steps = draw(st.lists(st.sampled_from([1, 1, 1, 1, 2, 5]), max_size=most))
    then: list[Record] = []
    offset, runs, target = 3, Runs(), 10
    for step in steps:
        offset += step
        target += draw(st.sampled_from([0, 0, 0, 0, 0, 1]))  # a marker
        content = len(then) if contents is None else draw(st.integers(0, contents))
        then.append(record(offset, content))
        runs.append(offset, target, 1)
        target += 1
    places = [run.target + n for run in runs for n in range(run.length)]
    offsets = OffsetMap(
        runs=runs,
        begins=SourceOffset(2),
        copied_to=SourceOffset(offset + draw(st.integers(1, 3))),
        target_end=TargetOffset(target),
    )
    gone = draw(st.sets(st.integers(0, len(then)), max_size=8)) if draw(st.booleans()) else set()
    here = [one for number, one in enumerate(then) if number not in gone]
    there = [one._replace(offset=place) for one, place in zip(then, places, strict=True)]
    return World(then=then, offsets=offsets, here=here, there=there)


def compared(
    world: World,
    *,
    size: Callable[[], int],
    chunk: Callable[[], int],
    source_compacts: bool = False,
    target_compacts: bool = False,
    source_behind: Sequence[Record] = (),
) -> Found:
    here, there = batches(world.here, size), batches(world.there, size)
    found = Found(source_to=world.offsets.begins)
    standards = Standards(
        source_end=world.offsets.copied_to,
        target_start=0,
        target_start_now=0,
        source_compacts=source_compacts,
        target_compacts=target_compacts,
    )
    comparison = Comparison(standards, found, producers_moved=False)
    chunks = Chunks(world.offsets)
    while not chunks.done:
        cut = chunks.next(chunks.after(max(1, chunk())))
        comparison.take(cut, within(here, cut.source), within(there, cut.target))
    end = 1 << 40
    rest = within(there, (world.offsets.target_end, end))
    comparison.take_keys_behind(world.offsets.target_end, end, rest)
    comparison.take_behind(world.offsets.target_end, end, rest)
    comparison.close(world.offsets.copied_to, world.offsets.target_end)
    behind = batches(source_behind, size)
    comparison.take_source_behind(world.offsets.copied_to, end, behind)
    comparison.finish()
    found.tally.only_target += sum(one.records for one in found.suspects)
    return found


def within(pieces: Sequence[Piece], stretch: tuple[int, int]) -> list[Piece]:
    return [one for one in pieces if one.first < stretch[1] and one.last >= stretch[0]]


def shifted(records: Sequence[Record], world: World) -> list[Record]:
    """Write them one behind the other, as a target would that was written anew."""
    first = world.offsets.runs[0].target if world.then else world.offsets.target_end
    return [one._replace(offset=first + number) for number, one in enumerate(records)]


sizes = st.integers(1, 12)


@given(worlds(contents=3), st.data())
def test_a_whole_copy_raises_no_alarm_whatever_was_cleaned_since(
    world: World, data: st.DataObject
) -> None:
    found = compared(world, size=lambda: data.draw(sizes), chunk=lambda: data.draw(sizes))
    assert found.tally == Tally(
        same=len(world.here), expired_source=len(world.then) - len(world.here)
    )
    assert found.differences == []
    assert found.source_to == world.offsets.copied_to


@given(worlds(), st.data())
def test_records_that_are_gone_changed_or_too_many_are_counted_one_by_one(
    world: World, data: st.DataObject
) -> None:
    """Contents are unique, so there is one right answer for edits that do not touch."""
    there: list[Record] = []
    missing = extra = differ = 0
    present = {one.offset for one in world.here}
    untouched = 3
    for one, origin in zip(world.there, world.then, strict=True):
        kind = data.draw(st.sampled_from(["keep", "keep", "keep", "lose", "change", "add"]))
        untouched += 1
        if untouched < 3 or origin.offset not in present or len(present) < len(world.then):
            kind = "keep"
        if kind != "keep":
            untouched = 0
        if kind == "lose":
            missing += 1
            continue
        if kind == "change":
            differ += 1
            there.append(one._replace(value=b"changed"))
            continue
        if kind == "add":
            extra += 1
            there.append(one._replace(value=b"added"))
        there.append(one)
    world = World(world.then, world.offsets, world.here, shifted(there, world))
    found = compared(world, size=lambda: data.draw(sizes), chunk=lambda: data.draw(sizes))
    total = len(world.here)
    # Where both logs have a gap, one too many may be what the source lost before it was mapped.
    settled = found.tally.expired_source - (len(world.then) - total)
    assert 0 <= settled <= extra
    assert found.tally == Tally(
        same=total - missing - differ,
        differ=differ,
        only_source=missing,
        only_target=extra - settled,
        expired_source=len(world.then) - total + settled,
    )
    assert found.differences or found.suspects or not (missing or differ or extra - settled)


@settings(max_examples=300)
@given(worlds(contents=4, most=40), st.data())
def test_every_record_of_both_sides_is_counted_once(world: World, data: st.DataObject) -> None:
    kept = [one for one in world.there if data.draw(st.integers(0, 5))]
    noise = data.draw(st.lists(st.integers(0, 4), max_size=5))
    for content in noise:
        at = data.draw(st.integers(0, len(kept)))
        kept.insert(at, record(0, content))
    world = World(world.then, world.offsets, world.here, shifted(kept, world) if noise else kept)
    found = compared(world, size=lambda: data.draw(sizes), chunk=lambda: data.draw(sizes))
    tally = found.tally
    assert tally.same + tally.differ + tally.only_source == len(world.here)
    expired = len(world.then) - len(world.here)
    # Where both logs have a gap, noise may be what the source lost before it was mapped.
    settled = tally.expired_source - expired
    assert 0 <= settled <= len(noise)
    counted = tally.same + tally.differ + tally.only_target + settled
    assert len(world.there) - expired <= counted <= len(world.there)


def cleaned(records: Sequence[Record], data: st.DataObject) -> list[Record]:
    """Take records that a later one of their key supersedes, as a cleaner may."""
    last = {one.key: one.offset for one in records}
    return [one for one in records if last[one.key] == one.offset or data.draw(st.booleans())]


def settled(world: World, lost: AbstractSet[int]) -> World:
    """Leave records out of the map that the source had lost when they were settled after a crash.

    What lies before the first run is not ours to judge.
    """
    runs = Runs()
    for number, (one, there) in enumerate(zip(world.then, world.there, strict=True)):
        if number not in lost:
            runs.append(one.offset, there.offset, 1)
    offsets = OffsetMap(
        runs=runs,
        begins=world.offsets.begins,
        copied_to=world.offsets.copied_to,
        target_end=world.offsets.target_end,
    )
    unknown = {one.offset for number, one in enumerate(world.then) if number in lost}
    here = [one for one in world.here if one.offset not in unknown]
    return World(world.then, offsets, here, world.there)


def some_of(numbers: Sequence[int]) -> st.SearchStrategy[set[int]]:
    return st.sets(st.sampled_from(numbers), max_size=8) if numbers else st.just(set())


@given(worlds(most=30), st.data())
def test_cleaners_on_both_sides_raise_no_alarm_and_the_last_of_a_key_is_missed(
    world: World, data: st.DataObject
) -> None:
    here, there = cleaned(world.then, data), cleaned(world.there, data)
    if there[:1] != world.there[:1]:  # it tells who we are
        there = world.there[:1] + there
    gone_early = [n for n, one in enumerate(world.then) if n and one not in here]
    unmapped = data.draw(some_of(gone_early))
    world = settled(world, unmapped)
    taken_twice = sum(world.there[number] not in there for number in unmapped)
    lost = data.draw(st.booleans()) and bool(there)
    if lost:
        last = {one.key: one.offset for one in there}
        gone = data.draw(st.sampled_from(sorted(last.values())))
        there = [one for one in there if one.offset != gone]
    world = World(world.then, world.offsets, here, there)
    found = compared(
        world,
        size=lambda: data.draw(sizes),
        chunk=lambda: data.draw(sizes),
        source_compacts=True,
        target_compacts=True,
    )
    tally = found.tally
    assert (tally.differ, tally.only_target) == (0, 0), found
    assert tally.expired_source == len(world.then) - len(here) - taken_twice
    assert tally.same + tally.expired_target + tally.only_source == len(here)
    if lost:  # and those before it that were waiting for it
        assert tally.only_source >= 1
        assert "no later one of its key" in found.differences[0].what
    else:
        assert tally.only_source == 0


@given(worlds(most=30), st.data())
def test_a_value_that_outlived_its_key_on_the_source_is_found(
    world: World, data: st.DataObject
) -> None:
    """Its tombstone came and went before it was copied."""
    key = data.draw(st.sampled_from([b"k0", b"k1", b"k2"]))
    here = [one for one in world.then if one.key != key]
    behind = data.draw(st.booleans())
    offset = world.offsets.copied_to + 1
    own = [number for number, one in enumerate(world.then) if number and one.key == key]
    world = World(world.then, world.offsets, here, world.there)
    world = settled(world, data.draw(some_of(own)))
    found = compared(
        world,
        size=lambda: data.draw(sizes),
        chunk=lambda: data.draw(sizes),
        source_compacts=True,
        source_behind=[Record(offset, 5, key, None, ())] if behind else [],
    )
    outlived = len(here) < len(world.then) and not behind
    assert found.tally.only_target == int(outlived)
    assert found.tally.same == len(here)
    assert found.tally.only_source == found.tally.differ == 0


@settings(max_examples=300)
@given(worlds() | worlds(contents=2), st.data())
def test_what_was_settled_when_the_source_had_lost_it_is_no_difference(
    world: World, data: st.DataObject
) -> None:
    """The map does not know such records, and the source's offsets show that it had some.

    Since then the source has lost others, too, before them and behind them.
    """
    world = settled(world, data.draw(some_of(range(1, len(world.then)))))
    found = compared(
        world,
        size=lambda: data.draw(sizes),
        chunk=lambda: data.draw(sizes),
        target_compacts=data.draw(st.booleans()),
    )
    here = world.here
    assert found.tally == Tally(same=len(here), expired_source=len(world.then) - len(here)), found
    assert found.differences == []
