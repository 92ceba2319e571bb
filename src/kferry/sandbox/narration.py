"""How the room tells people what it does without knowing where they look.

Owns one type. Whoever calls passes a function; the room itself prints nothing.
"""

from collections.abc import Callable

Narrate = Callable[[str], None]
"""Takes one short sentence, without a full stop."""


def silent(_sentence: str) -> None:
    """Say nothing."""
