"""A copy that runs while a test does something to it: what it tells, and how it ends.

Owns the pipes of the running command. What arrived is judged by `judging`.
"""

import json
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from copying import Ended, kferry, sides

from kferry.sandbox import Sandbox

PATIENCE_S = 90.0
Shown = dict[str, Any]
"""A snapshot as scripts read it."""


class Running:
    """A command at work. Its pipes are read all the time, so that it never waits for us."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.shown: list[Shown] = []
        self._said: list[str] = []
        self._out: list[str] = []
        self._readers = [
            threading.Thread(target=self._read_out, daemon=True),
            threading.Thread(target=self._read_said, daemon=True),
        ]
        for reader in self._readers:
            reader.start()

    @property
    def said(self) -> str:
        return "".join(self._said)

    @property
    def out(self) -> str:
        return "".join(self._out)

    @property
    def copied(self) -> int:
        """How many records the newest snapshot tells of."""
        return int(self.shown[-1]["records"]) if self.shown else 0

    def until(self, is_so: Callable[[], object], *, patience_s: float = PATIENCE_S) -> None:
        """Wait until something is true of it, or of the world, while it runs."""
        deadline = time.monotonic() + patience_s
        while not is_so():
            assert self.process.poll() is None, f"it ended:\n{self.said}\n{self._out[-1:]}"
            assert time.monotonic() < deadline, (
                f"not within {patience_s:.0f} s:\n{self.said}\n{self.shown[-1:]}"
            )
            time.sleep(0.05)

    def until_shown(self, is_so: Callable[[Shown], object]) -> None:
        """Wait for a snapshot from now on."""
        since = len(self.shown)
        self.until(lambda: any(is_so(one) for one in self.shown[since:]))

    def until_copied(self, records: int) -> None:
        self.until(lambda: self.copied >= records)

    def stop(self) -> Ended:
        """Ask it to stop at a safe point."""
        self.process.send_signal(signal.SIGTERM)
        return self.ended()

    def ended(self, *, patience_s: float = PATIENCE_S) -> Ended:
        """Wait for its end."""
        try:
            code = self.process.wait(patience_s)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise AssertionError(
                f"it did not end within {patience_s:.0f} s:\n{self.said}\n{self.shown[-1:]}"
            ) from None
        for reader in self._readers:
            reader.join(PATIENCE_S)
        lines = [json.loads(line) for line in self._out if line.startswith("{")]
        return Ended(code=code, result=lines[-1] if lines else {}, said=self.said, lines=lines)

    def _read_out(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._out.append(line)
            if line.startswith('{"') and "taken_at" in line:
                self.shown.append(json.loads(line))

    def _read_said(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self._said.append(line)


@contextmanager
def running(
    sandbox: Sandbox, *arguments: str, migration: str, clusters: Sequence[str] | None = None
) -> Iterator[Running]:
    """Copy and follow, as the least privileged user, for as long as the block lasts."""
    named = sides(sandbox) if clusters is None else list(clusters)
    process = kferry("copy", *named, "-m", migration, "--yes", "--json", *arguments)
    try:
        yield Running(process)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        for pipe in (process.stdout, process.stderr):
            assert pipe is not None
            pipe.close()
