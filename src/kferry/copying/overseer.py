"""What nobody in the flow can see: lanes that stand still, clusters that are not well.

Owns patience and pace. Once a second it looks at all lanes; it moves no record.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from kferry.copying.budget import Bucket
from kferry.copying.lane import Lane, Phase, Trouble

_HOLE_BEATS = 3
_LOOKS = 16
"""Lanes looked at in one beat while others move: a look costs the source questions and a read."""
_TURN = 12
"""So many times longer may a lane wait for its turn while others are served."""
_LEAST_PACE = 1 << 20


@dataclass(slots=True)
class _Standing:
    """Where a lane stood, and for how many beats."""

    place: tuple[int, int]
    beats: int = 0
    look_at: int = _HOLE_BEATS


class Overseer:
    """Looks once a second. `patience` is in beats; None: for ever."""

    def __init__(
        self,
        bucket: Bucket,
        *,
        patience: int | None,
        look: Callable[[Lane], None],
    ) -> None:
        self._bucket = bucket
        self._patience = patience
        self._look = look
        self._standing: dict[Lane, _Standing] = {}
        self._bytes = 0

    def beat(self, lanes: Iterable[Lane], *, behind: int, paused: bool) -> None:
        """Look at all lanes; `behind` partitions lack replicas just now."""
        lanes = list(lanes)
        self._brake(lanes, behind)
        if not paused and not self._bucket.wait_s:
            still = [lane for lane in lanes if not self._moved(lane)]
            moving = len(still) < len(lanes)
            looks = _LOOKS if moving else len(still)
            for lane in still:
                looks -= self._watch(lane, moving=moving, may_look=looks > 0)

    def _brake(self, lanes: list[Lane], behind: int) -> None:
        """Halve the pace while replicas have to catch up; they need the same disks and network."""
        copied = sum(lane.counts.bytes for lane in lanes)
        lately, self._bytes = copied - self._bytes, copied
        if not behind:
            self._bucket.brake = None
        elif self._bucket.brake is None and lately:
            self._bucket.brake = max(_LEAST_PACE, lately // 2)

    def _moved(self, lane: Lane) -> bool:
        place = (lane.copied_to, lane.fetched_to)
        standing = self._standing.get(lane)
        if standing is not None and standing.place == place:
            return False
        self._standing[lane] = _Standing(place)
        return True

    def _watch(self, lane: Lane, *, moving: bool, may_look: bool) -> bool:
        """Bear a lane that stands still, for a while; say whether it was looked at."""
        standing = self._standing[lane]
        flowing = lane.phase is Phase.FLOWING
        at_end = flowing and not lane.lag and lane.goal is not None
        if lane.phase is Phase.STOPPED or at_end:
            standing.beats, standing.look_at = 0, _HOLE_BEATS
            return False
        standing.beats += 1
        # Thousands may share a slow line: where others are served, its turn may be yet to come.
        turns = _TURN if flowing and moving and not lane.hindrance else 1
        if self._patience is not None and standing.beats > turns * self._patience:
            reason = lane.hindrance or "nothing came from the source and nothing says why"
            lane.stop(
                Trouble(
                    code="no-progress",
                    reason=f"no progress for {standing.beats:,} s: {reason}",
                    offset=lane.copied_to,
                )
            )
        elif may_look and standing.beats >= standing.look_at and _sees_nothing(lane):
            standing.look_at = 2 * standing.beats
            self._look(lane)
            return True
        return False


def _sees_nothing(lane: Lane) -> bool:
    """Whether the source says that there is more, and nothing of it comes."""
    waits = lane.queue or lane.in_flight or lane.looking or lane.hindrance
    return lane.phase is Phase.FLOWING and not waits and lane.fetched_to < lane.end
