"""Which offsets of both logs belong together: an offset map cut into chunks.

Owns the cutting. Pure. The chunks of a partition leave no source offset out between the copy's
beginning and how far it is, and no target offset between its first record and its last.
"""

from dataclasses import dataclass

from kferry.names import TargetOffset
from kferry.offsets import OffsetMap, Run


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """A stretch of both logs, ends not included."""

    source: tuple[int, int]
    target: tuple[int, int]
    runs: tuple[tuple[int, int, int], ...]
    """(source, target, length): what the map says lies in it."""
    next_source: int
    """Where the source's next record of the map lies behind it, or how far was copied."""

    @property
    def gaps(self) -> list[tuple[int, int, int]]:
        """Return the stretches of the target between runs, and how many source offsets each spans.

        Records in them were settled after a crash, when the source no longer had them: they are
        known to nobody's map.
        """
        following = [*((source, target) for source, target, _ in self.runs[1:])]
        following.append((self.next_source, self.target[1]))
        return [
            (target + length, next_target, next_source - source - length)
            for (source, target, length), (next_source, next_target) in zip(
                self.runs, following, strict=bool(self.runs)
            )
            if next_target > target + length and next_source > source + length
        ]

    @property
    def mapped(self) -> int:
        """How many records the map says there are."""
        return sum(length for _, _, length in self.runs)


class Chunks:
    """Cuts a map, from a source offset on, into chunks of a size that may change on the way."""

    def __init__(self, offsets: OffsetMap, *, source: int | None = None) -> None:
        self._map = offsets
        self.source: int = max(offsets.begins, offsets.begins if source is None else source)
        """Where the next chunk begins."""
        self._index, self._into = self._locate(self.source)
        self.target = self._target_here()

    @property
    def done(self) -> bool:
        """Whether nothing is left."""
        return self.source >= self._map.copied_to

    def covered_by(self, begin: int, end: int) -> int | None:
        """Return the source offset up to which records lie in a stretch of the target.

        None where the next record is not the first one in it.
        """
        runs = self._map.runs
        if not begin <= self.target < end or self._index == len(runs):
            return None
        before = self._run.target + self._into - 1 if self._into else -1
        if not self._into and self._index:
            before = sum(runs[self._index - 1][1:]) - 1
        if before >= begin:
            return None
        last = runs[runs.last_from_target(TargetOffset(end - 1))]
        return last.source + min(end - last.target, last.length)

    def after(self, most: int) -> int:
        """Return the source offset up to which there are `most` records of the map, or the end."""
        index, into = self._index, self._into
        while index < len(self._map.runs):
            source, _, length = self._map.runs[index]
            if most < length - into:
                return source + into + most
            most -= length - into
            index, into = index + 1, 0
        return self._map.copied_to

    def next(self, end: int) -> Chunk:
        """Cut the next chunk, up to a source offset."""
        runs: list[tuple[int, int, int]] = []
        while self._index < len(self._map.runs):
            source, target, length = self._map.runs[self._index]
            taken = min(length - self._into, end - source - self._into)
            if taken <= 0:
                break
            runs.append((source + self._into, target + self._into, taken))
            self._into += taken
            if self._into == length:
                self._index, self._into = self._index + 1, 0
        begin, begin_target = self.source, self.target
        self.source, self.target = min(end, self._map.copied_to), self._target_here()
        last = self._index == len(self._map.runs)
        return Chunk(
            source=(begin, self.source),
            target=(begin_target, self.target),
            runs=tuple(runs),
            next_source=self._map.copied_to if last else self._run.source + self._into,
        )

    def _locate(self, source: int) -> tuple[int, int]:
        runs = self._map.runs
        index = runs.last_from_source(source)
        if index < 0:
            return 0, 0
        run = runs[index]
        if source < run.source + run.length:
            return index, source - run.source
        return index + 1, 0

    def _target_here(self) -> int:
        if self._index == len(self._map.runs):
            return self._map.target_end
        return self._run.target + self._into

    @property
    def _run(self) -> Run:
        return self._map.runs[self._index]
