"""Runs as bytes: delta-encoded varints, cut into chunks that stand on their own.

Owns the layout. A chunk says its version first, so that later releases can still read it; each
holds absolute numbers for its first run and differences after it.
"""

from collections.abc import Iterable, Iterator

from kferry.offsets.runs import Run, Runs
from kferry.varints import get_varint, put_varint

MOST_BYTES = 256 * 1024
_VERSION = 1
_ROOM_FOR_A_RUN = 30


class BadChunk(ValueError):
    """Bytes that are not a chunk of runs."""


def encode_runs(runs: Iterable[Run], *, most_bytes: int = MOST_BYTES) -> Iterator[bytes]:
    """Lay runs out in chunks of at most `most_bytes`."""
    chunk = bytearray()
    source = target = 0
    for run in runs:
        if len(chunk) + _ROOM_FOR_A_RUN > most_bytes:
            yield bytes(chunk)
            chunk.clear()
        if not chunk:
            chunk.append(_VERSION)
            source = target = 0
        for number in (run.source - source, run.target - target, run.length):
            put_varint(chunk, number)
        source, target = run.source + run.length, run.target + run.length
    if chunk:
        yield bytes(chunk)


def decode_runs(chunks: Iterable[bytes]) -> Runs:
    """Read chunks back, in the order they were made."""
    runs = Runs()
    for chunk in chunks:
        if not chunk or chunk[0] != _VERSION:
            raise BadChunk(f"version {chunk[0] if chunk else 'none'} where {_VERSION} is known")
        position, source, target = 1, 0, 0
        while position < len(chunk):
            try:
                ahead, position = get_varint(chunk, position)
                shift, position = get_varint(chunk, position)
                length, position = get_varint(chunk, position)
                source, target = source + ahead, target + shift
                runs.append(source, target, length)
            except (ValueError, OverflowError) as error:
                raise BadChunk(str(error)) from error
            source, target = source + length, target + length
    return runs
