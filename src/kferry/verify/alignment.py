"""The closer look: records of both logs aligned by content, where places do not agree.

Owns exact counts for damage of any kind: a missing record shifts all behind it and is still one.
Pure, and bounded: what has found its counterpart is forgotten, the rest waits for the next chunk.
Records are known here by their prints.
"""

from collections.abc import Container, Iterable, Sequence
from typing import NamedTuple

from kferry.records import Row
from kferry.verify.compare import GONE, Difference, Places, Standards, Tally
from kferry.verify.diff import matched
from kferry.verify.keys import Key, Missing, Old
from kferry.verify.pieces import Print, print_of, what_differs
from kferry.verify.ranges import Chunk

_CONTEXT = 32
"""Pairs that are kept before what waits, so that a record that moved a little is found again."""
_MOST_WAITING = 128 * 1024


class _Here(NamedTuple):
    offset: int
    place: int | None
    rank: int
    print: Print


class _There(NamedTuple):
    offset: int
    print: Print
    gone: bool = False
    """The record that was copied to this place is gone from the source."""
    settled: bool = False
    """In a gap of both logs, and written by us: the source had lost it before it was mapped."""


class _Region(NamedTuple):
    """What lies between two pairs: no record of one side is on the other."""

    here: Sequence[_Here]
    there: Sequence[_There]
    holes: int
    """Records that were copied and that the source no longer has."""
    first_rank: int
    in_place: bool
    """Both pairs lie where the map says: so nothing between them has moved on."""


