"""A partition compared chunk by chunk: the quick answer first, the closer look where it must be.

Owns what is known so far, which only changes when nothing waits for a counterpart: so a comparison
may be left at any moment and be taken up again at `source_to`. Pure; reads nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from kferry.records import fold
from kferry.verify.alignment import Alignment
from kferry.verify.compare import Compared, Difference, Places, Standards, Tally, compare, settled
from kferry.verify.keys import Key, Keys, Missing, Old, last_of
from kferry.verify.pieces import Piece, hashed
from kferry.verify.ranges import Chunk

MOST_DIFFERENCES = 10
"""So many of a partition are kept; the counts are of all."""


def folded(begin: int, end: int, pieces: Sequence[Piece], digest: int) -> int:
    """Go on with a digest over the batches that begin in a stretch of the target."""
    for piece in pieces:
        if piece.header is not None and begin <= piece.first < end:
            digest = fold(digest, piece.header.count, piece.header.crc)
    return digest


class Suspect(NamedTuple):
    """Records on the target that may not be ours."""

    offset: int
    records: int
    producer_id: int


@dataclass(slots=True, kw_only=True)
class Found:
    """What is known of a partition so far."""

    source_to: int
    """How far its records were compared; what waits for a counterpart is not."""
    tally: Tally = field(default_factory=Tally)
    differences: list[Difference] = field(default_factory=list)
    """The first ones."""
    suspects: list[Suspect] = field(default_factory=list)
    """Behind the map's end, by nobody known."""
    ours: set[int] = field(default_factory=set)
    """The producers that wrote what was copied."""
    judged_to: int = -1
    """Suspects up to this offset were found guilty before, and are counted."""
    digest: int = 0
    """Over the target's batches as far as they were compared."""
    bytes: int = 0
    done_at: float | None = None
    """When its end was reached, in seconds since 1970; None: it was not."""

    @property
    def done(self) -> bool:
        """Whether it was compared to its end."""
        return self.done_at is not None

    def note(self, differences: Sequence[Difference]) -> None:
        """Keep the first ones."""
        self.differences += differences[: MOST_DIFFERENCES - len(self.differences)]


