"""What map files and both logs tell together: where to go on, and what only one side has."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kferry.dualwrite.errors import MapFileError
from kferry.dualwrite.frames import ClusterIds, Entry, Missing, Pairs, Pending, TopicNames
from kferry.dualwrite.map_file import MapFile
from kferry.errors import UsageError
from kferry.migration.dual.joined import Joined, Lack, Seen, Why, lacks_of, matched
from kferry.migration.dual.told import OtherClusters, Told, read_files
from kferry.names import PartitionId, SourceOffset, TargetOffset, TopicName, TopicPartition
from kferry.offsets import Run

THERE = TopicName("orders.v2")
PLACE = TopicPartition(TopicName("orders"), PartitionId(0))
IDS = ClusterIds(primary="old", secondary="new")


def run(source: int, target: int, length: int = 1) -> Run:
    return Run(SourceOffset(source), TargetOffset(target), length)


def joined(*runs: Run, end: int, target_end: int, lacks: tuple[Lack, ...] = ()) -> Joined:
    return Joined(
        target=THERE,
        runs=tuple(sorted(runs)),
        start=0,
        end=end,
        settled_to=end,
        target_end=target_end,
        lacks=lacks,
    )


@st.composite
def both_logs(draw: st.DrawFn) -> tuple[Joined, dict[int, int]]:
    """Some records of the source on the target, in any order; the rest on the source alone."""
    end = draw(st.integers(0, 12))
    there = draw(st.lists(st.integers(0, max(0, end - 1)), unique=True, max_size=end))
    there = there if end else []
    pairs = {source: target for target, source in enumerate(there)}
    lacks = tuple(
        Lack(start=one, end=one + 1, why=Why.MISSING) for one in range(end) if one not in pairs
    )
    runs = [run(source, target) for source, target in pairs.items()]
    return joined(*runs, end=end, target_end=len(there), lacks=lacks), pairs


@given(both=both_logs(), data=st.data())
def test_nothing_is_left_out_and_each_repetition_is_counted(
    both: tuple[Joined, dict[int, int]], data: st.DataObject
) -> None:
    one, pairs = both
    position = data.draw(st.integers(0, one.end))
    at, again = one.forth(position)
    left = {source for source in pairs if source >= position}
    read = {source for source, target in pairs.items() if target >= at}
    assert left <= read
    assert again == len(read - left)
    assert at == min((pairs[source] for source in left), default=one.target_end)


@given(both=both_logs(), data=st.data())
def test_the_way_home_leaves_nothing_out_that_was_not_read_on_either_side(
    both: tuple[Joined, dict[int, int]], data: st.DataObject
) -> None:
    one, pairs = both
    position = data.draw(st.integers(0, one.end))
    at = data.draw(st.integers(one.forth(position)[0], one.target_end))
    home, again = one.home(position, at)
    unread = {
        source for source in range(position, one.end) if pairs.get(source, one.target_end) >= at
    }
    assert all(source >= home for source in unread)
    assert home == min(unread, default=one.end)
    assert again == sum(source >= home and target < at for source, target in pairs.items())


def test_what_no_map_pairs_is_paired_by_its_content_and_equals_in_their_order() -> None:
    told = Told(target=THERE, runs=[run(0, 10, 3), run(6, 14, 2)])
    here = [Seen(3, b"a"), Seen(4, b"x", 7), Seen(5, b"a")]
    runs, left, strangers = matched(told, here, [Seen(13, b"a"), Seen(16, b"z")])
    assert runs == (run(0, 10, 4), run(6, 14, 2))
    assert [one.offset for one in left] == [4, 5]
    assert strangers == [16]


def test_what_is_known_of_records_that_only_the_source_has() -> None:
    told = Told(
        target=THERE, runs=[run(5, 0, 2)], missing=[(7, 9)], unknown=[(9, 10)], waiting=[(12, 13)]
    )
    left = [Seen(offset, b"", producer=offset % 2) for offset in (3, 4, 7, 8, 9, 10, 11, 12)]
    lacks = lacks_of(told, left, told.runs, since=4)
    assert [(one.start, one.end, one.why) for one in lacks] == [
        (4, 5, Why.BEFORE),
        (7, 9, Why.MISSING),
        (9, 10, Why.UNKNOWN),
        (10, 12, Why.UNTOLD),
        (12, 13, Why.WAITING),
    ]
    assert lacks[3].producers == (0, 1)
    one = replace(joined(end=20, target_end=9, lacks=tuple(lacks)), settled_to=12)
    assert [(lack.start, lack.records) for lack in one.lacking(8)] == [(8, 1), (9, 1), (10, 2)]


def pairs_of(primary: int, secondary: int, length: int) -> Pairs:
    return Pairs(topic=0, partition=0, primary=primary, secondary=secondary, length=length)


def write(
    path: Path,
    *entries: Entry,
    ids: ClusterIds = IDS,
    names: tuple[str, str] = ("orders", "orders.v2"),
    in_order: bool = True,
) -> Path:
    file = MapFile(path)
    file.append([ids, TopicNames(index=0, primary=names[0], secondary=names[1]), *entries])
    file.close(in_order=in_order)
    return path


def test_files_of_both_directions_tell_of_one_partition(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no map")
    write(tmp_path / "there", pairs_of(4, 0, 3))
    turned = ClusterIds(primary="new", secondary="old")
    write(tmp_path / "turned", pairs_of(3, 7, 2), ids=turned, names=("orders.v2", "orders"))
    files = read_files([tmp_path, tmp_path / "there"], source_id="old", target_id="new")
    assert len(files.paths) == 2
    (one,) = files.partitions.values()
    assert one.runs == [run(4, 0, 3), run(7, 3, 2)]
    assert one.back == [(7, 9)]
    assert files.topics == {PLACE.topic: THERE}


def test_what_waits_for_an_answer_is_told_apart_from_what_a_killed_writer_left(
    tmp_path: Path,
) -> None:
    pending = Pending(topic=0, partition=0, primary=13, length=4)
    killed = Pending(topic=0, partition=0, primary=3, length=2)
    path = write(tmp_path / "a", killed, pairs_of(10, 0, 3), pending, in_order=False)
    one = read_files([path], source_id="old", target_id="new").partitions[PLACE]
    assert one.unknown == [(3, 5)]
    assert one.waiting == [(13, 17)]
    gap = Missing(topic=0, partition=0, primary=13, length=1, reason="refused")
    write(path, gap)
    one = read_files([path], source_id="old", target_id="new").partitions[PLACE]
    assert (one.missing, one.unknown, one.waiting) == ([(13, 14)], [(3, 5), (14, 17)], [])


def test_files_that_cannot_be_about_this_are_refused(tmp_path: Path) -> None:
    write(tmp_path / "a", pairs_of(3, 1, 2))
    with pytest.raises(OtherClusters, match="pairs old with new; the source is old, the target x"):
        read_files([tmp_path], source_id="old", target_id="x")
    write(tmp_path / "b", pairs_of(4, 7, 2))
    with pytest.raises(MapFileError, match="offset 4 of orders-0 on the source twice"):
        read_files([tmp_path], source_id="old", target_id="new")
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="no map file"):
        read_files([tmp_path / "empty"], source_id="old", target_id="new")
