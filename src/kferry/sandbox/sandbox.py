"""A sandbox: two clusters of real brokers, side by side on this machine.

Owns the pair: both come up together, and whatever happens nothing of them is left behind. Knows
nothing of the commands that use it.
"""

import contextlib
import secrets
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from kferry.sandbox import disk, layout_file, places
from kferry.sandbox.boot import kill_all
from kferry.sandbox.claim import Claim, Owner, owner, revoke
from kferry.sandbox.cluster import Cluster
from kferry.sandbox.errors import CLEANED_UP, NOTHING_RUNS, BootError, NotFoundError
from kferry.sandbox.narration import Narrate, silent
from kferry.sandbox.pair import boot_pair
from kferry.sandbox.process import Process
from kferry.sandbox.spec import ClusterSpec

SIDES = ("source", "target")
_ROOM_PER_BROKER = 200_000_000


class Sandbox:
    """Two running clusters. Use it in a `with` block: they end with it, and with this process."""

    def __init__(self, name: str, clusters: Mapping[str, Cluster], claim: Claim | None) -> None:
        self.name = name
        self.folder = places.sandbox_folder(name)
        self.source = clusters["source"]
        self.target = clusters["target"]
        self._claim = claim

    @classmethod
    def start(
        cls,
        *,
        name: str | None = None,
        source: ClusterSpec | None = None,
        target: ClusterSpec | None = None,
        narrate: Narrate = silent,
    ) -> Self:
        """Start both clusters; return when every broker of both answers."""
        name = name or f"test-{secrets.token_hex(4)}"
        specs = {"source": source or ClusterSpec(), "target": target or ClusterSpec()}
        sweep()
        claim = Claim.make(name)
        try:
            with disk.room_for(claim.folder, _ROOM_PER_BROKER * _count(specs)):
                return cls(name, boot_pair(specs, claim.folder, narrate), claim)
        except BaseException as error:
            revoked = claim.revoked
            _remove(claim.folder)
            claim.release()
            if revoked and isinstance(error, Exception):
                # Whatever failed, failed because files and processes were taken away.
                raise _stopped_early(name) from error
            raise

    @classmethod
    def find(cls, name: str) -> Self:
        """Return the sandbox called `name`, however it was started."""
        folder = places.sandbox_folder(name)
        try:
            clusters = {side: Cluster(layout_file.load(folder / side)) for side in SIDES}
        except FileNotFoundError:
            raise (_not_up(name) if folder.exists() else not_found(name)) from None
        return cls(name, clusters, None)

    @property
    def processes(self) -> tuple[Process, ...]:
        """Everything that was started for it."""
        return self.source.processes + self.target.processes

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """End every process and remove the folder."""
        kill_all(self.processes)
        _remove(self.folder)
        if self._claim is not None:
            self._claim.release()
            self._claim = None

    def detach(self) -> None:
        """Let it live on when this process ends, until somebody stops it by name."""
        for process in self.processes:
            process.release()
        if self._claim is not None:
            self._claim.detach()
            self._claim = None


def stop(name: str) -> None:
    """Stop the sandbox called `name`, in whatever state it is."""
    folder = places.sandbox_folder(name)
    if not folder.exists():
        raise not_found(name)
    revoke(folder)
    _remove(folder)


def names() -> list[str]:
    """Return the name of every sandbox on this machine."""
    with contextlib.suppress(FileNotFoundError):
        folders = places.sandboxes_folder().iterdir()
        return sorted(f.name for f in folders if not f.name.startswith("."))
    return []


def not_found(name: str) -> NotFoundError:
    """Return the error for a name that no sandbox has."""
    return NotFoundError(
        f"there is no sandbox called {name}",
        f"there are: {', '.join(names()) or 'none'}, in {places.sandboxes_folder()}",
        hint=f"kferry sandbox up --name {name}",
        changed=NOTHING_RUNS,
    )


def sweep() -> None:
    """Remove what owners left behind that died: their brokers have died with them."""
    for name in names():
        folder = places.sandbox_folder(name)
        if owner(folder) is Owner.DEAD:
            _remove(folder)


def _not_up(name: str) -> NotFoundError:
    return NotFoundError(
        f"sandbox {name} is not up",
        "its start is under way, or was cut short",
        hint=f"kferry sandbox status --name {name}",
    )


def _stopped_early(name: str) -> BootError:
    return BootError(
        f"sandbox {name} was stopped while it started",
        hint=f"kferry sandbox up --name {name}",
        changed=CLEANED_UP,
    )


def _remove(folder: Path) -> None:
    kill_all(tuple(Process(file.parent) for file in folder.glob("*/*/pid")))
    # Moved away first: the name is free at once and wholly, and whoever is just starting it finds
    # nothing to write to. What they start meanwhile ends with their lifeline.
    aside = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    with contextlib.suppress(FileNotFoundError):
        folder.rename(aside)
    shutil.rmtree(aside)


def _count(specs: Mapping[str, ClusterSpec]) -> int:
    return sum(spec.brokers for spec in specs.values())
