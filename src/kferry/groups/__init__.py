"""Groups: their members, positions and lag.

Owns their inventory. Writes nothing; knows neither access rules nor how things look.
"""

from kferry.groups.facts import GroupFacts, Groups, PositionFacts
from kferry.groups.inventory import take_groups

__all__ = ["GroupFacts", "Groups", "PositionFacts", "take_groups"]
