"""One cluster of a sandbox: its brokers, and what clients need to know of it.

Owns the view from outside, of a cluster that was booted here or found in a folder. Knows nothing of
the other side; how a cluster comes up is in `boot`.
"""

from functools import partial
from pathlib import Path

from kferry.sandbox import java, learnt, locks, readiness, zookeeper
from kferry.sandbox.broker import Broker
from kferry.sandbox.errors import BootError
from kferry.sandbox.jars import class_path
from kferry.sandbox.layout import Layout, Node
from kferry.sandbox.learnt import Use
from kferry.sandbox.process import Process
from kferry.sandbox.spec import ClusterSpec
from kferry.sandbox.waiting import came_true

_MAIN = "kafka.Kafka"
_HEAP_MB = 256
_DEFAULTS_HEAP_MB = 512  # the default cleaner buffer alone is 128 MB


class Cluster:
    """One running cluster."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.brokers = tuple(Broker(n, partial(_command, layout.spec, n)) for n in layout.nodes)
        self.zookeeper = None if layout.spec.kafka.kraft else zookeeper.find(layout)

    @property
    def version(self) -> str:
        """The version of Kafka."""
        return self.layout.spec.version

    @property
    def cluster_id(self) -> str:
        """The id that its brokers answer with."""
        return self.layout.cluster_id

    @property
    def bootstrap(self) -> str:
        """Every broker's address, comma-separated."""
        return self.layout.bootstrap

    @property
    def properties(self) -> Path:
        """A Java client file for the administrator."""
        return self.layout.folder / "admin.properties"

    @property
    def kferry_properties(self) -> Path:
        """A Java client file for a user with no more rights than kferry needs on this side."""
        return self.layout.folder / "kferry.properties"

    @property
    def processes(self) -> tuple[Process, ...]:
        """Everything that was started for it."""
        own = tuple(broker.process for broker in self.brokers)
        return (*own, self.zookeeper) if self.zookeeper else own

    def what_is_missing(self) -> str:
        """Return why the cluster does not answer in full, in a few words; nothing if it does."""
        return readiness.what_is_missing(
            self.properties, cluster_id=self.cluster_id, brokers=len(self.brokers)
        )

    def wait_until_complete(self, patience_s: float = 90.0) -> None:
        """Wait until every broker answers again, after some were stopped and started."""
        if not came_true(lambda: not self.what_is_missing(), patience_s):
            raise BootError(
                f"the cluster was not complete within {patience_s:.0f} s",
                self.what_is_missing(),
                hint="kferry sandbox status names the brokers' logs",
            )


def _command(spec: ClusterSpec, node: Node) -> list[str]:
    return java.command(
        _MAIN,
        str(node.settings),
        class_path=class_path(locks.for_kafka(spec.version)),
        heap_mb=_DEFAULTS_HEAP_MB if spec.broker_defaults else _HEAP_MB,
        log_level="INFO",
        # The broker itself starts in half the time; the defaults are for those who measure.
        quick_start=not spec.broker_defaults,
        temporary=node.folder / "tmp",
        flags=(*_learnt_flags(spec), *_jaas_flags(node)),
    )


def _learnt_flags(spec: ClusterSpec) -> tuple[str, ...]:
    return () if spec.broker_defaults else learnt.flags(spec.version, Use.BROKER)


def _jaas_flags(node: Node) -> tuple[str, ...]:
    if not node.jaas.exists():
        return ()
    # Without the second, the broker would look there for a login at ZooKeeper, too.
    return (f"-Djava.security.auth.login.config={node.jaas}", "-Dzookeeper.sasl.client=false")
