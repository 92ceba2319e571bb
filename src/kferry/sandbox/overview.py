"""How the sandboxes of this machine are, seen from outside.

Owns the view: looks at folders and processes, asks no broker, changes nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from kferry.sandbox import layout_file, places
from kferry.sandbox.claim import Owner, owner
from kferry.sandbox.cluster import Cluster
from kferry.sandbox.sandbox import SIDES, names, not_found


class State(StrEnum):
    """What a sandbox is fit for."""

    RUNNING = "running"
    STARTING = "starting"
    DAMAGED = "damaged"
    """Some of its processes have ended."""
    UNFINISHED = "unfinished"
    """Whoever started it ended before it was up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """One sandbox at one moment; a cluster is missing while its start has not come to it."""

    name: str
    state: State
    clusters: Mapping[str, Cluster]

    def as_json(self) -> dict[str, Any]:
        """Return what scripts get."""
        sides = {side: describe(cluster) for side, cluster in self.clusters.items()}
        return {"name": self.name, "state": self.state, **sides}


def look_at(name: str) -> Status:
    """Look at the sandbox called `name`."""
    folder = places.sandbox_folder(name)
    if not folder.exists():
        raise not_found(name)
    clusters = {
        side: Cluster(layout_file.load(folder / side))
        for side in SIDES
        if layout_file.exists(folder / side)
    }
    alive = [process.pid is not None for c in clusters.values() for process in c.processes]
    return Status(name=name, state=_state(owner(folder), alive), clusters=clusters)


def look_at_all() -> list[Status]:
    """Look at all sandboxes of this machine."""
    return [look_at(name) for name in names()]


def describe(cluster: Cluster) -> dict[str, Any]:
    """Return what scripts need to know of one cluster. Credentials stay in the files it names."""
    spec = cluster.layout.spec
    return {
        "bootstrap": cluster.bootstrap,
        "properties": str(cluster.properties),
        "kferry_properties": str(cluster.kferry_properties),
        "version": spec.version,
        "security": spec.security,
        "cluster_id": cluster.cluster_id,
        "brokers": [
            {"id": broker.number, "port": broker.port, "pid": broker.pid, "log": str(broker.log)}
            for broker in cluster.brokers
        ],
    }


def _state(owner_: Owner, alive: list[bool]) -> State:
    if owner_ is Owner.DEAD:
        return State.UNFINISHED
    if alive and all(alive):
        return State.RUNNING
    return State.STARTING if owner_ is Owner.ALIVE else State.DAMAGED
