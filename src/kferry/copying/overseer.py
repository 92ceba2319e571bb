"""What nobody in the flow can see: lanes that stand still, clusters that are not well.

Owns patience and pace. Once a second it looks at all lanes; it moves no record.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from kferry.copying.budget import Bucket
from kferry.copying.lane import Lane, Phase, Trouble

_HOLE_BEATS = 3
_LEAST_PACE = 1 << 20


@dataclass(slots=True)
class _Standing:
    """Where a lane stood, and for how many beats."""

    place: tuple[int, int]
    beats: int = 0


class Overseer:
    """Looks once a second. `patience` is in beats; None: for ever."""

    def __init__(
        self,
        bucket: Bucket,
        *,
        patience: int | None,
        look: Callable[[Lane], None],
        stopped: Callable[[Lane], None],
    ) -> None:
        self._bucket = bucket
        self._patience = patience
        self._look, self._stopped = look, stopped
        self._standing: dict[Lane, _Standing] = {}
        self._bytes = 0

    def beat(self, lanes: Iterable[Lane], *, behind: int, paused: bool) -> None:
        """Look at all lanes; `behind` partitions lack replicas just now."""
        lanes = list(lanes)
        self._brake(lanes, behind)
        if not paused and not self._bucket.wait_s:
            for lane in lanes:
                self._watch(lane)

    def _brake(self, lanes: list[Lane], behind: int) -> None:
        """Halve the pace while replicas have to catch up; they need the same disks and network."""
        copied = sum(lane.counts.bytes for lane in lanes)
        lately, self._bytes = copied - self._bytes, copied
        if not behind:
            self._bucket.brake = None
        elif self._bucket.brake is None and lately:
            self._bucket.brake = max(_LEAST_PACE, lately // 2)

    def _watch(self, lane: Lane) -> None:
        place = (lane.copied_to, lane.fetched_to)
        standing = self._standing.get(lane)
        if standing is None or standing.place != place:
            self._standing[lane] = _Standing(place)
            return
        if lane.phase is Phase.STOPPED or (lane.phase is Phase.FLOWING and not lane.lag):
            standing.beats = 0
            return
        standing.beats += 1
        if self._patience is not None and standing.beats > self._patience:
            reason = lane.hindrance or "nothing came from the source and nothing says why"
            lane.stop(
                Trouble(
                    code="no-progress",
                    reason=f"no progress for {standing.beats:,} s: {reason}",
                    offset=lane.copied_to,
                )
            )
            self._stopped(lane)
        elif standing.beats % _HOLE_BEATS == 0 and _sees_nothing(lane):
            self._look(lane)


def _sees_nothing(lane: Lane) -> bool:
    """Whether the source says that there is more, and nothing of it comes."""
    waits = lane.queue or lane.in_flight or lane.looking or lane.hindrance
    return lane.phase is Phase.FLOWING and not waits and lane.fetched_to < lane.end
