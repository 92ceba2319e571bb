"""The topic that was meant by a name nobody has.

Owns which names count as near: case and separators are what people mix up most. Pure.
"""

import difflib
from collections.abc import Collection

from kferry.names import TopicName

_NEAR = 0.7
_MOST = 3
_SEPARATORS = str.maketrans("._", "--")


def nearest(name: str, existing: Collection[TopicName]) -> list[TopicName]:
    """Return the nearest of the existing names, best first; none where none is near.

    Internal topics are only offered to whom typed the beginning of one.
    """
    folded: dict[str, list[TopicName]] = {}
    for one in sorted(existing):
        if name.startswith("__") or not one.startswith("__"):
            folded.setdefault(_folded(one), []).append(one)
    near = difflib.get_close_matches(_folded(name), folded, n=_MOST, cutoff=_NEAR)
    return [one for key in near for one in folded[key]][:_MOST]


def no_such_topic(name: str, existing: Collection[TopicName]) -> str:
    """Say that there is no such topic, and which was meant: ``did you mean `orders`?``."""
    names = [f"`{one}`" for one in nearest(name, existing)]
    if not names:
        return f"no topic `{name}`"
    *others, last = names
    return f"no topic `{name}`; did you mean {', '.join(others) + ' or ' if others else ''}{last}?"


def _folded(name: str) -> str:
    return name.lower().translate(_SEPARATORS)
