r"""The text format of Java properties files, as `java.util.Properties` reads it.

Owns the grammar only: comments, separators, continued lines, escapes. Knows no key.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

_ESCAPES = {"t": "\t", "n": "\n", "r": "\r", "f": "\f"}
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)
_KEY = re.compile(r"((?:\\.|[^\\=: \t\f])*)[ \t\f]*[=:]?[ \t\f]*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Entry:
    """A value and the line it began on, so that an error can point there."""

    value: str
    line: int


def parse_properties(text: str) -> dict[str, Entry]:
    """Read a properties file; the last of several equal keys wins, as in Java."""
    entries: dict[str, Entry] = {}
    for number, line in _logical_lines(text):
        match = _KEY.match(line)
        assert match is not None  # noqa: S101  # the pattern matches the empty string, too
        entries[_unescape(match[1])] = Entry(_unescape(line[match.end() :]), number)
    return entries


def render_properties(values: Mapping[str, str]) -> str:
    """Write values so that Java and `parse_properties` read the same back."""
    return "".join(f"{_escape(key, key=True)}={_escape(value)}\n" for key, value in values.items())


def _logical_lines(text: str) -> Iterator[tuple[int, str]]:
    pending, began = "", 0
    for number, raw in enumerate(re.split(r"\r\n|\r|\n", text), start=1):
        line = raw.lstrip(" \t\f")
        if not pending and (not line or line[0] in "#!"):
            continue
        began = began or number
        backslashes = len(line) - len(line.rstrip("\\"))
        if backslashes % 2:
            pending += line[:-1]
            continue
        yield began, pending + line
        pending, began = "", 0
    if pending:
        yield began, pending


def _unescape(text: str) -> str:
    def one(match: re.Match[str]) -> str:
        code = match[1]
        return chr(int(code[1:], 16)) if len(code) > 1 else _ESCAPES.get(code, code)

    return _ESCAPE.sub(one, text)


def _escape(text: str, *, key: bool = False) -> str:
    escaped = text.replace("\\", "\\\\")
    for short, char in _ESCAPES.items():
        escaped = escaped.replace(char, f"\\{short}")
    if key:
        return re.sub(r"([=: #!])", r"\\\1", escaped)
    return re.sub(r"^ ", r"\\ ", escaped)
