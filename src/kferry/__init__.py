"""kferry moves live Kafka workloads from one cluster to another, exactly, and proves it."""

__version__ = "0.1.0"
