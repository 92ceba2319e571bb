"""A program that outlives the call that started it, found again by what it was started with.

Owns start, signals and end of one process. Its folder says all there is to know, so that any later
command can take over; no process handle is kept. Knows nothing of Java or Kafka.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from kferry.sandbox.waiting import came_true

_GUARD = Path(__file__).with_name("guard.py")
_PROC = Path("/proc/self").exists()
_TICK_S = 0.02
_EXEC_S = 1.0


class Process:
    """One program with a folder of its own, which holds its log and its id.

    A process id alone proves nothing: after a crash the system may have given it to somebody else.
    So the folder must also stand in the process's command line.
    """

    def __init__(self, folder: Path) -> None:
        self.log = folder / "log"
        self._pid_file = folder / "pid"
        self._mark = f"{folder}/"
        self._lifeline: int | None = None

    @property
    def pid(self) -> int | None:
        """The id of the running process, none if it has ended."""
        try:
            pid = int(self._pid_file.read_text())
        except (FileNotFoundError, ValueError):
            return None
        return pid if self._mark in _command_line(pid) else None

    def start(self, command: Sequence[str]) -> None:
        """Start it on a lifeline: it ends when we do, until `release` is called."""
        self.release()
        theirs, self._lifeline = os.pipe()
        guard = [sys.executable, "-I", "-S", str(_GUARD), str(theirs), str(self._pid_file)]
        try:
            with self.log.open("ab") as log:
                subprocess.run(
                    [*guard, *command],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    pass_fds=(theirs,),
                    # Neither Ctrl-C nor the end of a terminal is meant for it.
                    start_new_session=True,
                    cwd=self.log.parent,
                    check=True,
                )
        finally:
            os.close(theirs)

    def release(self) -> None:
        """Let it live on when we end."""
        if self._lifeline is not None:
            try:
                os.write(self._lifeline, b"!")
            except BrokenPipeError:
                pass  # it has ended, and its guard with it
            finally:
                self._forget()

    def signal(self, number: signal.Signals) -> None:
        """Send a signal, if it still runs."""
        if pid := self.pid:
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                return

    def stop(self, *, patience_s: float) -> None:
        """Ask it to end; kill it when it has not after `patience_s`."""
        self.signal(signal.SIGTERM)
        if not self.wait(patience_s):
            self.kill()
        self._forget()

    def kill(self) -> None:
        """End it at once, and return when it is gone."""
        self.signal(signal.SIGKILL)
        while not self.wait(1):
            self.signal(signal.SIGKILL)
        self._forget()

    def wait(self, patience_s: float) -> bool:
        """Wait for its end; return whether it came."""
        return came_true(lambda: self.pid is None, patience_s, tick_s=_TICK_S)

    def _forget(self) -> None:
        if self._lifeline is not None:
            os.close(self._lifeline)
            self._lifeline = None


def _command_line(pid: int) -> str:
    """Return the command line of a live process; a zombie has none."""
    if _PROC:
        return _proc_command_line(pid)
    ps = ["ps", "-ww", "-o", "args=", "-p", str(pid)]
    return subprocess.run(ps, capture_output=True, text=True, check=False).stdout


def _proc_command_line(pid: int) -> str:
    # While a process execs it has no command line for a moment, and it has not ended: Linux tells
    # the two apart by the state alone. (Measured: 1 of 200 looks at one that execs all the time.)
    deadline = time.monotonic() + _EXEC_S
    while True:
        try:
            line = Path(f"/proc/{pid}/cmdline").read_text(errors="replace").replace("\0", " ")
            state = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            return ""
        if line or state[:1] in (["Z"], ["X"]) or time.monotonic() > deadline:
            return line
