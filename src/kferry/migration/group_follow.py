"""Positions kept up to date on the target while applications still work on the source.

Owns the rounds. Each asks the source only what every group has committed; of those that have moved,
or could not be set before, everything else. A broker that is away for a while ends nothing.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime

from kferry.admin.group_offsets import Positions
from kferry.config import TopicSelection
from kferry.groups import Step, glance
from kferry.migration.group_images import images_meant
from kferry.migration.group_look import GroupSides, Meant, Shown, named
from kferry.migration.group_renewal import NOTHING, Renewed, due, renew
from kferry.migration.group_sync import Agree, sync_once
from kferry.migration.groups import GroupsRequest, open_group_sides
from kferry.migration.newest import Newest
from kferry.names import GroupId, TopicName
from kferry.wire import Outcomes, WireError

_RENEWALS_EVERY_S = 60.0
_WAITING_EVERY_S = 30.0
_REST = 3
"""Of the time it takes to look, so long is waited at least: the source has other work."""
_DONE = frozenset({Step.SET, Step.SAME, Step.AHEAD, Step.LEFT})


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """What a look has changed or found out; often nothing."""

    shown: Shown | None = None
    """The groups that were looked at."""
    renewed: Renewed = NOTHING
    trouble: WireError | None = None
    """Why this round came to nothing; the next one tries again."""


async def follow(
    request: GroupsRequest, *, agree: Agree, force: bool, every_s: float, stop: asyncio.Event
) -> AsyncIterator[Round]:
    """Sync every few seconds until told to stop. Only the first round asks, and may fail."""
    async with open_group_sides(request) as sides:
        newest = await Newest.read(sides.target, sides.ledger, source=sides.source)
        follower = _Follower(sides, newest, request, force=force)
        first = await follower.begin(agree)
        yield first
        if first.shown is not None and not first.shown.agreed:
            return
        pause = every_s
        while not await _stopped(stop, pause):
            began = asyncio.get_running_loop().time()
            try:
                found = await follower.round()
            except WireError as error:
                found = Round(trouble=error)
            yield found
            pause = max(every_s, _REST * (asyncio.get_running_loop().time() - began))


async def _stopped(stop: asyncio.Event, seconds: float) -> bool:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)
    return stop.is_set()


class _Follower:
    """What it knows from former rounds."""

    def __init__(
        self, sides: GroupSides, newest: Newest, request: GroupsRequest, *, force: bool
    ) -> None:
        self._sides = sides
        self._newest = newest
        self._selection = request.selection
        self._uncopied = request.uncopied
        self._meant = named(request.groups)
        self._force = force
        self._settled: dict[GroupId, Positions | WireError] = {}
        """What groups had committed when all that could be done about them was done."""
        self._waiting: set[GroupId] = set()
        """Groups of which something is not copied yet."""
        self._waiting_since = self._renewed_at = _now()

    async def begin(self, agree: Agree) -> Round:
        """Take everything there once."""
        seen = await self._seen()
        shown = await self._sync(self._meant, force=self._force, agree=agree)
        self._remember(seen, shown)
        return Round(shown=shown)

    async def round(self) -> Round:
        """Look what has moved, and take it there."""
        seen = await self._seen()
        moved = {group for group, found in seen.items() if self._settled.get(group) != found}
        if await self._newest.catch_up() or _now() - self._waiting_since > _WAITING_EVERY_S:
            moved |= self._waiting
            self._waiting_since = _now()
        shown = None
        if moved:
            # Who was told to let groups go back meant where they stood then, not a group that has
            # read on, on the target, since.
            shown = await self._sync(moved.__contains__, force=False)
            self._remember(seen, shown)
        return Round(shown=shown, renewed=await self._renew())

    async def _seen(self) -> Outcomes[GroupId, Positions]:
        """Leave out groups that stand nowhere in the topics that are meant."""
        seen = await glance(self._sides.source, self._meant)
        return {
            group: found
            for group, found in seen.items()
            if isinstance(found, WireError) or any(self._selected(one.topic) for one in found)
        }

    def _selected(self, topic: TopicName) -> bool:
        return self._selection == TopicSelection() or self._selection.matches(
            topic, internal=topic.startswith("__")
        )

    async def _sync(self, meant: Meant, *, force: bool, agree: Agree | None = None) -> Shown:
        return await sync_once(
            self._sides,
            selection=self._selection,
            meant=meant,
            force=force,
            agree=agree,
            maps=self._newest.maps,
            uncopied=self._uncopied,
        )

    def _remember(self, seen: Outcomes[GroupId, Positions], shown: Shown) -> None:
        steps: dict[GroupId, set[Step]] = {group: set() for group in shown.states}
        for move in shown.moves:
            steps[move.standing.group].add(move.step)
        for group, found in seen.items():
            if group not in steps:
                continue
            if steps[group] <= _DONE | {Step.WAITS}:
                self._settled[group] = found
            else:
                self._settled.pop(group, None)
        self._waiting = {
            group
            for group in self._waiting | steps.keys()
            if (Step.WAITS in steps[group] if group in steps else group in seen)
        }

    async def _renew(self) -> Renewed:
        if _now() - self._renewed_at < _RENEWALS_EVERY_S:
            return NOTHING
        self._renewed_at = _now()
        maps = self._newest.maps
        images = images_meant(
            maps.documents, maps.sources, meant=self._meant, selection=self._selection
        )
        late = await due(self._sides.target, images, datetime.now(UTC))
        return await renew(self._sides.target, self._sides.ledger, late) if late else NOTHING


def _now() -> float:
    return asyncio.get_running_loop().time()