class Alignment:
    """Aligns a stretch of one partition, chunk by chunk."""

    def __init__(self, standards: Standards) -> None:
        self.standards = standards
        self.tally = Tally()
        self.differences: list[Difference] = []
        """Of the chunks fed last; whoever wants them takes them from here."""
        self.missing: list[Missing] = []
        """Records that the target's own cleaner may have taken."""
        self.old: list[Old] = []
        """Values on the target whose records the source no longer has."""
        self.behind: list[int] = []
        """Offsets behind what was copied that have no counterpart."""
        self._target_end: int | None = None
        self._here: list[_Here] = []
        self._there: list[_There] = []
        self._rank = 0
        """How many records of the map lie before the next chunk, those trimmed left out."""
        self._passed = 0
        """The rank behind the last pair that is forgotten."""
        self._passed_in_place = True
        """Whether that pair lay where the map says."""

    @property
    def waiting(self) -> bool:
        """Whether anything has yet to find its counterpart."""
        return bool(self._here or self._there)

    @property
    def keys_waiting(self) -> set[Key]:
        """The keys of what waits."""
        return {one.print.key for side in (self._here, self._there) for one in side}

    def feed(
        self,
        chunk: Chunk,
        source: Iterable[Row],
        target: Iterable[Row],
        settled: Container[int] = (),
    ) -> None:
        """Take the records of the next chunk; `settled` are places where the source lost more."""
        places = Places(chunk)
        present = self._take(chunk, places, source)
        for row in target:
            origin = places.source_of(row.offset)
            lost = origin is not None and origin < self.standards.source_end
            self._there.append(
                _There(
                    offset=row.offset,
                    print=print_of(row, timestamps=self.standards.timestamps),
                    gone=lost and row.offset not in present,
                    settled=row.offset in settled,
                )
            )
        self._go(final=False)

    def feed_behind(self, target: Iterable[Row]) -> None:
        """Take records of the target from behind what was copied."""
        timestamps = self.standards.timestamps
        self._there += [_There(row.offset, print_of(row, timestamps=timestamps)) for row in target]
        self._go(final=False)

    def finish(self, target_end: int) -> None:
        """Say that nothing more comes: what has no counterpart has none.

        What lies from `target_end` on was not copied: whether it may be there, others judge.
        """
        self._target_end = target_end
        self._go(final=True)

    def _take(self, chunk: Chunk, places: Places, rows: Iterable[Row]) -> set[int]:
        """Take the source's records; return the places of those that the map knows."""
        standards, present, trimmed = self.standards, set[int](), 0
        for row in rows:
            place = places.target_of(row.offset)
            if place is not None:
                present.add(place)
            if place is not None and place < standards.target_start_now:
                trimmed += 1
                self._trimmed(row, place)
                continue
            rank = self._rank + places.rank_of(row.offset) - trimmed
            self._here.append(
                _Here(row.offset, place, rank, print_of(row, timestamps=standards.timestamps))
            )
        believed = places.rank_of(min(chunk.source[1], standards.source_end))
        self.tally.expired_source += chunk.mapped - len(present)
        self._rank += believed - trimmed
        return present

    def _trimmed(self, row: Row, place: int) -> None:
        if place < self.standards.target_start:
            self.tally.only_source += 1
            self._note(row.offset, place, GONE)
        else:
            self.tally.expired_target += 1

    def _go(self, *, final: bool) -> None:
        pairs = self._pairs()
        cut = self._cut(pairs, final=final)
        regions, end = [], (len(self._here), len(self._there))
        a = b = 0
        rank, in_place = self._passed, self._passed_in_place
        for one, other in pairs[:cut]:
            before, in_place = in_place, self._here[one].place == self._there[other].offset
            ranks, both = (rank, self._here[one].rank), before and in_place
            regions.append(self._region((a, one), (b, other), ranks, in_place=both))
            a, b, rank = one + 1, other + 1, self._rank_behind(one)
        self.tally.same += cut
        if final or self._too_many(pairs[cut:], (a, b)):
            in_place = in_place and final
            ranks = rank, self._rank
            regions.append(self._region((a, end[0]), (b, end[1]), ranks, in_place=in_place))
            (a, b), rank = end, self._rank
        self._judge([region for region in regions if region.here or region.there])
        self._passed, self._passed_in_place = rank, in_place
        del self._here[:a], self._there[:b]
        self.differences.sort(key=_place)

    def _pairs(self) -> Sequence[tuple[int, int]]:
        """Find what belongs together: by places if all of the source lies there, else by content.

        Among equal records, only the places tell which of them the source has lost.
        """
        at = {other.offset: index for index, other in enumerate(self._there)}
        found: list[tuple[int, int]] = []
        for index, one in enumerate(self._here):
            there = None if one.place is None else at.get(one.place)
            if there is None or self._there[there].print != one.print:
                return matched(
                    [one.print for one in self._here], [one.print for one in self._there]
                )
            found.append((index, there))
        return found

    def _cut(self, pairs: Sequence[tuple[int, int]], *, final: bool) -> int:
        """Return how many pairs are done with."""
        if not pairs or final:
            return len(pairs)
        a, b = pairs[-1]
        if (a, b) == (len(self._here) - 1, len(self._there) - 1):
            return len(pairs)
        return max(0, len(pairs) - _CONTEXT)

    def _too_many(self, pairs: Sequence[tuple[int, int]], begin: tuple[int, int]) -> bool:
        left = len(self._here) - begin[0] + len(self._there) - begin[1] - 2 * len(pairs)
        return left > _MOST_WAITING

    def _rank_behind(self, index: int) -> int:
        one = self._here[index]
        return one.rank + (one.place is not None)

    def _region(
        self,
        here: tuple[int, int],
        there: tuple[int, int],
        ranks: tuple[int, int],
        *,
        in_place: bool,
    ) -> _Region:
        mine, (first_rank, end_rank) = self._here[slice(*here)], ranks
        mapped = sum(one.place is not None for one in mine)
        return _Region(
            here=mine,
            there=self._there[slice(*there)],
            holes=max(0, end_rank - first_rank - mapped),
            first_rank=first_rank,
            in_place=in_place,
        )

    def _judge(self, regions: Sequence[_Region]) -> None:
        moved = self._moved(regions)
        for region in regions:
            here = [one for one in region.here if one.offset not in moved]
            gone = set(moved.values())
            there = [one for one in region.there if one.offset not in gone]
            self._judge_region(region, here, there)

    def _moved(self, regions: Sequence[_Region]) -> dict[int, int]:
        """Find records that are there, but elsewhere: the same content among what is left over."""
        left: dict[Print, list[int]] = {}
        for region in regions:
            for other in region.there:
                left.setdefault(other.print, []).append(other.offset)
        moved: dict[int, int] = {}
        for region in regions:
            for one in region.here:
                if found := left.get(one.print):
                    moved[one.offset] = found.pop(0)
                    self.tally.differ += 1
                    self._note(
                        one.offset, moved[one.offset], f"order: it should lie at {one.place}"
                    )
        return moved

    def _judge_region(
        self, region: _Region, here: Sequence[_Here], there: Sequence[_There]
    ) -> None:
        left = self._by_place(region, here, there)
        here, there = self._pair(region, here, there) if left is None else (left, ())
        for one in here:
            if self.standards.target_compacts and one.place is not None:
                self.missing.append(Missing(one.print.key, one.offset, one.place))
            else:
                self.tally.only_source += 1
                self._note(one.offset, one.place, "missing on the target")
        for other in there:
            if self._target_end is not None and other.offset >= self._target_end:
                self.behind.append(other.offset)
            else:
                self.tally.only_target += 1
                self._note(None, other.offset, "only on the target")

    def _by_place(
        self, region: _Region, here: Sequence[_Here], there: Sequence[_There]
    ) -> Sequence[_Here] | None:
        """Judge by places, where they say what everything on the target is.

        Return what is missing; None: they do not tell.
        """
        at = {one.place: one for one in here}
        known = all(one.gone or one.settled or one.offset in at for one in there)
        there_still = sum(one.gone or one.offset in at for one in there)
        # Only a cleaner takes records from between others; else what is missing moves the rest.
        whole = self.standards.target_compacts or there_still == len(here) + region.holes
        if not region.in_place or None in at or not known or not whole:
            return None
        for other in there:
            if (one := at.pop(other.offset, None)) is not None:
                self._differ(one, other)
                continue
            self.tally.expired_source += other.settled
            if self.standards.source_compacts and other.print.value is not None:
                self.old.append(Old(other.print.key, other.offset))
        return [one for one in here if one.place in at]

    def _pair(
        self, region: _Region, here: Sequence[_Here], there: Sequence[_There]
    ) -> tuple[Sequence[_Here], Sequence[_There]]:
        """Say which records differ, and return those without a counterpart."""
        if len(there) == len(here) + region.holes:
            # As many as were copied: each lies in its turn, also where the source has none now.
            pairs = [(one, one.rank - region.first_rank) for one in here]
            if all(0 <= turn < len(there) for _, turn in pairs):
                for one, turn in pairs:
                    self._differ(one, there[turn])
                return (), ()
        count = min(len(here), max(0, len(there) - region.holes))
        for one, other in zip(here[:count], there[:count], strict=True):
            self._differ(one, other)
        return here[count:], self._too_much(there[count:], region.holes)

    def _too_much(self, left: Sequence[_There], holes: int) -> Sequence[_There]:
        """Return as many as there should not be: rather those that were never at their place."""
        many = max(0, len(left) - holes)
        settled = min(many, sum(one.settled for one in left))
        self.tally.expired_source += settled
        likely = sorted((one for one in left if not one.settled), key=lambda one: one.gone)
        return sorted(likely[: many - settled], key=lambda one: one.offset)

    def _differ(self, one: _Here, other: _There) -> None:
        self.tally.differ += 1
        self._note(one.offset, other.offset, what_differs(one.print, other.print))

    def _note(self, source: int | None, target: int | None, what: str) -> None:
        self.differences.append(Difference(source, target, what))


def _place(difference: Difference) -> int:
    return min(
        one for one in (difference.source_offset, difference.target_offset) if one is not None
    )
