"""LZ4 as Kafka wrote it before 0.10: frames whose header checksum covers too much (KAFKA-3160).

Owns the mending of that one byte; a reader of LZ4 frames then takes them. Only message sets of
magic 0 have it.
"""

import cramjam

from kferry.records.header import CorruptBatch

_MAGIC = b"\x04\x22\x4d\x18"
_CONTENT_SIZE, _DICTIONARY = 0x08, 0x01
_MASK = 0xFFFFFFFF
_PRIME_1, _PRIME_2, _PRIME_3 = 0x9E3779B1, 0x85EBCA77, 0xC2B2AE3D
_PRIME_4, _PRIME_5 = 0x27D4EB2F, 0x165667B1


def unpack_old_lz4(frame: bytes) -> bytes:
    """Unpack a frame, whatever its header's checksum says."""
    if len(frame) < 7 or frame[:4] != _MAGIC:
        raise CorruptBatch("its compressed part is no LZ4 frame")
    flags = frame[4]
    end = 6 + (8 if flags & _CONTENT_SIZE else 0) + (4 if flags & _DICTIONARY else 0)
    mended = bytearray(frame)
    if end >= len(mended):
        raise CorruptBatch("its LZ4 frame ends in its header")
    mended[end] = (_xxh32(frame[4:end]) >> 8) & 0xFF
    try:
        return bytes(cramjam.lz4.decompress(mended))
    except cramjam.DecompressionError as error:
        raise CorruptBatch(f"its LZ4 frame cannot be read: {error}") from error


def _xxh32(data: bytes) -> int:
    """Hash fewer than 16 bytes, as a frame's header has."""
    digest = (_PRIME_5 + len(data)) & _MASK
    position = 0
    while position + 4 <= len(data):
        lane = int.from_bytes(data[position : position + 4], "little")
        digest = (_rotated(digest + lane * _PRIME_3, 17) * _PRIME_4) & _MASK
        position += 4
    for byte in data[position:]:
        digest = (_rotated(digest + byte * _PRIME_5, 11) * _PRIME_1) & _MASK
    digest = ((digest ^ digest >> 15) * _PRIME_2) & _MASK
    digest = ((digest ^ digest >> 13) * _PRIME_3) & _MASK
    return digest ^ digest >> 16


def _rotated(number: int, by: int) -> int:
    number &= _MASK
    return (number << by | number >> (32 - by)) & _MASK
