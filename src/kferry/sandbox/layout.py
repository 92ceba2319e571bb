"""One cluster as it will stand: which broker has which number, ports and folder.

Owns the arrangement on this machine. Knows neither settings nor processes.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from kferry.sandbox import ports as free_ports
from kferry.sandbox.ports import HOST
from kferry.sandbox.spec import ClusterSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One broker: its number, its ports, its folder."""

    number: int
    port: int
    controller_port: int
    folder: Path

    @property
    def settings(self) -> Path:
        """The file with the broker's settings."""
        return self.folder / "server.properties"

    @property
    def jaas(self) -> Path:
        """The file that says how users log in, where settings cannot."""
        return self.folder / "jaas.conf"

    @property
    def data(self) -> Path:
        """The broker's log directory."""
        return self.folder / "data"


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """One cluster's place on this machine."""

    spec: ClusterSpec
    folder: Path
    cluster_id: str
    nodes: tuple[Node, ...]
    zookeeper_port: int

    @property
    def bootstrap(self) -> str:
        """What clients call the cluster."""
        return ",".join(f"{HOST}:{node.port}" for node in self.nodes)

    @property
    def ports(self) -> list[int]:
        """Every port, in the order in which `arrange` takes them."""
        of_nodes = [port for node in self.nodes for port in (node.port, node.controller_port)]
        return [*of_nodes, self.zookeeper_port]


def plan(spec: ClusterSpec, folder: Path) -> Layout:
    """Find a place for a cluster: free ports and a new cluster id."""
    ports = free_ports.find_free(2 * spec.brokers + 1)
    return arrange(spec, folder, cluster_id=new_id(), ports=ports)


def arrange(spec: ClusterSpec, folder: Path, *, cluster_id: str, ports: Sequence[int]) -> Layout:
    """Give each broker its number, ports and folder."""
    *of_nodes, zookeeper_port = ports
    pairs = zip(of_nodes[::2], of_nodes[1::2], strict=True)
    nodes = tuple(
        Node(
            number=number,
            port=port,
            controller_port=controller_port,
            folder=folder / f"broker-{number}",
        )
        for number, (port, controller_port) in enumerate(pairs, start=1)
    )
    return Layout(
        spec=spec,
        folder=folder,
        cluster_id=cluster_id,
        nodes=nodes,
        zookeeper_port=zookeeper_port,
    )


def new_id() -> str:
    """Make an id as Kafka makes them: 16 bytes in base 64, no dash in front (it confuses tools)."""
    while (made := secrets.token_urlsafe(16)).startswith("-"):
        pass
    return made
