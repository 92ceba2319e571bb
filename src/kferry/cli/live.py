"""A block of lines that is redrawn in place.

Owns the few control sequences this needs. Knows nothing about what the lines say; they have to be
harmless already.
"""

import shutil
from collections.abc import Sequence
from typing import TextIO

_UP_AND_CLEAR = "\x1b[{}A\x1b[J"


class LiveBlock:
    """The last lines of a terminal."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._shown: list[str] = []

    def show(self, lines: Sequence[str]) -> None:
        """Put these lines in the place of those shown before."""
        columns, rows = shutil.get_terminal_size((100, 24))
        # A line that the terminal wraps, or a block that scrolls, could not be taken back.
        fitting = [line[: columns - 1] for line in lines[: max(rows - 1, 1)]]
        self._write(self._clear() + "".join(f"{line}\n" for line in fitting))
        self._shown = fitting

    def above(self, text: str) -> None:
        """Write lines that stay, above the block."""
        self._write(self._clear() + text + "\n" + "".join(f"{line}\n" for line in self._shown))

    def end(self) -> None:
        """Take the block away; what is said from now on stands where it began."""
        self._write(self._clear())
        self._shown = []

    def _clear(self) -> str:
        return _UP_AND_CLEAR.format(len(self._shown)) if self._shown else ""

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()
