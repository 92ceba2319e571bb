"""Lines from standard input, as they come.

Owns a thread that may be left behind in the middle of a line: whoever types can be interrupted.
"""

import asyncio
import os
import threading
from collections.abc import Iterator

_AT_ONCE = 500
_MOST_BYTES = 512 * 1024
_QUEUED = 2000
_PIECE = 64 * 1024


class LinesIn:
    """Gives out lines without their ends, as many as have come; none at the end."""

    def __init__(self, descriptor: int = 0) -> None:
        self._descriptor = descriptor
        self._queue: asyncio.Queue[bytes | None] = asyncio.Queue(_QUEUED)
        self._loop = asyncio.get_running_loop()
        self._ended = False
        threading.Thread(target=self._read, daemon=True).start()

    async def some(self) -> list[bytes]:
        """Wait for a line, and take what else is there."""
        if self._ended:
            return []
        taken: list[bytes] = []
        size = 0
        line = await self._queue.get()
        while line is not None:
            taken.append(line)
            size += len(line)
            if len(taken) >= _AT_ONCE or size >= _MOST_BYTES or self._queue.empty():
                return taken
            line = self._queue.get_nowait()
        self._ended = True
        return taken

    def _read(self) -> None:
        # Not through `sys.stdin`: its lock would be held when the process ends meanwhile.
        try:
            for line in split(iter(lambda: os.read(self._descriptor, _PIECE), b"")):
                self._put(line)
            self._put(None)
        except RuntimeError:
            pass  # the loop is gone, and with it whoever wanted lines

    def _put(self, line: bytes | None) -> None:
        asyncio.run_coroutine_threadsafe(self._queue.put(line), self._loop).result()


def split(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Cut what comes in pieces into lines; both kinds of line ends go, a last one may lack its."""
    rest = bytearray()
    for piece in pieces:
        rest += piece
        *whole, last = rest.split(b"\n")
        yield from (bytes(line.removesuffix(b"\r")) for line in whole)
        rest = bytearray(last)
    if rest:
        yield bytes(rest.removesuffix(b"\r"))
