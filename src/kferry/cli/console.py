"""How answers look: data on stdout, narration on stderr, errors with a rule at their left.

Owns colour, width and the shape of an error. Knows no command.
"""

import json
import os
import re
import shutil
import sys
import textwrap
from collections.abc import Mapping
from typing import Any, TextIO

from kferry.errors import KferryError

WIDTH = 100
_NARROWEST = 40
_CONTROL = re.compile(r"(?!\x1b\[\d+m)[\x00-\x09\x0b-\x1f\x7f-\x9f]")
_UNSHOWN = re.compile(
    "[\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202f\u2060-\u206f\ud800-\udfff\ufeff]"
)
"""What JSON would leave as it is: controls of terminals, and of the direction of text."""
_STYLES = {"ok": "32", "warning": "33", "error": "31", "dim": "2", "bold": "1"}


def say(text: str = "") -> None:
    """Tell people something; scripts do not see it."""
    print(harmless(text), file=sys.stderr, flush=True)


def answer(text: str = "") -> None:
    """Write a line of the result."""
    print(harmless(text), flush=True)


def answer_json(value: Mapping[str, Any]) -> None:
    """Write one object on one line; what a terminal would obey is written as JSON writes it."""
    print(_UNSHOWN.sub(_escaped, json.dumps(value, ensure_ascii=False)), flush=True)


def _escaped(match: re.Match[str]) -> str:
    return f"\\u{ord(match[0]):04x}"


def harmless(text: str) -> str:
    """Take out what would move the cursor: names and messages come from clusters.

    Our own colours, and line ends, stay.
    """
    return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", text)


def styled(text: str, style: str, stream: TextIO | None = None) -> str:
    """Colour a word where there is a terminal that wants it."""
    stream = stream or sys.stdout
    if os.environ.get("NO_COLOR") or not stream.isatty():
        return text
    return f"\x1b[{_STYLES[style]}m{text}\x1b[0m"


def terminal_width() -> int:
    """Return how wide lines may be: those of a narrow terminal are broken by us, not by it."""
    given = os.environ.get("KFERRY_COLUMNS", "")
    if not given.isdigit() and not (sys.stdout.isatty() or sys.stderr.isatty()):
        return WIDTH  # COLUMNS may be left over from whoever started us
    columns = int(given) if given.isdigit() else shutil.get_terminal_size((WIDTH, 24)).columns
    return max(_NARROWEST, min(WIDTH, columns))


def wrapped(text: str, *, indent: str, width: int | None = None) -> list[str]:
    """Break a text into lines that all begin with `indent`."""
    return [
        line
        for paragraph in text.splitlines()
        for line in textwrap.wrap(
            paragraph,
            width or terminal_width(),
            initial_indent=indent,
            subsequent_indent=indent,
            break_long_words=False,
            break_on_hyphens=False,
        )
    ]


def fitted(line: str) -> list[str]:
    """Break a line that is too wide; what follows stands further in."""
    words = line.lstrip()
    lead = line[: len(line) - len(words)]
    return textwrap.wrap(
        words,
        terminal_width(),
        initial_indent=lead,
        subsequent_indent=f"{lead}  ",
        break_long_words=False,
        break_on_hyphens=False,
    ) or [line]


def show_error(error: KferryError) -> None:
    """Show an error: what, in which state things are, and the way out."""
    say(f"╷ {styled(f'error {error.code}', 'error', sys.stderr)}: {error.title}")
    for line in wrapped("\n".join(filter(None, (error.detail, error.changed))), indent="│ "):
        say(line)
    if error.hint:
        say("│")
        for line in wrapped(f"hint: {error.hint}", indent="│ "):
            say(line)
    say("╵")
