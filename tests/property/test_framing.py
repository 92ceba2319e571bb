"""However the network cuts the stream, the same frames come out, each in a buffer of its own."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kferry.wire.framing import BadFrame, FrameReader


def feed(reader: FrameReader, stream: bytes, cuts: list[int]) -> list[memoryview]:
    """Play a socket that delivers at most as many bytes at a time as `cuts` says, in turn."""
    frames: list[memoryview] = []
    position = turn = 0
    while position < len(stream):
        room = reader.room()
        count = min(len(room), cuts[turn % len(cuts)], len(stream) - position)
        room[:count] = stream[position : position + count]
        position += count
        turn += 1
        if (frame := reader.received(count)) is not None:
            frames.append(frame)
    return frames


def framed(bodies: list[bytes]) -> bytes:
    return b"".join(len(body).to_bytes(4, "big") + body for body in bodies)


@given(
    bodies=st.lists(st.binary(max_size=200), max_size=8),
    cuts=st.lists(st.integers(1, 64), min_size=1, max_size=10),
)
def test_any_cut_of_the_stream_gives_the_same_frames(bodies: list[bytes], cuts: list[int]) -> None:
    frames = feed(FrameReader(), framed(bodies), cuts)
    assert [bytes(frame) for frame in frames] == bodies


@given(bodies=st.lists(st.binary(min_size=1, max_size=50), min_size=2, max_size=5))
def test_a_frame_is_not_touched_by_what_comes_after_it(bodies: list[bytes]) -> None:
    reader = FrameReader()
    first = feed(reader, framed(bodies[:1]), [7])[0]
    feed(reader, framed(bodies[1:]), [7])
    assert bytes(first) == bodies[0]


@given(length=st.one_of(st.integers(-(2**31), -1), st.integers(1001, 2**31 - 1)))
def test_an_impossible_length_is_refused_before_memory_is_taken(length: int) -> None:
    reader = FrameReader(max_frame=1000)
    reader.room()[:] = length.to_bytes(4, "big", signed=True)
    with pytest.raises(BadFrame) as caught:
        reader.received(4)
    assert caught.value.head == length.to_bytes(4, "big", signed=True)
