"""Is every broker reachable from here, on the address it advertises?

Owns the question for bootstrap servers and brokers alike, asked of all at once, each answer saying
how far the connection came. Clients will need every one of these addresses.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass

from kferry.config import ClusterSettings
from kferry.errors import KferryError
from kferry.names import Address
from kferry.preflight.findings import Finding, Severity, Side
from kferry.wire import (
    AuthenticationFailed,
    Limits,
    Stage,
    TlsFailed,
    Unreachable,
    WireError,
    WrongProtocol,
    dial,
)
from kferry.wire.versions import ApiVersions

_STAGE_CODES = {Stage.DNS: "name-unresolved", Stage.TCP: "unreachable"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """What became of some addresses. `silent`: at least one could not be reached at all."""

    findings: list[Finding]
    answered: bool
    silent: bool


async def try_listeners(
    side: Side,
    settings: ClusterSettings,
    addresses: Iterable[tuple[str, Address]],
    limits: Limits,
) -> Tried:
    """Connect to each (title, address) as a client would, all at the same time."""
    wanted = list(addresses)
    outcomes = await asyncio.gather(*(_try(settings, address, limits) for _, address in wanted))
    return Tried(
        findings=[
            _finding(side, f"{title} {address}", settings, address, outcome)
            for (title, address), outcome in zip(wanted, outcomes, strict=True)
        ],
        answered=any(isinstance(outcome, ApiVersions) for outcome in outcomes),
        silent=any(isinstance(outcome, WireError) and outcome.retriable for outcome in outcomes),
    )


def trouble(side: Side, subject: str, error: KferryError) -> Finding:
    """Turn a failure of the wire into a finding."""
    return Finding(
        side=side,
        subject=subject,
        severity=Severity.ERROR,
        code=_code(error),
        message=str(error),
        hint=error.hint,
    )


def _finding(
    side: Side,
    subject: str,
    settings: ClusterSettings,
    address: Address,
    outcome: ApiVersions | WireError,
) -> Finding:
    if isinstance(outcome, WireError):
        return trouble(side, subject, outcome)
    dialled = settings.dial(address)
    through = "" if dialled == address else f" through {dialled}"
    steps = ["TCP"]
    if settings.protocol.tls:
        steps.append("TLS")
    if settings.sasl is not None:
        steps.append(f"{settings.sasl.mechanism} as {settings.sasl.username}")
    return Finding(
        side=side,
        subject=subject,
        severity=Severity.OK,
        code="listener-answers",
        message=f"answers{through} ({', '.join(steps)}), Kafka {outcome.release}",
    )


async def _try(
    settings: ClusterSettings, address: Address, limits: Limits
) -> ApiVersions | WireError:
    try:
        connection = await dial(settings, address, limits)
    except WireError as error:
        return error
    connection.abort()
    return connection.versions


def _code(error: KferryError) -> str:
    match error:
        case Unreachable():
            return _STAGE_CODES.get(error.stage, "unreachable")
        case TlsFailed():
            return "tls-failed"
        case WrongProtocol():
            return "wrong-protocol"
        case AuthenticationFailed():
            return "credentials-refused"
        case _:
            return "no-answer"
