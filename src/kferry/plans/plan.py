"""The values: one item for each thing that a migration needs beside the records.

Owns what an item says and what makes two plans the same. Pure.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from kferry.errors import KferryError


class Action(StrEnum):
    """What becomes of a thing; in the order in which plans show it."""

    CREATE = "create"
    CHANGE = "change"
    SAME = "same"
    CONFLICT = "conflict"
    """Somebody must decide; nothing is done about it until then."""
    LEFT_BEHIND = "left_behind"
    """It is not brought over, for a reason that is said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One thing on the target, and what is to be done about it."""

    action: Action
    kind: str
    """`topic`, `acl`, `user`, `quota`, `group`, `application`, …"""
    name: str
    """As it is called on the target; unique among its kind."""
    reason: str = ""
    """Why; without it the action speaks for itself. One line."""
    details: tuple[str, ...] = ()
    """More to know before it is applied: `was → becomes`, differences, hints. A line each."""
    work: Mapping[str, Any] | None = None
    """What exactly is done, for the room that planned it. JSON-able, and never a secret."""
    after: tuple[str, ...] = ()
    """References of items that must be there before it."""

    @property
    def ref(self) -> str:
        """Name it among all items of a plan, as in `topic:orders`."""
        return f"{self.kind}:{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of an item that was to be applied."""

    item: Item
    error: KferryError | None = None
    """None: it is there, and was read back."""
    skipped: str = ""
    """Why it was not tried: the reference of an item it needs, which failed."""
    notes: tuple[str, ...] = ()

    @property
    def done(self) -> bool:
        """Whether it is there now."""
        return self.error is None and not self.skipped


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Everything that was found, and what would be done about it."""

    migration: str
    source_id: str
    target_id: str
    made_at: str
    """ISO 8601, UTC."""
    items: tuple[Item, ...]
    source_release: str = ""
    target_release: str = ""
    notes: tuple[str, ...] = ()
    """What concerns the whole: what could not be seen, and the right it takes; sizes; times."""
    size: Mapping[str, Any] = field(default_factory=dict)
    """How much there is to copy and what that meets, in bytes and seconds; empty: nobody asked."""
    asked: Mapping[str, Any] = field(default_factory=dict)
    """What the command line asked for, so that the same can be asked again."""
    facts_hash: str = ""
    """The fingerprint of the work as it followed from what was seen of both sides."""

    def of(self, *actions: Action) -> tuple[Item, ...]:
        """Return the items with one of these actions."""
        return tuple(item for item in self.items if item.action in actions)

    @property
    def work(self) -> tuple[Item, ...]:
        """What is to be applied."""
        return tuple(item for item in self.items if item.work is not None)

    @property
    def has_changes(self) -> bool:
        """Whether something would be created or changed."""
        return bool(self.of(Action.CREATE, Action.CHANGE))

    @property
    def open_decisions(self) -> tuple[Item, ...]:
        """What waits for somebody to decide."""
        return self.of(Action.CONFLICT)


def fingerprint(items: Iterable[Item]) -> str:
    """Tell the work of items from any other; how it is worded does not matter."""
    told = sorted(
        (item.ref, str(item.action), _canonical(item.work), sorted(item.after))
        for item in items
        if item.work is not None
    )
    return hashlib.sha256(_canonical(told).encode()).hexdigest()


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), default=dict)
