"""Ctrl-C once stops at a safe point, twice stops now.

Owns the signals of a command that works for long. Knows nothing about what it does.
"""

import asyncio
import signal
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_T = TypeVar("_T")


class StoppedNow(Exception):
    """The second signal came before the safe point."""


async def stoppable(
    work: Callable[[asyncio.Event], Coroutine[Any, Any, _T]],
    *,
    say: Callable[[str], None],
    stop: asyncio.Event | None = None,
) -> _T:
    """Run work that is given an event: set when it should stop; cancelled when it must."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event() if stop is None else stop
    task = loop.create_task(work(stop))
    signalled = asked = False

    def hear() -> None:
        nonlocal signalled, asked
        if not signalled:
            signalled = True
            stop.set()
            say("stopping at a safe point; once more = now")
            return
        asked = True
        task.cancel()
        # Should even that be held up, the third signal has its usual meaning.
        _leave(loop)

    for number in _SIGNALS:
        loop.add_signal_handler(number, hear)
    try:
        return await task
    except asyncio.CancelledError:
        if asked:
            raise StoppedNow from None
        # Whoever cancelled us cancelled the work through us.
        raise
    finally:
        _leave(loop)


def _leave(loop: asyncio.AbstractEventLoop) -> None:
    for number in _SIGNALS:
        loop.remove_signal_handler(number)
