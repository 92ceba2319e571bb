"""Live traffic under a cutover, and the hooks that move it as an operator's scripts would.

Owns the hooks and the walk of the real command. What was lost or repeated is the judge's word, from
the clients' journals.
"""

import contextlib
import json
import os
import signal
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from copying import Ended, ended, kferry, sides
from machine import eventually

from kferry.sandbox import Live, LiveSpec, Sandbox
from kferry.sandbox.live.accounts import Accounts
from kferry.sandbox.live.judging import LiveVerdict

_SMALL: dict[str, Any] = {
    "topics": 1,
    "partitions": 2,
    "producers": 2,
    "groups": 1,
    "rate": 300.0,
}
_CUTOVER = ("--silence", "2s", "--yes", "--json", "--producers-stopped")
_PATIENCE = "40s"
_ALL_TO_TARGET = "start --all-consumers --on target\nlive start --all-producers --on target"
HOOKS: dict[str, dict[str, str]] = {
    "mirror": {
        "on-silence": "stop --all-producers",
        "on-consumers-stop": "stop --all-consumers",
        "on-handover": _ALL_TO_TARGET,
    },
    "producer-first": {
        "on-handover": "move --all-producers --to target",
        "on-consumers-stop": "stop --all-consumers --on source",
        "on-consumers-start": "start --all-consumers --on target",
    },
    "dual-consumer": {
        "on-consumers-start": "start --all-consumers --on target",
        "on-handover": "move --all-producers --to target",
        "on-consumers-stop": "stop --all-consumers --on source",
    },
    "consumer-first": {
        "on-consumers-stop": "stop --all-consumers --on source",
        "on-consumers-start": "start --all-consumers --on target",
        "on-silence": "stop --all-producers",
        "on-handover": "start --all-producers --on target",
    },
    "drain": {
        "on-silence": "stop --all-producers",
        "on-consumers-stop": "stop --all-consumers",
        "on-handover": _ALL_TO_TARGET,
    },
}
_BACK = """case "$KFERRY_DO" in
  stop-producers) live stop --all-producers --on $KFERRY_ON ;;
  start-producers) live start --all-producers --on $KFERRY_ON ;;
  stop-consumers) live stop --all-consumers --on $KFERRY_ON ;;
  start-consumers) live start --all-consumers --on $KFERRY_ON ;;
  start-all)
    live start --all-consumers --on $KFERRY_ON
    live start --all-producers --on $KFERRY_ON ;;
  *) exit 3 ;;
esac"""


def acknowledged(live: Live) -> int:
    """Count what the producers were told is written."""
    accounts = Accounts(live.journals)
    accounts.read_on()
    return sum(len(life.acknowledged) for life in accounts.lives)


def flow(live: Live, records: int) -> None:
    """Wait until so many more were acknowledged."""
    wanted = acknowledged(live) + records
    eventually(lambda: acknowledged(live) >= wanted)


@dataclass(slots=True, kw_only=True)
class Switch:
    """One migration with live traffic."""

    sandbox: Sandbox
    live: Live
    scheme: str
    folder: Path
    migration: str = ""
    """None: one of its own."""

    @property
    def prefix(self) -> str:
        """Begin the names of topics and groups, and name the migration."""
        return self.live.spec.prefix

    @property
    def arguments(self) -> list[str]:
        """Return what every command of this migration needs."""
        return [*sides(self.sandbox), "-m", self.migration or self.prefix]

    def hook(self, name: str, script: str) -> Path:
        """Write a hook; `live` in it is the traffic's command."""
        path = self.folder / "hooks" / name
        path.parent.mkdir(exist_ok=True)
        command = (
            f'{sys.executable} -m kferry sandbox live "$@" '
            f"--name {self.sandbox.name} --prefix {self.prefix}"
        )
        path.write_text(f"#!/bin/sh\nset -e\nlive() {{ {command}; }}\n{script}\n")
        path.chmod(0o755)
        return path

    def walk(self, *more: str, scheme: bool = True, patience: str = _PATIENCE) -> "Walk":
        """Start walking."""
        named = ["--scheme", self.scheme] if scheme else []
        return Walk(
            kferry(
                "cutover",
                *self.arguments,
                *_CUTOVER,
                "--patience",
                patience,
                *named,
                "--topic",
                f"{self.prefix}-*",
                "--hooks",
                str(self.folder / "hooks"),
                "--bundle",
                str(self.folder / "undo.json"),
                *more,
                cwd=self.folder,
            ),
        )

    def walk_back(self, *more: str, patience: str = _PATIENCE) -> "Walk":
        """Start taking it back."""
        return Walk(
            kferry(
                "rollback",
                *self.arguments,
                *_CUTOVER,
                "--patience",
                patience,
                "--hooks",
                str(self.folder / "hooks"),
                *more,
                cwd=self.folder,
            ),
        )

    def roll_back(self, *more: str) -> Ended:
        """Take it back."""
        return self.walk_back(*more).ended()

    def plain(self, *arguments: str) -> Ended:
        """Run another command of this migration."""
        return ended(kferry(*arguments, *self.arguments, cwd=self.folder))

    def judge(self) -> LiveVerdict:
        """Let the journals speak."""
        return self.live.judge(patience_s=40)


class Walk:
    """A cutover that is being walked."""

    def __init__(self, process: Any) -> None:
        self._process = process
        self.events: list[dict[str, Any]] = []

    def until(self, event: str, step: str | None = None) -> None:
        """Read events until one has come."""
        if not self.reaches(event, step):
            raise AssertionError(f"{event} {step} never came: {self._process.stderr.read()}")

    def reaches(self, event: str, step: str | None = None) -> bool:
        """Read events until one has come, and tell whether it did."""
        for line in self._process.stdout:
            found = json.loads(line)
            self.events.append(found)
            if found.get("event") == event and step in {None, found.get("step")}:
                return True
        return False

    def kill(self) -> None:
        """End it as a power cut would, hooks with it."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._process.pid, signal.SIGKILL)
        self._process.communicate()

    def wait(self, *, seconds: float) -> int:
        """Wait for its end for so long, and return its exit code."""
        code: int = self._process.wait(seconds)
        return code

    def ended(self) -> Ended:
        """Wait for its end."""
        return ended(self._process)


@contextlib.contextmanager
def switching(sandbox: Sandbox, scheme: str, folder: Path, **changes: Any) -> Iterator[Switch]:
    """Begin live traffic, with hooks for a scheme."""
    spec = LiveSpec(prefix=f"cut-{uuid.uuid4().hex[:8]}", **{**_SMALL, **changes})
    with Live.begin(sandbox, spec) as live:
        switch = Switch(sandbox=sandbox, live=live, scheme=scheme, folder=folder)
        for name, script in HOOKS[scheme].items():
            switch.hook(name, f"live {script}")
        switch.hook("on-rollback", _BACK)
        yield switch


def assert_exact(verdict: LiveVerdict, *, at_least: int, order: bool = True) -> None:
    """Insist that every record arrived once, and in its order."""
    told = verdict.as_json()
    assert verdict.lost == 0, told
    assert verdict.repeated == 0, told
    assert verdict.strange == verdict.aborted_seen == 0, told
    if order:
        assert verdict.reordered == 0, told
    assert verdict.sent >= at_least, told
