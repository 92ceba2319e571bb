"""The verdict over live traffic: per group what was lost, repeated and out of order, with examples.

Owns the waiting for groups that still read, and the counting over all journals. How one sequence of
numbers is judged is in `verdict`.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from kferry.sandbox.live.accounts import Accounts, Life, Record, places
from kferry.sandbox.live.interruption import Interruption, Moment, interruption, longest
from kferry.sandbox.live.journal import Place, Run, topic_of
from kferry.sandbox.verdict import Verdict
from kferry.sandbox.verdict import judge as judge_numbers

_TICK_S = 0.2
_EXAMPLES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One record that shows a fault, and all places where it was written or seen by the group."""

    fault: str
    group: str
    key: str
    number: int
    places: tuple[Mapping[str, Any], ...]
    """In the order of time; for one out of order the later number is the first of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupVerdict:
    """What one group made of what was sent to its topics."""

    group: str
    running: bool
    sent: int
    seen: int
    lost: int
    behind: int
    """Of the lost: those with no later record of their key seen. The group may yet come to them."""
    repeated: int
    reordered: int
    strange: int
    """Seen, and nobody ever sent them."""
    aborted_seen: int
    interruption: Interruption

    @property
    def exact(self) -> bool:
        """Whether it saw all, each once and in order, and nothing else."""
        troubles = (self.lost, self.repeated, self.reordered, self.strange, self.aborted_seen)
        return not any(troubles)


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveVerdict:
    """How it stands. Counts of trouble are sums over groups."""

    sent: int
    """Acknowledged by all in-sync replicas; of transactions, committed."""
    seen: int
    """Of these, by every group that reads their topic."""
    unknown: int
    """Handed over by a producer that ended before it heard what became of them."""
    in_flight: int
    aborted: int
    failed: int
    groups: tuple[GroupVerdict, ...]
    producers: Interruption
    faults: tuple[str, ...]
    examples: tuple[Example, ...]

    @property
    def lost(self) -> int:
        """Acknowledged and not seen, though there was time."""
        return sum(group.lost for group in self.groups)

    @property
    def repeated(self) -> int:
        """How often a record was seen again."""
        return sum(group.repeated for group in self.groups)

    @property
    def reordered(self) -> int:
        """Seen after a later one of their key."""
        return sum(group.reordered for group in self.groups)

    @property
    def strange(self) -> int:
        """Seen, and nobody ever sent them."""
        return sum(group.strange for group in self.groups)

    @property
    def aborted_seen(self) -> int:
        """Seen though their transaction was aborted."""
        return sum(group.aborted_seen for group in self.groups)

    @property
    def consumers(self) -> Interruption:
        """The worst of all groups."""
        return longest([group.interruption for group in self.groups])

    @property
    def exact(self) -> bool:
        """Whether every group saw all, each once and in order, and nothing else."""
        return all(group.exact for group in self.groups)

    def as_json(self) -> dict[str, Any]:
        """Return what scripts get."""
        sums = ("sent", "seen", "lost", "repeated", "reordered", "strange", "unknown", "in_flight")
        more = ("aborted", "aborted_seen", "failed")
        return {
            "exact": self.exact,
            **{name: getattr(self, name) for name in (*sums, *more)},
            "interruption_ms": {
                "producers": self.producers.moving,
                "consumers": self.consumers.moving,
                "overall": {
                    "producers": self.producers.overall,
                    "consumers": self.consumers.overall,
                },
            },
            "groups": [_group_json(group) for group in self.groups],
            "faults": list(self.faults),
            "examples": [asdict(example) for example in self.examples],
        }


def _group_json(group: GroupVerdict) -> dict[str, Any]:
    found = asdict(group)
    silence = found.pop("interruption")
    return {**found, "interruption_ms": silence["moving"], "longest_silence_ms": silence["overall"]}


def judge(
    journals: Path, alive: Callable[[], AbstractSet[int]], *, patience_s: float = 30.0
) -> LiveVerdict:
    """Judge what was sent until now; `alive` tells which runs go on just now.

    Groups with a living member are given until the deadline to see it all.
    """
    accounts = Accounts(journals)
    accounts.read_on()
    wanted = {r for life in accounts.lives for r in life.acknowledged}
    deadline = time.monotonic() + patience_s
    while _outstanding(accounts.lives, wanted, alive()) and time.monotonic() < deadline:
        time.sleep(_TICK_S)
        accounts.read_on()
    running = alive()
    accounts.read_on()
    return count(accounts.lives, wanted, running, journals)


def count(
    lives: Sequence[Life], wanted: AbstractSet[Record], alive: AbstractSet[int], journals: Path
) -> LiveVerdict:
    """Count; `wanted` are the acknowledged records that every group must have seen by now."""
    silent = {r for life in lives if life.run.number not in alive for r in life.unresolved}
    flying = {r for life in lives if life.run.number in alive for r in life.unresolved}
    aborted = {r for life in lives for r in life.aborted}
    tried = {r for life in lives for r in life.tried}
    groups = _groups(lives)
    # Whoever sees a record proves that it was written: then it is due to all.
    arrived = {r for own in groups.values() for r in _seen(own)} & silent
    counted = [
        _Counting(name, lives=own, due=wanted | arrived, tried=tried, aborted=aborted, alive=alive)
        for name, own in sorted(groups.items())
    ]
    missed = {r for one in counted for r in one.lost}
    writers: dict[str, list[Moment]] = defaultdict(list)
    for life in lives:
        if life.run.role.writes:
            writers[life.run.client] += [(at, life.run.side) for at in life.times]
    return LiveVerdict(
        sent=len(wanted),
        seen=len(wanted - missed),
        unknown=len(silent),
        in_flight=len(flying),
        aborted=len(aborted),
        failed=len({r for life in lives for r in life.failed}),
        groups=tuple(one.verdict() for one in counted),
        producers=longest([interruption(moments) for moments in writers.values()]),
        faults=tuple(f"{life.run.instance}: {what}" for life in lives for what in life.faults),
        examples=_examples(counted, journals),
    )


class _Counting:
    """One group's records, key by key."""

    def __init__(
        self,
        name: str,
        *,
        lives: Sequence[Life],
        due: AbstractSet[Record],
        tried: AbstractSet[Record],
        aborted: AbstractSet[Record],
        alive: AbstractSet[int],
    ) -> None:
        self.name = name
        self._lives = lives
        self._running = any(life.run.number in alive for life in lives)
        topics = {topic for life in lives for topic in life.run.topics}
        own = {record for record in due if topic_of(record[0]) in topics}
        seen = _seen(lives)
        self.due = own
        self.lost = own - seen
        self.strange = seen - tried
        self.aborted = seen & aborted
        self.sequences = _sequences(lives)
        by_key: dict[str, set[int]] = defaultdict(set)
        for key, number in own:
            by_key[key].add(number)
        self.verdicts: dict[str, Verdict] = {
            key: judge_numbers({0: self.sequences.get(key, ())}, by_key[key])
            for key in sorted(by_key.keys() | self.sequences.keys())
        }

    def verdict(self) -> GroupVerdict:
        highest = {key: max(own, default=-1) for key, own in self.sequences.items()}
        return GroupVerdict(
            group=self.name,
            running=self._running,
            sent=len(self.due),
            seen=len(self.due - self.lost),
            lost=len(self.lost),
            behind=sum(number > highest.get(key, -1) for key, number in self.lost),
            repeated=sum(one.repeated for one in self.verdicts.values()),
            reordered=sum(one.reordered for one in self.verdicts.values()),
            strange=len(self.strange),
            aborted_seen=len(self.aborted),
            interruption=interruption(
                (at, life.run.side) for life in self._lives for at in life.times
            ),
        )

    def faults(self) -> Iterable[tuple[str, Record]]:
        """Return records that show what is wrong, a few of each kind."""
        for kind in ("repeated", "reordered"):
            for key, verdict in self.verdicts.items():
                for number in verdict.examples.get(kind, ()):
                    yield kind, (key, number)
        for kind, records in (
            ("lost", self.lost),
            ("strange", self.strange),
            ("aborted_seen", self.aborted),
        ):
            for record in sorted(records)[:_EXAMPLES]:
                yield kind, record

    def ahead_of(self, record: Record) -> Record:
        """Return the record that was seen before this one, and should not have been."""
        key, number = record
        own = self.sequences[key]
        return key, max(own[: own.index(number)])


