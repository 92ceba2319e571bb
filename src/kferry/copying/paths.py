"""All the ways in which a tail can have come from its source, followed at the same time.

Owns the search. A path says of each record of the tail: it is that source record, or it is one that
has vanished. It has to respect that offsets never move: between two source records that it matches
one after the other, it may call as many records of the tail vanished as source offsets are empty
there now, and may have held a record (so markers do not count). What has no path any more was not
written by us.

Why one path is not enough: with equal records, the nearest match may be a vanished twin of the
right one, after which the offsets do not fit. Why many are cheap: a path that waits for source
record n is only ever a better or a worse one than another that waits for n, by how long it may
wait; so there is one for each n, found by its content, and it costs nothing until that comes.

Why the outcome is safe. Call the source as it was S, as it is N, the tail T: T is the beginning of
S, and N a part of S. What really happened is one of the paths; it matches k records. At the end the
path that has matched the most is taken, say K of them, and the copy goes on with record K of N.
- No record of N is missing: K of them are matched, in order, and the rest will be copied.
- None is there more often than S had it: K ≥ k, and the rest of N after k lies in S behind T.
So the target ends up between N and S in content and order: a state that the source's own cleaner
could have made of it. Where K > k, the records between are equal in key, value, headers and time to
vanished ones that are on the target, and nobody can tell which are which.

Among paths that match as many, the one that matches latest is taken: a group that goes on at a
record reads nothing before it that the source no longer has.

Bounds: only so many records are kept, and so many waiting paths with equal content. The ones that
are furthest behind are given up first. That keeps K ≥ k: a path ahead of the true one can fall
behind it only where both wait for the same record, and from there both have the same choices as
long as it lives. The price: in a log with many equal records and holes, a mismatch that is none.
"""

from kferry.copying.ahead import NO_RECORD, Ahead, Content
from kferry.names import SourceOffset, TargetOffset
from kferry.offsets import Run

_Matched = tuple["_Matched | None", int, int, int]
"""What a path matched: what came before, then source offset, target offset and count."""
_Waiting = tuple[int, "_Matched | None"]
"""A path: the last record of the tail that it may still match, and what it matched before."""

_MOST_RECORDS = 1 << 16
_MOST_BYTES = 16 << 20
_MOST_ALIKE = 128
_AT_LEAST = 1024
_FIELDS = ("timestamp", "key", "value", "headers")


class Foreign(Exception):
    """No path is left: what was expected beside the record in question, and where.

    Not `certain` where paths had been given up: the right one may have been among them.
    """

    def __init__(self, source_offset: int, differs: str, *, certain: bool) -> None:
        super().__init__(differs)
        self.source_offset, self.differs, self.certain = source_offset, differs, certain


