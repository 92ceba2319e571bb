"""The cache of jars: after `ensure`, every jar of a lock is there and is the locked one.

Owns the cache folder, what is in it, and that several processes can fill it at once. Knows nothing
of Kafka, and leaves the network to `maven`.
"""

import fcntl
import hashlib
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

from kferry.sandbox import disk, places
from kferry.sandbox.errors import NOTHING_RUNS, JarsError
from kferry.sandbox.locks import LockedJar
from kferry.sandbox.narration import Narrate, silent

_AT_ONCE = 6
_ATTEMPTS = 2
_TELL_EVERY = 10_000_000


def class_path(jars: Sequence[LockedJar]) -> list[Path]:
    """Return where the files of `jars` are, once `ensure` was called for them."""
    return [_folder() / jar.path for jar in jars]


def ensure(jars: Sequence[LockedJar], *, narrate: Narrate = silent) -> None:
    """See that all `jars` are in the cache; fetch those that are missing or damaged."""
    folder = _folder()
    if unfit := _unfit(jars, folder):
        with disk.room_for(folder, sum(jar.size for jar in unfit)), _only_one(folder):
            # Looked at again: whoever held the lock may have fetched the same ones.
            if still := _unfit(unfit, folder):
                _fetch(still, folder, narrate)


def _folder() -> Path:
    return places.cache_folder() / "jars"


def _unfit(jars: Sequence[LockedJar], folder: Path) -> list[LockedJar]:
    """Return the jars that are not in the cache as they were locked."""
    with ThreadPoolExecutor() as pool:
        fit = pool.map(lambda jar: _is_locked_one(folder / jar.path, jar), jars)
        return [jar for jar, is_fit in zip(jars, fit, strict=True) if not is_fit]


def _is_locked_one(file: Path, jar: LockedJar) -> bool:
    try:
        found = file.stat()
        return _digest(file, found.st_mtime_ns, found.st_size, found.st_ino) == jar.sha256
    except FileNotFoundError:
        return False


@lru_cache(maxsize=1000)
def _digest(file: Path, _changed: int, _size: int, _inode: int) -> str:
    """Return a file's digest; taken once for as long as the file is as it was."""
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


@contextmanager
def _only_one(folder: Path) -> Iterator[None]:
    """Keep other processes from fetching, too: they wait and then find the jars there."""
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        # What a killed fetch left; under the lock nobody else's can be there.
        for leftover in folder.glob(".fetch-*"):
            shutil.rmtree(leftover, ignore_errors=True)
        yield


def _fetch(jars: Sequence[LockedJar], folder: Path, narrate: Narrate) -> None:
    done, told, total = 0, 0, sum(jar.size for jar in jars)
    narrate(f"fetching {total / 1e6:.0f} MB of Kafka's jars, once")
    pool = ThreadPoolExecutor(_AT_ONCE)
    try:
        for jar in pool.map(lambda jar: _fetch_one(jar, folder), jars):
            done += jar.size
            if done - told > _TELL_EVERY:
                narrate(f"{done / 1e6:.0f} of {total / 1e6:.0f} MB are here")
                told = done
    finally:
        pool.shutdown(cancel_futures=True)


def _fetch_one(jar: LockedJar, folder: Path) -> LockedJar:
    for attempt in range(1, _ATTEMPTS + 1):
        # A private place, and a rename only once it is verified: the download is not atomic.
        with tempfile.TemporaryDirectory(prefix=".fetch-", dir=folder) as private:
            fetched = _download(jar, Path(private), last=attempt == _ATTEMPTS)
            if fetched and _is_locked_one(fetched, jar):
                target = folder / jar.path
                target.parent.mkdir(parents=True, exist_ok=True)
                fetched.replace(target)
                return jar
    raise JarsError(
        f"{jar.name} is not the jar that kferry was made with",
        f"the registry's file does not have the sha256 {jar.sha256}",
        hint="another registry or proxy may stand in between: see ~/.config/jgo.conf; then run "
        "kferry sandbox up again",
        changed=NOTHING_RUNS,
    )


def _download(jar: LockedJar, private: Path, *, last: bool) -> Path | None:
    # Imported here: with a full cache nobody needs jgo, nor the quarter second it takes to load.
    from kferry.sandbox import maven  # noqa: PLC0415

    try:
        return maven.download(
            group=jar.group,
            artifact=jar.artifact,
            version=jar.version,
            classifier=jar.classifier,
            folder=private,
        )
    except (OSError, RuntimeError) as error:
        disk.check(error)
        if not last:
            return None
        raise JarsError(
            f"{jar.name} could not be fetched",
            str(error),
            hint="jars come over HTTPS once: check the network, HTTPS_PROXY and "
            "REQUESTS_CA_BUNDLE, then run kferry sandbox up again",
            changed=f"{NOTHING_RUNS} Jars already fetched are kept.",
        ) from error
