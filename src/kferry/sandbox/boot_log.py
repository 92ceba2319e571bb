"""What a broker's log says about why it ended.

Owns the reading of logs. Pure but for opening one file.
"""

import re
from pathlib import Path

_LINES = 6
_TELLING = re.compile(r"\b(ERROR|FATAL)\b|Exception|^Caused by|^Error:|OutOfMemory|Unrecognized")
_TAKEN = re.compile(r"Address already in use|BindException")


def port_was_taken(log: Path) -> bool:
    """Return whether the process ended because somebody else had one of its ports."""
    return bool(_TAKEN.search(_read(log)))


def last_words(log: Path) -> str:
    """Return the lines that tell most: the last errors, else simply the last ones."""
    lines = [line for line in _read(log).splitlines() if line.strip()]
    telling = [line for line in lines if _TELLING.search(line)]
    return "\n".join((telling or lines)[-_LINES:])


def _read(log: Path) -> str:
    try:
        return log.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return ""
