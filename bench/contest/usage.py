"""What a process costs: its time, its processors' time, its memory.

Owns start, observation and end of one measured process. Knows nothing of what it does.
"""

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

_TICKS = os.sysconf("SC_CLK_TCK")
_MB = 1_000_000
_PATIENCE_S = 60.0
_TICK_S = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What a process took in all, children that it waited for included."""

    seconds: float
    cpu_seconds: float
    memory_mb: float
    exit_code: int


class Measured:
    """A running process. Leaving the block kills it, should it still run."""

    def __init__(
        self, command: Sequence[str], *, output: Path, environment: Mapping[str, str] | None = None
    ) -> None:
        self.output = output
        self._errors = output.with_suffix(".err")
        self.began = time.perf_counter()
        with output.open("wb") as out, self._errors.open("wb") as errors:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=errors,
                env=environment,
                start_new_session=True,  # so that a pipeline can be killed as a whole
            )
        self.pid = self._process.pid
        self._peak = 0.0
        self._usage: Usage | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.look() is None:
            self.end(signal.SIGKILL)

    @property
    def cpu_seconds(self) -> float:
        """What it took so far."""
        if self._usage is not None:
            return self._usage.cpu_seconds
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return sum(map(int, fields[11:15])) / _TICKS

    def look(self) -> Usage | None:
        """Return what it took if it has ended; remember its peak if it has not."""
        if self._usage is None:
            self._remember_peak()
            self._reap()
        return self._usage

    def end(self, number: signal.Signals) -> Usage:
        """Send a signal and wait for the end; kill what does not obey."""
        if self.look() is None:
            os.killpg(self.pid, number)
            deadline = time.monotonic() + _PATIENCE_S
            while self.look() is None:
                if time.monotonic() > deadline:
                    os.killpg(self.pid, signal.SIGKILL)
                time.sleep(_TICK_S)
        assert self._usage is not None
        return self._usage

    def last_words(self) -> str:
        """Return the end of what it wrote."""
        both = self._errors.read_text(errors="replace") + self.output.read_text(errors="replace")
        return "\n".join(both.splitlines()[-15:])

    def _remember_peak(self) -> None:
        # Not ru_maxrss: it counts the memory of whoever forked it, too (ours, before the exec).
        status = Path(f"/proc/{self.pid}/status").read_text(errors="replace")
        for line in status.splitlines():
            if line.startswith("VmHWM:"):
                self._peak = max(self._peak, int(line.split()[1]) * 1024 / _MB)

    def _reap(self) -> None:
        pid, status, usage = os.wait4(self.pid, os.WNOHANG)
        if not pid:
            return
        self._process.returncode = os.waitstatus_to_exitcode(status)  # nobody waits for it again
        self._usage = Usage(
            seconds=time.perf_counter() - self.began,
            cpu_seconds=usage.ru_utime + usage.ru_stime,
            memory_mb=self._peak,
            exit_code=self._process.returncode,
        )
