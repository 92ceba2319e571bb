"""Many partitions compared, a few at a time, within limits.

Owns the order, the pace, and stopping: whatever was compared when it stops is kept, so that the
next run goes on there. Knows nothing of how it is shown or kept.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field

from kferry.names import TopicPartition
from kferry.records import Unreadable
from kferry.verify.comparison import Found
from kferry.verify.partition import Check, Sides, Task
from kferry.verify.throttle import Throttle

_AT_ONCE = 4


@dataclass(slots=True, kw_only=True)
class Job:
    """What is to be compared, and what is known so far."""

    tasks: Sequence[Task]
    """In the order in which they are to be done."""
    sides: Sides
    throttle: Throttle
    found: dict[TopicPartition, Found] = field(default_factory=dict)
    troubles: dict[TopicPartition, str] = field(default_factory=dict)
    """Why partitions could not be compared to their end."""
    stepped: Callable[[], None] = lambda: None
    """Called after each step of any partition."""

    def __post_init__(self) -> None:
        for task in self.tasks:
            self.found.setdefault(task.source, Found(source_to=task.begins))

    @property
    def done(self) -> bool:
        """Whether everything was compared."""
        return all(self.found[task.source].done for task in self.tasks)

    async def run(self, stop: asyncio.Event, *, seconds: float | None = None) -> None:
        """Compare until all is done, or told to stop, or the time is up."""
        waiting = [task for task in self.tasks if not self.found[task.source].done]
        queue = iter(waiting)

        async def work() -> None:
            for task in queue:
                await self._one(task)

        workers = [asyncio.create_task(work()) for _ in range(min(_AT_ONCE, len(waiting)))]
        watcher = asyncio.create_task(self._until(stop, seconds, workers))
        try:
            await asyncio.gather(*workers)
        except asyncio.CancelledError:
            if not watcher.done():  # it was not the watcher that cancelled them
                raise
        finally:
            for one in (*workers, watcher):
                one.cancel()
            await asyncio.gather(*workers, watcher, return_exceptions=True)

    async def _until(
        self, stop: asyncio.Event, seconds: float | None, workers: Sequence[asyncio.Task[None]]
    ) -> None:
        try:
            async with asyncio.timeout(seconds):
                await stop.wait()
        except TimeoutError:
            pass
        # Nothing is half done: what a partition knows changes only when a chunk is through.
        for worker in workers:
            worker.cancel()

    async def _one(self, task: Task) -> None:
        found = self.found[task.source]
        check = Check(task, self.sides, found, throttle=self.throttle)
        try:
            async with aclosing(check.steps()) as steps:
                async for _ in steps:
                    self.stepped()
        except Unreadable as error:
            self.troubles[task.source] = (
                f"a batch cannot be read at offset {error.offset:,}: {error.reason}"
            )
