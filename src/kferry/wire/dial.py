"""From an address to a connection that is ready for requests.

Owns the order of things: stream, call versions, SASL; and when one of them fails, finding out why.
Keeps nothing.
"""

import ssl

from kferry.config import ClusterSettings
from kferry.names import Address
from kferry.wire.connection import Connection
from kferry.wire.diagnose import explain
from kferry.wire.errors import ConnectionLost, Stage, TlsFailed, Unreachable
from kferry.wire.handshake import ask_versions
from kferry.wire.limits import Limits
from kferry.wire.sasl import authenticate
from kferry.wire.stream import connect, tls_failed


async def dial(settings: ClusterSettings, advertised: Address, limits: Limits) -> Connection:
    """Connect, agree on versions, introduce ourselves."""
    try:
        return await _dial(settings, advertised, limits)
    except ConnectionLost as error:
        raise await explain(settings, advertised, error, limits) from error
    except Unreachable as error:
        if error.stage is not Stage.TLS:
            raise
        raise await explain(settings, advertised, error, limits) from error
    except TlsFailed as error:
        if isinstance(error.__cause__, ssl.SSLCertVerificationError):
            raise  # it speaks TLS; we do not like its certificate
        raise await explain(settings, advertised, error, limits) from error


async def _dial(settings: ClusterSettings, advertised: Address, limits: Limits) -> Connection:
    connection = await connect(settings, advertised, limits)
    try:
        connection.versions = await ask_versions(connection, limits)
        if settings.sasl is not None:
            await authenticate(connection, settings.sasl, settings.protocol, seconds=limits.connect)
    except ConnectionLost as error:
        if isinstance(error.__cause__, ssl.SSLError):
            # TLS 1.3: the broker's opinion of our certificate comes after the handshake.
            raise tls_failed(settings.dial(advertised), error.__cause__) from error.__cause__
        raise
    except BaseException:
        connection.abort()
        raise
    return connection
