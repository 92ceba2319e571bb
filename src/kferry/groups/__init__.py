"""Groups: their members, positions and lag, and what nobody has read yet.

Owns their inventory. Writes nothing; knows neither access rules nor how things look.
"""

from kferry.groups.facts import GroupFacts, Groups, Log, PositionFacts
from kferry.groups.inventory import glance, take_groups
from kferry.groups.logs import logs_of
from kferry.groups.moves import Move, Step, There, decide
from kferry.groups.positions import Answer, Destination, Standing, stand
from kferry.groups.there import look_there
from kferry.groups.unconsumed import take_unconsumed
from kferry.groups.unconsumed_facts import (
    Obstacle,
    Unconsumed,
    UnconsumedPartition,
    UnconsumedRow,
)
from kferry.groups.uncopied import Uncopied, ruled_offsets, stand_by_rule

__all__ = [
    "Answer",
    "Destination",
    "GroupFacts",
    "Groups",
    "Log",
    "Move",
    "Obstacle",
    "PositionFacts",
    "Standing",
    "Step",
    "There",
    "Unconsumed",
    "UnconsumedPartition",
    "UnconsumedRow",
    "Uncopied",
    "decide",
    "glance",
    "logs_of",
    "look_there",
    "ruled_offsets",
    "stand",
    "stand_by_rule",
    "take_groups",
    "take_unconsumed",
]
