"""The relay between two ends that know nothing of Kafka."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from kferry.errors import UsageError
from kferry.names import Address
from kferry.sandbox.faults import Relay, Way, address_map_line
from kferry.sandbox.faults.typed import obey

pytestmark = pytest.mark.both_loops

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
BYTES = bytes(range(256)) * 4_000  # a megabyte


@asynccontextmanager
async def echo() -> AsyncIterator[Address]:
    """Somebody who says back everything, and hangs up when the other side has finished."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65_536):
                writer.write(data)
                await writer.drain()
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    async with server:
        yield Address(*server.sockets[0].getsockname()[:2])


@asynccontextmanager
async def relayed() -> AsyncIterator[tuple[Relay, Streams]]:
    async with echo() as address, Relay.to(address) as relay:
        reader, writer = await asyncio.open_connection(*relay.address)
        try:
            yield relay, (reader, writer)
        finally:
            writer.transport.abort()


async def all_back(streams: Streams, data: bytes) -> bytes:
    reader, writer = streams

    async def say() -> None:
        writer.write(data)
        await writer.drain()
        writer.write_eof()

    _, answer = await asyncio.gather(say(), reader.read())
    return answer


async def until_reset(streams: Streams) -> bytes:
    """Read until the connection breaks; return what came before."""
    found = b""
    with contextlib.suppress(ConnectionError):  # some loops hand it on as an end
        while data := await streams[0].read(65_536):
            found += data
    return found


async def test_bytes_pass_and_both_ends_may_finish_first() -> None:
    async with relayed() as (relay, streams):
        assert await all_back(streams, BYTES) == BYTES
        assert relay.passed(Way.REQUESTS) == relay.passed(Way.ANSWERS) == len(BYTES)


async def test_slowness_and_latency_lose_nothing_and_keep_the_order() -> None:
    async with relayed() as (relay, streams):
        relay.slow(bytes_per_second=20_000_000, latency=0.01)
        assert await all_back(streams, BYTES) == BYTES


async def test_a_stalled_line_holds_its_bytes_until_it_is_mended() -> None:
    async with relayed() as (relay, streams):
        relay.stall()
        streams[1].write(b"hello")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(streams[0].read(1), 0.1)
        relay.mend()
        assert await streams[0].readexactly(5) == b"hello"


async def test_the_reset_comes_after_exactly_so_many_bytes() -> None:
    async with relayed() as (relay, streams):
        struck = relay.reset_after(12_345)
        streams[1].write(BYTES)
        assert len(await until_reset(streams)) <= 12_345  # a reset may overtake what it follows
        assert struck.is_set()
        assert relay.passed(Way.ANSWERS) == 12_345


async def test_a_reset_is_one_for_whoever_looks_closely() -> None:
    loop = asyncio.get_running_loop()
    async with echo() as address, Relay.to(address) as relay:
        with socket.socket() as client:
            client.settimeout(0)
            await loop.sock_connect(client, relay.address)
            await loop.sock_sendall(client, b"x")
            assert await loop.sock_recv(client, 1) == b"x"
            relay.reset()
            with pytest.raises(ConnectionResetError):
                await loop.sock_recv(client, 1)


async def test_a_cut_line_refuses_newcomers() -> None:
    async with relayed() as (relay, streams):
        streams[1].write(b"x")
        await streams[0].readexactly(1)
        relay.cut()
        assert await until_reset(streams) == b""
        newcomer = await asyncio.open_connection(*relay.address)
        assert await until_reset(newcomer) == b""
        newcomer[1].transport.abort()


async def test_the_line_for_the_properties_file() -> None:
    async with echo() as address, Relay.to(address) as one, Relay.to(address) as two:
        pairs = f"{address}={one.address},{address}={two.address}"
        assert address_map_line([one, two]) == f"kferry.address.map={pairs}"


async def test_faults_can_be_typed() -> None:
    async with relayed() as (relay, streams):
        for line in ("", "slow 1000000", "latency 0", "stall answers", "mend", "reset-after 3"):
            obey(relay, line)
        streams[1].write(b"hello")
        assert len(await until_reset(streams)) <= 3
        for line in ("cutt", "slow", "slow fast", "stall sideways", "cut now"):
            with pytest.raises(UsageError):
                obey(relay, line)
