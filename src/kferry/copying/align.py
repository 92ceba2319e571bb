"""What a target's tail holds of its source: the step that makes going on after a crash safe.

Owns the alignment by content (design §6, rule 2, step 3). Pure: whoever reads both logs feeds what
it read and is told of which side more is needed. See `paths` for why the outcome can be trusted.

The tail was copied from the source as it was then; since, the cleaner or retention may have taken
any records from the source, never changed one, and never moved one. So each record of the tail is
either still there, or its source offset is missing now.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from kferry.copying.ahead import Ahead, Content, content_of
from kferry.copying.paths import Foreign, Paths
from kferry.errors import KferryError
from kferry.names import SourceOffset, TargetOffset
from kferry.offsets import Run
from kferry.records import BatchHeader, Row, read_rows
from kferry.records.header import SIZE


class Whole(NamedTuple):
    """A batch of magic 2 as it was fetched; its bytes are looked at until more is wanted."""

    batch: memoryview
    header: BatchHeader


Fed = Whole | Sequence[Row]
"""Records that were decoded already are for the formats before 0.11."""


class Wants(StrEnum):
    """What the alignment needs to go on."""

    TARGET = "target"
    SOURCE = "source"
    NOTHING = "nothing"


class Mismatch(KferryError):
    """The target holds a record that the source cannot have given it."""

    code = "K430"

    def __init__(
        self, target_offset: int, source_offset: int, differs: str, *, certain: bool = True
    ) -> None:
        doubt = "" if certain else " (or there are too many equal records to tell)"
        super().__init__(
            f"the target's record at {target_offset:,} is not one that kferry copied{doubt}",
            f"beside the source's offset {source_offset:,}: {differs}",
            hint="somebody else wrote to the target, or the source's log was cut back",
            changed="No record was written.",
        )
        self.target_offset, self.source_offset = target_offset, source_offset
        self.differs, self.certain = differs, certain


@dataclass(frozen=True, slots=True, kw_only=True)
class Alignment:
    """Where each record of the tail came from, as far as the source still has it."""

    runs: tuple[Run, ...]
    resume: SourceOffset
    """Every record the source has before it is on the target, none from it on."""
    matched: int
    vanished: int
    """Records of the tail that the source no longer has."""


class Aligner:
    """Aligns the tail of one target partition, from a checkpoint on.

    Feed what `wants` says until it wants nothing, then take `result`:

    - target: its data batches from the checkpoint to its end, or `end_of_target`;
    - source: what readers of committed records see, from the checkpoint on, in order, or
      `end_of_source`; `left_out` for markers and aborted batches among it, which makes the
      outcome sharper.

    Memory is bounded by a batch of each side and a window of the source; `Paths` says how.
    """

    def __init__(
        self,
        *,
        source: SourceOffset,
        target: TargetOffset,
        timestamps: bool = True,
    ) -> None:
        """`timestamps`: False where the target gives its own (LogAppendTime)."""
        self._begin_source, self._begin_target = source, target
        self._timestamps = timestamps
        self._ahead = Ahead(source)
        self._paths = Paths(self._ahead)
        self._whole: Whole | None = None
        self._rows: Sequence[Row] = ()
        self._contents: list[Content] = []
        self._position = 0
        self._ended = False

    @property
    def wants(self) -> Wants:
        """What to feed next."""
        if self._whole is not None or self._position < len(self._rows):
            return Wants.SOURCE
        return Wants.NOTHING if self._ended else Wants.TARGET

    def feed_target(self, fed: Fed) -> None:
        """Take the next batch of the tail."""
        self._insist(Wants.TARGET)
        if isinstance(fed, Whole) and fed.header.base_offset >= self._begin_target:
            self._whole = fed
        else:
            self._open(fed)
        self._go_on()

    def end_of_target(self) -> None:
        """Say that there is nothing more before the marker."""
        self._insist(Wants.TARGET)
        self._ended = True

    def feed_source(self, fed: Fed) -> None:
        """Take the next batch of the source."""
        self._insist(Wants.SOURCE)
        if isinstance(fed, Whole):
            if self._match_whole(fed):
                return
            fed = read_rows(*fed)
        self._ahead.add(_from(self._begin_source, fed), timestamps=self._timestamps)
        self._paths.make_room()
        self._go_on()

    def left_out(self, first: int, last: int) -> None:
        """Say that these source offsets never held a record to copy: a marker, or taken back."""
        self._ahead.left_out(first, last)

    def end_of_source(self, end: int) -> None:
        """Say that the source has nothing more, up to its (stable) end offset."""
        self._insist(Wants.SOURCE)
        self._ahead.finish(end)
        self._go_on()

    def result(self) -> Alignment:
        """Return the outcome."""
        self._insist(Wants.NOTHING)
        runs = self._paths.furthest()
        matched = sum(run.length for run in runs)
        resume = runs[-1].source + runs[-1].length if runs else self._begin_source
        return Alignment(
            runs=tuple(runs),
            resume=SourceOffset(resume),
            matched=matched,
            vanished=self._paths.passed - matched,
        )

    def _go_on(self) -> None:
        """Go through the tail's records as far as the source is known."""
        paths = self._paths
        while True:
            if paths.need_source:
                return
            if self._whole is not None:
                self._open(self._whole)
                self._whole = None
            at = self._position
            if at == len(self._rows):
                return
            offset = self._rows[at].offset
            if count := paths.advance(self._contents, at, offset, self._unbroken(at)):
                self._position += count
                continue
            try:
                paths.step(self._contents[at], offset)
            except Foreign as error:
                raise Mismatch(
                    offset, error.source_offset, error.differs, certain=error.certain
                ) from None
            self._position += 1

    def _unbroken(self, at: int) -> int:
        """Return how many records lie one behind the other; on the target mostly all."""
        rows = self._rows
        return len(rows) - at if rows[-1].offset - rows[at].offset == len(rows) - 1 - at else 1

    def _match_whole(self, source: Whole) -> bool:
        """Match two batches that hold the same bytes without reading a record."""
        target, head = self._whole, source.header
        if target is None or not self._paths.stands_before(head.base_offset):
            return False
        if not _same(head, target.header, timestamps=self._timestamps):
            return False
        if source.batch[SIZE:] != target.batch[SIZE:]:
            return False
        self._paths.take_whole(head.base_offset, target.header.base_offset, head.count)
        self._whole = None
        return True

    def _open(self, fed: Fed) -> None:
        rows: Sequence[Row] = read_rows(*fed) if isinstance(fed, Whole) else fed
        self._rows = _from(self._begin_target, rows)
        self._contents = content_of(self._rows, timestamps=self._timestamps)
        self._position = 0

    def _insist(self, wants: Wants) -> None:
        if self.wants is not wants:
            raise ValueError(f"it wants {self.wants}, not {wants}")


def _same(source: BatchHeader, target: BatchHeader, *, timestamps: bool) -> bool:
    if not source.dense or not target.dense or source.count != target.count or not source.count:
        return False
    if source.codec != target.codec or source.size != target.size:
        return False
    if not timestamps:
        return True
    # The records' timestamps are told relative to the header's; with LogAppendTime not at all.
    return source.base_timestamp == target.base_timestamp and not (
        source.log_append_time or target.log_append_time
    )


def _from(begin: int, rows: Sequence[Row]) -> Sequence[Row]:
    if rows and rows[0].offset < begin:
        return [row for row in rows if row.offset >= begin]
    return rows
