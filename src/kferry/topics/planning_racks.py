"""Topics whose replicas lie in one rack, so that they go when it goes.

Owns the judgement, for topics that are there and for ones to come. Pure.
"""

from collections.abc import Mapping

from kferry.names import BrokerId
from kferry.wire import Broker, Topic


def the_only_rack(brokers: Mapping[BrokerId, Broker]) -> str | None:
    """Return the rack that all brokers are in; None where there are several, or nobody says."""
    racks = {broker.rack for broker in brokers.values()}
    return racks.pop() if len(racks) == 1 else None


def in_one_rack(topic: Topic, brokers: Mapping[BrokerId, Broker]) -> str | None:
    """Say which partitions of a topic have all their replicas in one rack."""
    found: dict[str, list[int]] = {}
    for partition in topic.partitions:
        racks = {brokers[one].rack for one in partition.replicas if one in brokers}
        if len(partition.replicas) > 1 and len(racks) == 1 and (rack := racks.pop()):
            found.setdefault(rack, []).append(partition.id)
    if not found:
        return None
    return "; ".join(
        f"all replicas of {_partitions(numbers, len(topic.partitions))} are in rack {rack}"
        for rack, numbers in sorted(found.items())
    )


def _partitions(numbers: list[int], of: int) -> str:
    if len(numbers) == of:
        return "every partition"
    shown = ", ".join(map(str, numbers[:5]))
    return f"partition {shown}{' and more' if len(numbers) > 5 else ''}"
