"""Is every broker reachable from here, on the address it advertises?

Owns the question for bootstrap servers and brokers alike, asked of all at once, each answer saying
how far the connection came. Clients will need every one of these addresses.
"""

import asyncio
from collections.abc import Awaitable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from kferry.config import ClusterSettings
from kferry.errors import KferryError
from kferry.names import Address, BrokerId
from kferry.preflight.findings import Finding, Side, failure, ok
from kferry.wire import (
    AuthenticationFailed,
    Broker,
    Cluster,
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


class _Attempt(NamedTuple):
    subject: str
    address: Address
    connecting: Awaitable[ApiVersions]


async def try_bootstrap(side: Side, settings: ClusterSettings, limits: Limits) -> Tried:
    """Connect to every bootstrap server, all at the same time."""

    async def connect(address: Address) -> ApiVersions:
        connection = await dial(settings, address, limits)
        connection.abort()
        return connection.versions

    return await _try_all(
        side,
        settings,
        [
            _Attempt(f"bootstrap {address}", address, connect(address))
            for address in dict.fromkeys(settings.bootstrap)
        ],
    )


async def try_brokers(side: Side, cluster: Cluster) -> Tried:
    """Connect to every broker on the address it advertises; the connections are kept for later."""

    async def connect(broker: BrokerId) -> ApiVersions:
        return (await cluster.connection(broker)).versions

    brokers = cluster.metadata.brokers.values()
    tried = await _try_all(
        side,
        cluster.settings,
        [
            _Attempt(f"broker {broker.id} {broker.address}", broker.address, connect(broker.id))
            for broker in brokers
        ],
    )
    tried.findings.extend(_shared(side, cluster.settings, brokers))
    return tried


async def _try_all(side: Side, settings: ClusterSettings, attempts: Sequence[_Attempt]) -> Tried:
    outcomes = await asyncio.gather(*(_or_error(one.connecting) for one in attempts))
    return Tried(
        findings=[
            _finding(side, one.subject, settings, one.address, outcome)
            for one, outcome in zip(attempts, outcomes, strict=True)
        ],
        answered=any(isinstance(outcome, ApiVersions) for outcome in outcomes),
        silent=any(isinstance(outcome, WireError) and outcome.retriable for outcome in outcomes),
    )


def _shared(side: Side, settings: ClusterSettings, brokers: Iterable[Broker]) -> Iterator[Finding]:
    """Name brokers that are dialled at one address: calls would reach whichever answers there."""
    dialled: dict[Address, list[str]] = {}
    for broker in brokers:
        dialled.setdefault(settings.dial(broker.address), []).append(str(broker.id))
    for address, ids in dialled.items():
        if len(ids) > 1:
            yield failure(
                side,
                f"brokers {', '.join(ids)}",
                code="shared-address",
                message=f"all are reached at {address}",
                hint="each broker needs an address of its own: check advertised.listeners, a load "
                "balancer in between, and kferry.address.map",
            )


def trouble(side: Side, subject: str, error: KferryError) -> Finding:
    """Turn a failure of the wire into a finding."""
    return failure(side, subject, code=_code(error), message=str(error), hint=error.hint)


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
    return ok(
        side,
        subject,
        code="listener-answers",
        message=f"answers{through} ({', '.join(steps)}), Kafka {outcome.release}",
    )


async def _or_error(attempt: Awaitable[ApiVersions]) -> ApiVersions | WireError:
    try:
        return await attempt
    except WireError as error:
        return error


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
