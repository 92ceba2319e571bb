"""Documents as bytes, their batches, and what is believed of what comes back."""

import json

import pytest

from kferry.errors import ExitCode
from kferry.ledger import (
    BadMigrationName,
    DocumentTooLarge,
    LedgerCorrupt,
    LedgerTooNew,
    ledger_topic,
)
from kferry.ledger.documents import NotADocument, decode, encode
from kferry.ledger.fate import Fate, SentBatch, fate_of
from kferry.ledger.names import migration_of
from kferry.ledger.packing import MOST_BYTES, pack
from kferry.ledger.parsing import parse
from kferry.names import PartitionId, TopicPartition
from kferry.records import Codec, Record, Stamp
from kferry.records import encode as encode_batch

SLOT = TopicPartition(ledger_topic("unit"), PartitionId(3))
NOW = 1_700_000_000_000


def batch_of(*pairs: tuple[bytes | None, bytes | None]) -> memoryview:
    records = [Record(0, NOW, key, value, ()) for key, value in pairs]
    return memoryview(encode_batch(records, Codec.NONE, Stamp(-1, -1, -1)))


@pytest.mark.parametrize("name", ["orders", "a", "default-1f2e3d4c", "A.b_c-9", "x" * 200])
def test_a_migration_names_its_ledger_and_the_ledger_its_migration(name: str) -> None:
    assert migration_of(ledger_topic(name)) == name


@pytest.mark.parametrize("name", ["", "x" * 201, "a b", "a/b", "a\n", "ü", "a;rm"])
def test_a_name_that_no_topic_can_have_is_a_usage_error(name: str) -> None:
    with pytest.raises(BadMigrationName) as caught:
        ledger_topic(name)
    assert caught.value.exit_code is ExitCode.USAGE


@pytest.mark.parametrize("topic", ["orders", "__kferry", "__kferry.", "x__kferry.a", "__kferry.ü"])
def test_other_topics_are_no_ledgers(topic: str) -> None:
    assert migration_of(topic) is None


@pytest.mark.parametrize("value", [{}, {"a": [1, None, "ü"], "b": {"c": 1.5}}, {"v": 1}, None])
def test_a_document_comes_back_as_it_was_written_and_says_its_version(
    value: dict[str, object] | None,
) -> None:
    key, body = encode(("group/ü", value))
    assert decode(key, body) == ("group/ü", None if value is None else {"v": 1, **value})


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"{",
        b"\xff",
        b"[]",
        b"1",
        b"null",
        b'"v"',
        b"{}",
        b'{"v":true}',
        b'{"v":0}',
        b'{"v":"1"}',
        b'{"v":1.0}',
        b'{"v":1,"n":NaN}',
        b'{"v":1,"n":-Infinity}',
        b'{"v":1,"n":' + b"9" * 100_000 + b"}",
        b'{"v":1,"n":' + b"[" * 200_000 + b"]" * 200_000 + b"}",
        json.dumps({"v": 1}).encode("utf-16"),
        b'{"v":1,"n":"' + b"x" * 1_000_000 + b'"}',
    ],
    ids=range(18),
)
def test_a_value_that_is_no_document_is_left_out_with_a_reason(value: bytes) -> None:
    with pytest.raises(NotADocument, match="it "):
        decode(b"key", value)


@pytest.mark.parametrize("key", [None, b"\xff", b"k" * 100_000])
def test_a_key_that_is_no_name_is_left_out(key: bytes | None) -> None:
    with pytest.raises(NotADocument):
        decode(key, b'{"v":1}')


def test_a_newer_form_is_refused_with_the_way_to_read_it() -> None:
    with pytest.raises(LedgerTooNew, match="form 2") as caught:
        decode(b"key", b'{"v":2}')
    assert "upgrade" in caught.value.hint


@pytest.mark.parametrize("entry", [("k" * 100_000, None), ("k", {"x": "y" * 1_000_000})])
def test_what_nobody_would_read_back_is_not_written(entry: tuple[str, dict[str, object]]) -> None:
    with pytest.raises(DocumentTooLarge):
        encode(entry)


