"""What brokers find in ZooKeeper about users: SCRAM credentials, and ACLs where no call makes them.

Owns the form of these nodes, which go in before the first broker starts. Pure: writes nothing.
"""

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Iterable, Mapping
from itertools import groupby

from kferry.admin.acls import Acl
from kferry.admin.operations import Operation, Resource

_ITERATIONS = 4096
_HASH = "sha512"
# What 0.10 knows; settings can be neither read nor changed through the brokers there.
_OPERATIONS = {
    operation.title
    for operation in (
        Operation.READ,
        Operation.WRITE,
        Operation.CREATE,
        Operation.DELETE,
        Operation.ALTER,
        Operation.DESCRIBE,
        Operation.CLUSTER_ACTION,
    )
}
_KINDS: dict[str, str] = {
    Resource.TOPIC: "Topic",
    Resource.GROUP: "Group",
    Resource.CLUSTER: "Cluster",
}


def scram_nodes(passwords: Mapping[str, str]) -> dict[str, bytes]:
    """Return the nodes that let these users in with SCRAM-SHA-512."""
    return {
        f"/config/users/{user}": json.dumps(
            {"version": 1, "config": {"SCRAM-SHA-512": _credential(password)}}
        ).encode()
        for user, password in passwords.items()
    }


def acl_nodes(acls: Iterable[Acl]) -> dict[str, bytes]:
    """Return the nodes of these ACLs, without those that 0.10 has no words for."""
    known = [a for a in acls if a.resource in _KINDS and a.operation in _OPERATIONS]

    def place(acl: Acl) -> str:
        return f"/kafka-acl/{_KINDS[acl.resource]}/{acl.name}"

    return {
        path: json.dumps({"version": 1, "acls": [_rule(acl) for acl in group]}).encode()
        for path, group in groupby(sorted(known, key=place), place)
    }


def _rule(acl: Acl) -> dict[str, str]:
    return {
        "principal": acl.principal,
        "permissionType": "Allow",
        "operation": acl.operation,
        "host": "*",
    }


def _credential(password: str) -> str:
    """Return what a broker keeps of a password (RFC 5802)."""
    salt = secrets.token_bytes(24)
    salted = hashlib.pbkdf2_hmac(_HASH, password.encode(), salt, _ITERATIONS)
    stored = hashlib.new(_HASH, hmac.digest(salted, b"Client Key", _HASH)).digest()
    server = hmac.digest(salted, b"Server Key", _HASH)
    words = {"salt": salt, "stored_key": stored, "server_key": server}
    encoded = ",".join(f"{key}={base64.b64encode(word).decode()}" for key, word in words.items())
    return f"{encoded},iterations={_ITERATIONS}"
