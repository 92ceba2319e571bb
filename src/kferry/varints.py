"""Numbers from 0 to 2**63 - 1 in as few bytes as they need: seven bits each, the lowest first.

Owns that layout, which map files and a ledger's chunks share. Knows nothing of what is counted.
"""


class BadVarint(ValueError):
    """Bytes that are not such a number."""


def put_varint(out: bytearray, number: int) -> None:
    """Add a number."""
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)


def get_varint(data: bytes, position: int) -> tuple[int, int]:
    """Read the number at a position; return it, and where it ends."""
    number = shift = 0
    while position < len(data) and shift < 63:
        byte = data[position]
        position += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number, position
        shift += 7
    raise BadVarint("a number is cut off or too large")
