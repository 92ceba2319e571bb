"""Frames out of a byte stream: a length, and that many bytes in a buffer of their own.

Owns the receive buffers. Each response lies in one buffer that is filled by the socket itself and
handed over as it is, so record bytes are never copied on their way in. Knows no Kafka message; no
asyncio either: a protocol asks it where to put bytes and tells it how many came.
"""

MAX_FRAME = 256 * 1024 * 1024
"""No response is believed to be larger: fetches are asked for far less, metadata of a hundred
thousand partitions is some tens of MiB. The first bytes of a TLS alert read as 352 million."""

_LENGTH = 4


class BadFrame(ValueError):
    """A length that cannot be one."""

    def __init__(self, reason: str, head: bytes) -> None:
        super().__init__(reason)
        self.head = head


class FrameReader:
    """Hands out room for bytes and hands back whole frames."""

    __slots__ = ("_filled", "_frame", "_head", "_max_frame", "_view")

    def __init__(self, *, max_frame: int = MAX_FRAME) -> None:
        self._head = bytearray(_LENGTH)
        self._max_frame = max_frame
        self._frame: bytearray | None = None
        self._view = memoryview(self._head)
        self._filled = 0

    def room(self) -> memoryview:
        """Return where the next bytes belong; never empty."""
        return self._view[self._filled :]

    def received(self, count: int) -> memoryview | None:
        """Take note of `count` bytes, more than none; return a frame when one is complete."""
        self._filled += count
        if self._filled < len(self._view):
            return None
        if self._frame is None:
            self._begin(self._length())
            if self._view:
                return None
        frame = self._view
        self._frame, self._view, self._filled = None, memoryview(self._head), 0
        return frame

    def _begin(self, length: int) -> None:
        self._frame = bytearray(length)
        self._view = memoryview(self._frame)
        self._filled = 0

    def _length(self) -> int:
        head = bytes(self._head)
        length = int.from_bytes(head, "big", signed=True)
        if 0 <= length <= self._max_frame:  # 0: the old SASL exchange has empty frames
            return length
        raise BadFrame(f"a frame of {length:,} bytes was announced", head)
