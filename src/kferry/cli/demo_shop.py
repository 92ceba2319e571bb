"""What the demo moves: numbered history, live traffic, and a migration's folder with its hooks.

Owns their sizes and names, and the two judges' words put together. Knows nothing of the order in
which the story is told.
"""

import dataclasses
import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kferry.sandbox import LiveSpec, Sandbox
from kferry.sandbox.live.judging import LiveVerdict
from kferry.sandbox.verdict import Verdict

NAME = "shop"
HISTORY = f"{NAME}-history"
RECORDS, PARTITIONS = 30_000, 6
TRAFFIC = LiveSpec(prefix=NAME, topics=1, producers=2, groups=1, consumers_per_group=1)
_FILE = """\
version: 1
name: {name}
source: {{bootstrap: "{source}"}}
target: {{bootstrap: "{target}"}}
topics: {{include: ["{name}-*"]}}
"""
_HOOK = """\
#!/bin/sh
# What an operator's scripts would do with deployments is done here with the live clients.
said=$({command} 2>&1) || {{ echo "$said"; exit 1; }}
echo "{done}"
"""
_HOOKS = {
    "on-silence": ("stop --all-producers", "every producer has flushed and stopped"),
    "on-consumers-stop": ("stop --all-consumers", "every consumer has committed and left"),
    "on-handover": (
        "start --all-consumers --all-producers --on target",
        "all of them run again, now on the target",
    ),
    "on-rollback": ("start --all-consumers --all-producers --on source", "all of them run again"),
}
_SUMS = ("sent", "seen", "lost", "repeated", "reordered", "strange")


def make_folder(sandbox: Sandbox) -> Path:
    """Write the migration file, and hooks that stop and start the live clients."""
    folder = sandbox.target.layout.folder / "migration"
    hooks = folder / "hooks"
    hooks.mkdir(parents=True)
    file = _FILE.format(name=NAME, source=sandbox.source.bootstrap, target=sandbox.target.bootstrap)
    (folder / "kferry.yaml").write_text(file, encoding="utf-8")
    for name, (what, done) in _HOOKS.items():
        told = ["sandbox", "live", *what.split(), "--name", sandbox.name, "--prefix", NAME]
        command = shlex.join([sys.executable, "-P", "-m", "kferry", *told])
        hook = hooks / name
        hook.write_text(_HOOK.format(command=command, done=done), encoding="utf-8")
        hook.chmod(0o755)
    return folder


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of every numbered record: those of the history, and those sent meanwhile."""

    history: Verdict
    live: LiveVerdict

    @property
    def exact(self) -> bool:
        """Whether all arrived, each once and in order, and nothing else."""
        return self.history.exact and self.live.exact

    def sum(self, count: Callable[[Verdict | LiveVerdict], int]) -> int:
        """Count over both."""
        return count(self.history) + count(self.live)

    def as_json(self) -> dict[str, Any]:
        """Return what scripts get: the judge's counts, and how long each side was silent."""
        live = self.live.as_json()
        return {
            **{name: getattr(self.history, name) + live[name] for name in _SUMS},
            "interruption_ms": live["interruption_ms"],
            "history": {name: getattr(self.history, name) for name in _SUMS},
            "live": {name: live[name] for name in (*_SUMS, "unknown", "aborted", "aborted_seen")},
        }
