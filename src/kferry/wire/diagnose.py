"""Why a handshake failed: the port is asked in the other ways it might be meant to be spoken to.

Owns the questions, each on a connection of its own. Only asked after a failure, so a healthy
cluster never sees them.
"""

import ssl
from dataclasses import replace

from kafka.protocol.sasl import SaslHandshakeRequest, SaslHandshakeResponse

from kferry.config import ClusterSettings, Protocol
from kferry.names import Address
from kferry.wire.errors import AuthenticationFailed, TlsFailed, WireError, WrongProtocol
from kferry.wire.handshake import ask_versions
from kferry.wire.limits import Limits
from kferry.wire.stream import connect
from kferry.wire.tls import probe_context

_UNSUPPORTED_MECHANISM = 33


async def explain(
    settings: ClusterSettings, advertised: Address, failure: WireError, limits: Limits
) -> WireError:
    """Return the cause behind a hang-up if it can be found, else the failure itself."""
    dialled = settings.dial(advertised)
    if settings.protocol.tls:
        if await _answers_in_plain_text(settings, advertised, limits):
            return WrongProtocol(dialled, port_speaks_tls=False)
    elif await _speaks_tls(settings, advertised, limits):
        return WrongProtocol(dialled, port_speaks_tls=True)
    if not settings.protocol.sasl and (
        mechanisms := await _wanted_mechanisms(settings, advertised, limits)
    ):
        protocol = "SASL_SSL" if settings.protocol.tls else "SASL_PLAINTEXT"
        return AuthenticationFailed(
            dialled,
            "missing",
            f"this listener wants SASL ({', '.join(mechanisms)})",
            hint=f"set security.protocol={protocol}, sasl.mechanism and sasl.jaas.config",
        )
    return failure


async def _answers_in_plain_text(
    settings: ClusterSettings, advertised: Address, limits: Limits
) -> bool:
    plain = replace(settings, protocol=Protocol.PLAINTEXT)
    try:
        connection = await connect(plain, advertised, limits)
        try:
            await ask_versions(connection, limits)
        finally:
            connection.abort()
    except WireError:
        return False
    return True


async def _speaks_tls(settings: ClusterSettings, advertised: Address, limits: Limits) -> bool:
    try:
        connection = await connect(settings, advertised, limits, context=probe_context())
    except TlsFailed as error:
        cause = error.__cause__
        # An alert is spoken by TLS only; a hang-up or a foreign word is not.
        return isinstance(cause, ssl.SSLError) and "ALERT" in (cause.reason or "")
    except WireError:
        return False
    connection.abort()
    return True


async def _wanted_mechanisms(
    settings: ClusterSettings, advertised: Address, limits: Limits
) -> list[str]:
    """Ask for a mechanism that does not exist: a SASL listener answers with those that do."""
    try:
        connection = await connect(settings, advertised, limits)
        try:
            connection.versions = await ask_versions(connection, limits)
            answer = await connection.request(
                SaslHandshakeRequest(mechanism="?"), SaslHandshakeResponse, seconds=limits.connect
            )
        finally:
            connection.abort()
    except WireError:
        return []
    return sorted(answer.mechanisms) if answer.error_code == _UNSUPPORTED_MECHANISM else []