def test_numbers_that_are_none_are_not_written() -> None:
    with pytest.raises(ValueError, match="JSON"):
        encode(("key", {"x": float("nan")}))


def test_a_page_holds_the_documents_and_names_what_is_none() -> None:
    bytes_ = batch_of((b"a", b'{"v":1}'), (b"b", b"?"), (b"c", None), (None, b"{}"))
    page = parse(bytes_, SLOT, 0, None)
    assert [(one.key, one.value, one.offset) for one in page.documents] == [
        ("a", {"v": 1}, 0),
        ("c", None, 2),
    ]
    assert [(one.slot, one.offset) for one in page.unreadable] == [(3, 1), (3, 3)]
    assert page.following == 4


def test_a_page_begins_and_ends_where_it_was_asked_to_even_inside_a_batch() -> None:
    bytes_ = batch_of(*((str(n).encode(), b'{"v":1}') for n in range(6)))
    page = parse(bytes_, SLOT, 2, 4)
    assert [one.key for one in page.documents] == ["2", "3"]


def test_a_broken_batch_is_an_error_with_its_place() -> None:
    bytes_ = batch_of((b"a", b'{"v":1}'))
    bytes_[-1] ^= 1
    with pytest.raises(LedgerCorrupt, match=r"__kferry.unit, partition 3, .* at 0") as caught:
        parse(bytes_, SLOT, 0, None)
    assert "checksum" in caught.value.detail


def test_groups_share_batches_and_are_never_torn_apart() -> None:
    size = MOST_BYTES // 5
    groups = [[(f"{n}/{m}", {"x": "y" * (size // 2)}) for m in range(2)] for n in range(9)]
    batches = pack(groups, NOW)
    keys = [[(record.key or b"").decode() for record in batch] for batch in batches]
    assert [key for batch in keys for key in batch] == [key for group in groups for key, _ in group]
    assert [len(batch) for batch in keys] == [8, 8, 2]
    for some in keys:
        assert some[0].endswith("/0")
        assert some[-1].endswith("/1")
    for batch in batches:
        assert len(encode_batch(batch, Codec.NONE, Stamp(-1, -1, -1))) <= MOST_BYTES
        assert {record.timestamp for record in batch} == {NOW}


def test_a_group_that_is_too_large_goes_alone_and_an_empty_one_not_at_all() -> None:
    large = [(f"large/{n}", {"x": "y" * 200_000}) for n in range(4)]
    batches = pack([[("a", {})], [], large, [("b", None)], [("c", {})]], NOW)
    assert [[record.key for record in batch] for batch in batches] == [
        [b"a"],
        [b"large/0", b"large/1", b"large/2", b"large/3"],
        [b"b", b"c"],
    ]
    assert pack([[], []], NOW) == []


BEFORE = SentBatch(10, 7, 2, 5)
SENT = SentBatch(-1, 7, 2, 8)


@pytest.mark.parametrize(
    ("found", "fate"),
    [
        ([BEFORE, SentBatch(11, 9, 0, 8), SentBatch(13, 7, 2, 8)], (Fate.THERE, 13)),
        ([SentBatch(13, 7, 2, 8)], (Fate.THERE, 13)),  # the cleaner took the one before
        ([BEFORE, SentBatch(11, -1, -1, -1)], (Fate.NOT_YET, None)),
        ([SentBatch(10, 9, 0, 5), SentBatch(11, -1, -1, -1)], (Fate.LOST, None)),
        ([BEFORE, SentBatch(13, 7, 1, 8)], (Fate.NOT_YET, None)),  # an older epoch's
        ([], (Fate.LOST, None)),
    ],
)
def test_the_log_tells_what_became_of_a_batch(
    found: list[SentBatch], fate: tuple[Fate, int | None]
) -> None:
    assert fate_of(SENT, found, after=BEFORE) == fate


def test_the_first_batch_of_all_is_not_taken_for_one_that_begins_again_at_0() -> None:
    first = SentBatch(10, 7, 2, 0)
    assert fate_of(SentBatch(-1, 7, 2, 0), [first], after=first) == (Fate.NOT_YET, None)
