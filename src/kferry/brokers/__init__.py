"""Brokers: what was set on them, and how that differs between them and between clusters.

Owns its inventory. Writes nothing; knows neither topics nor groups nor how things look.
"""

from kferry.brokers.settings import (
    BrokerSettings,
    Pair,
    Setting,
    comparable,
    compare,
    disagree,
    take_settings,
    unusual,
)

__all__ = [
    "BrokerSettings",
    "Pair",
    "Setting",
    "comparable",
    "compare",
    "disagree",
    "take_settings",
    "unusual",
]
