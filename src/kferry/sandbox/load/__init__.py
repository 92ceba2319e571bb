"""Every shape of data that a real Kafka cluster holds, put into a sandbox, the same each time.

Owns the shapes and the loading of them. Writes with confluent-kafka, an independent client; knows
no command and nothing of how kferry copies.
"""

from kferry.sandbox.load.loader import load
from kferry.sandbox.load.registry import SHAPES, choose
from kferry.sandbox.load.shape import Outcome, Scale, Shape, Summary, Topic, release_of

__all__ = [
    "SHAPES",
    "Outcome",
    "Scale",
    "Shape",
    "Summary",
    "Topic",
    "choose",
    "load",
    "release_of",
]
