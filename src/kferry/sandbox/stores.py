"""Certificates as files in a cluster's folder, and the settings that name them.

Owns the files. Clients get PEM, which kferry reads; brokers that do not, get PKCS12.
"""

import secrets
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kferry.sandbox.tls import Authority


class Stores:
    """The key stores of one cluster, and what it trusts."""

    def __init__(self, folder: Path, authority: "Authority") -> None:
        self._folder = folder
        self._authority = authority
        self._password = secrets.token_urlsafe(18)
        folder.mkdir(parents=True)
        self.trust = self._pem("truststore", "ca", authority.certificate)

    def of(self, user: str, *, hosts: tuple[str, ...] = ()) -> dict[str, str]:
        """Issue a certificate; return the settings to show it and to trust the others'."""
        pem = self._authority.issue(user, hosts)
        return {**self.trust, **self._pem("keystore", user, pem)}

    def of_java(self, user: str, *, hosts: tuple[str, ...] = ()) -> dict[str, str]:
        """Do the same for readers of PKCS12."""
        # Imported here as the authority is: without TLS nobody waits for the package.
        from kferry.sandbox import pkcs12  # noqa: PLC0415

        key = pkcs12.key_store(self._authority.issue(user, hosts), self._password)
        trust = pkcs12.trust_store(self._authority.certificate, self._password)
        return {
            **self._pkcs12("truststore", "ca", trust),
            **self._pkcs12("keystore", user, key),
            "ssl.key.password": self._password,
            # The default before Kafka 2.0 is to take any broker's certificate for any other's.
            "ssl.endpoint.identification.algorithm": "https",
        }

    def _pem(self, store: str, name: str, pem: str) -> dict[str, str]:
        return self._store(store, "PEM", f"{name}.pem", pem.encode("ascii"))

    def _pkcs12(self, store: str, name: str, content: bytes) -> dict[str, str]:
        settings = self._store(store, "PKCS12", f"{name}.p12", content)
        return {**settings, f"ssl.{store}.password": self._password}

    def _store(self, store: str, kind: str, name: str, content: bytes) -> dict[str, str]:
        file = self._folder / name
        file.touch(mode=0o600)
        file.write_bytes(content)
        return {f"ssl.{store}.type": kind, f"ssl.{store}.location": str(file)}
