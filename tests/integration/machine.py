"""This machine as its user sees it: commands, processes, and patience."""

import contextlib
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
    return [line for line in _command_lines() if f"{folder}/" in line]


def _command_lines() -> list[str]:
    if not Path("/proc/self").exists():
        listed = subprocess.check_output(["ps", "-axww", "-o", "args="], text=True)
        return listed.splitlines()
    # Without `ps`: the tests need no program on the PATH that the README does not name.
    lines = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            lines.append(file.read_text(errors="replace").replace("\0", " "))
    return lines


def eventually(is_so: Callable[[], object], *, patience_s: float = PATIENCE_S) -> None:
    """Wait until something is true."""
    deadline = time.monotonic() + patience_s
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.05)
