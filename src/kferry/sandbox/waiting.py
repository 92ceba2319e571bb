"""Waiting for a condition, with a deadline.

Owns the loop. What is waited for, and what to say when it does not come, is the caller's.
"""

import time
from collections.abc import Callable


def came_true(is_so: Callable[[], object], patience_s: float, *, tick_s: float = 0.05) -> bool:
    """Ask until it is so; return whether it came true in time. It is asked at least once."""
    deadline = time.monotonic() + patience_s
    while not is_so():
        if time.monotonic() > deadline:
            return False
        time.sleep(tick_s)
    return True
