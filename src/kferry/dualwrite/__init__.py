"""The producer that writes both sides: one record, two clusters, one report.

Owns the double write and the map file it leaves. Knows the errors and names of kferry and nothing
else of it; confluent-kafka is asked for when a producer is made.
"""

from kferry.dualwrite.counts import Stats
from kferry.dualwrite.map_file import read_map
from kferry.dualwrite.producer import DualProducer
from kferry.dualwrite.record import DualReport, Outcome, State
from kferry.dualwrite.relay import Policy
from kferry.dualwrite.written import PartitionPairs, Written

__all__ = [
    "DualProducer",
    "DualReport",
    "Outcome",
    "PartitionPairs",
    "Policy",
    "State",
    "Stats",
    "Written",
    "read_map",
]
