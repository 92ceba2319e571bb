"""Trying again: what may pass is repeated with growing pauses inside a stated limit.

Owns the pauses and the limit. What may pass is told by the errors themselves; a call that must not
be repeated is simply not made through here.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

from kferry.wire.errors import BrokerError, WireError
from kferry.wire.limits import Limits

_T = TypeVar("_T")
_FIRST, _MOST, _GROWTH = 0.05, 2.0, 2.0


def may_pass(error: WireError) -> bool:
    """Whether the same call later may succeed."""
    return error.may_pass if isinstance(error, BrokerError) else error.retriable


class Pauses:
    """Growing pauses with jitter, until the limit is used up."""

    def __init__(self, limits: Limits) -> None:
        self._ends = asyncio.get_running_loop().time() + limits.retry
        self._next = _FIRST

    @property
    def over(self) -> bool:
        """Whether the limit would be passed by one more pause."""
        return asyncio.get_running_loop().time() + self._next > self._ends

    async def pause(self) -> None:
        """Wait a little longer than the last time."""
        await asyncio.sleep(self._next * random.uniform(0.7, 1.3))  # noqa: S311 no secret
        self._next = min(self._next * _GROWTH, _MOST)


async def keep_trying(
    once: Callable[[], Awaitable[_T]],
    limits: Limits,
    *,
    before_again: Callable[[], Awaitable[object]],
    again: Callable[[WireError], bool] = may_pass,
) -> _T:
    """Call `once` until it succeeds, fails for good, or the limit is over.

    `before_again` refreshes what `once` relied on; its own passing failures are forgiven. `again`
    tells which failures of `once` are worth another try.
    """
    pauses = Pauses(limits)
    while True:
        try:
            return await once()
        except WireError as error:
            if not again(error) or pauses.over:
                raise
        await pauses.pause()
        try:
            await before_again()
        except WireError as error:
            if not may_pass(error) or pauses.over:
                raise
