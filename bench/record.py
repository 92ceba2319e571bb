"""Measuring whole commands and writing results down with the command that made them."""

import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.contest.options import Options
from bench.contest.results import Result

RESULTS = Path(__file__).parent / "results"
KFERRY = str(Path(sys.executable).with_name("kferry"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """Some runs of one thing, in seconds."""

    what: str
    command: str
    seconds: tuple[float, ...]

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)

    def line(self) -> str:
        low, high = min(self.seconds), max(self.seconds)
        spread = f"({low:.2f} to {high:.2f}, n={len(self.seconds)})"
        return f"{self.what:<52} {self.median:8.2f} s   {spread}"


def time_command(
    what: str, command: Sequence[str], *, runs: int, shown: str | None = None
) -> Measurement:
    """Time a command as a whole process; a failing one is no measurement."""

    def once() -> None:
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    shown = shown or " ".join(["kferry" if part == KFERRY else part for part in command])
    return time_calls(what, shown, once, runs=runs)


def time_calls(what: str, command: str, once: Callable[[], None], *, runs: int) -> Measurement:
    """Time a call several times."""
    seconds = []
    for _ in range(runs):
        began = time.perf_counter()
        once()
        seconds.append(time.perf_counter() - began)
    return Measurement(what=what, command=command, seconds=tuple(seconds))


def write_down(name: str, measurements: Sequence[Measurement | Result], options: Options) -> None:
    """Print the table and keep it as JSON, unless the load was smaller than it should be."""
    for one in measurements:
        print(one.line())
    folder = options.results or (RESULTS if options.scale == 1 else None)
    if folder is None or not measurements:
        return
    folder.mkdir(exist_ok=True)
    kept = {
        "made_by": " ".join(["python -m bench", *_arguments(name)]),
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "measurements": [asdict(one) for one in measurements],
    }
    (folder / f"{name}.json").write_text(json.dumps(kept, indent=2) + "\n")


def _arguments(name: str) -> list[str]:
    """Return what this measurement was told, without the others' names and the place to keep it."""
    given = iter(sys.argv[1:])
    kept = [name]
    for word in given:
        if word == "--results":
            next(given, None)
        elif word.startswith("--"):
            kept += [word] if word == "--large" or "=" in word else [word, next(given, "")]
    return kept
