"""What stands in a record is shown as it is, and never more than shown."""

import json
from collections.abc import Sequence
from typing import Any

import pytest

from kferry.cli.console import answer_json
from kferry.cli.message_lines import cut, message_json, message_line, message_table, shown
from kferry.messages import Message, State, schema_of
from kferry.names import PartitionId, TopicName, TopicPartition

AVRO = b"\x00\x00\x00\x00\x2a\x06foo"
HOSTILE = "\x1b]0;owned\x07\x1b[2J\x9b31m\u202e\u2028\r\nend\x00".encode()


def message(**given: Any) -> Message:
    fields: dict[str, Any] = {
        "partition": TopicPartition(TopicName("t"), PartitionId(0)),
        "offset": 1,
        "timestamp": 0,
        "append_time": False,
        "key": b"k",
        "value": b"v",
        "headers": (),
    }
    return Message(**(fields | given))


def as_json(**given: Any) -> dict[str, Any]:
    format_ = given.pop("format_", None)
    return message_json(message(**given), "source", format_)


def test_null_and_nothing_and_words_that_look_like_them_are_four_things() -> None:
    looking_like_others = (b"null", b'""', b"0x00", b" x", b'b"\\x00"')
    found = [shown(data, None) for data in (None, b"", b"\x00", *looking_like_others)]
    assert len(set(found)) == len(found), found


def test_bytes_that_are_no_text_show_the_text_in_them() -> None:
    assert shown(b"\x00\x2afoo\xff\x7f", None) == r'b"\x00*foo\xff\x7f"'
    assert shown(b'\xff"\\', None) == r'b"\xff\"\\"'
    assert shown(b"\x00\x2afoo", "hex") == "0x002a666f6f"
    assert shown(b"x" * 5000, None)[-2:] == "x…"


def test_a_tombstone_is_named_where_there_is_a_key() -> None:
    (_, with_key) = message_table([message(value=None)], None)
    (_, without) = message_table([message(value=None, key=None)], None)
    assert "tombstone" in with_key
    assert "tombstone" not in without


@pytest.mark.parametrize("format_", [None, "json", "hex"])
def test_no_control_reaches_the_terminal(format_: Any, capsys: pytest.CaptureFixture[str]) -> None:
    one = message(
        key=HOSTILE, value=b'{"a":"' + HOSTILE[:-1] + b'"}', headers=((HOSTILE.decode(), HOSTILE),)
    )
    for line in (*message_table([one], format_), *message_line(one, "source", format_)):
        assert line.isprintable(), line
    answer_json(message_json(one, "source", format_))
    out = capsys.readouterr().out
    assert out.endswith("\n")
    assert out[:-1].isprintable(), out
    assert json.loads(out)["headers"][0]["name"] == HOSTILE.decode()


def test_scripts_get_every_byte() -> None:
    values: Sequence[bytes] = (b"text", "höhe".encode(), b"\xff\x00", b"", AVRO, b"a\tb\nc")
    for value in values:
        found = as_json(value=value)
        how, got = found["value_as"], found["value"]
        assert (bytes.fromhex(got) if how == "hex" else got.encode()) == value, found


def test_json_is_embedded_where_it_is_json_and_text_where_it_is_not() -> None:
    assert as_json(value=b'{"a": [1, null]}', format_="json")["value"] == {"a": [1, None]}
    broken = as_json(value=b'{"a": ', format_="json")
    assert (broken["value"], broken["value_as"]) == ('{"a": ', "text")
    deep = as_json(value=b"[" * 100_000, format_="json")
    assert deep["value_as"] == "text"


def test_repeated_and_null_headers_keep_their_order() -> None:
    headers = (("a", b"1"), ("b", None), ("a", b"2"), ("c", b""))
    found = as_json(headers=headers)["headers"]
    assert [(one["name"], one["value"]) for one in found] == [
        ("a", "1"),
        ("b", None),
        ("a", "2"),
        ("c", ""),
    ]


def test_times_of_no_calendar_are_no_failure() -> None:
    for timestamp in (-1, 0, 2**63 - 1, 253_402_300_800_000):
        assert json.dumps(as_json(timestamp=timestamp))
        assert message_table([message(timestamp=timestamp)], None)


def test_states_are_marked() -> None:
    for state in (State.ABORTED, State.OPEN, State.BEHIND_OPEN):
        (_, line) = message_table([message(state=state)], None)
        assert "[" in line
        assert as_json(state=state)["state"] == state


def test_wide_letters_are_cut_by_what_they_take() -> None:
    assert cut("名" * 20, 11) == "名" * 5 + "…"
    assert cut("x" * 11, 11) == "x" * 11


def test_frames_of_a_registry_are_recognised() -> None:
    def found(value: bytes | None, *headers: tuple[str, bytes | None]) -> str:
        return str(schema_of(value, headers, part="value"))

    assert found(AVRO) == "schema 42, Avro or Protobuf"
    assert found(b'\x00\x00\x00\x00\x07{"a":1}') == "schema 7, JSON"
    guid = ("__value_schema_id", b"\x01" + bytes(range(16)))
    assert found(b"\x06foo", guid).startswith("schema 00010203-0405-0607")
    for other in (None, b"", b"\x00", AVRO[:5], (5).to_bytes(8, "big"), b"\x00\xff\xff\xff\xff.."):
        assert found(other) == "None", other


def test_a_frame_is_told_to_scripts_for_key_and_value() -> None:
    told = as_json(key=AVRO, value=AVRO)
    assert told["key_schema"] == told["value_schema"] == {"id": 42, "kind": "Avro or Protobuf"}
