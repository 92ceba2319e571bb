"""What can go wrong between kferry and a broker, each with the place and the cause.

Owns the wire's part of the error tree and the names of Kafka's error codes. Decides nothing: who
retries and who gives up is the caller's business.
"""

from enum import StrEnum
from typing import Any, ClassVar

import kafka.errors

from kferry.errors import ExitCode, KferryError
from kferry.names import Address


class Stage(StrEnum):
    """How far a connection came."""

    DNS = "dns"
    TCP = "tcp"
    TLS = "tls"
    SASL = "sasl"
    API = "api"


class WireError(KferryError):
    """Anything between us and a broker. `retriable`: the same thing later may work."""

    code: ClassVar[str] = "K300"
    retriable: bool = False


class Unreachable(WireError):
    """No connection to this address: no such name, refused, or silence."""

    code = "K301"
    exit_code = ExitCode.TRY_AGAIN
    retriable = True

    def __init__(self, address: Address, stage: Stage, reason: str, *, hint: str) -> None:
        super().__init__(f"cannot reach {address}", reason, hint=hint)
        self.address, self.stage, self.reason = address, stage, reason


class TlsFailed(WireError):
    """The two sides do not agree on a TLS session."""

    code = "K302"
    exit_code = ExitCode.USAGE

    def __init__(self, address: Address, reason: str, *, hint: str) -> None:
        super().__init__(f"no TLS session with {address}", reason, hint=hint)
        self.address, self.stage, self.reason = address, Stage.TLS, reason


class WrongProtocol(WireError):
    """A TLS port spoken to in plain text, or the reverse."""

    code = "K303"
    exit_code = ExitCode.USAGE

    def __init__(self, address: Address, *, port_speaks_tls: bool) -> None:
        is_, was = ("TLS", "plain text") if port_speaks_tls else ("plain text", "TLS")
        want = "SSL or SASL_SSL" if port_speaks_tls else "PLAINTEXT or SASL_PLAINTEXT"
        super().__init__(
            f"{address} speaks {is_} and was spoken to in {was}",
            hint=f"set security.protocol to {want} for this port, or use the other listener's port",
        )
        self.address, self.stage, self.reason = address, Stage.TLS, self.title
        self.port_speaks_tls = port_speaks_tls


class AuthenticationFailed(WireError):
    """The broker does not believe who we say we are."""

    code = "K304"
    exit_code = ExitCode.USAGE

    def __init__(self, address: Address, mechanism: str, reason: str, *, hint: str) -> None:
        super().__init__(f"{address} refused the {mechanism} credentials", reason, hint=hint)
        self.address, self.stage, self.reason = address, Stage.SASL, reason


class ProtocolViolation(WireError):
    """The other side sent something that is not the Kafka protocol."""

    code = "K305"

    def __init__(self, where: str, reason: str) -> None:
        super().__init__(
            f"{where} did not answer in the Kafka protocol",
            reason,
            hint="check that this port is a Kafka listener; the connection was closed",
        )
        self.reason = reason


class RequestTimedOut(WireError):
    """No answer in time. The connection is closed with it, because answers come in order."""

    code = "K306"
    exit_code = ExitCode.TRY_AGAIN
    retriable = True

    def __init__(self, where: str, api: str, seconds: float) -> None:
        super().__init__(
            f"{where} did not answer {api} within {seconds:g} s",
            changed="If it was a change, it may or may not have happened.",
            hint="look at the broker's load, then try again",
        )
        self.api, self.seconds = api, seconds


class ConnectionLost(WireError):
    """The connection ended with requests under way."""

    code = "K307"
    exit_code = ExitCode.TRY_AGAIN
    retriable = True

    def __init__(self, where: str, api: str, reason: str) -> None:
        super().__init__(
            f"the connection to {where} ended during {api}",
            reason,
            changed="If it was a change, it may or may not have happened.",
            hint="look whether the broker is up, then try again",
        )
        self.reason = reason


class UnsupportedApi(WireError):
    """This broker is too old (or too new) for what was asked."""

    code = "K308"

    def __init__(self, where: str, api: str, detail: str) -> None:
        super().__init__(f"{where} cannot be asked {api}", detail)
        self.api = api


class BrokerError(WireError):
    """A broker answered with one of Kafka's error codes."""

    code = "K310"

    def __init__(self, error_code: int, subject: str, message: str | None = None) -> None:
        known = error_class(error_code)
        self.error_code = error_code
        self.name = error_name(error_code)
        self.may_pass = bool(known.retriable)
        super().__init__(
            f"{subject}: {self.name}",
            message or str(known.description or ""),
            hint="it may pass; try again" if self.may_pass else "",
        )
        self.subject = subject


def error_class(error_code: int) -> Any:
    """Return kafka-python's description of an error code."""
    return kafka.errors.for_code(error_code)


def error_name(error_code: int) -> str:
    """Return Kafka's own name of an error code, such as NOT_LEADER_OR_FOLLOWER."""
    known = error_class(error_code)
    name = str(getattr(known, "message", "") or "")
    return name if known.errno == error_code and name.isupper() else f"error {error_code}"


def raise_for(error_code: int, subject: str, message: str | None = None) -> None:
    """Raise unless the code says that all is well."""
    if error_code:
        raise BrokerError(error_code, subject, message)
