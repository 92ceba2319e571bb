"""An end that tidies up, however it is asked for: Ctrl-C, SIGTERM, a terminal that was closed.

Owns the signals of a command that leaves nothing behind. The first one ends the command where it
is; while it tidies up, more of them change nothing.
"""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def tidy_end() -> Iterator[None]:
    """Turn each of the signals into a KeyboardInterrupt, once."""
    # What is ignored on purpose, as under nohup, stays ignored.
    before = {
        number: signal.getsignal(number)
        for number in _SIGNALS
        if signal.getsignal(number) is not signal.SIG_IGN
    }

    def hear(_number: int, _frame: FrameType | None) -> None:
        for number in before:
            signal.signal(number, signal.SIG_IGN)
        raise KeyboardInterrupt

    for number in before:
        signal.signal(number, hear)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
