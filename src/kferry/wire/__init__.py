"""The one transport: everything that talks to Kafka goes through here.

Owns connections (framing, TLS, SASL, pipelining), the choice of call versions, and the routing of
calls to leaders, coordinators and controllers with refresh and retry. Knows nothing of migrations.
"""

from kferry.wire.cluster import Cluster, open_cluster
from kferry.wire.connection import Connection
from kferry.wire.dial import dial
from kferry.wire.errors import (
    AuthenticationFailed,
    BrokerError,
    ConnectionLost,
    ProtocolViolation,
    RequestTimedOut,
    Stage,
    TlsFailed,
    Unreachable,
    UnsupportedApi,
    WireError,
    WrongProtocol,
    error_name,
)
from kferry.wire.limits import Limits
from kferry.wire.metadata import Broker, Metadata, Partition, Topic
from kferry.wire.routing import Kind, Outcomes, at_coordinators, at_every_broker, at_leaders

__all__ = [
    "AuthenticationFailed",
    "Broker",
    "BrokerError",
    "Cluster",
    "Connection",
    "ConnectionLost",
    "Kind",
    "Limits",
    "Metadata",
    "Outcomes",
    "Partition",
    "ProtocolViolation",
    "RequestTimedOut",
    "Stage",
    "TlsFailed",
    "Topic",
    "Unreachable",
    "UnsupportedApi",
    "WireError",
    "WrongProtocol",
    "at_coordinators",
    "at_every_broker",
    "at_leaders",
    "dial",
    "error_name",
    "open_cluster",
]
