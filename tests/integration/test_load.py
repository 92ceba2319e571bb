"""Every shape on the newest Kafka, proved by Kafka's own tools and by confluent-kafka."""

import itertools
from collections.abc import Iterator
from typing import Any

import pytest
from loading import Loaded, Row, bounds, check_essentials, load_both, loaded_ones, read, table, tool

from kferry.sandbox import ClusterSpec, Sandbox
from kferry.sandbox.load import SHAPES, Outcome, Scale, choose, load
from kferry.sandbox.load.errors import OtherLoadError, UnknownShapeError
from kferry.sandbox.load.record import BEGAN, FUTURE, dice, orders

CODECS = ("none", "gzip", "snappy", "lz4", "zstd")


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox.start(target=ClusterSpec(version="3.9.2")) as running:
        yield running


@pytest.fixture(scope="module")
def both(sandbox: Sandbox) -> list[Loaded]:
    return load_both(sandbox.source, sandbox.target)


@pytest.fixture(scope="module")
def loaded(both: list[Loaded]) -> Loaded:
    """4.3.1."""
    return both[0]


@pytest.fixture(scope="module")
def rows(loaded: Loaded) -> dict[str, list[Row]]:
    """Everything, as a reader of uncommitted records sees it."""
    return read(loaded.cluster, loaded.topics)


def test_the_essential_is_the_same_as_everywhere(both: list[Loaded]) -> None:
    for one in both:
        check_essentials(one)


def test_all_that_this_version_can_hold_is_there(
    loaded: Loaded, rows: dict[str, list[Row]]
) -> None:
    assert set(loaded.summaries) - loaded_ones(loaded) == {"format-v0", "format-v1"}
    for name in loaded_ones(loaded) - {"trimmed", "expired"}:
        if name.startswith("compacted"):
            continue
        one = loaded.summaries[name]
        assert sum(len(rows.get(topic, ())) for topic in one.topics) == one.records, name


def test_json_is_there_in_every_codec(loaded: Loaded, rows: dict[str, list[Row]]) -> None:
    for codec in CODECS:
        batches = loaded.dumps[f"load-json-{codec}-0"]
        assert {batch["compresscodec"].lower() for batch in batches} == {codec}
        assert rows[f"load-json-{codec}"] == rows["load-json-none"]
    wanted = [one for one in orders(dice(1, "json"), partitions=3, each=400) if one.partition == 0]
    found = [row for row in rows["load-json-zstd"] if row[0] == 0]
    assert [(one.key, one.value) for one in wanted] == [(row[2], row[3]) for row in found]


def test_batches_have_the_size_that_was_wanted(loaded: Loaded, rows: dict[str, list[Row]]) -> None:
    assert {one["count"] for one in loaded.dumps["load-one-record-batches-0"]} == {"1"}
    assert {one["count"] for one in loaded.dumps["load-plain-0"]} == {"100"}
    assert {one["count"] for one in loaded.dumps["load-records-100b-0"]} == {"500"}
    sizes = {
        topic: {len(row[3] or b"") for row in rows[f"load-records-{topic}"]}
        for topic in ("100b", "1kb", "1mb")
    }
    assert sizes == {"100b": {100}, "1kb": {1_000}, "1mb": {2**20}}


def test_headers_of_all_kinds(rows: dict[str, list[Row]]) -> None:
    by_kind = [row[4] for row in rows["load-headers"][:6]]
    assert by_kind[0] == ()
    assert by_kind[1][0][0] == "trace-id"
    assert by_kind[2] == (("null", None), ("empty", b""))
    assert by_kind[3] == (("", b"a name of no letters"), ("名前", "値".encode()))
    assert [name for name, _ in by_kind[4]] == ["retry", "retry", "other", "retry"]
    assert len(by_kind[5]) == 50


