"""One broker: a Java process with a folder, which may be stopped, killed, paused and started again.

Owns what can be done to it. Knows nothing of the other brokers, nor when the cluster is ready.
"""

import signal
from collections.abc import Callable, Sequence
from pathlib import Path

from kferry.sandbox.layout import Node
from kferry.sandbox.process import Process

_PATIENCE_S = 30.0


class Broker:
    """One broker of a sandbox cluster."""

    def __init__(self, node: Node, command: Callable[[], list[str]]) -> None:
        self.number = node.number
        self.port = node.port
        self.process = Process(node.folder)
        self._command = command

    @property
    def running(self) -> bool:
        """Whether its process is there, paused ones included."""
        return self.process.pid is not None

    @property
    def pid(self) -> int | None:
        """The process id, none if it does not run."""
        return self.process.pid

    @property
    def log(self) -> Path:
        """Its log file."""
        return self.process.log

    def start(self, *, flags: Sequence[str] = ()) -> None:
        """Start it, with the same ports and data as before; does not wait until it answers.

        `flags` go to this Java besides its own.
        """
        if not self.running:
            java, *rest = self._command()
            self.process.start([java, *flags, *rest])

    def stop(self) -> None:
        """Let it hand over its partitions and end."""
        self.process.stop(patience_s=_PATIENCE_S)

    def kill(self) -> None:
        """End it as a power cut would."""
        self.process.kill()

    def pause(self) -> None:
        """Freeze it: connections stay open, nothing is answered."""
        self.process.signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let a paused broker go on."""
        self.process.signal(signal.SIGCONT)
