"""Tables without boxes, no wider than a terminal.

Owns alignment, and what happens to what does not fit: it moves to a line of its own, it is never
cut off, because people copy names. Pure.
"""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from kferry.cli.console import WIDTH

_GAP = "  "
_LEAST = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column; numbers stand at its right."""

    title: str
    right: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A line of cells, and remarks to stand below it."""

    cells: Sequence[str]
    remarks: Sequence[str] = ()


def number(title: str) -> Column:
    """Make a column of numbers."""
    return Column(title=title, right=True)


def text(title: str) -> Column:
    """Make a column of words."""
    return Column(title=title)


def table(
    columns: Sequence[Column], rows: Sequence[Row], *, indent: str = "  ", width: int = WIDTH
) -> list[str]:
    """Lay out a table: the first column's long names get lines of their own, the last wraps."""
    shown = [tuple(map(visible, row.cells)) for row in rows]
    titles = tuple(column.title for column in columns)
    widths = _widths(columns, [titles, *shown], width - len(indent))
    lines = _lines(columns, titles, widths, indent)
    for row, cells in zip(rows, shown, strict=True):
        lines += _lines(columns, cells, widths, indent)
        lines += [line for remark in row.remarks for line in remarked(remark, indent, width)]
    return lines


def visible(cell: str) -> str:
    """Write out what a terminal would obey instead of show: names are whatever clients sent."""
    if cell.isprintable():
        return cell
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in cell)


def remarked(remark: str, indent: str = "  ", width: int = WIDTH) -> list[str]:
    """Lay out a remark below a row, further in."""
    inner = indent + "    "
    return _wrapped(visible(remark), width, first=inner, rest=f"{inner}  ")


def _widths(columns: Sequence[Column], cells: Sequence[Sequence[str]], room: int) -> list[int]:
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    excess = sum(widths) + len(_GAP) * (len(widths) - 1) - room
    flexible = [0] if columns[-1].right or len(columns) == 1 else [len(columns) - 1, 0]
    for index in flexible:
        spare = min(max(excess, 0), max(widths[index] - _LEAST, 0))
        widths[index] -= spare
        excess -= spare
    return widths


def _lines(
    columns: Sequence[Column], cells: Sequence[str], widths: Sequence[int], indent: str
) -> list[str]:
    first, *others = cells
    lines = []
    if len(first) > widths[0]:
        lines.append(indent + first)
        first = ""
    wraps = bool(others) and not columns[-1].right
    last = _wrapped(others[-1], widths[-1]) if wraps else []
    below = [others[-1]] if any(len(part) > widths[-1] for part in last) else []
    if below:
        last = []
    if wraps:
        others[-1] = last[0] if last else ""
    lines.append(indent + _aligned(columns, [first, *others], widths))
    blank = " " * (len(indent) + sum(widths[:-1]) + len(_GAP) * len(others))
    lines += [blank + more for more in last[1:]]
    lines += [line for cell in below for line in remarked(cell, indent)]
    return [line.rstrip() for line in lines if line.strip()]


def _aligned(columns: Sequence[Column], cells: Sequence[str], widths: Sequence[int]) -> str:
    return _GAP.join(
        cell.rjust(width) if column.right else cell.ljust(width)
        for column, cell, width in zip(columns, cells, widths, strict=True)
    )


def _wrapped(words: str, width: int, *, first: str = "", rest: str = "") -> list[str]:
    return textwrap.wrap(
        words,
        width,
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    )
