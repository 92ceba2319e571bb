"""A Java client's properties file is read as Java reads it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kferry.config.properties import parse_properties, render_properties


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a=1", {"a": "1"}),
        ("a = 1 ", {"a": "1 "}),
        ("a:1", {"a": "1"}),
        ("a 1", {"a": "1"}),
        ("a", {"a": ""}),
        ("  a=1\n\n# no\n! no\nb=2", {"a": "1", "b": "2"}),
        ("a=1\r\nb=2\r\n", {"a": "1", "b": "2"}),
        ("a=one\\\n    two", {"a": "onetwo"}),
        ("a=one\\\\\nb=2", {"a": "one\\", "b": "2"}),
        ("a\\=b=c", {"a=b": "c"}),
        ("a=\\u00e4\\t\\:", {"a": "ä\t:"}),
        ("a=1\na=2", {"a": "2"}),
        ("a=b=c", {"a": "b=c"}),
        ("a=# no comment", {"a": "# no comment"}),
        ("a=x\\\n# still the value", {"a": "x# still the value"}),
    ],
)
def test_the_grammar_is_javas(text: str, expected: dict[str, str]) -> None:
    assert {key: entry.value for key, entry in parse_properties(text).items()} == expected


def test_an_entry_knows_the_line_it_began_on() -> None:
    entries = parse_properties("# one\na=1\nb=2\\\n 3\nc=4")
    assert {key: entry.line for key, entry in entries.items()} == {"a": 2, "b": 3, "c": 5}


@given(st.dictionaries(st.text(max_size=10), st.text(max_size=20), max_size=5))
def test_what_is_written_reads_back(values: dict[str, str]) -> None:
    read = parse_properties(render_properties(values))
    assert {key: entry.value for key, entry in read.items()} == values
