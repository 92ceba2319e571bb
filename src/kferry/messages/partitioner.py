"""Which partition a record goes to, as Java producers decide it.

Owns murmur2 as Kafka has it: records with a key must land where applications would put them.
"""

_SEED, _MIX, _SHIFT = 0x9747B28C, 0x5BD1E995, 24
_MASK, _POSITIVE = 0xFFFFFFFF, 0x7FFFFFFF


def partition_of_key(key: bytes, partitions: int) -> int:
    """Return the partition of a key among so many."""
    return (murmur2(key) & _POSITIVE) % partitions


def murmur2(data: bytes) -> int:
    """Hash as `org.apache.kafka.common.utils.Utils.murmur2`, without a sign."""
    found = (_SEED ^ len(data)) & _MASK
    whole = len(data) & ~3
    for at in range(0, whole, 4):
        part = (int.from_bytes(data[at : at + 4], "little") * _MIX) & _MASK
        part = ((part ^ (part >> _SHIFT)) * _MIX) & _MASK
        found = ((found * _MIX) & _MASK) ^ part
    if rest := data[whole:]:
        found = ((found ^ int.from_bytes(rest, "little")) * _MIX) & _MASK
    found = ((found ^ (found >> 13)) * _MIX) & _MASK
    return found ^ (found >> 15)
