"""kferry moves live Kafka workloads from one cluster to another, exactly, and proves it."""

from kferry.asleep import leave_asleep

__version__ = "0.1.0"

leave_asleep("kafka", "aiokafka")
