"""What a record must have to be found.

Owns the conditions. Pure; works on bytes, since that is what records are made of.
"""

from dataclasses import dataclass

from kferry.records import Row


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """All of these must hold; what is not asked for always does."""

    key: bytes | None = None
    """The whole key."""
    contains: bytes | None = None
    """Somewhere in the key, the value, or the value of a header."""
    headers: tuple[tuple[str, bytes], ...] = ()
    """Each of them is there; others may be, too."""
    from_time: int | None = None
    to_time: int | None = None
    """The first millisecond that is too late."""

    def match(self, row: Row) -> bool:
        """Say whether a record is meant."""
        if self.from_time is not None and row.timestamp < self.from_time:
            return False
        if self.to_time is not None and not 0 <= row.timestamp < self.to_time:
            return False
        if self.key is not None and row.key != self.key:
            return False
        if self.headers and any(wanted not in row.headers for wanted in self.headers):
            return False
        return self.contains is None or _contains(row, self.contains)


def _contains(row: Row, wanted: bytes) -> bool:
    if row.value is not None and wanted in row.value:
        return True
    if row.key is not None and wanted in row.key:
        return True
    return any(value is not None and wanted in value for _, value in row.headers)
