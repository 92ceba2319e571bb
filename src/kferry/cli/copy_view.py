"""How a running copy is watched: a live block, plain lines, or one JSON object per snapshot.

Owns the choice between them. What the lines say is decided in `progress_lines`.
"""

import os
import sys
from collections.abc import Callable
from typing import Protocol, TextIO

from kferry.cli.console import answer, answer_json, fitted, harmless, say
from kferry.cli.heartbeat import Heartbeat
from kferry.cli.live import LiveBlock
from kferry.cli.options import Options
from kferry.cli.progress_lines import block
from kferry.progress import Snapshot, to_json


class View(Protocol):
    """Somebody to tell how far it is."""

    def narrate(self, line: str) -> None:
        """Tell one sentence."""

    def snapshot(self, snapshot: Snapshot, /) -> None:
        """Show how far it is."""

    def close(self) -> None:
        """Leave the screen as it should stay."""


def view_for(
    options: Options, *, is_answer: bool = False, on_deaf: Callable[[], None] | None = None
) -> View:
    """Choose a view.

    `is_answer`: progress is what was asked for, not narration beside it. `on_deaf` is called once
    nobody reads standard output any more; without it that is an error.
    """
    stream = sys.stdout if is_answer else sys.stderr
    if options.json:
        return JsonView(on_deaf)
    if options.quiet and not is_answer:
        return QuietView()
    if stream.isatty() and os.environ.get("TERM") != "dumb":
        return LiveView(stream)
    return PlainView(answer if is_answer else say)


class JsonView:
    """One object per snapshot on standard output; narration stays with people."""

    def __init__(self, on_deaf: Callable[[], None] | None) -> None:
        self._on_deaf = on_deaf

    def narrate(self, line: str) -> None:
        """Tell one sentence."""
        for part in fitted(line):
            say(part)

    def snapshot(self, snapshot: Snapshot, /) -> None:
        """Write it on one line."""
        try:
            answer_json(to_json(snapshot))
        except BrokenPipeError:
            if self._on_deaf is None:
                raise
            # As `| head` does. The copy is told to stop at a safe point, not torn apart here.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            self._on_deaf()

    def close(self) -> None:
        """Nothing is left on a screen."""


class QuietView:
    """Only what matters."""

    def narrate(self, line: str) -> None:
        """Leave it out."""

    def snapshot(self, snapshot: Snapshot, /) -> None:
        """Leave it out."""

    def close(self) -> None:
        """Nothing is left on a screen."""


class PlainView:
    """Lines, for logs."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._heartbeat = Heartbeat()
        self._tell = tell

    def narrate(self, line: str) -> None:
        """Tell one sentence."""
        for part in fitted(line):
            say(part)

    def snapshot(self, snapshot: Snapshot, /) -> None:
        """Write what is news."""
        for line in self._heartbeat.lines(snapshot):
            self._tell(line)

    def close(self) -> None:
        """Nothing is left on a screen."""


class LiveView:
    """A block at the end of a terminal."""

    def __init__(self, stream: TextIO) -> None:
        self._block = LiveBlock(stream)

    def narrate(self, line: str) -> None:
        """Tell one sentence, above the block."""
        self._block.above("\n".join(map(harmless, fitted(line))))

    def snapshot(self, snapshot: Snapshot, /) -> None:
        """Redraw the block."""
        self._block.show([harmless(line) for line in block(snapshot)])

    def close(self) -> None:
        """Take the block away."""
        self._block.end()
