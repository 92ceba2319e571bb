"""How far things are, as plain values: rooms push facts in, every face reads the same Snapshot.

Owns the value types, their JSON, and the arithmetic of pace. Knows no Kafka, clock or screen.
"""

from kferry.progress.encoding import from_json, to_json
from kferry.progress.pace import Pace
from kferry.progress.snapshot import (
    Gap,
    Snapshot,
    State,
    Stopped,
    Throttled,
    TopicProgress,
    TopicState,
)

__all__ = [
    "Gap",
    "Pace",
    "Snapshot",
    "State",
    "Stopped",
    "Throttled",
    "TopicProgress",
    "TopicState",
    "from_json",
    "to_json",
]
