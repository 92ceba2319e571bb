"""Room on the disk: asked for before it is needed, recognised when it runs out all the same.

Owns the question and the error. Knows nothing of what is written.
"""

import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kferry.sandbox.errors import NOTHING_RUNS, NoSpaceError

_FULL = {errno.ENOSPC, errno.EDQUOT}


@contextmanager
def room_for(folder: Path, needed: int) -> Iterator[None]:
    """Make `folder`, see that `needed` bytes are free there, and watch what the block writes."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(folder).free
        if free < needed:
            raise _no_space(f"{needed / 1e6:.0f} MB are needed, {free / 1e6:.0f} MB are free")
        yield
    except OSError as error:
        check(error)
        raise


def check(error: BaseException) -> None:
    """Raise our own error if `error` says that a disk is full."""
    if isinstance(error, OSError) and error.errno in _FULL:
        raise _no_space(str(error)) from error


def _no_space(detail: str) -> NoSpaceError:
    return NoSpaceError(
        "no room on the disk for a sandbox",
        detail,
        hint="free some, or name another disk with KFERRY_HOME and KFERRY_CACHE; "
        "kferry sandbox status lists what runs",
        changed=NOTHING_RUNS,
    )
