"""From a Java client's properties to the settings of a cluster.

Owns which keys mean what. A key that a broker connection does not need is ignored, as Kafka's own
clients do: one file serves them and kferry.
"""

import os
import re
from collections.abc import Mapping
from pathlib import Path

from kferry.config.jaas import credentials
from kferry.config.properties import parse_properties
from kferry.config.settings import ClusterSettings, Protocol, SaslSettings
from kferry.config.tls import tls_settings
from kferry.config.values import Properties
from kferry.errors import ConfigError
from kferry.names import Address

MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")
_PORTS = range(1, 65536)


def load_cluster(
    bootstrap: str | None, properties: Path | None, *, side: str = "cluster"
) -> ClusterSettings:
    """Build settings from what the command line names: addresses, a properties file, or both."""
    if properties is not None:
        return load_properties(properties, bootstrap=bootstrap)
    if bootstrap is None:
        raise ConfigError(
            f"no {side} was named",
            hint=f"name it with --{side} HOST:PORT, or with --{side}-config FILE.properties",
        )
    return ClusterSettings(bootstrap=parse_bootstrap(bootstrap, where=f"--{side}"))


def load_properties(path: Path, *, bootstrap: str | None = None) -> ClusterSettings:
    """Read a Java client's properties file; `bootstrap` wins over the file's own servers."""
    return cluster_settings(read_properties(path), bootstrap=bootstrap)


def read_properties(path: Path, *, environment: Mapping[str, str] = os.environ) -> Properties:
    """Read a Java client's properties file, nothing interpreted yet."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not UTF-8 text"
        raise ConfigError(
            f"cannot read {path}: {reason}", hint="check the path and its permissions"
        ) from None
    return Properties(parse_properties(text), name=str(path), environment=environment)


def cluster_settings(properties: Properties, *, bootstrap: str | None = None) -> ClusterSettings:
    """Map properties to settings."""
    servers = properties.get("bootstrap.servers") if bootstrap is None else bootstrap
    if servers is None:
        raise ConfigError(
            f"{properties.name} has no bootstrap.servers",
            hint="add bootstrap.servers=HOST:PORT,… to the file, or name the cluster with "
            "--source or --target beside it",
        )
    protocol = _protocol(properties)
    return ClusterSettings(
        bootstrap=parse_bootstrap(
            servers,
            where=properties.where("bootstrap.servers")
            if bootstrap is None
            else "the command line",
        ),
        protocol=protocol,
        tls=tls_settings(properties),
        sasl=_sasl(properties) if protocol.sasl else None,
        client_id=properties.get("client.id") or "kferry",
        rack=properties.get("client.rack") or "",
        address_map=_address_map(properties),
    )


def parse_bootstrap(servers: str, *, where: str) -> tuple[Address, ...]:
    """Read `host:port,host:port`."""
    names = [name for name in re.split(r"[,\s]+", servers) if name]
    if not names:
        raise ConfigError(f"{where} names no server", hint="write HOST:PORT, several with commas")
    return tuple(parse_address(name, where=where) for name in names)


def parse_address(text: str, *, where: str) -> Address:
    """Read `host:port`, `[v6]:port`, and Kafka's listener form `SASL_SSL://host:port`."""
    name = re.sub(r"^[A-Za-z0-9_]+://", "", text)
    match = re.fullmatch(r"(\[[0-9A-Fa-f:.%\w]+\]|[^:\s/\[\]]+):(\d+)", name)
    if match is None or int(match[2]) not in _PORTS:
        raise ConfigError(
            f"{where}: `{text}` is not an address", hint="write HOST:PORT, several with commas"
        )
    return Address(match[1].strip("[]"), int(match[2]))


def _protocol(properties: Properties) -> Protocol:
    value = (properties.get("security.protocol") or "PLAINTEXT").upper()
    if value not in Protocol.__members__:
        raise ConfigError(
            f"{properties.where('security.protocol')}: `{value}` is not a protocol",
            hint=f"one of {', '.join(Protocol)}",
        )
    return Protocol(value)


def _sasl(properties: Properties) -> SaslSettings:
    mechanism = (properties.get("sasl.mechanism") or "GSSAPI").upper()
    if mechanism not in MECHANISMS:
        raise ConfigError(
            f"{properties.where('sasl.mechanism')}: {mechanism} is not supported",
            "GSSAPI is what Kafka takes when the key is absent." if mechanism == "GSSAPI" else "",
            hint=f"one of {', '.join(MECHANISMS)}",
        )
    jaas = properties.get("sasl.jaas.config")
    if jaas is None:
        raise ConfigError(
            f"{properties.name} has no sasl.jaas.config",
            hint="kferry reads user name and password from it, as Kafka's own tools do",
        )
    username, password = credentials(jaas, where=properties.where("sasl.jaas.config"))
    return SaslSettings(mechanism=mechanism, username=username, password=password)


def _address_map(properties: Properties) -> dict[Address, Address]:
    key = "kferry.address.map"
    pairs = (properties.get(key) or "").replace("\n", ",").split(",")
    mapped: dict[Address, Address] = {}
    for pair in filter(None, map(str.strip, pairs)):
        advertised, sign, dialled = pair.partition("=")
        if not sign:
            raise ConfigError(
                f"{properties.where(key)}: `{pair}` is not a pair",
                hint="write ADVERTISED:PORT=DIALLED:PORT, several with commas",
            )
        where = properties.where(key)
        mapped[parse_address(advertised.strip(), where=where)] = parse_address(
            dialled.strip(), where=where
        )
    return mapped