def test_null_is_not_empty(rows: dict[str, list[Row]]) -> None:
    choices = (None, b"", b"something")
    found = {(row[2], row[3]) for row in rows["load-null-and-empty"]}
    assert found == set(itertools.product(choices, choices))
    assert {row[2] for row in rows["load-null-keys"]} == {None}


def test_times_are_strange(loaded: Loaded, rows: dict[str, list[Row]]) -> None:
    times = [[row[5] for row in rows["load-timestamps"] if row[0] == one] for one in range(5)]
    disordered, old, future, none, mixed = times
    assert disordered != sorted(disordered)
    assert max(old) == BEGAN
    assert min(future) == FUTURE
    assert set(none) == {-1}
    assert set(mixed[::2]) != {-1} == set(mixed[1::2])
    for topic in ("load-log-append-time-0", "load-log-append-time-lz4-0"):
        assert all("LogAppendTime" in batch for batch in loaded.dumps[topic])


def test_logs_start_late(loaded: Loaded, rows: dict[str, list[Row]]) -> None:
    assert bounds(loaded.cluster, "load-trimmed") == [(100, 200), (125, 200), (200, 200)]
    inside = loaded.dumps["load-trimmed-1"]
    assert ("100", "149") in [(one["baseOffset"], one["lastOffset"]) for one in inside]
    assert bounds(loaded.cluster, "load-expired") == [(150, 250)]
    assert bounds(loaded.cluster, "load-empty") == [(0, 0), (0, 10), (0, 0)]


def test_the_cleaner_has_left_holes_tombstones_and_horizons(
    loaded: Loaded, rows: dict[str, list[Row]]
) -> None:
    batches = loaded.dumps["load-compacted-0"]
    assert any(int(one["count"]) < _span(one) for one in batches)
    marked = [one for one in batches if one["deleteHorizonMs"] != "OptionalLong.empty"]
    assert any(int(one["count"]) == _span(one) for one in marked)  # dense, and marked all the same
    last = {row[2]: row[3] for row in rows["load-compacted"] if row[0] == 0}
    assert len(last) == 100
    assert {key for key, value in last.items() if value is None} >= {b"key-0", b"key-20"}


def test_an_emptied_batch_stays(loaded: Loaded) -> None:
    first, *_ = loaded.dumps["load-compacted-emptied-0"]
    assert (first["count"], first["lastOffset"], first["isControl"]) == ("0", "9", "false")


def test_markers_stay_in_a_cleaned_log(loaded: Loaded, rows: dict[str, list[Row]]) -> None:
    batches = loaded.dumps["load-compacted-transactions-0"]
    markers = [one for one in batches if one["isControl"] == "true"]
    assert len(markers) == 6
    assert any(one["deleteHorizonMs"] != "OptionalLong.empty" for one in markers)
    assert not [row for row in rows["load-compacted-transactions"] if 21 <= row[1] <= 40]  # aborted


def test_transactions_are_committed_and_aborted(loaded: Loaded) -> None:
    everything = read(loaded.cluster, ["load-transactions"])["load-transactions"]
    counting = read(loaded.cluster, ["load-transactions"], committed=True)["load-transactions"]
    gone = {row[:2] for row in everything} - {row[:2] for row in counting}
    assert gone == {(0, one) for one in range(11, 16)} | {(1, one) for one in range(8, 11)}
    control = [one for one in loaded.dumps["load-transactions-0"] if one["isControl"] == "true"]
    assert [one["baseOffset"] for one in control] == ["10", "16", "21"]


def test_a_transaction_is_open(loaded: Loaded) -> None:
    listed = tool(loaded.cluster, "TransactionsCommand", "list")
    states = table(listed, "TransactionalId", "TransactionState")
    assert ("load-open-transaction-open", "Ongoing") in states
    assert bounds(loaded.cluster, "load-open-transaction") == [(0, 19)]
    assert bounds(loaded.cluster, "load-open-transaction", committed=True) == [(0, 11)]


