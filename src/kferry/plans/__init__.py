"""What is to be done on the target, as plain values: found by rooms, shown by faces, then applied.

Owns the value types, their JSON, and the order in which items can be applied. Knows no Kafka and
no screen. Each room that plans makes Items; `work` is its own, and nobody else reads it.
"""

from kferry.plans.encoding import from_json, to_json
from kferry.plans.order import in_order
from kferry.plans.plan import Action, Item, Outcome, Plan, fingerprint

__all__ = [
    "Action",
    "Item",
    "Outcome",
    "Plan",
    "fingerprint",
    "from_json",
    "in_order",
    "to_json",
]
