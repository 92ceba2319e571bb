"""Topics: what is there, what was set on them, how much is in them, and who writes.

Owns their inventory, and what a copy needs of those on the target: that they are there and take
and keep every record as it is. Knows neither groups nor access rules nor how things look.
"""

from kferry.topics.created import Failures, create_missing, until_led
from kferry.topics.creation import BROKER_DEFAULT, TargetTopic, counterpart, counterparts
from kferry.topics.errors import (
    BadTopicName,
    NoLeaders,
    NotAsSet,
    NotCreated,
    TopicError,
    TopicExists,
    UnsafeTarget,
)
from kferry.topics.facts import PartitionFacts, TopicFacts, Topics
from kferry.topics.hazard_case import Hazard
from kferry.topics.hazards import find_hazards, refuse
from kferry.topics.inventory import take_topics
from kferry.topics.pairing import TopicPair, pair_topics
from kferry.topics.producers import take_producers
from kferry.topics.record_times import RecordTime, TopicTimes, record_times
from kferry.topics.suspension import Suspension, restore, suspend, suspended, suspensions
from kferry.topics.terms import TargetTerms, take_terms
from kferry.topics.writers import OpenTransaction, Producer, Producers

__all__ = [
    "BROKER_DEFAULT",
    "BadTopicName",
    "Failures",
    "Hazard",
    "NoLeaders",
    "NotAsSet",
    "NotCreated",
    "OpenTransaction",
    "PartitionFacts",
    "Producer",
    "Producers",
    "RecordTime",
    "Suspension",
    "TargetTerms",
    "TargetTopic",
    "TopicError",
    "TopicExists",
    "TopicFacts",
    "TopicPair",
    "TopicTimes",
    "Topics",
    "UnsafeTarget",
    "counterpart",
    "counterparts",
    "create_missing",
    "find_hazards",
    "pair_topics",
    "record_times",
    "refuse",
    "restore",
    "suspend",
    "suspended",
    "suspensions",
    "take_producers",
    "take_terms",
    "take_topics",
    "until_led",
]
