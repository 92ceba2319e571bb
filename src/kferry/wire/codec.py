"""kafka-python's message classes to bytes and back.

Owns the one place that knows how that library lays out headers and bodies. Everything else handles
message objects, or on the fast path (`fetch`, `produce`) bytes of its own.
"""

from typing import Any

from kafka.protocol.metadata import ApiVersionsResponse

_CORRELATION = 4


class Undecodable(ValueError):
    """The bytes are not the message they should be."""


def encode_request(request: Any, *, version: int, correlation_id: int, client_id: str) -> bytes:
    """Lay out one request, framed, header first."""
    request.API_VERSION = version
    request.with_header(correlation_id=correlation_id, client_id=client_id)
    encoded: bytes = request.encode(framed=True, header=True)
    return encoded


def request_head(
    *, api_key: int, version: int, correlation_id: int, client_id: str, body_size: int
) -> bytes:
    """Lay out length and (non-flexible) header of a request whose body is written separately."""
    client = client_id.encode()
    size = 10 + len(client) + body_size
    return b"".join(
        (
            size.to_bytes(4, "big"),
            api_key.to_bytes(2, "big"),
            version.to_bytes(2, "big"),
            correlation_id.to_bytes(4, "big"),
            len(client).to_bytes(2, "big"),
            client,
        )
    )


def correlation_of(frame: memoryview) -> int:
    """Return the id of the request that a response answers."""
    return int.from_bytes(frame[:_CORRELATION], "big", signed=True)


def decode_response(frame: memoryview, response: Any, *, version: int) -> Any:
    """Read a response; every byte must be accounted for, or the message is not believed."""
    body = frame[_CORRELATION:]
    try:
        if response is ApiVersionsResponse:
            # Answered in version 0 when the asked version is unknown; the header is never flexible.
            return response.decode(body, version=version)
        flexible = response.flexible_version_q(version)
        if flexible:
            body = _skip_tags(body)
        decode = response._struct.compiled_decode_from(  # noqa: SLF001 the only way to the end position
            version, compact=flexible, tagged=flexible, data_class=response
        )
        message, end = decode(body, 0)
    except Exception as error:
        raise Undecodable(f"{response.__name__} v{version}: {error}") from error
    if end != len(body):
        raise Undecodable(f"{response.__name__} v{version}: {len(body)} bytes, {end} used")
    return message


def _skip_tags(body: memoryview) -> memoryview:
    """Step over the tagged fields of a flexible response header."""
    count, position = _uvarint(body, 0)
    for _ in range(count):
        _, position = _uvarint(body, position)
        size, position = _uvarint(body, position)
        position += size
    return body[position:]


def _uvarint(data: memoryview, position: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
        shift += 7
        if shift > 28:
            raise Undecodable("a number of more than five bytes")
