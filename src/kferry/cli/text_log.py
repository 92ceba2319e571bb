"""A text log beside the screen, for what has to be kept: listing and result of `--unconsumed`.

Owns that a log which can be begun is begun before anything is copied, and that one which fails
later stops nothing.
"""

import contextlib
from collections.abc import Iterable
from pathlib import Path

from kferry.cli.console import harmless, say
from kferry.cli.unconsumed_lines import UnconsumedLogError, append_log, open_log


class TextLog:
    """A file in the current directory."""

    def __init__(self) -> None:
        self._path = open_log(Path())
        say(f"listing and result are kept in {self._path}")

    def write(self, lines: Iterable[str]) -> None:
        """Add lines; a disk that is full by now is no reason to stop copying."""
        with contextlib.suppress(UnconsumedLogError):
            append_log(self._path, [harmless(line) for line in lines])
