"""Waiting for the log cleaner: until all that it may clean has been cleaned, on every replica.

Owns the reading of the brokers' own files, which is the only place where they say how far the
cleaner came. Those belong to this machine's sandbox; kferry itself never looks at a broker's disk.
"""

from collections.abc import Iterator
from pathlib import Path

from kferry.sandbox.cluster import Cluster

_CHECKPOINT = "cleaner-offset-checkpoint"
_HEADER_LINES = 2


def cleaned(cluster: Cluster, topic: str) -> bool:
    """Return whether nothing before the active segment is left to clean."""
    logs = [log for node in cluster.layout.nodes for log in node.data.glob(f"{topic}-[0-9]*")]
    return bool(logs) and all(_cleaned_up_to(log) >= _active_segment(log) for log in logs)


def _active_segment(log: Path) -> int:
    """Return the base offset of the segment that is written to; the cleaner leaves it alone."""
    return max(int(file.stem) for file in log.glob("*.log"))


def _cleaned_up_to(log: Path) -> int:
    topic, _, partition = log.name.rpartition("-")
    for words in _checkpoint(log.parent):
        if words[:2] == [topic, partition]:
            return int(words[2])
    return -1


def _checkpoint(data: Path) -> Iterator[list[str]]:
    try:
        lines = (data / _CHECKPOINT).read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:  # it is replaced by renaming, and missing before the first time
        return
    for line in lines[_HEADER_LINES:]:
        yield line.split(" ")
