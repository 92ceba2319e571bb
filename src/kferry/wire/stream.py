"""From an address to an open stream: name, TCP, TLS.

Owns these three steps, each with its own time limit and its own error, so that whoever waits learns
how far it came. Sends nothing of Kafka.
"""

import asyncio
import socket
import ssl

from kferry.config import ClusterSettings
from kferry.names import Address
from kferry.wire.connection import Connection
from kferry.wire.errors import Stage, TlsFailed, Unreachable, WireError
from kferry.wire.limits import Limits
from kferry.wire.tls import tls_context

_Resolved = tuple[int, int, int, str, tuple[object, ...]]


async def connect(
    settings: ClusterSettings,
    advertised: Address,
    limits: Limits,
    *,
    context: ssl.SSLContext | None = None,
) -> Connection:
    """Open the stream, with TLS where the settings say so or by a `context` of the caller's."""
    dialled = settings.dial(advertised)
    if context is None and settings.protocol.tls:
        context = tls_context(settings.tls)
    opened = await _tcp(dialled, limits)
    loop = asyncio.get_running_loop()
    try:
        _, connection = await loop.create_connection(
            lambda: Connection(address=dialled, client_id=settings.client_id),
            sock=opened,
            ssl=context,
            # Certificates name the advertised host, whatever tunnel leads there.
            server_hostname=advertised.host if context is not None else None,
            ssl_handshake_timeout=limits.connect if context is not None else None,
        )
    except (ssl.SSLEOFError, ssl.SSLZeroReturnError) as error:
        _let_go(opened)
        raise _hung_up(dialled) from error
    except ssl.SSLError as error:
        _let_go(opened)
        raise tls_failed(dialled, error) from error
    except OSError as error:  # reset, aborted, silent: what a broker does that restarts
        _let_go(opened)
        raise _hung_up(dialled) from error
    except BaseException:
        _let_go(opened)
        raise
    return connection


def _let_go(opened: socket.socket) -> None:
    """Forget a socket that a transport was to be made of.

    uvloop closes the descriptor itself. Where the other side ended the connection before uvloop had
    tied the two together (a TLS hello to a dead line), the socket does not hear of it and would
    close the same number again: by then another connection's.
    """
    if isinstance(asyncio.get_running_loop(), asyncio.BaseEventLoop):
        opened.close()
    else:
        opened.detach()


async def _tcp(address: Address, limits: Limits) -> socket.socket:
    """Try each of the name's addresses until one answers."""
    refusal: WireError | None = None
    for family, kind, protocol, _, target in await _resolve(address, limits):
        try:
            candidate = socket.socket(family, kind, protocol)
        except OSError as error:  # a machine without IPv6, say
            refusal = refusal or _refused(address, error)
            continue
        try:
            candidate.setblocking(False)  # noqa: FBT003 the standard library's signature
            candidate.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            candidate.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            async with asyncio.timeout(limits.connect):
                await asyncio.get_running_loop().sock_connect(candidate, target)
        except TimeoutError:
            refusal = _silent(address, limits.connect)
            candidate.close()
        except OSError as error:
            refusal = refusal or _refused(address, error)
            candidate.close()
        except BaseException:
            candidate.close()
            raise
        else:
            return candidate
    assert refusal is not None  # noqa: S101 getaddrinfo returns at least one address or raises
    raise refusal


async def _resolve(address: Address, limits: Limits) -> list[_Resolved]:
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(limits.connect):
            found = await loop.getaddrinfo(
                address.host, address.port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP
            )
    except TimeoutError:
        reason = f"the name {address.host} was not resolved within {limits.connect:g} s"
        raise Unreachable(address, Stage.DNS, reason, hint="check the name server") from None
    except (OSError, UnicodeError):
        raise Unreachable(
            address,
            Stage.DNS,
            f"the name {address.host} does not resolve on this machine",
            hint="check the spelling; if the brokers advertise a name that only they know, add it "
            "to /etc/hosts or map it with kferry.address.map",
        ) from None
    return [*found]


def _silent(address: Address, seconds: float) -> Unreachable:
    return Unreachable(
        address,
        Stage.TCP,
        f"no answer on port {address.port} within {seconds:g} s",
        hint=f"open port {address.port} to this machine: a closed security group or a firewall "
        "looks like this",
    )


def _hung_up(address: Address) -> Unreachable:
    return Unreachable(
        address,
        Stage.TLS,
        "the other side ended the TLS handshake without a word, or did not answer it",
        hint="a broker that starts or stops looks like this; look at it, then try again",
    )


def _refused(address: Address, error: OSError) -> Unreachable:
    if isinstance(error, ConnectionRefusedError):
        return Unreachable(
            address,
            Stage.TCP,
            f"port {address.port} refuses connections: nothing listens there",
            hint="check the port and that the broker is up",
        )
    reason = (error.strerror or str(error)).lower()
    return Unreachable(address, Stage.TCP, reason, hint="check the route to this address")


def tls_failed(address: Address, error: OSError) -> TlsFailed:
    """Say in words why there is no TLS session."""
    if isinstance(error, ssl.SSLCertVerificationError):
        wrong_name = error.verify_code in {62, 64}  # X509_V_ERR_HOSTNAME_MISMATCH, …IP_ADDRESS_…
        hint = (
            "connect by a name that the certificate holds; behind a tunnel map it with "
            "kferry.address.map"
            if wrong_name
            else "put the CA that signed it into ssl.truststore.location (PEM)"
        )
        return TlsFailed(
            address, f"its certificate is not accepted: {error.verify_message}", hint=hint
        )
    reason = str(getattr(error, "reason", None) or error).replace("_", " ").lower()
    if "certificate required" in reason or "alert" in reason:
        return TlsFailed(
            address,
            f"the broker ended it: {reason}",
            hint="it may want a client certificate: set ssl.keystore.location (PEM)",
        )
    return TlsFailed(address, reason or "the broker hung up", hint="check the port's protocol")