class Paths:
    """The paths that are left after `passed` records of the tail."""

    def __init__(self, ahead: Ahead) -> None:
        self.passed = 0
        self._ahead = ahead
        self._fresh: tuple[int, _Matched | None] | None = (0, None)
        """The path that has just matched: the number it waits for, and what it matched."""
        self._waiting: dict[Content, dict[int, _Waiting]] = {}
        """The others, by what they wait for, and its number."""
        self._latest = -1
        """The last record of the tail that any of the others may match."""
        self._floor = 0
        """Paths that wait for smaller numbers were given up."""
        self._kept = 0

    @property
    def need_source(self) -> bool:
        """Whether the tail's next record can be judged only when more of the source is known."""
        return self._fresh is not None and self._fresh[0] == self._ahead.end

    def stands_before(self, offset: int) -> bool:
        """Whether there is one path, and the tail's next record must be the one at this offset."""
        alone = self.need_source and self._latest < self.passed
        return alone and self._ahead.close_behind(offset)

    def take_whole(self, source: int, target: int, count: int) -> None:
        """Match as many records at once on the only path."""
        assert self._fresh is not None  # noqa: S101 `stands_before` was asked
        number, matched = self._fresh
        self._fresh = (number + count, _and(matched, source, target, count))
        self._ahead.pass_whole(source, count)
        self._waiting.clear()
        self.passed += count

    def advance(self, contents: list[Content], position: int, offset: int, most: int) -> int:
        """Match what equals the source record for record, on an only path; return how many.

        `offset` is where the tail's record at `position` lies, `most` how many lie behind it
        without a gap.
        """
        if self._fresh is None or self._latest >= self.passed:
            return 0
        ahead, (number, matched) = self._ahead, self._fresh
        index = number - ahead.first
        if ahead.room[index]:
            return 0
        count = min(most, ahead.stretch_end(number) - number)
        theirs = contents[position : position + count]
        ours = ahead.contents[index : index + count]
        if theirs != ours:
            count = next(at for at in range(count) if theirs[at] != ours[at])
        if count:
            self._fresh = (number + count, _and(matched, ahead.offsets[index], offset, count))
            self.passed += count
        return count

    def step(self, content: Content, offset: int) -> None:
        """Follow every path over the tail's next record."""
        self._park()
        before, self.passed = self.passed, self.passed + 1
        alike = self._waiting.get(content)
        if alike is not None and len(alike) > 2 * _MOST_ALIKE:
            self._floor = max(self._floor, sorted(alike)[-_MOST_ALIKE])
            self._sweep(before)
            alike = self._waiting.get(content)
        if alike is not None:
            self._match(alike, before, offset)
            if not alike:
                del self._waiting[content]
        if self._fresh is None and self._latest <= before:
            raise self._foreign(content, before)

    def make_room(self) -> None:
        """Forget what no path asks for any more; where that is too much, give up paths."""
        ahead = self._ahead
        if len(ahead) <= 2 * self._kept + _AT_LEAST and not self._too_much():
            return
        newest = ahead.end if self._fresh is None else self._fresh[0]
        self._sweep(self.passed)
        while self._too_much() and ahead.first < newest:
            self._floor = ahead.first + (newest - ahead.first + 1) // 2
            self._sweep(self.passed)
        self._kept = len(ahead)

    def furthest(self) -> list[Run]:
        """Return what the path that matched the most has matched, when the tail has ended."""
        number, matched = (self._floor - 1, None) if self._fresh is None else self._fresh
        for alike in self._waiting.values():
            for other, (deadline, before) in alike.items():
                if other > number and deadline >= self.passed:
                    number, matched = other, before
        runs: list[Run] = []
        while matched is not None:
            matched, source, target, count = matched
            runs.append(Run(SourceOffset(source), TargetOffset(target), count))
        return runs[::-1]

    def _park(self) -> None:
        if self._fresh is not None:
            self._wait(*self._fresh)
            self._fresh = None

    def _wait(self, number: int, matched: _Matched | None) -> None:
        ahead, index = self._ahead, number - self._ahead.first
        deadline = self.passed + ahead.room[index]
        # One that waits for the same record came earlier, so it may wait less long.
        self._waiting.setdefault(ahead.contents[index], {})[number] = (deadline, matched)
        self._latest = max(self._latest, deadline)

    def _match(self, alike: dict[int, _Waiting], before: int, offset: int) -> None:
        offsets, first = self._ahead.offsets, self._ahead.first
        # From the furthest on, so that none that starts to wait here is taken for an old one.
        for number in sorted(alike, reverse=True):
            deadline, matched = alike[number]
            if deadline <= before or number < self._floor:
                del alike[number]
            if deadline < before or number < self._floor:
                continue
            now = _and(matched, offsets[number - first], offset, 1)
            if self._fresh is None:
                self._fresh = (number + 1, now)
            else:
                self._wait(number + 1, now)

    def _too_much(self) -> bool:
        return len(self._ahead) > _MOST_RECORDS or self._ahead.size > _MOST_BYTES

    def _sweep(self, now: int) -> None:
        """Keep only what may still match the tail's record `now` or a later one."""
        self._latest = -1
        oldest = self._ahead.end if self._fresh is None else self._fresh[0]
        for content, alike in list(self._waiting.items()):
            left = {
                number: path
                for number, path in alike.items()
                if path[0] >= now and number >= self._floor
            }
            if left:
                self._waiting[content] = left
                oldest = min(oldest, *left)
                self._latest = max(self._latest, *(deadline for deadline, _ in left.values()))
            else:
                del self._waiting[content]
        self._ahead.forget(oldest)

    def _foreign(self, content: Content, before: int) -> Foreign:
        number, expected = max(
            (number, expected)
            for expected, alike in self._waiting.items()
            for number, (deadline, _) in alike.items()
            if deadline >= before and number >= self._floor
        )
        offset = self._ahead.offsets[number - self._ahead.first]
        return Foreign(offset, _difference(content, expected), certain=self._floor == 0)


def _and(
    matched: _Matched | None, source: int, target: int, count: int
) -> tuple[_Matched | None, int, int, int]:
    if matched is not None:
        before, first, at, length = matched
        if first + length == source and at + length == target:
            return (before, first, at, length + count)
    return (matched, source, target, count)


def _difference(content: Content, expected: Content) -> str:
    if expected is NO_RECORD:
        return "the source ends there"
    if not isinstance(content, tuple) or not isinstance(expected, tuple):
        return "another record"
    fields = _FIELDS[-len(content) :]
    differing = [
        name for name, one, other in zip(fields, content, expected, strict=True) if one != other
    ]
    return f"another {' and '.join(differing)}"
