"""The event loop that commands run on.

Owns the choice of uvloop. Knows no command.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import uvloop

_T = TypeVar("_T")


def run(main: Coroutine[Any, Any, _T]) -> _T:
    """Run a command's coroutine to its end; Ctrl-C cancels it first."""
    results: list[_T] = []

    async def keep() -> None:
        # As the task's own result it would be written out as text: whoever takes a signal's handler
        # away makes the text of an error that nobody sees (seconds for 100,000 positions).
        results.append(await main)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(keep())
    return results[0]
