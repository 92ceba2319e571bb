"""What a connection does when the other side is not a well-behaved broker.

The peers here are scripts of bytes on a real socket: no real broker can be made to lie like this.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace

import pytest
from kafka.protocol.metadata import ApiVersionsResponse, MetadataRequest, MetadataResponse

from kferry.config import ClusterSettings, Protocol
from kferry.names import Address
from kferry.wire import (
    ConnectionLost,
    Limits,
    ProtocolViolation,
    RequestTimedOut,
    Stage,
    Unreachable,
    WireError,
    WrongProtocol,
    dial,
    open_cluster,
)
from kferry.wire.connection import Connection
from kferry.wire.stream import connect

pytestmark = pytest.mark.both_loops  # their transports differ where it hurts

LIMITS = Limits(connect=2.0, request=2.0, retry=0.2)
Script = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@contextlib.asynccontextmanager
async def peer(script: Script) -> AsyncIterator[ClusterSettings]:
    """Listen on loopback and play a script to whoever connects."""

    playing: set[asyncio.Task[None] | None] = set()

    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        playing.add(asyncio.current_task())
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            await script(reader, writer)
        writer.close()

    server = await asyncio.start_server(play, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        yield ClusterSettings(bootstrap=(Address("127.0.0.1", port),))
    finally:
        server.close()
        await asyncio.gather(*filter(None, playing))  # our hang-up ended their reading


async def read_request(reader: asyncio.StreamReader) -> bytes:
    size = int.from_bytes(await reader.readexactly(4), "big")
    return await reader.readexactly(size)


def correlation(request: bytes) -> bytes:
    return request[4:8]


def framed(body: bytes) -> bytes:
    return len(body).to_bytes(4, "big") + body


def api_versions(request: bytes) -> bytes:
    key = ApiVersionsResponse.ApiVersion
    keys = [
        key(api_key=18, min_version=0, max_version=3),
        key(api_key=3, min_version=0, max_version=1),
    ]
    answer = ApiVersionsResponse(error_code=0, api_keys=keys, throttle_time_ms=0)
    return framed(correlation(request) + answer.encode(version=3))


async def request_metadata(connection: Connection, seconds: float = 2.0) -> object:
    return await connection.request(
        MetadataRequest(topics=None), MetadataResponse, version=1, seconds=seconds
    )


async def ask_once(settings: ClusterSettings, seconds: float = 2.0) -> object:
    connection = await connect(settings, settings.bootstrap[0], LIMITS)
    try:
        return await request_metadata(connection, seconds)
    finally:
        connection.abort()


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "HTTP"),
        ((2**31 - 1).to_bytes(4, "big"), "2,147,483,647 bytes was announced"),
        ((-5).to_bytes(4, "big", signed=True), "-5 bytes was announced"),
        (framed(b"\x00\x00"), "2 bytes"),
        (framed(b"\x7f\xff\xff\xff" + b"\x00" * 20), "another request"),
    ],
)
async def test_what_is_not_kafka_is_refused_in_words(answer: bytes, words: str) -> None:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(answer)
        await reader.read()

    async with peer(script) as settings:
        with pytest.raises(ProtocolViolation, match=words):
            await ask_once(settings)


@pytest.mark.parametrize("cut", [1, 5, 13, 27])
async def test_a_truncated_message_in_a_whole_frame_is_refused(cut: int) -> None:
    broker = MetadataResponse.MetadataResponseBroker(node_id=1, host="h", port=1, rack=None)
    body = MetadataResponse(brokers=[broker], controller_id=1, topics=[]).encode(version=1)

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await read_request(reader)
        writer.write(framed(correlation(request) + body[:-cut]))
        await reader.read()

    async with peer(script) as settings:
        with pytest.raises(ProtocolViolation, match="MetadataResponse"):
            await ask_once(settings)


async def test_bytes_left_over_in_a_message_are_refused() -> None:
    body = MetadataResponse(brokers=[], controller_id=1, topics=[]).encode(version=1)

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await read_request(reader)
        writer.write(framed(correlation(request) + body + b"\x00"))
        await reader.read()

    async with peer(script) as settings:
        with pytest.raises(ProtocolViolation):
            await ask_once(settings)


async def test_an_unasked_answer_closes_the_connection() -> None:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(framed(b"\x00" * 8))
        await reader.read()

    async with peer(script) as settings:
        connection = await connect(settings, settings.bootstrap[0], LIMITS)
        async with asyncio.timeout(5):
            while not connection.closed:
                await asyncio.sleep(0)
        with pytest.raises(ProtocolViolation, match="nobody had asked"):
            await request_metadata(connection)


async def test_a_hang_up_inside_a_frame_fails_what_was_in_flight() -> None:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await read_request(reader)
        writer.write((100).to_bytes(4, "big") + correlation(request) + b"half")

    async with peer(script) as settings:
        with pytest.raises(ConnectionLost, match="Metadata"):
            await ask_once(settings)


async def test_silence_ends_in_a_time_out_that_takes_the_connection_along() -> None:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with peer(script) as settings:
        connection = await connect(settings, settings.bootstrap[0], LIMITS)
        first = asyncio.create_task(request_metadata(connection, 0.05))
        second = asyncio.create_task(request_metadata(connection, 60))
        outcomes = await asyncio.gather(first, second, return_exceptions=True)
        assert [type(outcome) for outcome in outcomes] == [RequestTimedOut, RequestTimedOut]
        assert "Metadata within 0.05 s" in str(outcomes[0])
        assert connection.closed


async def test_answers_reach_their_own_askers_though_one_was_cancelled() -> None:
    go = asyncio.Event()

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        requests = [await read_request(reader) for _ in range(3)]
        await go.wait()
        for number, request in enumerate(requests):
            answer = MetadataResponse(brokers=[], controller_id=number, topics=[])
            writer.write(framed(correlation(request) + answer.encode(version=1)))
        await reader.read()

    async with peer(script) as settings:
        connection = await connect(settings, settings.bootstrap[0], LIMITS)
        asking = [asyncio.create_task(request_metadata(connection)) for _ in range(3)]
        while connection.in_flight < 3:
            await asyncio.sleep(0)
        asking[1].cancel()
        go.set()
        first, second, third = await asyncio.gather(*asking, return_exceptions=True)
        assert isinstance(second, asyncio.CancelledError)
        assert [getattr(one, "controller_id", None) for one in (first, third)] == [0, 2]
        connection.abort()


async def test_a_throttled_connection_waits_before_its_next_request() -> None:
    connection = Connection(address=Address("b", 1), client_id="c")
    assert connection.muted_for == 0
    connection.throttled(60_000)
    connection.throttled(10)
    assert 59 < connection.muted_for <= 60


async def test_a_tls_alert_in_answer_to_plain_text_is_recognised() -> None:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(4)
        writer.write(bytes.fromhex("15030300020250"))  # fatal alert, internal error
        await reader.read()

    async with peer(script) as settings:
        with pytest.raises(WrongProtocol, match="speaks TLS"):
            await dial(settings, settings.bootstrap[0], LIMITS)


async def test_a_port_where_nobody_listens_is_named_with_its_stage() -> None:
    async with peer(lambda _, writer: writer.wait_closed()) as settings:
        pass
    with pytest.raises(Unreachable) as caught:
        await dial(settings, settings.bootstrap[0], LIMITS)
    assert caught.value.stage is Stage.TCP
    assert str(settings.bootstrap[0]) in str(caught.value)


async def test_a_name_that_does_not_resolve_is_named_with_its_stage() -> None:
    settings = ClusterSettings(bootstrap=(Address("no-such-host.invalid", 9092),))
    with pytest.raises(Unreachable, match="does not resolve") as caught:
        await dial(settings, settings.bootstrap[0], LIMITS)
    assert caught.value.stage is Stage.DNS


async def test_one_living_bootstrap_server_is_enough_and_none_lists_every_cause() -> None:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(api_versions(await read_request(reader)))
        request = await read_request(reader)
        host, port = writer.get_extra_info("sockname")
        broker = MetadataResponse.MetadataResponseBroker(node_id=7, host=host, port=port, rack=None)
        answer = MetadataResponse(brokers=[broker], controller_id=7, topics=[])
        writer.write(framed(correlation(request) + answer.encode(version=1)))
        await reader.read()

    dead = (Address("127.0.0.1", 1), Address("no-such-host.invalid", 2))
    async with peer(script) as settings:
        several = ClusterSettings(bootstrap=(*dead, *settings.bootstrap))
        async with open_cluster(several, LIMITS) as cluster:
            assert list(cluster.metadata.brokers) == [7]
    with pytest.raises(WireError) as caught:
        async with open_cluster(ClusterSettings(bootstrap=dead), LIMITS):
            pass
    assert all(str(address) in str(caught.value) for address in dead)


async def test_a_listener_that_drops_tls_handshakes_is_worth_another_try() -> None:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.transport.abort()

    async with peer(script) as settings:
        tls = replace(settings, protocol=Protocol.SSL)
        with pytest.raises(Unreachable) as caught:
            await dial(tls, tls.bootstrap[0], LIMITS)
    assert caught.value.stage is Stage.TLS
    assert caught.value.retriable


async def test_a_broker_that_lists_no_brokers_is_starting_not_the_whole_cluster() -> None:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(api_versions(await read_request(reader)))
        request = await read_request(reader)
        answer = MetadataResponse(brokers=[], controller_id=-1, topics=[])
        writer.write(framed(correlation(request) + answer.encode(version=1)))
        await reader.read()

    async with peer(script) as settings:
        with pytest.raises(Unreachable, match="lists no brokers"):
            async with open_cluster(settings, LIMITS):
                pass


async def test_a_retired_connection_finishes_what_is_in_flight_and_then_closes() -> None:
    go = asyncio.Event()

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await read_request(reader)
        await go.wait()
        answer = MetadataResponse(brokers=[], controller_id=5, topics=[])
        writer.write(framed(correlation(request) + answer.encode(version=1)))
        await reader.read()

    async with peer(script) as settings:
        connection = await connect(settings, settings.bootstrap[0], LIMITS)
        asking = asyncio.create_task(request_metadata(connection))
        while not connection.in_flight:
            await asyncio.sleep(0)
        connection.retire()
        assert not connection.closed
        go.set()
        assert getattr(await asking, "controller_id", None) == 5
        assert connection.closed


async def test_a_pause_longer_than_the_caller_waits_is_a_time_out() -> None:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with peer(script) as settings:
        connection = await connect(settings, settings.bootstrap[0], LIMITS)
        connection.throttled(2**31 - 1)
        assert connection.muted_for <= 60
        with pytest.raises(RequestTimedOut):
            await request_metadata(connection, 0.05)
        asking = asyncio.create_task(request_metadata(connection, 30))
        await asyncio.sleep(0)
        connection.abort()
        with pytest.raises(ConnectionLost):
            await asking


async def test_after_a_time_out_every_request_names_its_own_call() -> None:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with peer(script) as settings:
        connection = await connect(settings, settings.bootstrap[0], LIMITS)
        first = connection.submit([b"x"], api="Metadata", correlation_id=1, seconds=0.05)
        second = connection.submit([b"x"], api="Produce", correlation_id=2, seconds=60)
        outcomes = await asyncio.gather(first, second, return_exceptions=True)
    assert isinstance(outcomes[0], RequestTimedOut)
    assert isinstance(outcomes[1], ConnectionLost)
    assert "during Produce" in str(outcomes[1])


async def test_a_closed_cluster_answers_in_words_and_dials_nobody() -> None:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(api_versions(await read_request(reader)))
        request = await read_request(reader)
        host, port = writer.get_extra_info("sockname")
        broker = MetadataResponse.MetadataResponseBroker(node_id=1, host=host, port=port, rack=None)
        answer = MetadataResponse(brokers=[broker], controller_id=1, topics=[])
        writer.write(framed(correlation(request) + answer.encode(version=1)))
        await reader.read()

    async with peer(script) as settings:
        async with open_cluster(settings, LIMITS) as cluster:
            pass
        with pytest.raises(ConnectionLost, match="closed on our side"):
            await cluster.refresh()
