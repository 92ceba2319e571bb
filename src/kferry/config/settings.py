"""The typed settings of one cluster: where it is and how to be let in.

Owns the value types only. Knows no file format and no protocol.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from kferry.names import Address


class Secret:
    """A value that never shows itself: not in logs, not in errors, not in a debugger's repr."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the value, for the one place that must send it."""
        return self._value

    def __repr__(self) -> str:
        return "Secret(***)"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)


class Protocol(StrEnum):
    """Kafka's `security.protocol`."""

    PLAINTEXT = "PLAINTEXT"
    SSL = "SSL"
    SASL_PLAINTEXT = "SASL_PLAINTEXT"
    SASL_SSL = "SASL_SSL"

    @property
    def tls(self) -> bool:
        """Whether the bytes are encrypted."""
        return self in {Protocol.SSL, Protocol.SASL_SSL}

    @property
    def sasl(self) -> bool:
        """Whether the client introduces itself with SASL."""
        return self in {Protocol.SASL_PLAINTEXT, Protocol.SASL_SSL}


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsSettings:
    """PEM texts, read once: a file that is rotated is read again when settings are loaded again."""

    trusted: str | None = None
    """CA certificates; None = the machine's own."""
    certificate: str | None = None
    key: Secret | None = None
    key_password: Secret | None = None
    check_hostname: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class SaslSettings:
    """A mechanism and the credentials for it."""

    mechanism: str
    username: str
    password: Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterSettings:
    """Everything needed to talk to one cluster."""

    bootstrap: tuple[Address, ...]
    protocol: Protocol = Protocol.PLAINTEXT
    tls: TlsSettings = field(default_factory=TlsSettings)
    sasl: SaslSettings | None = None
    client_id: str = "kferry"
    rack: str = ""
    address_map: Mapping[Address, Address] = field(default_factory=lambda: MappingProxyType({}))
    """Advertised address → the address to dial instead (tunnels, NAT)."""

    def dial(self, advertised: Address) -> Address:
        """Where to connect to reach a broker that advertises this address."""
        return self.address_map.get(advertised, advertised)
