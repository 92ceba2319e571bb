"""All journals of a traffic, read as far as they go, again and again while they grow.

Owns the parsing and the sums: who sent what, what became of it, who saw what and when. Judges
nothing. A line that is not whole yet, or was cut short by a kill, is no line.
"""

import json
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from pathlib import Path

from kferry.sandbox.live.journal import Place, Run

Record = tuple[str, int]
"""Key and number: what a record is, wherever it lies."""


@dataclass(slots=True, kw_only=True)
class Life:
    """One run of one client, as its journal tells it."""

    run: Run
    tried: set[Record] = field(default_factory=set)
    acknowledged: set[Record] = field(default_factory=set)
    failed: set[Record] = field(default_factory=set)
    aborted: set[Record] = field(default_factory=set)
    seen: dict[str, list[tuple[int, int]]] = field(default_factory=lambda: defaultdict(list))
    """By key: when, and which number."""
    times: list[int] = field(default_factory=list)
    """When something was acknowledged or seen, in microseconds."""
    faults: list[str] = field(default_factory=list)
    ended: bool = False

    @property
    def unresolved(self) -> set[Record]:
        """Handed over, and nothing is known of them: on their way, or lost from sight."""
        return self.tried - self.acknowledged - self.failed - self.aborted


class Accounts:
    """What the journals of a folder have told so far."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._read_to: dict[Path, int] = {}
        self._lives: dict[Path, Life] = {}

    @property
    def lives(self) -> tuple[Life, ...]:
        """Every run, in the order of their starts."""
        return tuple(sorted(self._lives.values(), key=lambda life: life.run.number))

    def read_on(self) -> None:
        """Read what has been written since.

        Consumers first: what they have seen was handed over before, and is found with the others.
        """
        for file in sorted(self._folder.iterdir(), key=self._writes):
            if (life := self._lives.get(file)) is not None:
                for line, end in _whole_lines(file, self._read_to[file]):
                    _take(life, line)
                    self._read_to[file] = end

    def _writes(self, file: Path) -> bool:
        if file not in self._lives:
            for line, end in _whole_lines(file, 0):
                self._lives[file] = Life(run=Run.from_json(json.loads(line)))
                self._read_to[file] = end
                break
            else:
                return True  # it has just begun; its turn comes
        return self._lives[file].run.role.writes


def _take(life: Life, line: str) -> None:
    word, _, rest = line.partition(" ")
    if word == "fault":
        life.faults.append(rest)
    elif word == "end":
        life.ended = True
    else:
        _note(life, word, rest.split(" "))


def _note(life: Life, word: str, fields: list[str]) -> None:
    record = sys.intern(fields[0]), int(fields[1])
    match word:
        case "try":
            life.tried.add(record)
        case "ack":
            life.acknowledged.add(record)
            life.times.append(int(fields[5]))
        case "fail":
            life.failed.add(record)
        case "abort":
            life.aborted.add(record)
        case "see":
            at = int(fields[5])
            life.seen[record[0]].append((at, record[1]))
            life.times.append(at)
        case _:
            raise ValueError(f"a journal says {word}")


def places(folder: Path, wanted: AbstractSet[Record]) -> dict[Record, list[tuple[Run, Place]]]:
    """Find where a few records were acknowledged and seen, in the order of time."""
    found: dict[Record, list[tuple[Run, Place]]] = defaultdict(list)
    for file in sorted(folder.iterdir()):
        lines = _whole_lines(file, 0)
        run: Run | None = None
        for line, _ in lines:
            if run is None:
                run = Run.from_json(json.loads(line))
                continue
            word, *fields = line.split(" ")
            if word in {"ack", "see"} and (record := (fields[0], int(fields[1]))) in wanted:
                place = Place(fields[2], int(fields[3]), int(fields[4]), int(fields[5]))
                found[record].append((run, place))
    for own in found.values():
        own.sort(key=lambda pair: pair[1].at_us)
    return found


def next_numbers(before: Mapping[str, int], journal: Path) -> dict[str, int]:
    """Return where each key of a producer goes on after one more life."""
    found = dict(before)
    if journal.exists():
        for line, _ in _whole_lines(journal, 0):
            if line.startswith("try "):
                _, key, number = line.split(" ")
                found[key] = max(found.get(key, 0), int(number) + 1)
    return found


def _whole_lines(file: Path, start: int) -> Iterator[tuple[str, int]]:
    """Return lines that have their end, and where each ends."""
    with file.open("rb") as content:
        content.seek(start)
        for line in content:
            if not line.endswith(b"\n"):
                return
            start += len(line)
            yield line[:-1].decode(), start