class Comparison:
    """Compares the chunks of one partition in their order."""

    def __init__(self, standards: Standards, found: Found, *, producers_moved: bool) -> None:
        self.found = found
        self._standards = standards
        self._producers_moved = producers_moved
        self._alignment = Alignment(standards)
        self._behind: dict[int, int] = {}
        self._digest = found.digest
        self._keys = Keys()
        self._last_before: dict[Key, int] = {}
        """Where keys that wait for a counterpart stand last, as far as the target was read."""
        self._by_key = standards.source_compacts or standards.target_compacts

    @property
    def keys_open(self) -> bool:
        """Whether what lies behind the copied records must be looked at for their keys."""
        return self._keys.open

    @property
    def old_open(self) -> bool:
        """The same for the source."""
        return bool(self._keys.old)

    @property
    def waiting(self) -> bool:
        """Whether records of either side have yet to find their counterpart."""
        return self._alignment.waiting

    def target_starts(self, offset: int) -> None:
        """Say where the target's log starts now."""
        if offset > self._standards.target_start_now:
            self._standards = replace(self._standards, target_start_now=offset)
            self._alignment.standards = self._standards

    def take(self, chunk: Chunk, here: Sequence[Piece], there: Sequence[Piece]) -> None:
        """Compare the next chunk."""
        self._digest = folded(*chunk.target, there, self._digest)
        last = self._last(there, *chunk.target)
        there, foreign = self._without_foreign(chunk, there)
        lost = settled(chunk, there, self.found.ours)
        # Those may as well be the next ones that slipped: only the closer look can tell.
        if not self.waiting and not lost:
            compared = compare(chunk, here, there, self._standards)
            if compared.clear:
                compared.tally.foreign = foreign
                self.found.tally.add(compared.tally)
                self.found.note([] if compared.first is None else [compared.first])
                self._weigh(compared, last)
                self.found.source_to = chunk.source[1]
                self.found.digest = self._digest
                return
        self._alignment.tally.foreign += foreign
        self._alignment.feed(
            chunk,
            (row for piece in here for row in piece.rows(*chunk.source)),
            (row for piece in there for row in piece.rows(*chunk.target)),
            lost,
        )
        self._take_keys(last)
        self._settle(chunk.source[1])

    def _take_keys(self, last: dict[Key, int]) -> None:
        """Put what the closer look misses to the question by key.

        What it waits for may come into question later: what follows it is remembered until then.
        """
        alignment = self._alignment
        last = self._last_before | last
        self._keys.take(last, alignment.missing, alignment.old)
        alignment.missing, alignment.old = [], []
        waiting = alignment.keys_waiting if self._by_key else ()
        self._last_before = {key: last[key] for key in waiting if key in last}

    def _last(self, pieces: Sequence[Piece], begin: int, end: int) -> dict[Key, int]:
        if not self._by_key:
            return {}
        return last_of(row for piece in pieces for row in piece.rows(begin, end))

    def _weigh(self, compared: Compared, last: dict[Key, int]) -> None:
        """Put what is missing on either side to the question by key."""
        if self._by_key:
            missing = [Missing(hashed(row.key), row.offset, at) for row, at in compared.missing]
            old = [
                Old(hashed(row.key), row.offset)
                for row in compared.old
                if self._standards.source_compacts and row.value is not None
            ]
            self._keys.take(last, missing, old)

    def take_digested(self, chunk: Chunk, digest: int, *, source_start: int) -> None:
        """Take a chunk of which the target holds just what was written to it."""
        expired = sum(min(length, max(0, source_start - at)) for at, _, length in chunk.runs)
        self.found.tally.add(Tally(same=chunk.mapped - expired, expired_source=expired))
        self._digest = fold(self._digest, chunk.mapped, digest)
        self.found.source_to, self.found.digest = chunk.source[1], self._digest

    def take_keys_behind(self, begin: int, end: int, pieces: Sequence[Piece]) -> None:
        """Take what lies on the target behind the copied records, whoever wrote it."""
        last = self._last(pieces, begin, end)
        self._keys.take(last)
        self._last_before |= last if self.waiting else {}

    def take_source_behind(self, begin: int, end: int, pieces: Sequence[Piece]) -> None:
        """Take what the source holds behind the copied records."""
        self._keys.take_source_behind(row for piece in pieces for row in piece.rows(begin, end))

    def take_behind(self, begin: int, end: int, pieces: Sequence[Piece]) -> None:
        """Take what lies on the target behind the last record that was copied.

        What was shifted by a record too many ends there; the rest is for others to judge.
        """
        if not self.waiting:
            self.found.suspects += [
                Suspect(max(piece.first, begin), len(piece.rows(begin, end)), piece.producer_id)
                for piece in pieces
            ]
            return
        rows = [(piece, row) for piece in pieces for row in piece.rows(begin, end)]
        self._behind |= {row.offset: piece.producer_id for piece, row in rows}
        self._alignment.feed_behind(row for _, row in rows)

    def close(self, source_end: int, target_end: int) -> None:
        """Say that the target was read to its end: what still waits has no counterpart."""
        alignment = self._alignment
        alignment.finish(target_end)
        found = [Suspect(offset, 1, self._behind[offset]) for offset in alignment.behind]
        suspects = [one for one in self.found.suspects if one.offset > self.found.judged_to]
        self.found.suspects = sorted([*suspects, *found])
        self._take_keys({})
        self._settle(source_end)

    def finish(self) -> None:
        """Come to an end: what is in question by key has no answer."""
        lost, outlived, tally = self._keys.lost(), self._keys.outlived(), self.found.tally
        tally.expired_target += self._keys.superseded
        tally.only_source += len(lost)
        tally.only_target += len(outlived)
        tally.expired_source -= len(outlived)
        self.found.note([*lost, *outlived])
        self._keys = Keys()

    def _settle(self, source_to: int) -> None:
        """Take over what the closer look found, as soon as nothing waits any more."""
        if self.waiting:
            return
        self.found.tally.add(self._alignment.tally)
        self.found.note(self._alignment.differences)
        self.found.source_to, self.found.digest = source_to, self._digest
        self._alignment = Alignment(self._standards)

    def _without_foreign(self, chunk: Chunk, there: Sequence[Piece]) -> tuple[Sequence[Piece], int]:
        """Learn who we are; where others may write, leave out what they wrote between ours."""
        places = Places(chunk)
        left, foreign = [], 0
        for piece in there:
            mapped = places.overlap(max(piece.first, chunk.target[0]), piece.last)
            if mapped and piece.producer_id >= 0:
                self.found.ours.add(piece.producer_id)
            if mapped or not self._producers_moved or piece.producer_id in self.found.ours:
                left.append(piece)
            else:
                foreign += len(piece.rows(*chunk.target))
        return left, foreign
