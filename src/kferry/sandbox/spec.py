"""What can be asked of a sandbox: two clusters, each with a version, a size and a security mode.

Owns the wishes and their limits. Knows nothing of how they are fulfilled.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from kferry.sandbox import versions
from kferry.sandbox.errors import NOTHING_RUNS, BadSpecError

_SIZES = (1, 3)


class Security(StrEnum):
    """How clients reach the brokers."""

    PLAINTEXT = "plaintext"
    SSL = "ssl"
    SASL_SSL = "sasl_ssl"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterSpec:
    """One cluster, as wished for.

    `broker_defaults` leaves every setting to the broker that one machine does not force upon it;
    without it, rebalances, cleaning and retention are quick, as tests want them. `extra` settings
    win over ours.
    """

    version: str = versions.NEWEST
    brokers: int = 1
    security: Security = Security.PLAINTEXT
    broker_defaults: bool = False
    extra: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    def __post_init__(self) -> None:
        versions.find(self.version)
        if self.brokers not in _SIZES:
            raise BadSpecError(
                f"a cluster of {self.brokers} brokers",
                "the sandbox builds clusters of 1 or 3",
                hint="kferry sandbox up --brokers 3",
                changed=NOTHING_RUNS,
            )

    @property
    def kafka(self) -> versions.KafkaVersion:
        """What sets this version apart."""
        return versions.find(self.version)

    @property
    def replication(self) -> int:
        """How many replicas a partition gets."""
        return min(3, self.brokers)
