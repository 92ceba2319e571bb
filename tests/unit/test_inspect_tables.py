import pytest

from kferry.cli.tables import Row, number, table, text, visible
from kferry.cli.words import duration, moment, ranges, rate
from kferry.units import many

COLUMNS = (text("topic"), number("records"), text("configs"))


def test_numbers_stand_at_the_right_and_no_line_ends_in_blanks() -> None:
    rows = [Row(cells=("orders", "1,204,332", "")), Row(cells=("a", "7", "x=1"))]
    assert table(COLUMNS, rows) == [
        "  topic     records  configs",
        "  orders  1,204,332",
        "  a               7  x=1",
    ]


def test_a_name_too_long_for_its_column_gets_a_line_of_its_own_and_stays_whole() -> None:
    name = "n" * 60
    lines = table(COLUMNS, [Row(cells=(name, "7", "x=1"))], width=60)
    assert lines[1] == f"  {name}"
    assert lines[2].split() == ["7", "x=1"]


def test_the_last_column_wraps_between_words() -> None:
    lines = table(COLUMNS, [Row(cells=("orders", "7", "a=1 " * 20))], width=50)
    assert all(len(line) <= 50 for line in lines)
    assert " ".join(lines).count("a=1") == 20
    assert lines[2].index("a=1") == lines[1].index("a=1")


def test_one_long_word_moves_below_its_row() -> None:
    value = "v" * 40
    lines = table(COLUMNS, [Row(cells=("orders", "7", value))], width=50)
    assert lines[1:] == ["  orders        7", f"      {value}"]


def test_remarks_stand_below_their_row_and_wrap() -> None:
    lines = table((text("a"),), [Row(cells=("x",), remarks=["word " * 30])], width=50)
    assert all(len(line) <= 50 for line in lines)
    assert all(line.startswith("      ") for line in lines[2:])


def test_what_a_terminal_would_obey_is_written_out() -> None:
    assert visible("group\x1b[2J née ✓") == "group\\x1b[2J née ✓"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(-3, "0 s"), (59.9, "59 s"), (243, "4 min 3 s"), (7200, "2 h"), (190_000, "2 d 4 h")],
)
def test_durations(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_small_words() -> None:
    assert ranges([11, 0, 1, 2, 14, 15]) == "0-2, 11, 14-15"
    assert (many(1, "topic"), many(1204, "topic")) == ("1 topic", "1,204 topics")
    assert (rate(0.04), rate(3.26), rate(1204.4), rate(None)) == ("<0.1", "3.3", "1,204", "?")
    assert moment(0) == "1970-01-01 00:00"
    assert moment(2**62) == f"{2**62} ms"
