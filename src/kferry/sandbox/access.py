"""Who may enter a cluster of the sandbox, and how: users, credentials, and what both ends are told.

Owns the settings that have to do with security, on brokers and clients. What a user may do once
inside is in `grants`, the certificates' files are in `stores`. Knows nothing of processes.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from kferry.admin.acls import Acl
from kferry.sandbox.grants import acls
from kferry.sandbox.layout import Layout
from kferry.sandbox.ports import HOST
from kferry.sandbox.server_properties import CONTROLLER, INSIDE
from kferry.sandbox.spec import Security
from kferry.sandbox.stores import Stores
from kferry.sandbox.versions import KafkaVersion
from kferry.sandbox.zookeeper_access import acl_nodes, scram_nodes

if TYPE_CHECKING:
    from kferry.sandbox.tls import Authority

BROKER, ADMIN, KFERRY = "broker", "admin", "kferry"
_PLAIN = "org.apache.kafka.common.security.plain.PlainLoginModule"
_SCRAM = "org.apache.kafka.common.security.scram.ScramLoginModule"
_SUPER_USERS = f"User:{BROKER};User:{ADMIN}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """What brokers, the storage tool, ZooKeeper and the clients of one cluster must be told."""

    server: Mapping[str, str]
    jaas: str = ""
    """A JAAS file for the brokers, where their settings cannot say it."""
    storage: tuple[str, ...] = ()
    zookeeper: Mapping[str, bytes] = field(default_factory=dict)
    """What must lie in ZooKeeper before the first broker starts."""
    acls: tuple[Acl, ...] = ()
    """What the administrator must put into the running cluster."""
    admin: Mapping[str, str] = field(default_factory=dict)
    kferry: Mapping[str, str] = field(default_factory=dict)


def make_access(layout: Layout, authority: "Authority | None") -> Access:
    """Make credentials for one cluster; certificates go into its folder."""
    if authority is None:
        return _open()
    stores = Stores(layout.folder / "tls", authority)
    access = (_mutual_tls if layout.spec.security is Security.SSL else _sasl_over_tls)(
        layout.spec.kafka, stores
    )
    return _with_rights(access, layout)


def _open() -> Access:
    """Let everybody in and, until the first ACL on a resource, do everything."""
    return Access(
        server={"super.users": "User:ANONYMOUS", "allow.everyone.if.no.acl.found": "true"}
    )


def _with_rights(access: Access, layout: Layout) -> Access:
    """Give the kferry user the rights of its side, in whichever way this version takes them."""
    kafka = layout.spec.kafka
    bare = kafka.maps_names or layout.spec.security is not Security.SSL
    user = KFERRY if bare else f"CN={KFERRY}"
    wanted = tuple(acls(user, side=layout.folder.name, prefixes=kafka.prefixed_acls))
    if kafka.acl_calls:
        return replace(access, acls=wanted)
    return replace(access, zookeeper={**access.zookeeper, **acl_nodes(wanted)})


def _mutual_tls(kafka: KafkaVersion, stores: Stores) -> Access:
    return Access(
        server={**_closed(kafka, stores), "ssl.client.auth": "required"},
        admin={"security.protocol": "SSL", **stores.of(ADMIN)},
        kferry={"security.protocol": "SSL", **stores.of(KFERRY)},
    )


def _sasl_over_tls(kafka: KafkaVersion, stores: Stores) -> Access:
    passwords = {user: secrets.token_urlsafe(18) for user in (BROKER, ADMIN, KFERRY)}
    clients = {user: passwords[user] for user in (ADMIN, KFERRY)}
    inside = (CONTROLLER if kafka.kraft else INSIDE).lower()
    known = "".join(f' user_{user}="{password}"' for user, password in passwords.items())
    plain, scram = _jaas(_PLAIN, BROKER, passwords, known), f"{_SCRAM} required;"
    server = {
        **_closed(kafka, stores),
        f"listener.name.{inside}.ssl.client.auth": "required",
        "sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-512",
    }
    if kafka.kraft:
        # Brokers themselves use PLAIN: SCRAM credentials lie in the metadata that they need each
        # other to read.
        server["sasl.mechanism.inter.broker.protocol"] = "PLAIN"
    if kafka.listener_jaas:
        listener = f"listener.name.{Security.SASL_SSL}"
        server[f"{listener}.plain.sasl.jaas.config"] = plain
        server[f"{listener}.scram-sha-512.sasl.jaas.config"] = scram
    return Access(
        server=server,
        jaas="" if kafka.listener_jaas else f"KafkaServer {{\n{plain}\n{scram}\n}};\n",
        storage=tuple(
            word
            for user, password in clients.items()
            for word in ("--add-scram", f"SCRAM-SHA-512=[name={user},password={password}]")
        ),
        zookeeper=scram_nodes(clients),
        # Both users exist in both mechanisms. The files differ, so that both are in use.
        admin=_sasl_client(stores, "PLAIN", _jaas(_PLAIN, ADMIN, passwords)),
        kferry=_sasl_client(stores, "SCRAM-SHA-512", _jaas(_SCRAM, KFERRY, passwords)),
    )


def _closed(kafka: KafkaVersion, stores: Stores) -> dict[str, str]:
    """Return the settings of a broker that knows whom it lets in."""
    show = stores.of if kafka.pem else stores.of_java
    settings = {
        **show(BROKER, hosts=("localhost", HOST)),
        "super.users": _SUPER_USERS,
        "allow.everyone.if.no.acl.found": "false",
    }
    if kafka.maps_names:
        # CN=admin is User:admin
        settings["ssl.principal.mapping.rules"] = "RULE:^CN=([^,]+).*$/$1/,DEFAULT"
    else:
        # With the listener's prefix 0.10 would not heed it; SASL_SSL clients are never asked.
        settings["ssl.client.auth"] = "required"
        settings["super.users"] += f";User:CN={BROKER};User:CN={ADMIN}"
    return settings


def _sasl_client(stores: Stores, mechanism: str, jaas: str) -> dict[str, str]:
    return {
        "security.protocol": "SASL_SSL",
        "sasl.mechanism": mechanism,
        "sasl.jaas.config": jaas,
        **stores.trust,
    }


def _jaas(module: str, user: str, passwords: Mapping[str, str], more: str = "") -> str:
    return f'{module} required username="{user}" password="{passwords[user]}"{more};'
