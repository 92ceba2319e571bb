"""The map file on disk: opened for one writer, only ever appended to, cut where it was torn.

Owns the file. What stands in it is `frames`' business, what it means `written`'s.
"""

import contextlib
import fcntl
import os
import time
from pathlib import Path

from kferry.dualwrite.errors import NOTHING_SENT, MapFileError
from kferry.dualwrite.frames import (
    HEAD,
    BadFrame,
    Closed,
    ClusterIds,
    Entry,
    Opened,
    TopicNames,
    check_head,
    frame,
    unframe,
)
from kferry.dualwrite.written import Written, put_together


def read_map(path: Path) -> Written:
    """Read a map file, also while a producer writes it. What is torn at its end is left out."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise MapFileError(
            f"the map file {path} cannot be read",
            error.strerror or str(error),
            hint="name the file that DualProducer(map_file=...) writes",
        ) from error
    return _read(path, data)[0]


def _read(path: Path, data: bytes, *, changed: str = "Nothing was changed.") -> tuple[Written, int]:
    try:
        check_head(data)
        entries, end = unframe(data)
        return put_together(entries), end
    except (BadFrame, UnicodeDecodeError) as error:
        raise MapFileError(
            f"{path} cannot be read as a map file",
            str(error),
            hint="name the file that DualProducer(map_file=...) writes; a damaged one is kept as "
            "it is, and another name starts a new one",
            changed=changed,
        ) from error


class MapFile:
    """One map file, held by this process alone."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise MapFileError(
                f"the map file {path} cannot be written",
                error.strerror or str(error),
                changed=NOTHING_SENT,
            ) from error
        try:
            self._hold()
            self._end = self._find_end()
        except BaseException:
            os.close(self._file)
            raise
        self.append([Opened(at_ms=_now_ms())])
        self.sync()

    @property
    def topics(self) -> dict[str, TopicNames]:
        """The names that have a number, by those on the primary."""
        return {names.primary: names for names in self._before.topics.values()}

    @property
    def clusters(self) -> ClusterIds | None:
        """Which clusters it is about, where that was known before."""
        return self._before.clusters

    def append(self, entries: list[Entry]) -> None:
        """Add entries. After a failure nothing of them is in the file, and they may come again."""
        data = memoryview(frame(entries))
        end = self._end
        try:
            while data:
                count = os.pwrite(self._file, data, end)
                data, end = data[count:], end + count
        except OSError:
            with contextlib.suppress(OSError):  # what stays is overwritten, or cut as torn
                os.ftruncate(self._file, self._end)
            raise
        self._end = end

    def sync(self) -> None:
        """Have the disk hold all of it."""
        os.fdatasync(self._file)

    def close(self, *, in_order: bool) -> None:
        """Let go of the file; `in_order`: nothing that it should tell is missing."""
        if self._file < 0:
            return
        try:
            if in_order:
                self.append([Closed(at_ms=_now_ms())])
            self.sync()
        finally:
            os.close(self._file)
            self._file = -1

    def _hold(self) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise MapFileError(
                f"the map file {self.path} is being written by another producer",
                hint="give each producer a map file of its own; "
                "kferry offsets translate --map takes several",
                changed=NOTHING_SENT,
            ) from error

    def _find_end(self) -> int:
        data = self._all()
        if not HEAD.startswith(data):
            self._before, end = _read(self.path, data, changed=NOTHING_SENT)
            os.ftruncate(self._file, end)
            return end
        # New, or its maker died before the first line was whole.
        self._before = Written()
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, HEAD, 0)
        os.fsync(self._file)
        with contextlib.suppress(OSError):  # the name, too, must outlive a power cut
            folder = os.open(self.path.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        return len(HEAD)

    def _all(self) -> bytes:
        with open(self._file, "rb", closefd=False) as file:
            file.seek(0)
            return file.read()


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
