"""From where on a migration's own copy wrote, where its maps were turned round before.

Owns that document. What lies before it went the other way.
"""

from collections.abc import Mapping

from kferry.names import TopicPartition


def turned_key(partition: TopicPartition) -> str:
    """Return the key that says from where on this migration's own copy wrote, turned since."""
    return f"turned/{partition.topic}/{partition.partition}"


def own_since(
    documents: Mapping[str, Mapping[str, object]], partition: TopicPartition
) -> int | None:
    """Return the source offset from which on records came by this migration's own copy.

    What lies before it went the other way: its source's log has more to show than was copied.
    """
    found = documents.get(turned_key(partition), {}).get("source")
    return found if isinstance(found, int) else None