def test_groups_stand_where_they_should(loaded: Loaded) -> None:
    text = tool(loaded.cluster, "consumer.group.ConsumerGroupCommand", "--describe", "--all-groups")
    columns = ("GROUP", "TOPIC", "PARTITION", "CURRENT-OFFSET", "LAG")
    found = {row[:3]: row[3:] for row in table(text, *columns) if row[0] != "GROUP"}
    assert found["load-groups-at-start", "load-groups", "0"] == ("0", "1000")
    assert found["load-groups-at-end", "load-groups", "2"] == ("1000", "0")
    assert found["load-groups-behind", "load-groups", "1"] == ("500", "500")
    assert found["load-groups-beyond-end", "load-groups", "1"][0] == "999999"
    assert found["load-groups-two-topics", "load-groups-other", "0"] == ("400", "600")
    assert ("load-groups-partly", "load-groups", "1") not in found
    assert found["load-expired", "load-expired", "0"][0] == "25"
    assert found["load-transactions-on-marker", "load-transactions", "0"][0] == "10"
    assert found["load-group-active", "load-group-active", "0"] == ("150", "150")


def test_groups_are_of_every_kind(loaded: Loaded) -> None:
    text = tool(
        loaded.cluster, "consumer.group.ConsumerGroupCommand", "--list", "--state", "--type"
    )
    found = {group: rest for group, *rest in table(text, "GROUP", "TYPE", "STATE")}
    assert found["load-group-active"] == ["Classic", "Stable"]
    assert found["load-group-new-protocol"] == ["Consumer", "Stable"]
    assert found["load-group-static"] == ["Classic", "Stable"]
    assert found["load-groups-behind"] == ["Classic", "Empty"]
    group = ("--describe", "--group", "load-group-share")
    shared = tool(loaded.cluster, "consumer.group.ShareGroupCommand", *group, "--state")
    assert table(shared, "GROUP", "STATE", "#MEMBERS")[0][0] == "load-group-share"
    assert "Stable" in shared
    lags = tool(loaded.cluster, "consumer.group.ShareGroupCommand", *group, "--offsets")
    assert {lag for _, lag in table(lags, "PARTITION", "LAG")} == {"0"}


def test_the_same_load_again_changes_nothing(loaded: Loaded, rows: dict[str, list[Row]]) -> None:
    again = list(load(loaded.cluster, choose(["plain", "compacted", "group-active"])))
    assert {one.outcome for one in again} == {Outcome.THERE_ALREADY}
    assert [one.records for one in again] == [
        loaded.summaries[one].records for one in ("plain", "compacted", "group-active")
    ]
    assert read(loaded.cluster, ["load-plain"])["load-plain"] == rows["load-plain"]


@pytest.mark.parametrize("other", [{"seed": 2}, {"scale": Scale.FULL}])
def test_another_load_in_the_same_place_is_refused(loaded: Loaded, other: dict[str, Any]) -> None:
    with pytest.raises(OtherLoadError) as refused:
        list(load(loaded.cluster, choose(["plain"]), **other))
    assert "--seed 1 --scale small" in refused.value.detail


def test_a_topic_that_no_load_has_made_is_left_alone(
    loaded: Loaded, rows: dict[str, list[Row]]
) -> None:
    note = loaded.cluster.layout.folder / "loaded" / "plain.json"
    kept = note.read_text()
    note.unlink()
    with pytest.raises(OtherLoadError) as refused:
        list(load(loaded.cluster, choose(["plain"])))
    assert "no load has made" in refused.value.detail
    note.write_text(kept)
    assert read(loaded.cluster, ["load-plain"])["load-plain"] == rows["load-plain"]


def test_an_unknown_shape_is_named_with_the_nearest() -> None:
    with pytest.raises(UnknownShapeError) as unknown:
        choose(["compact"])
    assert "compacted" in unknown.value.hint
    assert choose(()) == list(SHAPES)


def _span(batch: dict[str, str]) -> int:
    return int(batch["lastOffset"]) - int(batch["baseOffset"]) + 1
