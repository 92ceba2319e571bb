"""MirrorMaker 2's lists of names and Java regular expressions, as patterns of kferry.yaml.

Owns the translation: a plain name stays one, `.*` becomes a glob, the rest stays an expression
where Python understands it the same. Pure.
"""

import re
import warnings
from typing import NamedTuple

_LITERAL = re.compile(r"[A-Za-z0-9_-]|\\[.\-_]")
_PIECE = re.compile(rf"({_LITERAL.pattern})|(\.\*)")
_MEANS_OTHERWISE = re.compile(r"&&|\\[QEpPhHRXZzGb]|\[\[|\(\?<(?![=!])|\[:")
"""Java and Python read these differently, or only one of them does."""


class Translated(NamedTuple):
    """A list as patterns of kferry, and the parts that have none."""

    patterns: tuple[str, ...]
    not_understood: tuple[str, ...]


def listed(value: str) -> list[str]:
    """Take a list apart as Kafka does: at every comma, those inside an expression included."""
    return [part for part in re.split(r"\s*,\s*", value.strip()) if part]


def translate(value: str) -> Translated:
    """Translate a list."""
    found = [(part, _pattern(part)) for part in listed(value)]
    return Translated(
        patterns=tuple(dict.fromkeys(pattern for _, pattern in found if pattern is not None)),
        not_understood=tuple(part for part, pattern in found if pattern is None),
    )


def _pattern(part: str) -> str | None:
    simple = _name_or_glob(part)
    if simple is not None:
        return simple
    if _MEANS_OTHERWISE.search(part):
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            re.compile(part)
    except (re.error, Warning):
        return None
    return f"/{part}/"


def _name_or_glob(part: str) -> str | None:
    """Read an expression that is a name, or a name with `.*` in it."""
    position, text = 0, ""
    while position < len(part):
        piece = _PIECE.match(part, position)
        if piece is None:
            return None
        position = piece.end()
        # What is repeated by a sign behind it is no plain letter.
        if part[position : position + 1] in {"*", "+", "?", "{"}:
            return None
        text += "*" if piece[2] else piece[1].removeprefix("\\")
    return text
