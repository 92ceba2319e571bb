"""One source partition and its target partition: what is under way between them, and how far it is.

Owns the state of a lane and the numbers that must fit together: positions, sequence numbers, the
expected offset, the growing offset map. Sends and fetches nothing; who does, calls in here.
"""

import time
from collections import deque
from dataclasses import dataclass, field
from enum import StrEnum

from kferry.admin.producer_ids import ProducerIdentity
from kferry.copying.budget import Budget
from kferry.copying.digests import Digests
from kferry.copying.item import MERGED, Item, Rules, Taken
from kferry.names import TopicPartition
from kferry.offsets import Runs
from kferry.records import TINY, Codec, Stamp, merge, patch

_WINDOW = 5
"""Batches in flight that a broker tells apart when they come again (idempotence)."""
_SEQUENCES = 1 << 31


class Phase(StrEnum):
    """What may be done with a lane."""

    DOUBT = "settling"
    """What its target holds is not known for sure: nothing is written before it is settled."""
    FLOWING = "copying"
    STOPPED = "stopped"


@dataclass(slots=True, kw_only=True)
class Counts:
    """What a lane did in this run."""

    records: int = 0
    bytes: int = 0
    batches: int = 0
    passed: int = 0
    reencoded: int = 0
    control: int = 0
    aborted: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Source offsets that were gone before they could be copied, both ends included."""

    first: int
    last: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """Why a lane stopped."""

    code: str
    reason: str
    offset: int | None = None


@dataclass(slots=True, kw_only=True, eq=False)
class Lane:
    """One partition's way. Positions are next offsets: of records still to come."""

    source: TopicPartition
    target: TopicPartition
    slot: int
    rules: Rules
    budget: Budget
    begins: int
    """The source offset the copy of this partition began at."""
    copied_to: int
    """Everything before it has arrived and was acknowledged, or was left out on purpose."""
    next_target: int
    """The offset that the next batch must get, as long as nobody else writes."""
    chunk: int = 0
    runs: Runs = field(default_factory=Runs)
    """The part of the offset map that is still growing; `chunk` is its number."""
    digests: Digests | None = None
    """Of what arrived; a lane that begins gets its own."""
    leader_epoch: int = -1
    """The source leader's epoch right before `copied_to`; -1 where it is not known."""
    total_records: int = 0
    gaps: list[Gap] = field(default_factory=list)
    phase: Phase = Phase.DOUBT
    trouble: Trouble | None = None
    uncertain: bool = True
    """Whether the target may hold more than we know of."""
    looking: bool = False
    """Whether its place in the source's log is being looked up: nothing is fetched meanwhile."""
    ending: Trouble | None = None
    """Why it stops as soon as what was fetched has arrived."""
    owned: bool = False
    """Whether it has been settled in this run."""
    hindrance: str = ""
    """Why it does not go on just now, if it does not."""
    identity: ProducerIdentity | None = None
    sequence: int = 0
    proven: bool = False
    """Whether the first batch since settling was acknowledged."""
    last_timestamp: int = 0
    """The newest time in the batch that was acknowledged last."""
    fetched_to: int = 0
    queue: deque[Item] = field(default_factory=deque)
    in_flight: deque[Item] = field(default_factory=deque)
    held: int = 0
    """Bytes in the queue and in flight."""
    generation: int = 0
    """Counts doubts: an answer to something sent before the last one is of no use."""
    resumed: bool = False
    """Whether the ledger knew it before."""
    goal: int | None = None
    """The last stable offset when the command began."""
    end: int = 0
    """The newest last stable offset seen."""
    changed: bool = False
    """Whether the ledger lags behind."""
    counts: Counts = field(default_factory=Counts)

    def __post_init__(self) -> None:
        self.fetched_to = self.copied_to

    @property
    def caught_up(self) -> bool:
        """Whether all that was there when the command began has arrived."""
        return self.goal is not None and self.copied_to >= self.goal

    @property
    def lag(self) -> int:
        """Source offsets still to be dealt with, as far as seen."""
        return max(0, self.end - self.copied_to)

    @property
    def withheld(self) -> bool:
        """Whether nothing is to be fetched just now."""
        return self.looking or self.ending is not None

    def receive(self, taken: Taken) -> None:
        """Queue what was made of a fetched record set."""
        self.counts.control += taken.control
        self.counts.aborted += taken.aborted
        self.fetched_to = taken.position
        for item in taken.items:
            self.queue.append(item)
            self._hold(item.size)
        if not taken.items:
            self.pass_over(taken.position, taken.leader_epoch)

    def _hold(self, size: int) -> None:
        self.held += size
        self.budget.hold(size)

    def pass_over(self, position: int, leader_epoch: int = -1) -> None:
        """Up to here nothing more is to arrive: it is done with once all before it is."""
        self.fetched_to = position
        last = (self.queue or self.in_flight or [None])[-1]
        if last is not None:
            last.source_end, last.leader_epoch = position, leader_epoch
        elif position > self.copied_to:
            self.copied_to, self.leader_epoch = position, leader_epoch
            self.changed = True

    def may_send(self, now_ms: float, remembered_ms: float) -> bool:
        """Whether the next batch may go: `remembered_ms` is how long brokers know a producer."""
        if self.phase is not Phase.FLOWING or not self.queue:
            return False
        if not self.in_flight:
            return True
        if not self.proven or len(self.in_flight) >= _WINDOW:
            return False
        # A broker forgets a producer by the age of what it wrote: of old records only one batch
        # may be under way, or a later one could be taken where an earlier one was lost.
        # What was acknowledged last counts too: by its age we are known until the first arrives.
        oldest = min(
            self.last_timestamp,
            self.in_flight[-1].parcel.max_timestamp,
            self.queue[0].parcel.max_timestamp,
        )
        return now_ms - oldest < remembered_ms

    def next_item(self) -> Item:
        """Take the next batch to send, stamped; it counts as in flight from here on."""
        assert self.identity is not None  # noqa: S101 settled lanes have one
        self._merge_tiny()
        item = self.queue.popleft()
        stamp = Stamp(self.identity.id, self.identity.epoch, self.sequence)
        patch(item.parcel.batch, stamp)
        self.sequence = (self.sequence + item.parcel.count) % _SEQUENCES
        self.in_flight.append(item)
        return item

    def _merge_tiny(self) -> None:
        tiny = self._tiny_ahead()
        if len(tiny) < 2:
            return
        header = tiny[0].header
        assert header is not None  # noqa: S101 `_tiny_ahead` saw to it
        try:
            parcels = merge(
                [(one.parcel.batch, one.header) for one in tiny if one.header is not None],
                Codec(header.codec),
                max_bytes=min(self.rules.max_bytes, MERGED),
            )
        except ValueError:  # what cannot be read goes as it is: the target judges it
            return
        for one in tiny:
            self.queue.popleft()
            self._hold(-one.size)
        merged = [
            Item(
                parcel=parcel,
                source_end=sum(parcel.stretches[-1]),
                leader_epoch=tiny[-1].leader_epoch,
                header=None,
            )
            for parcel in parcels
        ]
        merged[-1].source_end = tiny[-1].source_end
        self.queue.extendleft(reversed(merged))
        self._hold(sum(one.size for one in merged))

    def _tiny_ahead(self) -> list[Item]:
        found: list[Item] = []
        size = 0
        for item in self.queue:
            size += item.size
            if item.header is None or item.size > TINY or size > self.rules.max_bytes:
                break
            if found and item.header.codec != (found[0].header and found[0].header.codec):
                break
            if size > MERGED:
                break
            found.append(item)
        return found

    def arrived(self, base_offset: int) -> Item:
        """Note that the oldest batch in flight was acknowledged, at the offset expected."""
        item = self.in_flight.popleft()
        self._hold(-item.size)
        offset = base_offset
        for start, count in item.parcel.stretches:
            self.runs.append(start, offset, count)
            offset += count
        if self.digests is not None:
            self.digests.arrived(item.parcel.batch, item.parcel.count, offset)
        self.next_target = offset
        self.copied_to = item.source_end
        self.leader_epoch = item.leader_epoch
        self.proven = True
        self.last_timestamp = item.parcel.max_timestamp
        self.changed = True
        self.hindrance = ""
        self.total_records += item.parcel.count
        counts = self.counts
        counts.records += item.parcel.count
        counts.bytes += item.size
        counts.batches += 1
        if item.parcel.reencoded:
            counts.reencoded += 1
        else:
            counts.passed += 1
        self._end_if_empty()
        return item

    def doubt(self, why: str) -> None:
        """Drop what is under way: the target must be looked at before anything more is written."""
        if self.phase is Phase.STOPPED:
            return
        self.phase = Phase.DOUBT
        self.hindrance = why
        self._drop()

    def stop_after_the_rest(self, trouble: Trouble) -> None:
        """Give this lane up once all that was fetched has arrived."""
        self.ending = trouble
        self._end_if_empty()

    def _end_if_empty(self) -> None:
        if self.ending is not None and not self.queue and not self.in_flight:
            self.stop(self.ending)

    def stop(self, trouble: Trouble) -> None:
        """Give this lane up; the others go on."""
        self.phase = Phase.STOPPED
        self.trouble = trouble
        self.changed = True
        self._drop()

    def refetch(self) -> None:
        """Drop what was fetched and not sent: it may not be what the source holds now."""
        self._hold(-sum(item.size for item in self.queue))
        self.queue.clear()
        self.ending = None
        self.fetched_to = self.in_flight[-1].source_end if self.in_flight else self.copied_to

    def leap(self, to: int, reason: str) -> None:
        """Go on behind what the source no longer has."""
        first = self.fetched_to
        # One that was found before a doubt lies in it: we went back, and are there again.
        self.gaps = [gap for gap in self.gaps if gap.first < first]
        self.gaps.append(Gap(first=first, last=to - 1, reason=reason))
        self.changed = True
        self.pass_over(to)

    def _drop(self) -> None:
        self.ending = None
        self.uncertain = self.uncertain or bool(self.in_flight) or self.phase is Phase.DOUBT
        self.generation += 1
        self.queue.clear()
        self.in_flight.clear()
        self._hold(-self.held)
        self.fetched_to = self.copied_to

    def settled(self, identity: ProducerIdentity, *, next_target: int, copied_to: int) -> None:
        """Go on: what the target holds is known."""
        self.identity, self.sequence, self.proven = identity, 0, False
        if self.digests is None:
            self.digests = Digests(begin=next_target, end=next_target)
        elif next_target != self.next_target:
            self.digests.cut(next_target)
        self.next_target = next_target
        if copied_to != self.copied_to:
            self.leader_epoch = -1
        self.copied_to = self.fetched_to = copied_to
        self.phase = Phase.FLOWING
        self.uncertain, self.owned = False, True
        self.hindrance = ""
        self.changed = True


def now_ms() -> float:
    """Return the wall clock in milliseconds, as records carry it."""
    return time.time() * 1000
