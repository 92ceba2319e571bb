"""This machine as its user sees it: commands, processes, and patience."""

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

PATIENCE_S = 50.0
KFERRY = str(Path(sys.executable).with_name("kferry"))


def kferry(
    *arguments: str, stdin: str = "", folder: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the command to its end and until nobody holds its output any more."""
    return subprocess.run(
        [KFERRY, *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        cwd=folder,
        timeout=PATIENCE_S,
        check=False,
    )


def processes_of(folder: Path) -> list[str]:
    """Return the command line of every process that has something to do with a folder."""
    listed = subprocess.check_output(["ps", "-axww", "-o", "args="], text=True)
    return [line for line in listed.splitlines() if f"{folder}/" in line]


def eventually(is_so: Callable[[], object], *, patience_s: float = PATIENCE_S) -> None:
    """Wait until something is true."""
    deadline = time.monotonic() + patience_s
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.05)
