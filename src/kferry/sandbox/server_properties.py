"""The settings of a broker, as text.

Owns which setting has which value and why. Pure: reads and writes no file.
"""

from collections.abc import Mapping

from kferry.sandbox.layout import Layout, Node
from kferry.sandbox.ports import HOST
from kferry.sandbox.spec import Security

CONTROLLER = "CONTROLLER"
INSIDE = "INSIDE"

# What tests wait for, sooner than a broker does it by itself. A version that does not know a
# setting passes over it with a warning in its log.
_QUICK = {
    "group.initial.rebalance.delay.ms": "0",
    "group.min.session.timeout.ms": "500",
    "log.cleaner.backoff.ms": "500",
    "log.cleaner.dedupe.buffer.size": "8388608",  # the default takes half the heap of 256 MB
    "log.initial.task.delay.ms": "500",
    "log.retention.check.interval.ms": "1000",
    "log.segment.delete.delay.ms": "1000",
    "offsets.topic.num.partitions": "4",
    "group.share.heartbeat.interval.ms": "500",
    "group.share.min.heartbeat.interval.ms": "500",
    # An open transaction stays open for a day's practice, not a quarter of an hour.
    "transaction.max.timeout.ms": "86400000",
    "delete.topic.enable": "true",
    "transaction.state.log.num.partitions": "4",
    "share.coordinator.state.topic.num.partitions": "4",
    "transaction.abort.timed.out.transaction.cleanup.interval.ms": "500",
    # How long a dead broker leads on.
    "broker.heartbeat.interval.ms": "500",
    "broker.session.timeout.ms": "3000",
    "zookeeper.session.timeout.ms": "6000",
    # Threads cost memory, and there are two cores for two clusters.
    "num.network.threads": "2",
    "num.io.threads": "4",
}


def server_properties(layout: Layout, node: Node, security: Mapping[str, str]) -> dict[str, str]:
    """Return every setting of one broker; `security` comes from whoever made the credentials."""
    spec = layout.spec
    return {
        **({} if spec.broker_defaults else _QUICK),
        **(_kraft(layout, node) if spec.kafka.kraft else _zookeeper(layout, node)),
        **_replication(spec.replication),
        "log.dirs": str(node.data),
        "authorizer.class.name": spec.kafka.authorizer,
        **_listeners(layout, node),
        **security,
        **spec.extra,
    }


def as_text(settings: Mapping[str, str]) -> str:
    """Write settings as a Java properties file."""
    escaped = {key: value.replace("\\", "\\\\") for key, value in settings.items()}
    return "".join(f"{key}={value}\n" for key, value in escaped.items())


def _kraft(layout: Layout, node: Node) -> dict[str, str]:
    voters = (f"{n.number}@{HOST}:{n.controller_port}" for n in layout.nodes)
    return {
        "node.id": str(node.number),
        "process.roles": "broker,controller",
        "controller.quorum.voters": ",".join(voters),
        "controller.listener.names": CONTROLLER,
    }


def _zookeeper(layout: Layout, node: Node) -> dict[str, str]:
    return {
        "broker.id": str(node.number),
        "zookeeper.connect": f"{HOST}:{layout.zookeeper_port}",
        "zookeeper.connection.timeout.ms": "30000",
    }


def _replication(replicas: int) -> dict[str, str]:
    in_sync = str(min(2, replicas))
    return {
        "default.replication.factor": str(replicas),
        "min.insync.replicas": in_sync,
        "offsets.topic.replication.factor": str(replicas),
        "transaction.state.log.replication.factor": str(replicas),
        "transaction.state.log.min.isr": in_sync,
        "share.coordinator.state.topic.replication.factor": str(replicas),
        "share.coordinator.state.topic.min.isr": in_sync,
    }


def _listeners(layout: Layout, node: Node) -> dict[str, str]:
    clients = layout.spec.security.upper()
    # Controllers speak among themselves: with certificates as soon as clients have to.
    inside = Security.PLAINTEXT if layout.spec.security is Security.PLAINTEXT else Security.SSL
    listeners = {clients: f"{HOST}:{node.port}"}
    protocols = {clients: clients}
    if layout.spec.kafka.kraft:
        listeners[CONTROLLER] = f"{HOST}:{node.controller_port}"
        protocols[CONTROLLER] = inside.upper()
    elif layout.spec.security is Security.SASL_SSL:
        # Brokers of 2.x cannot log in to each other on this Java: as SASL clients they ask the
        # SecurityManager, which is gone (JEP 486). They show certificates instead.
        listeners[INSIDE] = f"{HOST}:{node.controller_port}"
        protocols[INSIDE] = inside.upper()
    advertised = {name: place for name, place in listeners.items() if name != CONTROLLER}
    return {
        "listeners": _places(listeners),
        "advertised.listeners": _places(advertised),
        "listener.security.protocol.map": ",".join(map(":".join, protocols.items())),
        "inter.broker.listener.name": INSIDE if INSIDE in listeners else clients,
    }


def _places(listeners: Mapping[str, str]) -> str:
    return ",".join(f"{name}://{address}" for name, address in listeners.items())
