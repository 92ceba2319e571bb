"""Whose transactions are open on some partitions.

Owns naming them as far as the cluster tells: transactional ids take a right that kferry need not
have, producer ids only that of reading.
"""

from collections.abc import Collection

from kferry.admin.producers import partition_producers
from kferry.admin.transactions import FINISHED, list_transactions
from kferry.names import TopicPartition
from kferry.wire import Cluster, WireError


async def open_transactions(cluster: Cluster, partitions: Collection[TopicPartition]) -> list[str]:
    """Name each open transaction: its producer, its id where that may be known, and where it is."""
    if not partitions:
        return []
    ids = {
        one.producer_id: one.id
        for found in (await list_transactions(cluster)).values()
        if not isinstance(found, WireError)
        for one in found
        if one.state not in FINISHED
    }
    places: dict[int, list[str]] = {}
    for partition, producers in (await partition_producers(cluster, partitions)).items():
        if isinstance(producers, WireError):
            continue
        for one in producers:
            if one.open_since is not None:
                place = f"{partition} since offset {one.open_since:,}"
                places.setdefault(one.producer_id, []).append(place)
    return [
        (f"{ids[producer]} (producer id {producer})" if producer in ids else f"id {producer}")
        + f" on {', '.join(own)}"
        for producer, own in sorted(places.items())
    ]
