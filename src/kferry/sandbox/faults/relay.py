"""A relay between a client and a broker, which fails when told to.

    async with Relay.to(broker) as relay:
        settings = dataclasses.replace(settings, address_map={broker: relay.address})
        struck = relay.reset_after(1_000)   # in the middle of an answer
        ...
        await struck.wait()

Owns a port and the connections through it. Passes bytes and knows nothing of Kafka, so TLS passes,
too. Clients find it through `kferry.address.map`: brokers go on advertising themselves.
"""

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Self

from kferry.names import Address
from kferry.sandbox.faults.lane import Lane, Struck, Way
from kferry.sandbox.faults.pipe import pump

_HOST = "127.0.0.1"
_END_WITH_RESET = struct.pack("ii", 1, 0)  # SO_LINGER, no time: close() sends RST
_EVERY_BYTE_AT_ONCE = 0


class Relay:
    """A relay to one broker. Made by `to`; every fault takes effect at once."""

    def __init__(self, broker: Address) -> None:
        self.broker = broker
        self.address = broker  # until it listens
        self.accepted = 0
        """How many connections came so far."""
        self._lanes = {way: Lane() for way in Way}
        self._links: set[asyncio.Task[None]] = set()
        self._cut = False

    @classmethod
    @asynccontextmanager
    async def to(cls, broker: Address, *, port: int = 0) -> AsyncIterator[Self]:
        """Relay to `broker` for as long as the block lasts."""
        relay = cls(broker)
        server = await asyncio.start_server(relay._accept, _HOST, port)
        relay.address = Address(*server.sockets[0].getsockname()[:2])
        try:
            yield relay
        finally:
            server.close()
            await relay._end_links()

    @property
    def connections(self) -> int:
        """How many connections pass through just now."""
        return len(self._links)

    def passed(self, way: Way) -> int:
        """Return how many bytes have gone this way."""
        return self._lanes[way].passed

    def slow(self, *, bytes_per_second: float | None = None, latency: float = 0.0) -> None:
        """Limit the pace of each direction, and delay each byte by `latency` seconds."""
        for lane in self._lanes.values():
            lane.bytes_per_second = bytes_per_second
            lane.latency = latency

    def stall(self, *ways: Way) -> None:
        """Keep connections open and pass nothing; in both directions, or in these only.

        With answers stalled a broker does what it is asked, and nobody hears of it.
        """
        for way in ways or Way:
            self._lanes[way].flowing.clear()

    def reset(self) -> None:
        """End every connection with RST, as a crash does; new ones are welcome."""
        for link in self._links:
            link.cancel()

    def reset_after(self, count: int, way: Way = Way.ANSWERS) -> asyncio.Event:
        """Pass `count` more bytes, then reset the connection they went through.

        Not at a frame's end, unless `count` happens to be one. The event says that it was done.
        """
        return self._lanes[way].strike_after(count)

    def cut(self) -> None:
        """End every connection and refuse new ones, until `mend`."""
        self._cut = True
        self.reset()

    def mend(self) -> None:
        """Pass everything again, at full speed. What was reset stays so."""
        self._cut = False
        for lane in self._lanes.values():
            lane.mend()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        if self._cut:
            _reset(writer)
            return
        task = asyncio.ensure_future(self._link(reader, writer))
        self._links.add(task)
        task.add_done_callback(self._links.discard)

    async def _link(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Hold two ends together until both have said all they had to say."""
        ends = [writer]
        try:
            far_reader, far_writer = await asyncio.open_connection(*self.broker)
            ends.append(far_writer)
            for end in ends:
                end.transport.set_write_buffer_limits(_EVERY_BYTE_AT_ONCE)
            async with asyncio.TaskGroup() as group:
                group.create_task(pump(self._lanes[Way.REQUESTS], reader, far_writer))
                group.create_task(pump(self._lanes[Way.ANSWERS], far_reader, writer))
        except (OSError, BaseExceptionGroup) as error:
            _insist(error)
            for end in ends:
                _reset(end)
        except asyncio.CancelledError:
            for end in ends:
                _reset(end)
        else:
            for end in ends:
                end.close()

    async def _end_links(self) -> None:
        links = list(self._links)
        self.reset()
        await asyncio.gather(*links, return_exceptions=True)


def address_map_line(relays: list[Relay]) -> str:
    """Return the line of a properties file that leads kferry through these relays."""
    pairs = ",".join(f"{relay.broker}={relay.address}" for relay in relays)
    return f"kferry.address.map={pairs}"


def _insist(error: OSError | BaseExceptionGroup[BaseException]) -> None:
    """Raise what is neither an end of a connection nor one that we made."""
    if isinstance(error, BaseExceptionGroup):
        _, other = error.split((OSError, Struck))
        if other is not None:
            raise other


def _reset(writer: asyncio.StreamWriter) -> None:
    end = writer.get_extra_info("socket")
    if end is not None:  # uvloop: none once the connection is closed
        with contextlib.suppress(OSError):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _END_WITH_RESET)
    writer.transport.abort()
