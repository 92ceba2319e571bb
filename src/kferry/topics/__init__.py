"""Topics: what is there, what was set on them, how much is in them, and who writes.

Owns their inventory. Writes nothing; knows neither groups nor access rules nor how things look.
"""

from kferry.topics.facts import PartitionFacts, TopicFacts, Topics
from kferry.topics.inventory import take_topics
from kferry.topics.producers import take_producers
from kferry.topics.writers import OpenTransaction, Producer, Producers

__all__ = [
    "OpenTransaction",
    "PartitionFacts",
    "Producer",
    "Producers",
    "TopicFacts",
    "Topics",
    "take_producers",
    "take_topics",
]
