"""Fetch and produce on a connection, without copying a record byte.

Owns the few lines between the pure layouts and `Connection.submit`. Retries nothing: whoever copies
decides what a lost answer means.
"""

from collections.abc import Sequence

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
    frame = await _exchange(connection, "Fetch", fetch.API_KEY, version, [body], seconds)
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
    transactional_id: str | None = None,
) -> ProduceAnswer:
    """Produce; the pieces of the batches must not change until the answer is there."""
    version = _version(connection, produce.API_KEY, "Produce", produce.OLDEST, produce.NEWEST)
    body = encode_produce(batches, timeout_ms=timeout_ms, transactional_id=transactional_id)
    frame = await _exchange(connection, "Produce", produce.API_KEY, version, body, seconds)
    try:
        answer = decode_produce(frame[_CORRELATION:], version)
    except Undecodable as error:
        raise _violated(connection, error) from error
    connection.throttled(answer.throttle_ms)
    return answer


async def _exchange(  # noqa: PLR0917 one caller each, all of them needed
    connection: Connection,
    api: str,
    api_key: int,
    version: int,
    body: Sequence[Buffer],
    seconds: float,
) -> memoryview:
    correlation_id = connection.next_id()
    head = request_head(
        api_key=api_key,
        version=version,
        correlation_id=correlation_id,
        client_id=connection.client_id,
        body_size=sum(map(len, body)),
    )
    await connection.writable()
    return await connection.submit(
        [head, *body], api=api, correlation_id=correlation_id, seconds=seconds
    )


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
