"""A range of time in a log that is not in order of time."""

from kferry.messages.cursors import LATE_IN_A_ROW, Lateness
from kferry.records import Record


def rows(*times: int) -> list[Record]:
    return [Record(number, time, None, None, ()) for number, time in enumerate(times)]


def test_what_is_too_late_is_left_out_and_older_ones_behind_it_are_not() -> None:
    lateness = Lateness(before=10)
    assert [one.timestamp for one in lateness.in_time(rows(1, 10, 9, 99, -1))] == [1, 9, -1]
    assert not lateness.enough


def test_many_late_ones_in_a_row_end_it_across_batches() -> None:
    lateness = Lateness(before=10)
    late = rows(*([10] * (LATE_IN_A_ROW - 1)))
    assert lateness.in_time(late) == []
    assert lateness.in_time(rows(9)) == rows(9)
    assert lateness.in_time(late) == []
    assert not lateness.enough
    assert lateness.in_time(rows(11, 1)) == []
    assert lateness.enough
