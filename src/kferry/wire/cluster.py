"""One cluster: its connections, its metadata, and calls that find their way.

Owns one connection per broker, opened when first needed and replaced when it died or its
credentials are about to expire, and the newest metadata. Every broker is reached on the address it
advertises. What is tried again, and for how long, is decided in `retry`.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Any, NamedTuple, TypeVar

from kferry.config import ClusterSettings
from kferry.names import Address, BrokerId, TopicName
from kferry.wire.bootstrap import first_answer
from kferry.wire.connection import Connection
from kferry.wire.dial import dial
from kferry.wire.errors import BrokerError, ConnectionLost, Stage, Unreachable, WireError
from kferry.wire.limits import Limits
from kferry.wire.metadata import Metadata, ask_metadata
from kferry.wire.retry import keep_trying

_T = TypeVar("_T")
_NOT_CONTROLLER = 41


class _Failure(NamedTuple):
    """A broker that could not be reached, and until when it is not tried again."""

    error: WireError
    until: float


class Cluster:
    """Calls to a cluster. Made by `open_cluster`, which also closes it."""

    def __init__(self, settings: ClusterSettings, limits: Limits) -> None:
        self.settings = settings
        self.limits = limits
        self._connections: dict[BrokerId, Connection] = {}
        self._dialling: dict[BrokerId, asyncio.Task[Connection]] = {}
        self._failed: dict[BrokerId, _Failure] = {}
        self._retired: set[Connection] = set()
        self._closed = False
        self._metadata: Metadata | None = None

    @property
    def metadata(self) -> Metadata:
        """The newest picture of brokers; topics only as far as they were asked for last."""
        assert self._metadata is not None  # noqa: S101 `open_cluster` asks before it hands out
        return self._metadata

    async def start(self) -> None:
        """Ask the bootstrap servers who the brokers are."""
        if self._closed:
            raise self._is_closed()
        self._metadata = await first_answer(self.settings, self.limits)

    async def refresh(
        self, topics: Iterable[TopicName] | None = (), *, operations: bool = False
    ) -> Metadata:
        """Ask for metadata of some topics, or all (None)."""
        wanted = None if topics is None else tuple(topics)

        async def ask(connection: Connection) -> Metadata:
            return await ask_metadata(
                connection, wanted, seconds=self.limits.request, operations=operations
            )

        self._metadata = await self.at_any(ask)
        return self._metadata

    async def at_any(self, ask: Callable[[Connection], Awaitable[_T]]) -> _T:
        """Ask whichever broker answers; with all known ones gone, begin at the bootstrap again."""
        failure: WireError | None = None
        # Connected ones first, so that a question costs no handshake where it need not; those that
        # did not answer last time last.
        known = sorted(
            self.metadata.brokers,
            key=lambda broker: (broker in self._failed, self._live(broker) is None),
        )
        for broker in known:
            try:
                return await ask(await self.connection(broker))
            except WireError as error:
                if not error.retriable:
                    raise
                failure = error
        try:
            await self.start()
            return await ask(await self.connection(next(iter(self.metadata.brokers))))
        except WireError as error:
            raise failure or error from error

    async def any_connection(self) -> Connection:
        """Return a live connection to whichever broker answers."""

        async def itself(connection: Connection) -> Connection:
            return connection

        return await self.at_any(itself)

    async def request(self, request: Any, response: Any, *, most: int | None = None) -> Any:
        """Send to any broker."""
        return await self.at_any(lambda at: self._send(at, request, response, most))

    async def at_broker(
        self, broker: BrokerId, request: Any, response: Any, *, most: int | None = None
    ) -> Any:
        """Send to this broker and no other."""
        return await self._send(await self.connection(broker), request, response, most)

    async def at_controller(
        self,
        request: Any,
        response: Any,
        *,
        codes: Callable[[Any], Iterable[int]],
        most: int | None = None,
    ) -> Any:
        """Send to the controller; `codes` finds the error codes in the answer.

        Only "I am not the controller" is tried again: a change whose answer was lost may have
        happened.
        """

        async def once() -> Any:
            controller = self.metadata.controller
            if controller is None:
                raise BrokerError(_NOT_CONTROLLER, f"{request.name}: no controller is known")
            answer = await self.at_broker(controller, request, response, most=most)
            if _NOT_CONTROLLER in codes(answer):
                raise BrokerError(_NOT_CONTROLLER, request.name)
            return answer

        return await keep_trying(
            once,
            self.limits,
            before_again=self.refresh,
            again=lambda error: (
                isinstance(error, BrokerError) and error.error_code == _NOT_CONTROLLER
            ),
        )

    async def connection(self, broker: BrokerId) -> Connection:
        """Return a live connection to a broker, dialling if there is none.

        Who asks while it is dialled waits for the same attempt; and a broker that cost us seconds
        without an answer is not tried again for as long.
        """
        if self._closed:
            raise self._is_closed()
        if (live := self._live(broker)) is not None:
            return live
        failure = self._failed.get(broker)
        if failure is not None and asyncio.get_running_loop().time() < failure.until:
            raise failure.error
        if broker not in self._dialling:
            self._dialling[broker] = asyncio.create_task(self._dial(broker))
        try:
            return await asyncio.shield(self._dialling[broker])
        except asyncio.CancelledError:
            if self._closed:  # the attempt was cancelled, not who waits for it
                raise self._is_closed() from None
            raise

    async def _dial(self, broker: BrokerId) -> Connection:
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            fresh = await dial(self.settings, self._address(broker), self.limits)
        except WireError as error:
            self._failed[broker] = _Failure(error, until=2 * loop.time() - began)
            raise
        finally:
            del self._dialling[broker]
        self._failed.pop(broker, None)
        self._connections[broker] = fresh
        return fresh

    def _live(self, broker: BrokerId) -> Connection | None:
        connection = self._connections.get(broker)
        if connection is None or connection.closed:
            return None
        if connection.address != self.settings.dial(self._address(broker)):
            self._retire(broker, connection)  # the broker moved
            return None
        now = asyncio.get_running_loop().time()
        if connection.expires_at is not None and now >= connection.expires_at:
            self._retire(broker, connection)
            return None
        return connection

    def _retire(self, broker: BrokerId, connection: Connection) -> None:
        """Send nothing new on it; what is in flight may finish."""
        del self._connections[broker]
        connection.retire()
        self._retired = {old for old in (*self._retired, connection) if not old.closed}

    def _address(self, broker: BrokerId) -> Address:
        known = self.metadata.brokers.get(broker)
        if known is None:
            raise Unreachable(
                Address(f"broker {broker}", 0),
                Stage.DNS,
                "the cluster does not list this broker just now",
                hint="it may be down; look at the cluster, then try again",
            )
        return known.address

    async def _send(
        self, connection: Connection, request: Any, response: Any, most: int | None
    ) -> Any:
        return await connection.request(request, response, seconds=self.limits.request, most=most)

    def drop_connections(self) -> None:
        """Close every connection at once, with what is in flight; the next call opens new ones."""
        for connection in (*self._connections.values(), *self._retired):
            connection.abort()

    def close(self) -> None:
        """Close every connection at once; nothing can be asked any more."""
        self._closed = True
        for dialling in self._dialling.values():
            dialling.cancel()
        for connection in (*self._connections.values(), *self._retired):
            connection.abort()

    def _is_closed(self) -> ConnectionLost:
        where = ",".join(map(str, self.settings.bootstrap))
        return ConnectionLost(f"cluster {where}", "this call", "it was closed on our side")


@asynccontextmanager
async def open_cluster(
    settings: ClusterSettings, limits: Limits | None = None
) -> AsyncIterator[Cluster]:
    """Connect to a cluster for as long as the block lasts."""
    cluster = Cluster(settings, limits or Limits())
    await cluster.start()
    try:
        yield cluster
    finally:
        cluster.close()
