"""Free ports on this machine.

Owns where to look. A port is only free until somebody takes it: whoever binds must be ready to ask
again.
"""

import random
import socket
from contextlib import ExitStack

HOST = "127.0.0.1"

# Below the range from which systems take the local ports of outgoing connections (32768 and up on
# Linux, 49152 elsewhere): a broker that is down for a while must find its port free afterwards.
_FIRST, _LAST = 20_000, 32_000


def find_free(count: int) -> list[int]:
    """Return `count` different ports that nobody listens on at this moment."""
    found: list[int] = []
    with ExitStack() as held:
        while len(found) < count:
            port = random.randint(_FIRST, _LAST)  # noqa: S311  # not a secret
            try:
                held.enter_context(socket.create_server((HOST, port)))
            except OSError:
                continue
            found.append(port)
    return found
