"""Plans as JSON: what `plan --json` prints and `apply FILE` reads.

Owns the form. What is read may have been edited by anybody: what does not fit is a ValueError.
"""

from collections.abc import Mapping
from typing import Any

from kferry.plans.plan import Action, Item, Plan

_FORM = 1
_MOST_ITEMS = 1_000_000


def to_json(plan: Plan) -> dict[str, Any]:
    """Lay a plan out: a list for each action, and around it what belongs to the whole."""
    return {
        "form": _FORM,
        "migration": plan.migration,
        "source_id": plan.source_id,
        "target_id": plan.target_id,
        "source_release": plan.source_release,
        "target_release": plan.target_release,
        "made_at": plan.made_at,
        **{str(action): [_laid_out(item) for item in plan.of(action)] for action in Action},
        "notes": list(plan.notes),
        "size": dict(plan.size),
        "asked": dict(plan.asked),
        "facts_hash": plan.facts_hash,
    }


def _laid_out(item: Item) -> dict[str, Any]:
    told: dict[str, Any] = {"kind": item.kind, "name": item.name, "reason": item.reason}
    if item.details:
        told["details"] = list(item.details)
    if item.work is not None:
        told["work"] = dict(item.work)
    if item.after:
        told["after"] = list(item.after)
    return told


def from_json(value: object) -> Plan:
    """Read a plan."""
    told = _object(value, "the plan")
    form = told.get("form")
    if type(form) is not int or form != _FORM:
        raise ValueError(f"it has form {form!r}, and {_FORM} is known: make it again")
    items = tuple(
        _item(one, action) for action in Action for one in _list(told.get(action), str(action))
    )
    if len(items) > _MOST_ITEMS:
        raise ValueError(f"it has {len(items):,} items, and {_MOST_ITEMS:,} are the most")
    seen: set[str] = set()
    for item in items:
        if item.ref in seen:
            raise ValueError(f"{item.ref} is there twice")
        seen.add(item.ref)
    return Plan(
        migration=_text(told, "migration"),
        source_id=_text(told, "source_id"),
        target_id=_text(told, "target_id"),
        source_release=_text(told, "source_release"),
        target_release=_text(told, "target_release"),
        made_at=_text(told, "made_at"),
        items=items,
        notes=_texts(told, "notes"),
        size=_object(told.get("size", {}), "size"),
        asked=_object(told.get("asked", {}), "asked"),
        facts_hash=_text(told, "facts_hash"),
    )


def _item(value: object, action: Action) -> Item:
    told = _object(value, f"an item of {action}")
    work = told.get("work")
    if work is not None and action not in {Action.CREATE, Action.CHANGE}:
        raise ValueError(f"an item of {action} has work")
    return Item(
        action=action,
        kind=_text(told, "kind"),
        name=_text(told, "name"),
        reason=_text(told, "reason"),
        details=_texts(told, "details"),
        work=None if work is None else _object(work, "work"),
        after=_texts(told, "after"),
    )


def _object(value: object, what: str) -> Mapping[str, Any]:
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        raise ValueError(f"{what} is not an object")
    return value


def _list(value: object, what: str) -> list[object]:
    if not isinstance(value, list):
        raise ValueError(f"`{what}` is not a list")  # noqa: TRY004 the promise is one kind of error
    return value


def _text(told: Mapping[str, Any], name: str) -> str:
    value = told.get(name)
    if not isinstance(value, str):
        raise ValueError(f"`{name}` is not a text")  # noqa: TRY004 as above
    return value


def _texts(told: Mapping[str, Any], name: str) -> tuple[str, ...]:
    found = _list(told.get(name, []), name)
    if not all(isinstance(one, str) for one in found):
        raise ValueError(f"`{name}` is not a list of texts")
    return tuple(str(one) for one in found)
