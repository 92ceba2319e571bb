"""TLS contexts from settings.

Owns the one mapping of TLS settings to Python's `ssl`. Opens no connection.
"""

import contextlib
import os
import ssl
import tempfile
from collections.abc import Iterator
from pathlib import Path

from kferry.config import TlsSettings
from kferry.errors import ConfigError


def tls_context(settings: TlsSettings) -> ssl.SSLContext:
    """Build a client context: certificates checked, and host names unless switched off."""
    try:
        context = ssl.create_default_context(ssl.Purpose.SERVER_AUTH, cadata=settings.trusted)
    except (ssl.SSLError, TypeError, ValueError) as error:
        raise ConfigError(
            "the trusted certificates cannot be used", _reason(error), hint="check ssl.truststore.*"
        ) from None
    context.check_hostname = settings.check_hostname
    if settings.certificate:
        _introduce(context, settings)
    return context


def probe_context() -> ssl.SSLContext:
    """Build a context that trusts anybody, only to find out whether a port speaks TLS at all."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _introduce(context: ssl.SSLContext, settings: TlsSettings) -> None:
    if settings.key is None:
        raise ConfigError(
            "there is a client certificate and no private key",
            hint="add ssl.keystore.key, or put the key into the key store file",
        )
    password = settings.key_password.reveal() if settings.key_password else ""
    with _private_file(f"{settings.key.reveal()}{settings.certificate}") as file:
        try:
            # The password is always given: OpenSSL would ask on the terminal for a missing one.
            context.load_cert_chain(file, password=lambda: password)
        except ssl.SSLError as error:
            raise ConfigError(
                "the client certificate cannot be used",
                _reason(error),
                hint="check that key and certificate belong together, and ssl.key.password",
            ) from None


@contextlib.contextmanager
def _private_file(text: str) -> Iterator[Path]:
    # OpenSSL takes keys from files only. mkstemp makes it 0600, and it lives for milliseconds.
    descriptor, name = tempfile.mkstemp(suffix=".pem")
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(text)
        yield Path(name)
    finally:
        Path(name).unlink()


def _reason(error: Exception) -> str:
    return (getattr(error, "reason", None) or str(error)).replace("_", " ").lower()
