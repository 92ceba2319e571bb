"""The `ssl.*` keys of a Java client: PEM is taken, JKS and PKCS12 are named as what to convert.

Owns the mapping of key stores to PEM texts. Builds no TLS context; `wire` does.
"""

import re
from pathlib import Path

from kferry.config.settings import Secret, TlsSettings
from kferry.config.values import Properties
from kferry.errors import ConfigError

_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)
_KEY = re.compile(r"-----BEGIN ([A-Z ]*PRIVATE KEY)-----.+?-----END \1-----", re.DOTALL)


def tls_settings(properties: Properties) -> TlsSettings:
    """Read trust store, key store and hostname check."""
    trusted = properties.get("ssl.truststore.certificates") or _store(properties, "truststore")
    keystore = _store(properties, "keystore")
    chain = properties.get("ssl.keystore.certificate.chain") or keystore
    key = properties.get("ssl.keystore.key") or keystore
    password = properties.get("ssl.key.password")
    return TlsSettings(
        trusted=_certificates(trusted, properties.where("ssl.truststore")) if trusted else None,
        certificate=_certificates(chain, properties.where("ssl.keystore")) if chain else None,
        key=_private_key(key, properties.where("ssl.keystore")) if key else None,
        key_password=Secret(password) if password else None,
        # Kafka's rule: emptied switches the check off, absent means https.
        check_hostname=not properties.is_emptied("ssl.endpoint.identification.algorithm"),
    )


def _store(properties: Properties, store: str) -> str | None:
    key = f"ssl.{store}.location"
    location = properties.get(key)
    if location is None:
        return None
    try:
        content = Path(location).expanduser().read_bytes()
    except OSError as error:
        raise ConfigError(
            f"{properties.where(key)}: cannot read {location}: {error.strerror}",
            hint="check the path and its permissions",
        ) from None
    if b"-----BEGIN " not in content:
        raise ConfigError(
            f"{properties.where(key)}: {location} is not PEM but a {_kind(content)} key store",
            hint=_conversion(store, location, content),
        )
    return content.decode("ascii", errors="replace")


def _kind(content: bytes) -> str:
    if content.startswith(b"\xfe\xed\xfe\xed"):
        return "JKS"
    return "PKCS12" if content.startswith(b"\x30") else "binary"


def _conversion(store: str, location: str, content: bytes) -> str:
    p12 = location if _kind(content) == "PKCS12" else "store.p12"
    first = (
        ""
        if p12 == location
        else f"keytool -importkeystore -srckeystore {location} -destkeystore {p12} "
        "-deststoretype PKCS12, then "
    )
    what = "-nokeys" if store == "truststore" else "-nodes"
    return (
        f"convert it: {first}openssl pkcs12 -in {p12} {what} -out {store}.pem; "
        f"then ssl.{store}.type=PEM and ssl.{store}.location={store}.pem"
    )


def _certificates(pem: str, where: str) -> str:
    found = _CERTIFICATE.findall(pem)
    if not found:
        raise ConfigError(
            f"{where} holds no certificate", hint="it needs a BEGIN CERTIFICATE block"
        )
    return "\n".join(found) + "\n"


def _private_key(pem: str, where: str) -> Secret:
    found = _KEY.search(pem)
    if not found:
        raise ConfigError(
            f"{where} holds no private key", hint="it needs a BEGIN PRIVATE KEY block (PKCS#8)"
        )
    return Secret(found[0] + "\n")
