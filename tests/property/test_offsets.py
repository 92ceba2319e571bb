"""A consumer that moves reads on exactly where it would have read on: checked against both logs."""

import contextlib
import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kferry.names import PartitionId, SourceOffset, TargetOffset, TopicName, TopicPartition
from kferry.offsets import (
    COLUMNS,
    BadExport,
    ExportedMap,
    NotYet,
    OffsetMap,
    Place,
    Run,
    Runs,
    Translated,
    decode_runs,
    encode_runs,
    load_maps,
    to_json_line,
    to_rows,
)
from kferry.offsets.chunks import BadChunk


@st.composite
def copies(draw: st.DrawFn) -> tuple[OffsetMap, dict[int, int]]:
    """A copied log: records of the source with holes, each at its own place on the target."""
    begins = source = draw(st.integers(0, 50))
    target = draw(st.integers(0, 20))
    runs, pairs = Runs(), {}
    for _ in range(draw(st.integers(0, 30))):
        source += draw(st.integers(0, 3))
        target += draw(st.integers(0, 2))  # our own markers, a settling
        pairs[source] = target
        runs.append(source, target, 1)
        source, target = source + 1, target + 1
    copied_to = source + draw(st.integers(0, 3))
    copied = OffsetMap(
        runs=runs,
        begins=SourceOffset(begins),
        copied_to=SourceOffset(copied_to),
        target_end=TargetOffset(target),
    )
    return copied, pairs


@given(copies())
def test_every_position_reads_on_at_the_same_record_on_both_sides(
    copied: tuple[OffsetMap, dict[int, int]],
) -> None:
    map_, pairs = copied
    for position in range(map_.begins, map_.copied_to + 1):
        translated = map_.to_target(SourceOffset(position))
        assert isinstance(translated, Translated)
        rest = sorted(target for source, target in pairs.items() if source >= position)
        if not rest:
            assert translated == Translated(map_.target_end, Place.END)
            continue
        assert [target for target in sorted(pairs.values()) if target >= translated.offset] == rest
        assert (translated.place is Place.RECORD) == (position in pairs)
        assert translated.exact


@given(copies(), st.integers(1, 100))
def test_what_is_not_copied_is_not_guessed(
    copied: tuple[OffsetMap, dict[int, int]], beyond: int
) -> None:
    map_, _ = copied
    assert map_.to_target(SourceOffset(map_.copied_to + beyond)) == NotYet(map_.copied_to)


@given(copies(), st.integers(1, 50))
def test_what_was_gone_before_the_copy_began_leads_to_the_first_record_and_is_not_called_exact(
    copied: tuple[OffsetMap, dict[int, int]], before: int
) -> None:
    map_, pairs = copied
    translated = map_.to_target(SourceOffset(map_.begins - before))
    assert translated == Translated(
        min(pairs.values(), default=map_.target_end), Place.BEFORE_START
    )
    assert not translated.exact


@given(copies())
def test_records_translate_back_to_themselves(
    copied: tuple[OffsetMap, dict[int, int]],
) -> None:
    map_, pairs = copied
    for source, target in pairs.items():
        assert map_.to_source(TargetOffset(target)) == Translated(source, Place.RECORD)
    assert map_.to_source(map_.target_end) == Translated(map_.copied_to, Place.END)


@given(copies(), st.integers(40, 90))
def test_chunks_read_back_as_the_runs_they_were_made_of(
    copied: tuple[OffsetMap, dict[int, int]], most_bytes: int
) -> None:
    runs = copied[0].runs
    chunks = list(encode_runs(runs, most_bytes=most_bytes))
    assert all(len(chunk) <= most_bytes for chunk in chunks)
    assert decode_runs(chunks) == runs


@given(st.lists(st.binary(max_size=40), max_size=3))
def test_garbage_is_a_bad_chunk_not_a_crash(chunks: list[bytes]) -> None:
    with contextlib.suppress(BadChunk):
        decode_runs(chunks)


def test_a_log_without_holes_is_one_run_however_long() -> None:
    runs = Runs()
    for start in range(0, 10_000, 100):
        runs.append(start + 7, start, 100)
    assert list(runs) == [Run(SourceOffset(7), TargetOffset(0), 10_000)]
    assert runs.records == 10_000


@pytest.mark.parametrize(("source", "target"), [(9, 20), (20, 9), (5, 5)])
def test_a_run_that_goes_back_is_refused(source: int, target: int) -> None:
    runs = Runs([Run(SourceOffset(0), TargetOffset(0), 10)])
    with pytest.raises(ValueError, match="does not come after"):
        runs.append(source, target, 1)


def _exported(maps: list[OffsetMap]) -> list[ExportedMap]:
    return [
        ExportedMap(
            partition=TopicPartition(TopicName("orders"), PartitionId(number)),
            target_topic=TopicName("there"),
            offsets=one,
        )
        for number, one in enumerate(maps)
    ]


def _as_csv(maps: list[ExportedMap]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows([COLUMNS, *(row for one in maps for row in to_rows(one))])
    return text.getvalue()


@given(st.lists(copies(), min_size=1, max_size=4))
def test_an_export_is_read_back_as_it_was_in_either_form(
    copied: list[tuple[OffsetMap, dict[int, int]]],
) -> None:
    maps = _exported([one for one, _ in copied])
    expected = {one.partition: one for one in maps}
    assert load_maps(to_json_line(one) + "\n" for one in maps) == expected
    assert load_maps(_as_csv(maps).splitlines(keepends=True)) == expected
    # As a user has them: plain pairs, plain numbers.
    assert load_maps(map(to_json_line, maps))["orders", 0] == maps[0]  # type: ignore[index]


@given(copies(), st.data())
def test_a_damaged_export_is_an_error_and_no_other_map(
    copied: tuple[OffsetMap, dict[int, int]], data: st.DataObject
) -> None:
    whole = _exported([copied[0]])
    text = data.draw(st.sampled_from([to_json_line(whole[0]), _as_csv(whole)]))
    cut = text[: data.draw(st.integers(0, len(text) - 1))]
    with contextlib.suppress(BadExport):
        # Only what came behind the last character that matters may be missing.
        assert load_maps(cut.splitlines(keepends=True)) == {whole[0].partition: whole[0]}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n\n",
        "topic,partition\norders,0\n",
        ",".join(COLUMNS) + "\n",
        "{}",
        "[1]",
        '{"topic": 1}',
        ",".join(COLUMNS) + "\norders,0,there,0,5,5,x,0,5,1\n",
        ",".join(COLUMNS) + "\norders,0,there,0,5,5,0,0,1\n",
        ",".join(COLUMNS) + "\norders,0,there,0,5,5,3,3,2,2\norders,0,there,0,5,5,0,0,2,2\n",
        to_json_line(
            _exported(
                [
                    OffsetMap(
                        runs=Runs(),
                        begins=SourceOffset(0),
                        copied_to=SourceOffset(0),
                        target_end=TargetOffset(0),
                    )
                ]
            )[0]
        )
        + "\n{",
    ],
)
def test_what_is_no_export_is_refused(text: str) -> None:
    with pytest.raises(BadExport):
        load_maps(text.splitlines(keepends=True))
