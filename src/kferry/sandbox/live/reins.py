"""How a running client is told what to do, and how it tells how it is: two small files.

Owns both files, for both ends. A signal asks it to stop; all else is a wish it looks for. A client
that is told it is orphaned ends at once: nothing outlives its sandbox.
"""

import json
import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

_WISHES = "wishes.json"
_STATE = "state.json"
_TELLS_EVERY_S = 0.1
_LOOKS_EVERY_S = 1.0
_ORPHANED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What a client is to do besides its work."""

    paused: bool = False
    """A consumer stays in its group and reads nothing; a producer sends nothing."""
    hanging: bool = False
    """A transactional producer leaves its transaction open."""


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """How a client is. `run` is the life that tells it."""

    run: int = 0
    phase: str = "starting"
    records: int = 0
    """Acknowledged or seen in this life."""
    partitions: tuple[str, ...] = ()
    """What a consumer holds."""
    trouble: str = ""
    """What went wrong last, until it works again."""
    faults: tuple[str, ...] = ()
    """What must not be."""

    def as_json(self) -> dict[str, Any]:
        """Return what scripts get."""
        return asdict(self)


def wish(folder: Path, wishes: Wishes) -> None:
    """Tell the client in `folder`."""
    _replace(folder / _WISHES, asdict(wishes))


def state_of(folder: Path) -> State:
    """Return what the client in `folder` told last."""
    content = _read(folder / _STATE)
    tuples = {name: tuple(content.get(name, ())) for name in ("partitions", "faults")}
    return State(**{**content, **tuples})


@dataclass(slots=True, kw_only=True)
class Reins:
    """The client's end."""

    folder: Path
    state: State
    orphaned: Callable[[], bool]
    """Whether the sandbox is gone, or whoever it belonged to."""
    stopping: bool = False
    _told: State | None = None
    _told_at: float = 0.0
    _looked_at: float = 0.0
    _wishes: Wishes = field(default_factory=Wishes)
    _stamp: int = -1

    def __post_init__(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        self.tell(now=True)

    @property
    def wishes(self) -> Wishes:
        """What we are told just now."""
        file = self.folder / _WISHES
        with suppress(FileNotFoundError):
            stamp = file.stat().st_mtime_ns
            if stamp != self._stamp:
                self._wishes, self._stamp = Wishes(**_read(file)), stamp
        return self._wishes

    def tell(self, *, now: bool = False, **changes: Any) -> None:
        """Tell how we are, and end if nobody is there any more to be told."""
        if changes.get("records", 0) > self.state.records:
            changes = {"trouble": "", **changes}  # it has passed
        self.state = replace(self.state, **changes)
        at = time.monotonic()
        if at - self._looked_at > _LOOKS_EVERY_S:
            self._looked_at = at
            if self.orphaned():
                os._exit(_ORPHANED)
        if self.state != self._told and (now or at - self._told_at > _TELLS_EVERY_S):
            with suppress(FileNotFoundError):
                _replace(self.folder / _STATE, self.state.as_json())
            self._told, self._told_at = self.state, at

    def fault(self, what: str) -> None:
        """Tell what must not be, once."""
        if what not in self.state.faults:
            self.tell(now=True, faults=(*self.state.faults, what)[-5:])

    def _stop(self, _number: int, _frame: object) -> None:
        self.stopping = True


def _replace(file: Path, content: dict[str, Any]) -> None:
    fresh = file.with_suffix(".new")
    fresh.write_text(json.dumps(content), encoding="utf-8")
    fresh.replace(file)


def _read(file: Path) -> dict[str, Any]:
    try:
        content: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    return content
