"""Names: one sandbox each, and whose it is.

Owns the folder of a sandbox as a claim: made at once or not at all, held by a lock that the system
lets go of when its owner dies. Knows nothing of what the folder is for.
"""

import fcntl
import os
import shutil
import tempfile
from enum import StrEnum
from pathlib import Path
from typing import Self

from kferry.sandbox import places
from kferry.sandbox.errors import NOTHING_RUNS, NameInUseError

_LOCK = "owner"
_DETACHED = "detached"


class Claim:
    """A sandbox's folder, ours until `release` or our end."""

    def __init__(self, folder: Path, lock: int) -> None:
        self.folder = folder
        self._lock = lock

    @classmethod
    def make(cls, name: str) -> Self:
        """Claim `name`, or say who has it."""
        folder = places.sandbox_folder(name)
        folder.parent.mkdir(parents=True, exist_ok=True)
        # Made aside and moved: nobody ever sees it without its lock.
        fresh = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=folder.parent))
        lock = _lock(fresh, os.O_RDWR | os.O_CREAT)
        assert lock is not None  # noqa: S101  # nobody else knows the folder
        try:
            fresh.rename(folder)
        except OSError as error:
            os.close(lock)
            shutil.rmtree(fresh)
            raise NameInUseError(
                f"there is a sandbox called {name} already",
                hint=f"kferry sandbox status --name {name} shows it, kferry sandbox down "
                f"--name {name} ends it, --name gives the new one another name",
                changed=NOTHING_RUNS,
            ) from error
        return cls(folder, lock)

    @property
    def revoked(self) -> bool:
        """Whether somebody stopped the sandbox while it was ours."""
        return os.fstat(self._lock).st_nlink == 0

    def detach(self) -> None:
        """Let the sandbox live on without us."""
        (self.folder / _DETACHED).touch()
        self.release()

    def release(self) -> None:
        """Hold it no longer."""
        os.close(self._lock)


class Owner(StrEnum):
    """Whose a sandbox is."""

    NOBODY = "nobody"
    """It lives on until it is stopped by name."""
    ALIVE = "alive"
    """A process starts it just now, or uses it until its own end."""
    DEAD = "dead"
    """Its owner has died, and its brokers with it. Only the folder is left."""


def owner(folder: Path) -> Owner:
    """Return whose the sandbox in `folder` is."""
    if (folder / _DETACHED).exists():
        return Owner.NOBODY
    try:
        lock = _lock(folder, os.O_RDWR)
    except FileNotFoundError:  # somebody removes it just now
        return Owner.DEAD
    if lock is None:
        return Owner.ALIVE
    os.close(lock)
    return Owner.DEAD


def revoke(folder: Path) -> None:
    """Let the owner of the sandbox in `folder` know that it ends."""
    (folder / _LOCK).unlink(missing_ok=True)


def _lock(folder: Path, how: int) -> int | None:
    file = os.open(folder / _LOCK, how, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(file)
        return None
    return file
