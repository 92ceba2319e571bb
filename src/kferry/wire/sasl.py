"""Introducing ourselves: SASL over Kafka's own requests, or bare tokens on brokers before 1.0.

Owns the exchange; the mechanisms are kafka-python's. Credentials are revealed here and nowhere
else, and no error repeats what was sent.
"""

import asyncio
from typing import Any

from kafka.net.sasl import get_sasl_mechanism
from kafka.protocol.sasl import (
    SaslAuthenticateRequest,
    SaslAuthenticateResponse,
    SaslHandshakeRequest,
    SaslHandshakeResponse,
)

from kferry.config import Protocol, SaslSettings
from kferry.wire.connection import Connection
from kferry.wire.errors import AuthenticationFailed, ConnectionLost

_UNSUPPORTED_MECHANISM = 33
_REAUTHENTICATE_AFTER = 0.8
"""Of the session's lifetime: a connection past it takes no new work and a fresh one replaces it."""


async def authenticate(
    connection: Connection, settings: SaslSettings, protocol: Protocol, *, seconds: float
) -> None:
    """Go through the exchange or raise `AuthenticationFailed`."""
    mechanism = get_sasl_mechanism(settings.mechanism)(
        # What the mechanism logs about passwords in the clear is right only without TLS.
        security_protocol=str(protocol),
        sasl_mechanism=settings.mechanism,
        sasl_plain_username=_user_name(settings),
        sasl_plain_password=settings.password.reveal(),
    )
    wrapped = await _handshake(connection, settings.mechanism, seconds=seconds)
    exchange = _exchange_wrapped if wrapped else _exchange_bare
    while not mechanism.is_done():
        token = await exchange(connection, settings.mechanism, mechanism.auth_bytes(), seconds)
        try:
            mechanism.receive(token)
        except (ValueError, KeyError) as error:
            # SCRAM: the broker could not prove that it knows the password, too.
            raise _refused(connection, settings.mechanism, str(error)) from None
    if not mechanism.is_authenticated():
        raise _refused(connection, settings.mechanism, "the exchange ended without a yes")


def _user_name(settings: SaslSettings) -> str:
    """Escape what separates the fields of a SCRAM message (RFC 5802); the library does not."""
    if settings.mechanism == "PLAIN":
        return settings.username
    return settings.username.replace("=", "=3D").replace(",", "=2C")


async def _handshake(connection: Connection, mechanism: str, *, seconds: float) -> bool:
    request = SaslHandshakeRequest(mechanism=mechanism)
    version = connection.versions.choose(request, connection.where)
    answer = await connection.request(
        request, SaslHandshakeResponse, version=version, seconds=seconds
    )
    if answer.error_code == _UNSUPPORTED_MECHANISM:
        enabled = ", ".join(sorted(answer.mechanisms)) or "no mechanism"
        raise AuthenticationFailed(
            connection.address,
            mechanism,
            f"this listener takes {enabled}",
            hint="set sasl.mechanism to one of these",
        )
    if answer.error_code:
        raise AuthenticationFailed(
            connection.address,
            mechanism,
            "this listener does not ask for SASL",
            hint="set security.protocol to PLAINTEXT or SSL for this port",
        )
    return version >= 1


async def _exchange_wrapped(
    connection: Connection, mechanism: str, token: bytes, seconds: float
) -> bytes:
    answer: Any = await connection.request(
        SaslAuthenticateRequest(auth_bytes=token), SaslAuthenticateResponse, seconds=seconds
    )
    if answer.error_code:
        raise _refused(connection, mechanism, answer.error_message or "")
    if lifetime := getattr(answer, "session_lifetime_ms", 0):
        now = asyncio.get_running_loop().time()
        connection.expires_at = now + _REAUTHENTICATE_AFTER * lifetime / 1000
    return bytes(answer.auth_bytes)


async def _exchange_bare(
    connection: Connection, mechanism: str, token: bytes, seconds: float
) -> bytes:
    framed = len(token).to_bytes(4, "big") + token
    try:
        answer = await connection.submit([framed], api="SASL", correlation_id=None, seconds=seconds)
    except ConnectionLost:
        # Before 1.0 a broker says no by hanging up.
        raise _refused(connection, mechanism, "the broker hung up") from None
    return bytes(answer)


def _refused(connection: Connection, mechanism: str, reason: str) -> AuthenticationFailed:
    return AuthenticationFailed(
        connection.address,
        mechanism,
        reason,
        hint="check user name and password in sasl.jaas.config, and that the user exists there",
    )
