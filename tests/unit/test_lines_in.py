"""Lines of input become records: byte for byte, but for the ends of lines."""

import asyncio
import os

import pytest

from kferry.cli.lines_in import LinesIn, split


@pytest.mark.parametrize(
    ("pieces", "lines"),
    [
        ([], []),
        ([b"a\nb\n"], [b"a", b"b"]),
        ([b"a\nb"], [b"a", b"b"]),
        ([b"a\r\nb\r"], [b"a", b"b"]),
        ([b"a", b"b", b"\nc"], [b"ab", b"c"]),
        ([b"\n\n"], [b"", b""]),
        ([b"a\rb\xff\x00\n"], [b"a\rb\xff\x00"]),
    ],
)
def test_lines_are_cut_wherever_pieces_end(pieces: list[bytes], lines: list[bytes]) -> None:
    assert list(split(iter(pieces))) == lines


async def test_many_lines_come_in_their_order_and_end() -> None:
    reading, writing = os.pipe()
    wanted = [b"%d" % number for number in range(20_000)]

    def write() -> None:
        with os.fdopen(writing, "wb") as pipe:
            pipe.write(b"\n".join(wanted))

    lines, found = LinesIn(reading), list[bytes]()
    writer = asyncio.create_task(asyncio.to_thread(write))
    while some := await lines.some():
        found += some
    await writer
    assert found == wanted
    assert await lines.some() == []
    os.close(reading)
