"""What one client did, line by line: the format, and who writes it.

Owns the lines. Each goes to the system in one call as soon as it is known, so that a SIGKILL takes
none of them along; a line cut short is no line. Reading many journals is for `accounts`.

    {"client": …, "side": …}                                        what this run is
    try   KEY NUMBER                                                is handed to the client next
    ack   KEY NUMBER TOPIC PARTITION OFFSET MICROSECONDS            all in-sync replicas have it
    fail  KEY NUMBER WHY                                            known not to be written
    abort KEY NUMBER                                                its transaction was aborted
    see   KEY NUMBER TOPIC PARTITION OFFSET MICROSECONDS            read by a consumer
    fault WHAT                                                      something that must not be
    end                                                             it went in good order
"""

import json
import os
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

from kferry.sandbox.live.spec import Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One life of a client's process, on one side."""

    client: str
    role: Role
    group: str
    topics: tuple[str, ...]
    side: str
    cluster_id: str
    number: int
    """Counts the lives of all clients of this traffic, in the order of their starts."""

    @property
    def instance(self) -> str:
        """The client on its side: what may run once at a time."""
        return f"{self.client}@{self.side}"

    @property
    def file_name(self) -> str:
        """How its journal is called."""
        return f"{self.number:04d}.{self.instance}"

    def as_json(self) -> dict[str, Any]:
        """Return what `from_json` takes."""
        return asdict(self)

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> "Run":
        """Read what `as_json` wrote."""
        return cls(**{**content, "role": Role(content["role"]), "topics": tuple(content["topics"])})


class Place(NamedTuple):
    """Where a record lies, and when it was acknowledged or seen there."""

    topic: str
    partition: int
    offset: int
    at_us: int


class Journal:
    """The journal of this run, open for writing."""

    def __init__(self, folder: Path, run: Run) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_EXCL
        self._file = os.open(folder / run.file_name, flags, 0o600)
        self._write(json.dumps(run.as_json()))

    def tried(self, records: Iterable[tuple[str, int]]) -> None:
        """Note what is handed over next."""
        self._write(*(f"try {key} {number}" for key, number in records))

    def acknowledged(self, records: Iterable[tuple[str, int, Place]]) -> None:
        """Note what all in-sync replicas have."""
        self._write(*(f"ack {key} {number} {_told(place)}" for key, number, place in records))

    def failed(self, key: str, number: int, why: str) -> None:
        """Note what was surely not written."""
        self._write(f"fail {key} {number} {why}")

    def aborted(self, records: Iterable[tuple[str, int]]) -> None:
        """Note what nobody may see who reads committed records only."""
        self._write(*(f"abort {key} {number}" for key, number in records))

    def seen(self, records: Iterable[tuple[str, int, Place]]) -> None:
        """Note what a consumer was given."""
        self._write(*(f"see {key} {number} {_told(place)}" for key, number, place in records))

    def fault(self, what: str) -> None:
        """Note what must not be."""
        self._write(f"fault {' '.join(what.split())}")

    def end(self) -> None:
        """Note that this life ended in good order."""
        self._write("end")
        os.close(self._file)

    def _write(self, *lines: str) -> None:
        if not lines:
            return
        left = ("\n".join(lines) + "\n").encode()
        while left:
            left = left[os.write(self._file, left) :]


def key_of(client: str, topic: str, number: int) -> str:
    """Return one of a producer's keys in a topic."""
    return f"{client}/{topic}/{number}"


def topic_of(key: str) -> str:
    """Return the topic that all records of a key are in."""
    return key.split("/")[1]


def now_us() -> int:
    """Return the time as journals tell it: one clock for all processes of this machine."""
    return time.time_ns() // 1_000


def _told(place: Place) -> str:
    return f"{place.topic} {place.partition} {place.offset} {place.at_us}"
