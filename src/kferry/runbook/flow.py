"""The copy that runs while steps are walked.

Owns starting and stopping it. It is the same copy as `kferry copy`, in this process, which takes
the migration over from any other.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from kferry.errors import ExitCode, KferryError
from kferry.migration.copy import copy
from kferry.migration.requests import CopyRequest, CopyResult
from kferry.progress import Snapshot
from kferry.runbook.operations import Reading, Stopped
from kferry.units import many

_NEAR_S = 5.0
"""So many seconds behind is caught up: what comes next is at most that much to wait for."""


class CopyTrouble(KferryError):
    """The copy could not be kept running."""

    code = "K245"
    exit_code = ExitCode.REFUSED


@dataclass(slots=True, kw_only=True)
class Flow:
    """A copy that follows, started and stopped as steps need it."""

    request: CopyRequest
    """Following, all topics of the cutover."""
    narrate: Callable[[str], None]
    stop: asyncio.Event
    """Set when whoever walks is asked to stop."""
    _task: asyncio.Task[CopyResult] | None = None
    _halt: asyncio.Event = field(default_factory=asyncio.Event)
    _last: Snapshot | None = None

    def snapshot(self, snapshot: Snapshot, /) -> None:
        """See how far it is."""
        self._last = snapshot

    async def follow(self) -> None:
        """Let records flow; nothing to do where they do."""
        if self._task is None:
            self._halt, self._last = asyncio.Event(), None
            self._task = asyncio.create_task(copy(self.request, watch=self, stop=self._halt))

    async def rest(self) -> None:
        """Stop at a safe point; nothing to do where nothing flows."""
        task, self._task = self._task, None
        if task is not None:
            self._halt.set()
            _insist(await task, goal=False)

    def insist(self) -> None:
        """Raise what ended the flow, if something did."""
        if self._task is not None and self._task.done():
            task, self._task = self._task, None
            _insist(task.result(), goal=False)
            raise CopyTrouble("the copy has ended", hint="kferry cutover starts it again")

    async def to_the_end(self) -> CopyResult:
        """Copy all that is there now, and stop cleanly."""
        await self.rest()
        request = replace(self.request, until_caught_up=True)
        result = await copy(request, watch=self, stop=self.stop)
        if self.stop.is_set():
            raise Stopped
        _insist(result, goal=True)
        return result

    async def abandon(self) -> None:
        """Leave nothing behind, whatever state it is in."""
        task, self._task = self._task, None
        if task is not None:
            self._halt.set()
            await asyncio.gather(task, return_exceptions=True)

    def caught_up(self) -> Reading:
        """Tell how far it is behind the source."""
        last = self._last
        if last is None or last.state in {"starting", "settling"}:
            return Reading(gate="caught up", passed=False, measured="the copy is starting")
        if last.stopped:
            one = last.stopped[0]
            return Reading(
                gate="caught up",
                passed=False,
                final=True,  # not in this run: a partition that has stopped is not tried again
                measured=f"{many(len(last.stopped), 'partition')} cannot go on",
                why=f"{one.topic}, partition {one.partition}: {one.reason}",
            )
        pace = last.records_per_second
        near = last.lag == 0 or (pace > 0 and last.lag / pace <= _NEAR_S)
        return Reading(
            gate="caught up",
            passed=last.state in {"following", "copying"} and near,
            measured=f"{many(last.lag, 'offset')} behind the last stable offsets, "
            f"{pace:,} records/s",
        )


def _insist(result: CopyResult, *, goal: bool) -> None:
    if result.stopped:
        raise CopyTrouble(
            f"{many(len(result.stopped), 'partition')} cannot be copied",
            "\n".join(
                f"{one.topic}, partition {one.partition}: {one.reason}" for one in result.stopped
            ),
            hint="mend it, then kferry cutover goes on",
        )
    if goal and result.interrupted:
        raise CopyTrouble("the copy ended before its goal", hint="kferry cutover goes on")
