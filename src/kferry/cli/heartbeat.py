"""Progress where there is no terminal: a line now and then, and every change at once.

Owns what is news. Pure: snapshots in, lines out; the times are those of the snapshots.
"""

from datetime import datetime

from kferry.cli.progress_lines import gap_line, heartbeat, stopped_line
from kferry.progress import Gap, Snapshot, Stopped

_EVERY_SECONDS = 10
_MOST_NEWS = 10


class Heartbeat:
    """Tells what is worth a line, given what was told before."""

    def __init__(self) -> None:
        self._told: Snapshot | None = None
        self._stopped: set[Stopped] = set()
        self._gaps: set[Gap] = set()

    def lines(self, snapshot: Snapshot) -> list[str]:
        """Return what is new since the last call; often nothing."""
        news = self._news(snapshot)
        if news or self._is_due(snapshot):
            self._told = snapshot
            return [*heartbeat(snapshot), *news]
        return []

    def _is_due(self, snapshot: Snapshot) -> bool:
        if self._told is None or self._told.state != snapshot.state:
            return True
        # Without the smallest tolerance a beat of 9.999 s would wait for a second more.
        passed = _seconds(snapshot.taken_at) - _seconds(self._told.taken_at)
        return passed >= _EVERY_SECONDS - 0.5 or passed < 0

    def _news(self, snapshot: Snapshot) -> list[str]:
        stopped = [one for one in snapshot.stopped if one not in self._stopped]
        gaps = [one for one in snapshot.gaps if one not in self._gaps]
        self._stopped.update(stopped)
        self._gaps.update(gaps)
        found = [stopped_line(one) for one in stopped] + [gap_line(one) for one in gaps]
        lines = [line for news in found[:_MOST_NEWS] for line in news]
        if len(found) > _MOST_NEWS:
            lines.append(f"  and {len(found) - _MOST_NEWS:,} more; the result names them")
        return lines


def _seconds(taken_at: str) -> float:
    try:
        return datetime.fromisoformat(taken_at).timestamp()
    except ValueError:
        return 0.0
