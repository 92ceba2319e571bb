"""Transactional ids and what their coordinators know of them.

Owns ListTransactions and DescribeTransactions (KIP-664). A broker lists the ids it coordinates, so
nobody is asked who coordinates what.
"""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from kafka.protocol.admin import (
    DescribeTransactionsRequest,
    DescribeTransactionsResponse,
    ListTransactionsRequest,
    ListTransactionsResponse,
)

from kferry.names import BrokerId, PartitionId, TopicName, TopicPartition
from kferry.wire import BrokerError, Cluster, Outcomes, WireError, at_every_broker
from kferry.wire.errors import raise_for

_CHUNK = 500
FINISHED = frozenset({"Empty", "CompleteCommit", "CompleteAbort", "Dead"})
"""States in which nothing is under way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedTransaction:
    """A transactional id as the list shows it."""

    id: str
    producer_id: int
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Transaction:
    """What is under way for one transactional id. `started` is in milliseconds since 1970."""

    id: str
    producer_id: int
    epoch: int
    state: str
    started: int | None
    timeout_ms: int
    partitions: tuple[TopicPartition, ...]


async def list_transactions(cluster: Cluster) -> Outcomes[BrokerId, list[ListedTransaction]]:
    """Ask every broker for the transactional ids it coordinates and we may Describe."""

    async def ask(broker: BrokerId) -> list[ListedTransaction]:
        request = ListTransactionsRequest(
            state_filters=[], producer_id_filters=[], transactional_id_pattern=None
        )
        answer = await cluster.at_broker(broker, request, ListTransactionsResponse)
        raise_for(answer.error_code, f"transactions of broker {broker}")
        return [
            ListedTransaction(
                id=one.transactional_id,
                producer_id=one.producer_id,
                state=one.transaction_state,
            )
            for one in answer.transaction_states
        ]

    return await at_every_broker(cluster, ask)


async def describe_transactions(
    cluster: Cluster, coordinators: Mapping[str, BrokerId]
) -> Outcomes[str, Transaction]:
    """Ask each coordinator about transactional ids of its own."""
    by_broker: dict[BrokerId, list[str]] = {}
    for transactional_id, broker in coordinators.items():
        by_broker.setdefault(broker, []).append(transactional_id)
    answers = await asyncio.gather(
        *(
            _describe(cluster, broker, ids[start : start + _CHUNK])
            for broker, ids in by_broker.items()
            for start in range(0, len(ids), _CHUNK)
        )
    )
    return {key: found for answer in answers for key, found in answer.items()}


async def _describe(
    cluster: Cluster, broker: BrokerId, ids: Iterable[str]
) -> Outcomes[str, Transaction]:
    request = DescribeTransactionsRequest(transactional_ids=list(ids))
    try:
        answer = await cluster.at_broker(broker, request, DescribeTransactionsResponse)
    except WireError as error:
        return dict.fromkeys(request.transactional_ids, error)
    return {one.transactional_id: _transaction(one) for one in answer.transaction_states}


def _transaction(found: Any) -> Transaction | WireError:
    if found.error_code:
        return BrokerError(found.error_code, found.transactional_id)
    return Transaction(
        id=found.transactional_id,
        producer_id=found.producer_id,
        epoch=found.producer_epoch,
        state=found.transaction_state,
        started=found.transaction_start_time_ms if found.transaction_start_time_ms >= 0 else None,
        timeout_ms=found.transaction_timeout_ms,
        partitions=tuple(
            sorted(
                TopicPartition(TopicName(topic.topic), PartitionId(partition))
                for topic in found.topics
                for partition in topic.partitions
            )
        ),
    )
