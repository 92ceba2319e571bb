"""The order in which items can be applied.

Owns dependencies between them. Pure.
"""

from collections.abc import Iterable

from kferry.plans.plan import Item


def in_order(items: Iterable[Item]) -> list[tuple[Item, ...]]:
    """Return items in steps: what an item needs is in a step before it, if it is among them.

    Items that wait for each other, which no room plans, come last and together.
    """
    waiting = {item.ref: item for item in items}
    steps: list[tuple[Item, ...]] = []
    while waiting:
        ready = tuple(
            item for item in waiting.values() if not any(ref in waiting for ref in item.after)
        )
        if not ready:
            return [*steps, tuple(waiting.values())]
        steps.append(ready)
        for item in ready:
            del waiting[item.ref]
    return steps
