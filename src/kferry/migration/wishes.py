"""What a running copy is asked for through the ledger: rate, pause, resume, stop.

Owns the documents of wishes. Nothing else is taken from there: a ledger that somebody else can
write to must not be able to do more harm than to slow a copy down or to stop it.
"""

import time
import uuid
from collections.abc import Mapping
from typing import Any

from kferry.ledger import Entry
from kferry.migration.requests import Wish

WISH = "wish"
_KINDS = frozenset({"rate", "pause", "resume", "stop"})
_MOST_RATE = 1 << 40


def wish_document(wish: Wish) -> Entry:
    """Write a wish down; each has an id, so that the same one twice is two."""
    return WISH, {
        "kind": wish.kind,
        "value": wish.value,
        "id": uuid.uuid4().hex,
        "at": int(time.time() * 1000),
    }


def read_wish(value: Mapping[str, Any] | None) -> Wish | None:
    """Read a wish; what is none is nothing."""
    if value is None or value.get("kind") not in _KINDS:
        return None
    number = value.get("value")
    valid = isinstance(number, int) and not isinstance(number, bool) and 0 < number <= _MOST_RATE
    if number is not None and not valid:
        return None
    return Wish(kind=value["kind"], value=number)
