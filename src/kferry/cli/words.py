"""Numbers and times as people read them.

Owns the wording of single values: thousands separators, binary units, times in UTC. Pure.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import groupby

from kferry.units import binary_size

UNKNOWN, NOTHING = "?", "-"
_MINUTE, _HOUR, _DAY = 60, 3600, 86_400


def count(number: int | None) -> str:
    """Write a number of things: `1,204,332`."""
    return UNKNOWN if number is None else f"{number:,}"


def size(number: int | None) -> str:
    """Write bytes in binary units."""
    return UNKNOWN if number is None else binary_size(number)


def rate(number: float | None) -> str:
    """Write how many per second; a trickle is not nothing."""
    if number is None:
        return UNKNOWN
    if 0 < number < 0.1:
        return "<0.1"
    return f"{number:,.1f}" if 0 < number < 10 else f"{number:,.0f}"


def moment(milliseconds: int) -> str:
    """Write a time in UTC; one that no calendar has stays a number."""
    try:
        return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%d %H:%M")
    except (ValueError, OverflowError, OSError):
        return f"{milliseconds} ms"


def duration(seconds: float) -> str:
    """Write how long: `4 min 3 s`, `2 d 5 h`."""
    whole = max(0, int(seconds))
    for unit, name, smaller, lesser in (
        (_DAY, "d", _HOUR, "h"),
        (_HOUR, "h", _MINUTE, "min"),
        (_MINUTE, "min", 1, "s"),
    ):
        if whole >= unit:
            rest = whole % unit // smaller
            return f"{whole // unit:,} {name}" + (f" {rest} {lesser}" if rest else "")
    return f"{whole} s"


def ranges(numbers: Iterable[int]) -> str:
    """Write many numbers short: `0-11, 14`."""
    runs = groupby(enumerate(sorted(numbers)), key=lambda pair: pair[1] - pair[0])
    spans = [[number for _, number in run] for _, run in runs]
    return ", ".join(str(s[0]) if len(s) == 1 else f"{s[0]}-{s[-1]}" for s in spans)
