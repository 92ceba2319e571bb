"""The book of a producer: what happened to each record on both sides, written down in time.

Owns when the map file is written: a moment after things happened, and on request down to the disk.
A disk that fails never stops records; it is told, and what it did not take is offered again.
"""

import logging
import threading
from pathlib import Path

from kferry.dualwrite.frames import ClusterIds, Entry
from kferry.dualwrite.growing import Growing
from kferry.dualwrite.map_file import MapFile

_LOG = logging.getLogger("kferry.dualwrite")


class Book:
    """Takes notes from every thread; writes them when told."""

    def __init__(self, path: Path) -> None:
        self._file = MapFile(path)
        self._growing = Growing(self._file.topics)
        self._notes = threading.Lock()
        self._writing = threading.Lock()
        self._left: list[Entry] = []
        self._synced = True
        self._closed = False
        self.clusters = self._file.clusters
        self.failure: OSError | None = None
        """Why the file could not be written, as long as it cannot."""

    def about(self, clusters: ClusterIds) -> None:
        """Write down which clusters answered."""
        if self.clusters is None:
            self.clusters = clusters
            with self._notes:
                self._left.append(clusters)

    def acknowledged(self, topic: str, secondary: str, partition: int, offset: int) -> None:
        """Note that the primary has a record."""
        with self._notes:
            self._growing.acknowledged(topic, secondary, partition, offset)

    def paired(self, topic: str, partition: int, primary: int, secondary: int) -> None:
        """Note that the secondary has it, too."""
        with self._notes:
            self._growing.paired(topic, partition, primary, secondary)

    def missed(self, topic: str, partition: int, primary: int, reason: str) -> None:
        """Note that the secondary did not acknowledge it."""
        with self._notes:
            self._growing.missed(topic, partition, primary, reason)

    def write(self, *, sync: bool = False) -> None:
        """Write what is new."""
        with self._writing:
            if self._closed:
                return
            with self._notes:
                entries = self._left + self._growing.take()
                self._left = []
            try:
                if entries:
                    self._file.append(entries)
                    entries, self._synced = [], False
                if sync and not self._synced:
                    self._file.sync()
                    self._synced = True
            except OSError as error:
                self._failed(error, entries)
            else:
                self.failure = None

    def close(self, *, in_order: bool) -> None:
        """Write the rest, down to the disk, and let go of the file."""
        self.write(sync=True)
        with self._writing:
            if not self._closed:
                self._closed = True
                self._file.close(in_order=in_order and self.failure is None)

    def _failed(self, error: OSError, entries: list[Entry]) -> None:
        if self.failure is None:
            _LOG.error("the map file %s cannot be written: %s", self._file.path, error)
        self.failure = error
        with self._notes:
            self._left = entries + self._left
