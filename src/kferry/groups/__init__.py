"""Groups: their members, positions and lag, and what nobody has read yet.

Owns their inventory. Writes nothing; knows neither access rules nor how things look.
"""

from kferry.groups.facts import GroupFacts, Groups, PositionFacts
from kferry.groups.inventory import take_groups
from kferry.groups.unconsumed import take_unconsumed
from kferry.groups.unconsumed_facts import (
    Obstacle,
    Unconsumed,
    UnconsumedPartition,
    UnconsumedRow,
)

__all__ = [
    "GroupFacts",
    "Groups",
    "Obstacle",
    "PositionFacts",
    "Unconsumed",
    "UnconsumedPartition",
    "UnconsumedRow",
    "take_groups",
    "take_unconsumed",
]