def _outstanding(
    lives: Sequence[Life], wanted: AbstractSet[Record], alive: AbstractSet[int]
) -> bool:
    for own in _groups(lives).values():
        if any(life.run.number in alive for life in own):
            topics = {topic for life in own for topic in life.run.topics}
            if any(topic_of(record[0]) in topics for record in wanted - _seen(own)):
                return True
    return False


def _groups(lives: Iterable[Life]) -> dict[str, list[Life]]:
    found: dict[str, list[Life]] = defaultdict(list)
    for life in lives:
        if life.run.group:
            found[life.run.group].append(life)
    return found


def _seen(lives: Iterable[Life]) -> set[Record]:
    return {(key, n) for life in lives for key, own in life.seen.items() for _, n in own}


def _sequences(lives: Iterable[Life]) -> dict[str, list[int]]:
    """Return what a group saw of each key, whichever member saw it, in the order of time."""
    found: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for life in lives:
        for key, own in life.seen.items():
            found[key] += own
    for own in found.values():
        own.sort(key=lambda moment: moment[0])  # stable: what a member saw at once stays in order
    return {key: [number for _, number in own] for key, own in found.items()}


def _examples(counted: Sequence[_Counting], journals: Path) -> tuple[Example, ...]:
    chosen: list[tuple[str, _Counting, tuple[Record, ...]]] = []
    taken: dict[str, int] = defaultdict(int)
    for one in counted:
        for kind, record in one.faults():
            if taken[kind] < _EXAMPLES:
                taken[kind] += 1
                first = (one.ahead_of(record),) if kind == "reordered" else ()
                chosen.append((kind, one, (*first, record)))
    if not chosen:
        return ()
    found = places(journals, {r for _, _, records in chosen for r in records})
    return tuple(
        Example(
            fault=kind,
            group=one.name,
            key=records[-1][0],
            number=records[-1][1],
            places=tuple(
                _place_json(record[1], run, place)
                for record in records
                for run, place in found.get(record, ())
                if run.group in {"", one.name}
            ),
        )
        for kind, one, records in chosen
    )


def _place_json(number: int, run: Run, place: Place) -> dict[str, Any]:
    return {
        "number": number,
        "what": "acknowledged" if run.role.writes else "seen",
        "client": run.client,
        "side": run.side,
        "cluster_id": run.cluster_id,
        **place._asdict(),
    }
