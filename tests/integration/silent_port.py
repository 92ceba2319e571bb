"""A port that neither answers nor refuses, as a closed security group looks from outside."""

import contextlib
import socket
from collections.abc import Iterator

from kferry.names import Address


@contextlib.contextmanager
def silent_port() -> Iterator[Address]:
    """Listen with a full queue: the kernel drops further connection attempts without a word."""
    with contextlib.ExitStack() as open_sockets:
        listener = open_sockets.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        address = listener.getsockname()
        while True:
            waiting = open_sockets.enter_context(socket.socket())
            waiting.settimeout(0.2)
            try:
                waiting.connect(address)
            except TimeoutError:
                break
        yield Address(*address)
