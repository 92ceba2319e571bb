"""The bytes of one connection in one direction, passed on under the conditions of a lane.

Owns the pace. A delay shifts bytes in time and keeps their distance: latency costs no throughput
here, as on a real line. Knows nothing of Kafka.
"""

import asyncio

from kferry.sandbox.faults.lane import Lane

_CHUNK = 65_536
_SLICES_A_SECOND = 20
"""A slow lane passes small pieces often, not large ones seldom."""
_ON_THE_LINE = 64
"""Pieces under way at most; then reading stops, and the sender feels it."""

_Piece = tuple[float, bytes]


async def pump(lane: Lane, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    """Pass on until `source` ends, then end `sink`'s side of the conversation, too."""
    line: asyncio.Queue[_Piece] = asyncio.Queue(_ON_THE_LINE)
    async with asyncio.TaskGroup() as group:
        group.create_task(_receive(lane, source, line))
        group.create_task(_deliver(lane, line, sink))


async def _receive(lane: Lane, source: asyncio.StreamReader, line: asyncio.Queue[_Piece]) -> None:
    clock = asyncio.get_running_loop()
    more = True
    while more:
        data = await source.read(_CHUNK)
        more = bool(data)
        await line.put((clock.time() + lane.latency, data))


async def _deliver(lane: Lane, line: asyncio.Queue[_Piece], sink: asyncio.StreamWriter) -> None:
    clock = asyncio.get_running_loop()
    while True:
        due, data = await line.get()
        if not data:
            await lane.flowing.wait()
            if sink.can_write_eof():
                sink.write_eof()
            return
        await asyncio.sleep(due - clock.time())
        while data:
            await lane.flowing.wait()
            data = await _pass(lane, data, sink)


async def _pass(lane: Lane, data: bytes, sink: asyncio.StreamWriter) -> bytes:
    """Pass as much as may pass now; return the rest."""
    pace = lane.bytes_per_second
    size = len(data) if pace is None else max(1, int(pace / _SLICES_A_SECOND))
    piece = data[: lane.allow(min(size, len(data)))]
    sink.write(piece)
    await sink.drain()
    lane.note(len(piece))
    if pace is not None:
        await asyncio.sleep(len(piece) / pace)
    return data[len(piece) :]
