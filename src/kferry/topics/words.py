"""How topics speak of time.

Owns the wording that notes, hazards and errors share.
"""

_UNITS = ((86_400_000, "d"), (3_600_000, "h"), (60_000, "min"), (1000, "s"))


def span(milliseconds: int) -> str:
    """Say how long: in the largest unit of which there are at least two, rounded down."""
    for size, unit in _UNITS:
        if milliseconds >= 2 * size or milliseconds == size:
            return f"{milliseconds // size:,} {unit}"
    return f"{milliseconds:,} ms"
