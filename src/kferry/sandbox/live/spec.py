"""What live traffic is made of: producers, groups and their members, by name.

Owns the wishes, their limits and the names that follow from them. Knows no process and no client.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Literal

from kferry.sandbox.errors import NOTHING_RUNS
from kferry.sandbox.live.errors import BadLiveError

Reset = Literal["error", "earliest", "latest"]
Compression = Literal["none", "gzip", "snappy", "lz4", "zstd"]
KEYS = 4
"""Of each producer in each of its topics."""
_MOST = 50
_PREFIX_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-")


class Role(StrEnum):
    """What a client does."""

    PRODUCER = "producer"
    TRANSACTIONAL = "transactional"
    ROGUE = "rogue"
    """A producer that no move and no stop of all producers reaches: only its own name does."""
    CONSUMER = "consumer"

    @property
    def writes(self) -> bool:
        """Whether it sends records."""
        return self is not Role.CONSUMER


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """One client by name; it may run on either side, a consumer on both at once."""

    name: str
    role: Role
    topics: tuple[str, ...]
    group: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveSpec:
    """Live traffic, as wished for. `prefix` begins the names of its topics, groups and ids.

    Ordinary producers write to all ordinary topics, and each ordinary group reads all of them.
    Transactional producers have a topic of their own, read by a group that sees committed records
    only.
    """

    prefix: str = "live"
    topics: int = 2
    partitions: int = 3
    producers: int = 3
    groups: int = 2
    consumers_per_group: int = 2
    rate: float = 300
    """Records a second, of all producers together."""
    transactional: int = 1
    compression: Compression = "lz4"
    reset: Reset = "error"
    """What a consumer does that finds no position."""
    static: bool = False
    """Members keep their place in the group when they go (KIP-345), for a minute."""
    size: int = 200
    """Bytes of each value, about."""

    def __post_init__(self) -> None:
        for what, least in (
            ("topics", 1),
            ("partitions", 1),
            ("producers", 0),
            ("groups", 0),
            ("consumers_per_group", 1),
            ("transactional", 0),
            ("size", 20),
        ):
            most = 100_000 if what == "size" else _MOST
            if not least <= getattr(self, what) <= most:
                raise _bad(f"{what.replace('_', ' ')}: {getattr(self, what)}", f"{least} to {most}")
        if not 0 < self.rate <= 50_000:
            raise _bad(f"rate: {self.rate}", "more than 0, at most 50,000 records a second")
        if not self.prefix or not set(self.prefix) <= _PREFIX_LETTERS or len(self.prefix) > 60:
            raise _bad(f"prefix: {self.prefix!r}", "up to 60 lower-case letters, digits and dashes")
        if not self.producers + self.transactional:
            raise _bad("no producer at all", "at least one, transactional or not")

    @property
    def ordinary_topics(self) -> tuple[str, ...]:
        """The topics without transactions."""
        return tuple(f"{self.prefix}-{number}" for number in _from_1(self.topics))

    @property
    def transactional_topics(self) -> tuple[str, ...]:
        """The topic that holds transactions, if any is written."""
        return (f"{self.prefix}-transactions",) if self.transactional else ()

    @property
    def all_topics(self) -> tuple[str, ...]:
        """Every topic."""
        return self.ordinary_topics + self.transactional_topics

    @property
    def group_topics(self) -> Mapping[str, tuple[str, ...]]:
        """Every group, and what it reads."""
        found = {f"{self.prefix}-group-{n}": self.ordinary_topics for n in _from_1(self.groups)}
        if self.transactional:
            found[f"{self.prefix}-transactions-group"] = self.transactional_topics
        return found

    @property
    def clients(self) -> tuple[Client, ...]:
        """Every client but rogues, which are started by hand."""
        ordinary = (
            Client(name=f"producer-{n}", role=Role.PRODUCER, topics=self.ordinary_topics)
            for n in _from_1(self.producers)
        )
        transactional = (
            Client(
                name=f"transactional-{n}",
                role=Role.TRANSACTIONAL,
                topics=self.transactional_topics,
            )
            for n in _from_1(self.transactional)
        )
        members = (
            Client(name=f"{group}.{n}", role=Role.CONSUMER, topics=topics, group=group)
            for group, topics in self.group_topics.items()
            for n in _from_1(self.consumers_per_group)
        )
        return (*ordinary, *transactional, *members)

    @property
    def rogue(self) -> Client:
        """The producer that ignores moves."""
        return Client(name="rogue-1", role=Role.ROGUE, topics=self.ordinary_topics)

    @property
    def rate_each(self) -> float:
        """Records a second of one producer."""
        return self.rate / (self.producers + self.transactional)

    def as_json(self) -> dict[str, Any]:
        """Return what `from_json` takes."""
        return asdict(self)

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "LiveSpec":
        """Read what `as_json` wrote."""
        return cls(**content)


def _from_1(count: int) -> range:
    return range(1, count + 1)


def _bad(what: str, limits: str) -> BadLiveError:
    return BadLiveError(
        f"live traffic cannot have {what}",
        limits,
        hint="kferry sandbox load --help",
        changed=NOTHING_RUNS,
    )
