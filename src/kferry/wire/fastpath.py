"""Fetch and produce on a connection, without copying a record byte.

Owns the few lines between the pure layouts and `Connection.submit`. Retries nothing: whoever copies
decides what a lost answer means.
"""

import asyncio
from collections.abc import Coroutine, Sequence

from kferry.wire import fetch, produce
from kferry.wire.codec import Undecodable, request_head
from kferry.wire.connection import Buffer, Connection
from kferry.wire.errors import ProtocolViolation, UnsupportedApi
from kferry.wire.fetch import FetchAnswer, FetchQuestion, decode_fetch, encode_fetch
from kferry.wire.produce import Batch, ProduceAnswer, decode_produce, encode_produce

_CORRELATION = 4


async def send_fetch(
    connection: Connection, question: FetchQuestion, *, seconds: float
) -> FetchAnswer:
    """Fetch; the records of the answer are views into a buffer that is nobody else's."""
    version = _version(connection, fetch.API_KEY, "Fetch", fetch.OLDEST, fetch.NEWEST)
    body = encode_fetch(question, version)
    await connection.writable()
    frame = await _submit(connection, "Fetch", fetch.API_KEY, version, [body], seconds)
    try:
        answer = decode_fetch(frame[_CORRELATION:], version)
    except Undecodable as error:
        raise _violated(connection, error) from error
    connection.throttled(answer.throttle_ms)
    return answer


async def send_produce(
    connection: Connection,
    batches: Sequence[Batch],
    *,
    seconds: float,
    timeout_ms: int = 30_000,
) -> ProduceAnswer:
    """Produce; the pieces of the batches must not change until the answer is there."""
    await connection.writable()
    return await submit_produce(connection, batches, seconds=seconds, timeout_ms=timeout_ms)


def submit_produce(
    connection: Connection,
    batches: Sequence[Batch],
    *,
    seconds: float,
    timeout_ms: int = 30_000,
) -> Coroutine[None, None, ProduceAnswer]:
    """Send at once; what is returned waits for the answer.

    Whoever numbers batches must not be interrupted between the number and the socket.
    """
    version = _version(connection, produce.API_KEY, "Produce", produce.OLDEST, produce.NEWEST)
    body = encode_produce(batches, timeout_ms=timeout_ms)
    answer = _submit(connection, "Produce", produce.API_KEY, version, body, seconds)
    answer.add_done_callback(_seen)  # whoever was to wait for it may be gone by then
    return _produced(connection, answer, version)


def _seen(answer: asyncio.Future[memoryview]) -> None:
    if not answer.cancelled():
        answer.exception()


async def _produced(
    connection: Connection, answer: asyncio.Future[memoryview], version: int
) -> ProduceAnswer:
    frame = await answer
    try:
        produced = decode_produce(frame[_CORRELATION:], version)
    except Undecodable as error:
        raise _violated(connection, error) from error
    connection.throttled(produced.throttle_ms)
    return produced


def _submit(  # noqa: PLR0917 one caller each, all of them needed
    connection: Connection,
    api: str,
    api_key: int,
    version: int,
    body: Sequence[Buffer],
    seconds: float,
) -> asyncio.Future[memoryview]:
    correlation_id = connection.next_id()
    head = request_head(
        api_key=api_key,
        version=version,
        correlation_id=correlation_id,
        client_id=connection.client_id,
        body_size=sum(map(len, body)),
    )
    return connection.submit([head, *body], api=api, correlation_id=correlation_id, seconds=seconds)


def _version(connection: Connection, api_key: int, api: str, oldest: int, newest: int) -> int:
    lowest, highest = connection.versions.ranges.get(api_key, (0, -1))
    version = min(newest, highest)
    if version < max(oldest, lowest):
        raise UnsupportedApi(
            connection.where,
            api,
            f"it offers versions {lowest} to {highest}, kferry speaks {oldest} to {newest}",
        )
    return version


def _violated(connection: Connection, error: Undecodable) -> ProtocolViolation:
    violation = ProtocolViolation(connection.where, str(error))
    connection.abort(violation)
    return violation
