"""Sizes, numbers and lists as people read them.

Owns binary units, plurals, and how a few of many are named. Knows no room; every face and every
finding uses the same.
"""

from collections.abc import Iterable


def binary_size(size: float) -> str:
    """Write bytes in binary units: `412.6 GiB`."""
    units = ("B", "KiB", "MiB", "GiB", "TiB")
    for unit in units[:-1]:
        if size < 1024:
            return f"{size:,.0f} {unit}" if unit == "B" else f"{size:,.1f} {unit}"
        size /= 1024
    return f"{size:,.1f} {units[-1]}"


def many(number: int, noun: str) -> str:
    """Write a number with its noun: `1 topic`, `1,204 topics`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def some(names: Iterable[str], most: int = 3) -> str:
    """Name a few of many: `a, b, c and 12 more`."""
    listed = sorted(names)
    shown = ", ".join(listed[:most])
    return shown if len(listed) <= most else f"{shown} and {len(listed) - most:,} more"
