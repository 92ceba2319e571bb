"""Who may enter a cluster of the sandbox, and how: users, credentials, and what both ends are told.

Owns the settings that have to do with security, on brokers and clients. What a user may do once
inside is in `grants`. Knows nothing of processes.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from kferry.sandbox.layout import Layout
from kferry.sandbox.ports import HOST
from kferry.sandbox.server_properties import CONTROLLER
from kferry.sandbox.spec import Security

if TYPE_CHECKING:
    from kferry.sandbox.tls import Authority

BROKER, ADMIN, KFERRY = "broker", "admin", "kferry"
_PLAIN = "org.apache.kafka.common.security.plain.PlainLoginModule"
_SCRAM = "org.apache.kafka.common.security.scram.ScramLoginModule"
_SUPER_USERS = f"User:{BROKER};User:{ADMIN}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """What brokers, the storage tool and the clients of one cluster must be told."""

    server: Mapping[str, str]
    storage: tuple[str, ...] = ()
    admin: Mapping[str, str] = field(default_factory=dict)
    kferry: Mapping[str, str] = field(default_factory=dict)


def make_access(layout: Layout, authority: "Authority | None") -> Access:
    """Make credentials for one cluster; certificates go into its folder."""
    if authority is None:
        return _open()
    stores = _Stores(layout.folder / "tls", authority)
    if layout.spec.security is Security.SSL:
        return _mutual_tls(stores)
    return _sasl_over_tls(stores)


def _open() -> Access:
    """Let everybody in and, until the first ACL on a resource, do everything."""
    return Access(
        server={"super.users": "User:ANONYMOUS", "allow.everyone.if.no.acl.found": "true"}
    )


def _mutual_tls(stores: "_Stores") -> Access:
    return Access(
        server={**_closed(stores), "ssl.client.auth": "required"},
        admin={"security.protocol": "SSL", **stores.of(ADMIN)},
        kferry={"security.protocol": "SSL", **stores.of(KFERRY)},
    )


def _sasl_over_tls(stores: "_Stores") -> Access:
    passwords = {user: secrets.token_urlsafe(18) for user in (BROKER, ADMIN, KFERRY)}
    listener = f"listener.name.{Security.SASL_SSL}"
    known = "".join(f' user_{user}="{password}"' for user, password in passwords.items())
    return Access(
        server={
            **_closed(stores),
            f"listener.name.{CONTROLLER.lower()}.ssl.client.auth": "required",
            "sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-512",
            # Brokers themselves use PLAIN: SCRAM credentials lie in the metadata that they need
            # each other to read.
            "sasl.mechanism.inter.broker.protocol": "PLAIN",
            f"{listener}.plain.sasl.jaas.config": _jaas(_PLAIN, BROKER, passwords, known),
            f"{listener}.scram-sha-512.sasl.jaas.config": f"{_SCRAM} required;",
        },
        storage=tuple(
            word
            for user in (ADMIN, KFERRY)
            for word in ("--add-scram", f"SCRAM-SHA-512=[name={user},password={passwords[user]}]")
        ),
        # Both users exist in both mechanisms. The files differ, so that both are in use.
        admin=_sasl_client(stores, "PLAIN", _jaas(_PLAIN, ADMIN, passwords)),
        kferry=_sasl_client(stores, "SCRAM-SHA-512", _jaas(_SCRAM, KFERRY, passwords)),
    )


def _closed(stores: "_Stores") -> dict[str, str]:
    """Return the settings of a broker that knows whom it lets in."""
    return {
        **stores.of(BROKER, hosts=("localhost", HOST)),
        # CN=admin is User:admin
        "ssl.principal.mapping.rules": "RULE:^CN=([^,]+).*$/$1/,DEFAULT",
        "super.users": _SUPER_USERS,
        "allow.everyone.if.no.acl.found": "false",
    }


def _sasl_client(stores: "_Stores", mechanism: str, jaas: str) -> dict[str, str]:
    return {
        "security.protocol": "SASL_SSL",
        "sasl.mechanism": mechanism,
        "sasl.jaas.config": jaas,
        **stores.trust,
    }


def _jaas(module: str, user: str, passwords: Mapping[str, str], more: str = "") -> str:
    return f'{module} required username="{user}" password="{passwords[user]}"{more};'


class _Stores:
    """Certificates as PEM files in a cluster's folder, and the settings that name them."""

    def __init__(self, folder: Path, authority: "Authority") -> None:
        self._folder = folder
        self._authority = authority
        folder.mkdir(parents=True)
        self.trust = self._store("truststore", "ca", authority.certificate)

    def of(self, user: str, *, hosts: tuple[str, ...] = ()) -> dict[str, str]:
        """Issue a certificate; return the settings to show it and to trust the others'."""
        pem = self._authority.issue(user, hosts)
        return {**self.trust, **self._store("keystore", user, pem)}

    def _store(self, store: str, name: str, pem: str) -> dict[str, str]:
        file = self._folder / f"{name}.pem"
        file.touch(mode=0o600)
        file.write_text(pem, encoding="ascii")
        return {f"ssl.{store}.type": "PEM", f"ssl.{store}.location": str(file)}
