"""Wrong words after `kferry messages` are refused before any cluster is asked."""

from pathlib import Path

import pytest

from kferry.cli.main import run
from kferry.cli.message_flags import QueryFlags
from kferry.errors import KferryError
from kferry.names import TopicName

NOWHERE = ("--source", "127.0.0.1:1", "--topic", "t")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "no topic was named"),
        (("--topic", "t"), "no cluster was named"),
        (("--topic", "t", "--topic", "u", "--source", "a:1"), "one topic at a time"),
        (("--topic", "t-*", "--source", "a:1"), "one topic at a time"),
        (("--topic", "t", "--source", "a:1", "--target", "b:1"), "which one is meant"),
        (("--on", "target", *NOWHERE), "no target was named"),
        ((*NOWHERE, "--last", "5", "--offset", "1"), "three ways"),
        ((*NOWHERE, "--last", "5", "--from-time", "2026-01-01"), "three ways"),
        ((*NOWHERE, "--last", "0"), "--last 0"),
        ((*NOWHERE, "--limit", "-1"), "--limit"),
        ((*NOWHERE, "--offset", "99999999999999999999"), "--offset"),
        ((*NOWHERE, "--from-time", "soon"), "not a time"),
        ((*NOWHERE, "--from-time", "2026-01-02", "--to-time", "2026-01-01"), "not after"),
        ((*NOWHERE, "--header", "x"), "NAME=VALUE"),
        ((*NOWHERE, "--go-on", "0-5"), "PARTITION:OFFSET"),
        ((*NOWHERE, "--partition", "-1"), "from 0 on"),
        ((*NOWHERE, "--newest-first", "--oldest-first"), "exclude each other"),
        ((*NOWHERE, "--format", "hex", "--key", "xyz"), "not hex"),
        ((*NOWHERE, "--raw", "/"), "is there already"),
    ],
)
def test_a_query_that_cannot_be(
    words: tuple[str, ...],
    said: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["messages", "query", *words]) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--value", "x", "--file", "y"), "three kinds"),
        (("--tombstone",), "--key"),
        (("--key-separator", ":", "--key", "x"), "--key-separator"),
        (("--key-separator", ":", "--value", "x"), "--key-separator"),
        (("--partition", "-3", "--value", "x"), "from 0 on"),
        (("--file", "/no/such/file"), "cannot be read"),
        (("--timestamp", "yesterday", "--value", "x"), "not a time"),
    ],
)
def test_a_record_that_cannot_be(
    words: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["messages", "send", "--target", "127.0.0.1:1", "--topic", "t", *words]) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--offset", "5"), "--partition"),
        (("--offset", "-5", "--partition", "0"), "--partition"),
        (("--seconds", "-1"), "--seconds"),
    ],
)
def test_a_comparison_that_cannot_be(
    words: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    sides = ("--source", "127.0.0.1:1", "--target", "127.0.0.1:2", "--topic", "t")
    assert run(["messages", "compare", *sides, *words]) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("flags", "newest_first"),
    [
        (QueryFlags(), True),
        (QueryFlags(to_time="2026-01-01"), True),
        (QueryFlags(from_time="2026-01-01"), False),
        (QueryFlags(offset=5), False),
        (QueryFlags(last=5), False),
        (QueryFlags(last=5, newest_first=True), True),
        (QueryFlags(oldest_first=True), False),
    ],
)
def test_which_way_a_query_looks(flags: QueryFlags, newest_first: bool) -> None:  # noqa: FBT001
    assert flags.query(TopicName("t")).newest_first is newest_first


def test_hex_is_hex_where_it_was_said() -> None:
    filters = QueryFlags(format="hex", key="0x00ff", contains="2a").filters()
    assert (filters.key, filters.contains) == (b"\x00\xff", b"\x2a")
    with pytest.raises(KferryError):
        QueryFlags(format="hex", contains="2").filters()
