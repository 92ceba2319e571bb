"""What a member of a classic group was given to read, in the form that consumers agreed on.

Owns reading that form. Other clients store what they like there (Connect does): what cannot be read
is nothing, never an error.
"""

import struct

from kferry.names import PartitionId, TopicName, TopicPartition

_MOST = 1_000_000


def read_assignment(blob: bytes) -> frozenset[TopicPartition]:
    """Read the partitions of an assignment; empty where it is none."""
    try:
        return frozenset(_read(blob))
    except (struct.error, UnicodeDecodeError, ValueError):
        return frozenset()


def _read(blob: bytes) -> list[TopicPartition]:
    if not blob:
        return []
    _, topics = struct.unpack_from(">hi", blob)
    _insist(topics)
    found, at = [], 6
    for _ in range(topics):
        (length,) = struct.unpack_from(">h", blob, at)
        _insist(length)
        name = blob[at + 2 : at + 2 + length].decode()
        at += 2 + length
        (count,) = struct.unpack_from(">i", blob, at)
        _insist(count)
        numbers = struct.unpack_from(f">{count}i", blob, at + 4)
        at += 4 + 4 * count
        found += [TopicPartition(TopicName(name), PartitionId(number)) for number in numbers]
    return found


def _insist(number: int) -> None:
    if not 0 <= number <= _MOST:
        raise ValueError(number)
