"""A member of a streams group (KIP-1071), as far as a broker can tell: no client here speaks it.

Owns the bytes of its heartbeat. It does no work.
"""

import socket
import struct
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from judge import PATIENCE_S

from kferry.sandbox import Cluster

_HEARTBEAT = 88
_JOINING, _LEAVING = 0, -1
_NULL = b"\0"
_NO_STRUCT = b"\xff"
_NO_TAGS = b"\0"


@contextmanager
def streams_member(cluster: Cluster, group: str, topic: str) -> Iterator[None]:
    """Belong to a streams group that reads a topic, for as long as the block lasts."""
    member = str(uuid.uuid4())
    _beat(cluster, group, member, _JOINING, topic)
    try:
        yield
    finally:
        _beat(cluster, group, member, _LEAVING, None)


def _beat(cluster: Cluster, group: str, member: str, epoch: int, topic: str | None) -> None:
    joins = topic is not None
    tasks = _array([]) if joins else _NULL
    body = b"".join(
        (
            _text(group),
            _text(member),
            struct.pack(">ii", epoch, 0),
            _NULL + _NULL,  # instance and rack
            struct.pack(">i", 30_000 if joins else -1),
            _topology(topic) if topic is not None else _NO_STRUCT,
            tasks * 3,  # active, standby, warming up
            _text("process") if joins else _NULL,
            _NO_STRUCT,  # no endpoint
            _array([]) if joins else _NULL,  # tags of the client
            _NULL + _NULL,  # offsets of tasks
            b"\0",  # the application goes on
            _NO_TAGS,
        )
    )
    error, text = _ask(cluster, body)
    assert error == 0, f"error {error}: {text!r}"


def _topology(topic: str) -> bytes:
    empty = _array([])
    part = _text("0") + _array([_text(topic)]) + empty * 5 + _NO_TAGS
    return b"\1" + struct.pack(">i", 0) + _array([part]) + _NO_TAGS


def _ask(cluster: Cluster, body: bytes) -> tuple[int, bytes]:
    host, _, port = cluster.bootstrap.partition(",")[0].rpartition(":")
    header = struct.pack(">hhi", _HEARTBEAT, 0, 1) + struct.pack(">h", 4) + b"test" + _NO_TAGS
    with socket.create_connection((host, int(port)), PATIENCE_S) as connection:
        connection.sendall(struct.pack(">i", len(header) + len(body)) + header + body)
        with connection.makefile("rb") as answers:
            (size,) = struct.unpack(">i", answers.read(4))
            answer = answers.read(size)
    # After the correlation id, its tags and the throttle time.
    (error,) = struct.unpack_from(">h", answer, 9)
    return error, answer[11:200]


def _text(value: str) -> bytes:
    return bytes([len(value) + 1]) + value.encode()


def _array(items: Sequence[bytes]) -> bytes:
    return bytes([len(items) + 1]) + b"".join(items)
