"""Who a producer is to the brokers, and how a former one is shut out.

Owns InitProducerId, AddPartitionsToTxn and EndTxn, as far as an empty aborted transaction needs
them: its markers carry the newer epoch into each partition, and from there on the former owner's
batches are refused (measured: a newer epoch alone does not do that). Writes no records.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import Any, TypeVar

from kafka.protocol.producer import (
    AddPartitionsToTxnRequest,
    AddPartitionsToTxnResponse,
    EndTxnRequest,
    EndTxnResponse,
    InitProducerIdRequest,
    InitProducerIdResponse,
)

from kferry.errors import ExitCode, KferryError
from kferry.names import BrokerId, PartitionId, TopicName, TopicPartition
from kferry.wire import BrokerError, Cluster, Kind, WireError, at_coordinators
from kferry.wire.errors import raise_for
from kferry.wire.retry import Pauses, keep_trying

_R = TypeVar("_R")

_NEWEST_INIT = 4  # later ones are for two-phase commit (KIP-939)
_NEWEST_ADD = 3  # later ones are for brokers
_NEWEST_END = 4  # the next one lets the broker choose the next epoch (KIP-890); we choose it

_CHUNK = 1000
_UNKNOWN_TOPIC_OR_PARTITION = 3
_ROUNDS_FOR_UNKNOWN = 5
_CONCURRENT_TRANSACTIONS = 51
_SOON = 0.005
_NOT_ATTEMPTED = 55

# 49: the id was given to another producer, as it is when all its epochs are used up.
_FENCED = frozenset({47, 49, 90})
_PASSING = frozenset({14, 15, 16, _CONCURRENT_TRANSACTIONS})
_OF_THE_TRANSACTION = frozenset({48, 53})


class Fenced(KferryError):
    """Somebody has a newer epoch of this transactional id."""

    code = "K320"
    exit_code = ExitCode.LEDGER_HELD

    def __init__(self, transactional_id: str) -> None:
        super().__init__(
            f"{transactional_id} belongs to a newer process",
            "it has taken over what this one did",
            hint="kferry status shows who goes on; nothing is to be done here",
            changed="What this process had written stays, and is continued there.",
        )
        self.transactional_id = transactional_id


@dataclass(frozen=True, slots=True, kw_only=True)
class ProducerIdentity:
    """Who a batch is from. A newer epoch of the same id shuts the older one out."""

    id: int
    epoch: int


async def init_producer_id(
    cluster: Cluster, transactional_id: str | None, *, timeout_ms: int = 60_000
) -> ProducerIdentity:
    """Get an identity: the next epoch of a transactional id, or one of nobody's before (None).

    A transaction that the id's former owner left open is aborted first. An answer that was lost is
    asked for again, which costs an epoch.
    """
    request = InitProducerIdRequest(
        transactional_id=transactional_id,
        transaction_timeout_ms=timeout_ms,
        producer_id=-1,
        producer_epoch=-1,
    )

    async def of_nobody() -> ProducerIdentity:
        return _identity(
            await cluster.request(request, InitProducerIdResponse, most=_NEWEST_INIT),
            "InitProducerId",
        )

    if transactional_id is None:
        return await keep_trying(of_nobody, cluster.limits, before_again=cluster.refresh)

    async def ask(broker: BrokerId) -> ProducerIdentity:
        answer = await cluster.at_broker(broker, request, InitProducerIdResponse, most=_NEWEST_INIT)
        return _identity(answer, transactional_id)

    return await _at_coordinator(cluster, transactional_id, ask)


async def abort_empty_transaction(
    cluster: Cluster,
    transactional_id: str,
    identity: ProducerIdentity,
    partitions: Iterable[TopicPartition],
) -> dict[TopicPartition, BrokerError | None]:
    """Put one marker into each partition; those that cannot have one come back with the reason.

    The markers land after this returns, each as one offset of its own.
    """
    wanted = sorted(set(partitions))
    outcomes: dict[TopicPartition, BrokerError | None] = {}

    async def add_some(start: int) -> None:
        some = wanted[start : start + _CHUNK]
        outcomes.update(await _add(cluster, transactional_id, identity, some))

    try:
        for start in range(0, len(wanted), _CHUNK):
            await add_some(start)
    except WireError:
        if None in outcomes.values():  # what is open keeps readers from going on until it times out
            with contextlib.suppress(KferryError):
                await _end(cluster, transactional_id, identity)
        raise
    if None in outcomes.values():
        await _end(cluster, transactional_id, identity)
    return outcomes


async def _add(
    cluster: Cluster, transactional_id: str, identity: ProducerIdentity, some: list[TopicPartition]
) -> dict[TopicPartition, BrokerError | None]:
    """Add what can be added: one partition that cannot fails the others with NOT_ATTEMPTED."""
    outcomes: dict[TopicPartition, BrokerError | None] = {}
    pauses, rounds = Pauses(cluster.limits), 0
    while some:
        answer = await _ask_to_add(cluster, transactional_id, identity, some)
        rounds += 1
        culprits = {
            partition: code for partition, code in answer.items() if code not in {0, _NOT_ATTEMPTED}
        }
        if not culprits:
            outcomes |= {partition: _error(partition, code) for partition, code in answer.items()}
            break
        # A topic made a moment ago is not known to every broker yet.
        waited_for = rounds < _ROUNDS_FOR_UNKNOWN and set(culprits.values()) == {
            _UNKNOWN_TOPIC_OR_PARTITION
        }
        if waited_for:
            await pauses.pause()
            continue
        outcomes |= {partition: _error(partition, code) for partition, code in culprits.items()}
        some = [partition for partition in some if partition not in culprits]
    return outcomes


async def _ask_to_add(
    cluster: Cluster, transactional_id: str, identity: ProducerIdentity, some: list[TopicPartition]
) -> dict[TopicPartition, int]:
    topic = AddPartitionsToTxnRequest.AddPartitionsToTxnTopic

    async def ask(broker: BrokerId) -> dict[TopicPartition, int]:
        request = AddPartitionsToTxnRequest(
            v3_and_below_transactional_id=transactional_id,
            v3_and_below_producer_id=identity.id,
            v3_and_below_producer_epoch=identity.epoch,
            v3_and_below_topics=[
                topic(name=name, partitions=[one.partition for one in group])
                for name, group in groupby(some, key=lambda one: one.topic)
            ],
        )
        answer = await cluster.at_broker(
            broker, request, AddPartitionsToTxnResponse, most=_NEWEST_ADD
        )
        codes = {
            TopicPartition(TopicName(found.name), PartitionId(one.partition_index)): int(
                one.partition_error_code
            )
            for found in answer.results_by_topic_v3_and_below
            for one in found.results_by_partition
        }
        # These concern the transaction, and stand beside each of its partitions.
        for code in codes.values():
            if code in _FENCED | _PASSING | _OF_THE_TRANSACTION:
                raise BrokerError(code, transactional_id)
        return codes

    return await _at_coordinator(cluster, transactional_id, ask)


async def _end(cluster: Cluster, transactional_id: str, identity: ProducerIdentity) -> None:
    """Abort what is open. Asked again it says the same, so a lost answer does no harm."""
    request = EndTxnRequest(
        transactional_id=transactional_id,
        producer_id=identity.id,
        producer_epoch=identity.epoch,
        committed=False,
    )

    async def ask(broker: BrokerId) -> None:
        answer = await cluster.at_broker(broker, request, EndTxnResponse, most=_NEWEST_END)
        raise_for(answer.error_code, transactional_id)

    await _at_coordinator(cluster, transactional_id, ask)


async def _at_coordinator(
    cluster: Cluster, transactional_id: str, ask: Callable[[BrokerId], Awaitable[_R]]
) -> _R:
    """Ask the id's coordinator, wherever it goes; while it ends a transaction, at once again."""
    loop = asyncio.get_running_loop()
    patient_until = loop.time() + cluster.limits.retry

    async def at(broker: BrokerId, _: list[str]) -> dict[str, _R | WireError]:
        while True:
            try:
                return {transactional_id: await ask(broker)}
            except BrokerError as error:
                ending = error.error_code == _CONCURRENT_TRANSACTIONS
                if not ending or loop.time() > patient_until:
                    raise
            await asyncio.sleep(_SOON)

    outcomes = await at_coordinators(cluster, Kind.TRANSACTION, [transactional_id], at)
    outcome = outcomes[transactional_id]
    if isinstance(outcome, BrokerError) and outcome.error_code in _FENCED:
        raise Fenced(transactional_id) from outcome
    if isinstance(outcome, WireError):
        raise outcome
    return outcome


def _identity(answer: Any, subject: str) -> ProducerIdentity:
    raise_for(answer.error_code, subject)
    return ProducerIdentity(id=answer.producer_id, epoch=answer.producer_epoch)


def _error(partition: TopicPartition, code: int) -> BrokerError | None:
    return BrokerError(code, str(partition)) if code else None
