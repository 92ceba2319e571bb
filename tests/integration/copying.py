"""Running the real command on real clusters, for tests of the copy.

Owns the command line and the process. What arrived is judged by `judging`, never by kferry.
"""

import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kferry.sandbox import Sandbox

_PATIENCE_S = 100
SHORT = ("--until-caught-up", "--yes", "--json")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a command ended."""

    code: int
    result: dict[str, Any]
    said: str
    lines: list[dict[str, Any]] = field(default_factory=list)


def sides(sandbox: Sandbox) -> list[str]:
    """Name both clusters as the least privileged user."""
    return [
        "--source-config",
        str(sandbox.source.kferry_properties),
        "--target-config",
        str(sandbox.target.kferry_properties),
    ]


def kferry(*arguments: str, cwd: Path | None = None) -> subprocess.Popen[str]:
    """Start a command as a user would; a process group of its own, so that a kill is exact."""
    return subprocess.Popen(
        [sys.executable, "-m", "kferry", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=cwd or os.environ["KFERRY_HOME"],  # logs go where the command runs
        env={**os.environ, "NO_COLOR": "1"},
    )


def ended(process: subprocess.Popen[str], *, patience: float = _PATIENCE_S) -> Ended:
    """Wait for a command's end."""
    try:
        out, said = process.communicate(timeout=patience)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        out, said = process.communicate()
        raise AssertionError(
            f"it did not end within {patience} s:\n{said}\n{out[-3000:]}"
        ) from None
    lines = [json.loads(line) for line in out.splitlines() if line.startswith("{")]
    return Ended(code=process.returncode, result=lines[-1] if lines else {}, said=said, lines=lines)


def copy(sandbox: Sandbox, *arguments: str, migration: str) -> Ended:
    """Copy until caught up."""
    return ended(kferry("copy", *sides(sandbox), "-m", migration, *SHORT, *arguments))
