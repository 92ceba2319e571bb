"""A command of the demo: a real second process, told on line by line, ended as one likes.

Owns where it runs, what is shown of it, and that it and what it started end with the demo. What it
did to the records is nobody's word here; that is judged from outside.
"""

import shlex
import sys
import time
from collections.abc import Callable
from pathlib import Path

from kferry.cli.console import say, terminal_width
from kferry.errors import KferryError
from kferry.sandbox.process import Process

_TICK_S = 0.05
_PATIENCE_S = 120.0
_TIDY_S = 10.0
"""What a cutover is given to end its hook."""


class DemoCommandError(KferryError):
    """A command did not go as the demo needs it."""

    code = "K121"


class DemoCommand:
    """One run of `kferry`, in the folder of a migration. It ends with whoever started it."""

    def __init__(self, folder: Path, command: str, remark: str = "") -> None:
        say(f"\n$ kferry {command}" + (f"   # {remark}" if remark else ""))
        self._process = Process(folder)
        self._told = self._size()
        self._name = command.partition(" ")[0]
        # The folder stands in the command line, because a process is known by it. Isolated from
        # the current directory, where anything may be called kferry.
        python = [sys.executable, "-P", "-X", f"kferry_demo={folder}/"]
        # It writes into a file, and shall break its lines for the terminal that shows them.
        wide = ["/usr/bin/env", f"KFERRY_COLUMNS={terminal_width()}"]
        self._process.start([*wide, *python, "-m", "kferry", *shlex.split(command)])

    def until(self, is_so: Callable[[], bool]) -> None:
        """Pass on what it says until something is so, which must be before its end."""
        self._watch(is_so)
        if self._process.pid is None and not is_so():
            raise DemoCommandError(f"{self._name} ended too early", self._last_words())

    def to_the_end(self) -> None:
        """Pass on what it says until it has ended."""
        self._watch(lambda: self._process.pid is None)

    def kill(self) -> None:
        """End it as a power cut would."""
        self._process.kill()
        self._pass_on()

    def _watch(self, is_so: Callable[[], bool]) -> None:
        try:
            self._tell_until(is_so)
        except BaseException:
            # Asked to end, a cutover ends the hook that it runs; killed, it could not.
            self._process.stop(patience_s=_TIDY_S)
            raise
        self._pass_on()

    def _tell_until(self, is_so: Callable[[], bool]) -> None:
        deadline = time.monotonic() + _PATIENCE_S
        while self._process.pid is not None and not is_so():
            if time.monotonic() > deadline:
                raise DemoCommandError(
                    f"{self._name} was not so far after {_PATIENCE_S:.0f} s", self._last_words()
                )
            self._pass_on()
            time.sleep(_TICK_S)

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
