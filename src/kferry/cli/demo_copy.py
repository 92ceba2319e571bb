"""A `kferry copy` of the demo: a real second process, told on line by line, ended as one likes.

Owns the command line of it and what it says. What it copied is nobody's word here; that is judged
by an independent reader.
"""

import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from kferry.cli.console import say
from kferry.errors import KferryError
from kferry.sandbox.process import Process

_TICK_S = 0.05
_PATIENCE_S = 40.0


class DemoCopyError(KferryError):
    """The copy did not go as the demo needs it."""

    code = "K121"


class DemoCopy:
    """One run. It ends with whoever started it, however that ends."""

    def __init__(self, folder: Path, arguments: Sequence[str]) -> None:
        folder.mkdir(exist_ok=True)
        self._process = Process(folder)
        self._told = self._size()
        # The folder stands in the command line, because a process is known by it. Isolated from
        # the current directory, where anything may be called kferry.
        python = [sys.executable, "-P", "-X", f"kferry_demo={folder}/"]
        self._process.start([*python, "-m", "kferry", "copy", *arguments])

    def until(self, is_so: Callable[[], bool]) -> None:
        """Pass on what it says until something is so, which must be before its end."""
        self._watch(is_so)
        if self._process.pid is None and not is_so():
            raise DemoCopyError("the copy ended too early", self._last_words())

    def to_the_end(self) -> None:
        """Pass on what it says until it has ended."""
        self._watch(lambda: self._process.pid is None)

    def kill(self) -> None:
        """End it as a power cut would."""
        self._process.kill()
        self._pass_on()

    def _watch(self, is_so: Callable[[], bool]) -> None:
        deadline = time.monotonic() + _PATIENCE_S
        while self._process.pid is not None and not is_so():
            if time.monotonic() > deadline:
                raise DemoCopyError(
                    f"the copy was not so far after {_PATIENCE_S:.0f} s", self._last_words()
                )
            self._pass_on()
            time.sleep(_TICK_S)
        self._pass_on()

    def _pass_on(self) -> None:
        """Show the lines that are whole and were not shown before."""
        with self._process.log.open("rb") as log:
            log.seek(self._told)
            whole, end, _ = log.read().rpartition(b"\n")
        self._told += len(whole) + len(end)
        for line in whole.decode(errors="replace").splitlines():
            say(line)

    def _last_words(self) -> str:
        return "\n".join(self._process.log.read_text(errors="replace").splitlines()[-5:])

    def _size(self) -> int:
        log = self._process.log
        return log.stat().st_size if log.exists() else 0
