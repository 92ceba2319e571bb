"""One client on one side: its process, its folder, and what it told last.

Owns start, signals and end of one client. Which clients there are, and what they are told together,
is in `live`.
"""

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kferry.sandbox.cluster import Cluster
from kferry.sandbox.live import reins
from kferry.sandbox.live.journal import Run
from kferry.sandbox.live.reins import State, Wishes
from kferry.sandbox.live.spec import Client, LiveSpec
from kferry.sandbox.process import Process

_MODULE = "kferry.sandbox.live.client"
_ORDER = "run.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What a client's process is started with."""

    spec: LiveSpec
    run: Run
    cluster: Path
    journals: Path
    next_numbers: Mapping[str, int]

    def save(self, folder: Path) -> Path:
        """Write it into the client's folder."""
        content: dict[str, Any] = {
            "spec": self.spec.as_json(),
            "run": self.run.as_json(),
            "cluster": str(self.cluster),
            "journals": str(self.journals),
            "next_numbers": dict(self.next_numbers),
        }
        file = folder / _ORDER
        file.write_text(json.dumps(content), encoding="utf-8")
        return file

    @classmethod
    def load(cls, folder: Path) -> "Order | None":
        """Read what the client in `folder` was started with last, if ever."""
        try:
            content = json.loads((folder / _ORDER).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        return cls(
            spec=LiveSpec.from_json(content["spec"]),
            run=Run.from_json(content["run"]),
            cluster=Path(content["cluster"]),
            journals=Path(content["journals"]),
            next_numbers=content["next_numbers"],
        )


class Instance:
    """A client on a side, whether it runs or not."""

    def __init__(self, home: Path, client: Client, side: str, cluster: Cluster) -> None:
        self.client = client
        self.side = side
        self.cluster = cluster
        self.folder = home / f"{client.name}@{side}"
        self.process = Process(self.folder)

    @property
    def name(self) -> str:
        """The client and its side."""
        return self.folder.name

    @property
    def running(self) -> bool:
        """Whether its process is there."""
        return self.process.pid is not None

    @property
    def order(self) -> Order | None:
        """What it was started with last."""
        return Order.load(self.folder)

    @property
    def state(self) -> State:
        """What it told last; of a process that is gone, that it has stopped."""
        order, told = self.order, reins.state_of(self.folder)
        if order is None or told.run != order.run.number:
            told = State(run=order.run.number if order else 0)
        if self.running or order is None:
            return told
        phase = "stopped" if told.phase == "stopped" else "died"
        return State(run=told.run, phase=phase, records=told.records, faults=told.faults)

    def start(self, order: Order, *, lasting: bool) -> None:
        """Start its process; it ends with ours unless it is to last."""
        self.folder.mkdir(exist_ok=True)
        reins.wish(self.folder, Wishes())
        file = order.save(self.folder)
        # Isolated from the current directory, where anything may be called kferry.
        self.process.start([sys.executable, "-P", "-m", _MODULE, str(file)])
        if lasting:
            self.process.release()

    def wish(self, wishes: Wishes) -> None:
        """Tell it something besides its work."""
        reins.wish(self.folder, wishes)

    @property
    def last_words(self) -> str:
        """The end of its log."""
        try:
            return "\n".join(self.process.log.read_text(errors="replace").splitlines()[-5:])
        except FileNotFoundError:
            return ""
