"""The words of the domain as types, so that mixing them up is a type error.

Owns names that every room shares. Knows no protocol and no file format.
"""

from typing import NamedTuple, NewType

ClusterId = NewType("ClusterId", str)
TopicName = NewType("TopicName", str)
GroupId = NewType("GroupId", str)
BrokerId = NewType("BrokerId", int)
PartitionId = NewType("PartitionId", int)

SourceOffset = NewType("SourceOffset", int)
"""An offset in the log that is copied from."""
TargetOffset = NewType("TargetOffset", int)
"""An offset in the log that is copied to."""


class Address(NamedTuple):
    """Where a broker listens."""

    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


class TopicPartition(NamedTuple):
    """One partition of one topic."""

    topic: TopicName
    partition: PartitionId

    def __str__(self) -> str:
        return f"{self.topic}-{self.partition}"
