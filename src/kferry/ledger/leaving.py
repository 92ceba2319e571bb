"""A ledger's end: its documents as lines for a file, and its topic deleted.

Owns both. What the documents say is left as it is.
"""

from collections.abc import Iterator
from typing import Any

from kferry.admin.topic_removal import delete_topics
from kferry.ledger.reading import Contents
from kferry.ledger.topic import LedgerTopic, open_ledger
from kferry.wire import BrokerError, Cluster
from kferry.wire.retry import keep_trying

_REQUEST_TIMED_OUT = 7


def export_lines(contents: Contents) -> Iterator[dict[str, Any]]:
    """Turn every document into a line, in the order of the logs."""
    for slot, own in sorted(contents.items()):
        for document in sorted(own.values(), key=lambda one: one.offset):
            yield {
                "slot": slot,
                "offset": document.offset,
                "timestamp": document.timestamp,
                "key": document.key,
                "value": document.value,
            }


async def delete_ledger(cluster: Cluster, ledger: LedgerTopic) -> None:
    """Delete the topic; returns once brokers no longer show it."""
    found = (await cluster.refresh({ledger.topic})).topics.get(ledger.topic)
    if found is None:
        return
    refusal = (await delete_topics(cluster, [found]))[ledger.topic]
    if refusal is not None:
        raise refusal

    async def look() -> None:
        if await open_ledger(cluster, ledger.migration) is not None:
            raise BrokerError(_REQUEST_TIMED_OUT, f"{ledger.topic} is still shown")

    async def at_once() -> None:
        """`look` refreshes by itself."""

    await keep_trying(look, cluster.limits, before_again=at_once)
