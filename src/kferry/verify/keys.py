"""Compacted topics: what counts is the last record of each key.

Owns which records may be missing because their side has a later one of the same key, and which old
values on the target outlived their key on the source. Pure. Keeps only keys that are in question.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from kferry.records import Row
from kferry.verify.compare import Difference
from kferry.verify.pieces import Hashed, hashed

Key = Hashed | None

OUTLIVED = (
    "an old value: its key was deleted on the source, "
    "whose cleaner took the tombstone before it was copied"
)


class Missing(NamedTuple):
    """A record that the target no longer has; its own cleaner may have taken it."""

    key: Key
    source: int
    place: int


class Old(NamedTuple):
    """A value on the target whose record the source no longer has."""

    key: Key
    place: int


def last_of(rows: Iterable[Row]) -> dict[Key, int]:
    """Return where each key stands last."""
    return {hashed(row.key): row.offset for row in rows}


@dataclass(slots=True)
class Keys:
    """The keys in question."""

    missing: dict[Key, list[Missing]] = field(default_factory=dict)
    old: dict[Key, Old] = field(default_factory=dict)
    superseded: int = 0
    """Missing records of which the target has a later one of the same key."""

    @property
    def open(self) -> bool:
        """Whether a later record could still answer anything."""
        return bool(self.missing or self.old)

    def take(
        self, last: dict[Key, int], missing: Iterable[Missing] = (), old: Iterable[Old] = ()
    ) -> None:
        """Take the next stretch: where its keys stand last on the target, and what is in question.

        What was in question before is answered by any later record of its key.
        """
        for key in [key for key in self.missing if key in last]:
            own = self.missing.pop(key)
            if left := [one for one in own if one.place >= last[key]]:
                self.missing[key] = left
            self.superseded += len(own) - len(left)
        for key in [key for key in self.old if last.get(key, -1) > self.old[key].place]:
            del self.old[key]
        for one in missing:
            if last.get(one.key, -1) > one.place:
                self.superseded += 1
            else:
                self.missing.setdefault(one.key, []).append(one)
            # Lost or not: the key is still on the source.
            if (value := self.old.get(one.key)) is not None and value.place < one.place:
                del self.old[one.key]
        for value in old:
            if any(one.place > value.place for one in self.missing.get(value.key, ())):
                continue
            if last.get(value.key, -1) <= value.place:
                self.old[value.key] = value

    def take_source_behind(self, rows: Iterable[Row]) -> None:
        """Take records of the source that are not copied yet: they supersede old values, too."""
        for row in rows:
            self.old.pop(hashed(row.key), None)

    def lost(self) -> list[Difference]:
        """Return the records that nothing supersedes."""
        found = [one for own in self.missing.values() for one in own]
        return [
            Difference(one.source, one.place, "missing on the target, and no later one of its key")
            for one in sorted(found, key=lambda one: one.source)
        ]

    def outlived(self) -> list[Difference]:
        """Return the values whose key the source no longer has."""
        return [
            Difference(None, one.place, OUTLIVED)
            for one in sorted(self.old.values(), key=lambda one: one.place)
        ]
