"""One connection to one broker: requests out, responses back in the same order.

Owns the in-flight requests and their deadlines. A request that times out takes the connection with
it: answers come in order, and what comes after a missing one cannot be told apart from it. Knows
neither security nor routing; `dial` makes connections, `cluster` chooses among them.
"""

import asyncio
import contextlib
import itertools
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from kferry.names import Address
from kferry.wire.codec import Undecodable, correlation_of, decode_response, encode_request
from kferry.wire.errors import (
    ConnectionLost,
    ProtocolViolation,
    RequestTimedOut,
    WireError,
    WrongProtocol,
)
from kferry.wire.framing import BadFrame, FrameReader
from kferry.wire.versions import ApiVersions

_LONGEST_MUTE = 60.0
"""Seconds. Brokers ask for pauses of a quota window, some seconds; more is not believed."""

Buffer = bytes | bytearray | memoryview


@dataclass(slots=True, kw_only=True)
class _InFlight:
    api: str
    correlation_id: int | None  # None: a token of the old SASL exchange, which has no header
    answer: asyncio.Future[memoryview]
    deadline: asyncio.TimerHandle


@dataclass(slots=True, kw_only=True, eq=False)
class Connection(asyncio.BufferedProtocol):
    """A pipelined connection. `versions` is filled by the handshake in `dial`."""

    address: Address
    client_id: str
    versions: ApiVersions = field(default_factory=lambda: ApiVersions({}))
    expires_at: float | None = None
    """Loop time at which the broker will want new credentials (KIP-368); None = never."""
    _reader: FrameReader = field(default_factory=FrameReader)
    _in_flight: deque[_InFlight] = field(default_factory=deque)
    _transport: asyncio.Transport | None = None
    _closed_by: WireError | None = None
    _writable: asyncio.Event = field(default_factory=asyncio.Event)
    _gone: asyncio.Event = field(default_factory=asyncio.Event)
    _muted_until: float = 0.0
    _retiring: bool = False
    _ids: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    @property
    def where(self) -> str:
        """Name the other side, for errors."""
        return f"broker {self.address}"

    @property
    def closed(self) -> bool:
        """Whether no request can be sent any more."""
        return self._transport is None or self._transport.is_closing()

    @property
    def in_flight(self) -> int:
        """How many requests wait for their answer."""
        return len(self._in_flight)

    async def request(
        self,
        request: Any,
        response: Any,
        *,
        seconds: float,
        version: int | None = None,
        most: int | None = None,
    ) -> Any:
        """Send one message and return its answer, in `version` or the newest up to `most`."""
        if version is None:
            version = self.versions.choose(request, self.where, most=most)
        api = request.name.removesuffix("Request")
        await self._until_unmuted(api, seconds)
        correlation_id = self.next_id()
        encoded = encode_request(
            request, version=version, correlation_id=correlation_id, client_id=self.client_id
        )
        frame = await self.submit(
            [encoded], api=api, correlation_id=correlation_id, seconds=seconds
        )
        try:
            message = decode_response(frame, response, version=version)
        except Undecodable as error:
            violation = ProtocolViolation(self.where, str(error))
            self.abort(violation)
            raise violation from error
        self.throttled(int(getattr(message, "throttle_time_ms", 0) or 0))
        return message

    def next_id(self) -> int:
        """Return a correlation id for `submit`."""
        return next(self._ids) & 0x7FFFFFFF

    def submit(
        self,
        parts: Sequence[Buffer],
        *,
        api: str,
        correlation_id: int | None,
        seconds: float,
    ) -> asyncio.Future[memoryview]:
        """Send a framed request as it is; the future holds the response, correlation id included.

        The parts are not copied and must not change until the answer is there.
        """
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[memoryview] = loop.create_future()
        if self._transport is None or self.closed:
            answer.set_exception(self._ended(api, "it is closed"))
            return answer
        deadline = loop.call_later(seconds, self._expire, api, seconds)
        self._in_flight.append(
            _InFlight(api=api, correlation_id=correlation_id, answer=answer, deadline=deadline)
        )
        self._transport.writelines(parts)
        return answer

    async def writable(self) -> None:
        """Wait until the kernel took most of what was submitted."""
        while not self._writable.is_set():  # others waited too, and may have filled it again
            await self._writable.wait()

    def throttled(self, milliseconds: int) -> None:
        """Obey the broker's wish for a pause: `request` waits, the fast path asks `muted_for`."""
        if milliseconds > 0:
            seconds = min(milliseconds / 1000, _LONGEST_MUTE)
            until = asyncio.get_running_loop().time() + seconds
            self._muted_until = max(self._muted_until, until)

    @property
    def muted_for(self) -> float:
        """Seconds for which the broker asked to be left alone."""
        return max(0.0, self._muted_until - asyncio.get_running_loop().time())

    async def _until_unmuted(self, api: str, seconds: float) -> None:
        """Wait out the broker's pause, unless that would take longer than the caller waits."""
        deadline = asyncio.get_running_loop().time() + seconds
        while (pause := self.muted_for) and not self.closed:
            left = deadline - asyncio.get_running_loop().time()
            if left <= 0:
                raise RequestTimedOut(self.where, api, seconds)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(pause, left)):
                    await self._gone.wait()

    def retire(self) -> None:
        """Take leave: what is in flight may finish, then it closes by itself."""
        self._retiring = True
        if not self._in_flight:
            self.abort()

    def abort(self, error: WireError | None = None) -> None:
        """Close at once; what is in flight fails with `error`."""
        self._closed_by = self._closed_by or error
        if self._transport is not None:
            self._transport.abort()

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:  # noqa: D102
        # A stream by construction; uvloop's transports are no subclass of asyncio's.
        self._transport = cast("asyncio.Transport", transport)
        self._writable.set()

    def pause_writing(self) -> None:  # noqa: D102
        self._writable.clear()

    def resume_writing(self) -> None:  # noqa: D102
        self._writable.set()

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002, D102
        return self._reader.room()

    def buffer_updated(self, nbytes: int) -> None:  # noqa: D102
        try:
            frame = self._reader.received(nbytes)
        except BadFrame as error:
            self.abort(self._explain(error))
            return
        if frame is not None:
            self._answered(frame)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: D102
        self._transport = None
        self._writable.set()
        self._gone.set()
        while self._in_flight:
            waiting = self._in_flight.popleft()
            waiting.deadline.cancel()
            if not waiting.answer.done():
                error = self._ended(waiting.api, str(exc) if exc else "the other side closed it")
                error.__cause__ = exc
                waiting.answer.set_exception(error)

    def _ended(self, api: str, reason: str) -> WireError:
        """Say why a request gets no answer: each its own error, naming its own call."""
        match self._closed_by:
            case None:
                return ConnectionLost(self.where, api, reason)
            case WrongProtocol() as found:
                return WrongProtocol(found.address, port_speaks_tls=found.port_speaks_tls)
            case ProtocolViolation() as found:
                return ProtocolViolation(self.where, found.reason)
            case RequestTimedOut() as found if found.api == api:
                return RequestTimedOut(self.where, api, found.seconds)
            case other:
                return ConnectionLost(self.where, api, str(other))

    def _answered(self, frame: memoryview) -> None:
        if not self._in_flight:
            self.abort(ProtocolViolation(self.where, "an answer came that nobody had asked for"))
            return
        waiting = self._in_flight[0]
        if waiting.correlation_id is not None:
            if len(frame) < 4:
                self.abort(ProtocolViolation(self.where, f"an answer of {len(frame)} bytes"))
                return
            if correlation_of(frame) != waiting.correlation_id:
                self.abort(ProtocolViolation(self.where, "the answer belongs to another request"))
                return
        self._in_flight.popleft()
        waiting.deadline.cancel()
        if not waiting.answer.done():  # done: whoever asked was cancelled and is gone
            waiting.answer.set_result(frame)
        if self._retiring and not self._in_flight:
            self.abort()

    def _expire(self, api: str, seconds: float) -> None:
        self.abort(RequestTimedOut(self.where, api, seconds))

    def _explain(self, error: BadFrame) -> WireError:
        if error.head[:2] == b"\x15\x03":  # a TLS alert: handshake failure in answer to plain text
            return WrongProtocol(self.address, port_speaks_tls=True)
        if error.head == b"HTTP":
            return ProtocolViolation(self.where, "it answered in HTTP")
        return ProtocolViolation(self.where, str(error))
