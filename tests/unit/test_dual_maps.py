"""Where a consumer goes on that moves to the other side of a double write, by its map files."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kferry.cli import main as command_line
from kferry.dualwrite.errors import MapFileError
from kferry.dualwrite.frames import HEAD, ClusterIds, Entry, Missing, Pairs, Pending, TopicNames
from kferry.dualwrite.map_file import MapFile
from kferry.migration.dual_maps import DualMaps, DualPartition, read_maps
from kferry.names import PartitionId, SourceOffset, TargetOffset, TopicName, TopicPartition
from kferry.offsets import Run

PLACE = TopicPartition(TopicName("orders"), PartitionId(0))
IDS = ClusterIds(primary="old", secondary="new")
NAMES = TopicNames(index=0, primary="orders", secondary="orders.v2")


def pairs(primary: int, secondary: int, length: int) -> Pairs:
    return Pairs(topic=0, partition=0, primary=primary, secondary=secondary, length=length)


def write(path: Path, *entries: Entry, in_order: bool = True, ids: ClusterIds = IDS) -> Path:
    file = MapFile(path)
    file.append([ids, NAMES, *entries])
    file.close(in_order=in_order)
    return path


def places(maps: DualMaps, *offsets: int) -> list[tuple[int | None, bool]]:
    found = maps.translate([(PLACE, offset) for offset in offsets])
    return [(pair.target_offset, pair.exact) for pair in found]


def test_positions_are_exact_where_both_sides_hold_every_record(tmp_path: Path) -> None:
    maps = read_maps([write(tmp_path / "a", pairs(10, 0, 5), pairs(20, 5, 5))])
    assert places(maps, 10, 14, 15, 24, 25) == [
        (0, True),
        (4, True),
        (5, True),  # others' records: the next one of ours
        (9, True),
        (10, True),
    ]
    assert places(maps, 3) == [(0, False)]
    assert places(maps, 26) == [(None, False)]
    back = maps.translate([(PLACE, 7)], to_source=True)
    assert [(pair.source_offset, pair.target_topic) for pair in back] == [(22, "orders.v2")]


def test_records_that_are_missing_behind_a_position_are_counted(tmp_path: Path) -> None:
    gap = Missing(topic=0, partition=0, primary=15, length=3, reason="refused")
    maps = read_maps([write(tmp_path / "a", pairs(10, 0, 5), gap, pairs(18, 5, 5))])
    found = maps.translate([(PLACE, offset) for offset in (12, 16, 18)])
    assert [(pair.target_offset, pair.exact) for pair in found] == [
        (2, False),
        (5, False),
        (8 - 3, True),
    ]
    assert "3 records from here on missing" in found[0].reason
    assert "2 records from here on missing" in found[1].reason


def test_what_a_kill_left_unknown_gets_no_answer(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a",
        pairs(10, 0, 5),
        Pending(topic=0, partition=0, primary=15, length=4),
        in_order=False,
    )
    assert places(read_maps([path]), 14, 15, 18, 19) == [
        (4, False),  # behind it are some that may not have arrived
        (None, False),
        (None, False),
        (None, False),
    ]
    write(path, pairs(30, 12, 5))
    assert places(read_maps([path]), 14, 19, 29, 30) == [
        (4, False),
        (None, False),
        (None, False),
        (12, True),
    ]


def test_several_files_are_read_as_one_log(tmp_path: Path) -> None:
    one = write(tmp_path / "a", pairs(0, 0, 2), pairs(4, 4, 2))
    other = write(tmp_path / "b", pairs(2, 2, 2))
    assert places(read_maps([one, other]), 0, 3, 5) == [(0, True), (3, True), (5, True)]


def test_a_producer_that_still_runs_keeps_later_positions_waiting(tmp_path: Path) -> None:
    one = write(tmp_path / "a", pairs(0, 0, 2), in_order=False)
    other = write(tmp_path / "b", pairs(2, 2, 2))
    assert places(read_maps([one, other]), 1, 2, 3) == [(1, True), (None, False), (None, False)]


@st.composite
def mixed_up(draw: st.DrawFn) -> dict[int, int]:
    """Records of several writers, in another order on the other side."""
    primaries = sorted(draw(st.sets(st.integers(0, 60), min_size=1, max_size=25)))
    return dict(zip(primaries, draw(st.permutations(range(len(primaries)))), strict=True))


@given(mixed_up())
def test_writers_in_another_order_cost_repeats_that_are_counted_and_never_a_record(
    records: dict[int, int],
) -> None:
    runs = [Run(SourceOffset(a), TargetOffset(b), 1) for a, b in sorted(records.items())]
    end = max(records) + 1
    one = DualPartition(target=TopicName("orders"), runs=runs, known_to=end)
    maps = DualMaps(clusters=IDS, partitions={PLACE: one})
    for offset in range(min(records), end):
        [pair] = maps.translate([(PLACE, offset)])
        assert pair.target_offset is not None
        read = {a for a, b in records.items() if b >= pair.target_offset}
        assert {a for a in records if a >= offset} <= read, "nothing is left out"
        again = {a for a in read if a < offset}
        assert pair.exact == (not again)
        if again:
            assert f"{len(again):,} record" in pair.reason


def test_files_of_different_moves_are_not_put_together(tmp_path: Path) -> None:
    one = write(tmp_path / "a", pairs(0, 0, 2))
    other = write(
        tmp_path / "b", pairs(2, 2, 2), ids=ClusterIds(primary="old", secondary="another")
    )
    with pytest.raises(MapFileError, match="other clusters"):
        read_maps([one, other])


def test_a_file_named_twice_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "a", pairs(0, 0, 2))
    with pytest.raises(MapFileError, match="twice"):
        read_maps([path, path])


def test_the_command_answers_from_map_files_without_a_cluster(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path / "a", pairs(10, 0, 5))
    arguments = ["offsets", "translate", "orders:0:12", "--map", str(path), "--json"]
    assert command_line.run(arguments) == 0
    assert '"target_offset":2' in capsys.readouterr().out.replace(" ", "")
    assert command_line.run([*arguments[:2], "orders:0:99", "--map", str(path)]) == 7
    assert command_line.run(["offsets", "translate", "--map", str(path), "--export"]) == 0
    assert "orders.v2" in capsys.readouterr().out


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=60).filter(lambda some: not some.startswith(HEAD)))
def test_files_that_are_no_maps_are_refused_with_a_reason(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "map"
    path.write_bytes(content)
    with pytest.raises(MapFileError):
        read_maps([path])
    with pytest.raises(MapFileError):
        read_maps([tmp_path / "none"])
