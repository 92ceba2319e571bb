"""The ZooKeeper under old clusters: its settings, its start, and what is put into it first.

Owns everything of ours that knows ZooKeeper. The few bytes of its protocol are spoken here because
starting its own client takes longer than all the rest.
"""

import json
import socket
import struct
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from kferry.sandbox import java, locks, versions
from kferry.sandbox.jars import class_path
from kferry.sandbox.layout import Layout
from kferry.sandbox.ports import HOST
from kferry.sandbox.process import Process

_MAIN = "org.apache.zookeeper.server.ZooKeeperServerMain"
_TIMEOUT_S = 5.0
_CREATE = 1
_THERE = -110
_ANYONE = struct.pack(">i", 31)  # every permission


def find(layout: Layout) -> Process:
    """Return the cluster's ZooKeeper, running or not."""
    return Process(_folder(layout))


def start(process: Process, layout: Layout) -> None:
    """Start the cluster's ZooKeeper; does not wait until it answers."""
    folder = _folder(layout)
    settings = folder / "zookeeper.properties"
    (folder / "tmp").mkdir(parents=True, exist_ok=True)
    settings.write_text(
        f"dataDir={folder / 'data'}\n"
        f"clientPortAddress={HOST}\n"
        f"clientPort={layout.zookeeper_port}\n"
        "tickTime=500\n"  # sessions may last 2 to 20 ticks: brokers ask for 6 s
        "maxClientCnxns=0\n"
        "admin.enableServer=false\n",  # it would listen on port 8080
        encoding="utf-8",
    )
    process.start(
        java.command(
            _MAIN,
            str(settings),
            class_path=class_path(locks.for_zookeeper(versions.ZOOKEEPER)),
            heap_mb=128,
            log_level="INFO",
            quick_start=True,
            temporary=folder / "tmp",
        )
    )


def prepare(layout: Layout, nodes: Mapping[str, bytes]) -> str:
    """Put in the cluster id and `nodes`; return why not, as long as nobody answers.

    With it, the id is known before the first broker is up. Kafka 0.10.2 needs it: it would make
    one with a class that Java no longer has.
    """
    name = json.dumps({"version": "1", "id": layout.cluster_id}).encode()
    try:
        address = (HOST, layout.zookeeper_port)
        with socket.create_connection(address, timeout=_TIMEOUT_S) as connection:
            # protocol 0, nothing seen yet, time-out, no session, password
            _exchange(connection, struct.pack(">iqiq", 0, 0, 5000, 0) + _text(bytes(16)))
            for path, data in {"/cluster/id": name, **nodes}.items():
                for parent in [*PurePosixPath(path).parents][-2::-1]:  # without the root
                    _create(connection, str(parent).encode(), b"")
                _create(connection, path.encode(), data)
    except OSError as error:
        return f"ZooKeeper: {error}"
    return ""


def _create(connection: socket.socket, path: bytes, data: bytes) -> None:
    access = struct.pack(">i", 1) + _ANYONE + _text(b"world") + _text(b"anyone")
    request = struct.pack(">ii", 1, _CREATE) + _text(path) + _text(data) + access
    answer = _exchange(connection, request + struct.pack(">i", 0))
    (error,) = struct.unpack_from(">i", answer, 12)  # after the request's number and the zxid
    if error not in (0, _THERE):
        raise ConnectionError(f"ZooKeeper refused to create {path.decode()}: error {error}")


def _exchange(connection: socket.socket, request: bytes) -> bytes:
    connection.sendall(_text(request))
    with connection.makefile("rb") as answers:
        (size,) = struct.unpack(">i", _read(answers.read(4), 4))
        return _read(answers.read(size), size)


def _read(received: bytes, expected: int) -> bytes:
    if len(received) < expected:
        raise ConnectionError("ZooKeeper closed the connection")
    return received


def _text(content: bytes) -> bytes:
    return struct.pack(">i", len(content)) + content


def _folder(layout: Layout) -> Path:
    return layout.folder / "zookeeper"
