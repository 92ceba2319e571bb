"""Producers and their open transactions, as values.

Owns joining what partitions know (producer ids) with what coordinators know (transactional ids).
Asks nobody.
"""

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass

from kferry.admin.producers import PartitionProducer
from kferry.admin.transactions import Transaction
from kferry.admin.view import Gap
from kferry.names import TopicPartition

Places = list[tuple[TopicPartition, PartitionProducer]]


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenTransaction:
    """A transaction under way; what no coordinator told is None. Times are in milliseconds."""

    transactional_id: str | None
    producer_id: int
    epoch: int
    state: str | None
    started: int | None
    timeout_ms: int | None
    partitions: tuple[TopicPartition, ...]
    open_since: tuple[tuple[TopicPartition, int], ...]
    """Where it begins, of the partitions that were asked."""
    hanging: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Producer:
    """A producer that partitions remember."""

    producer_id: int
    epoch: int
    transactional_id: str | None
    partitions: tuple[TopicPartition, ...]
    last_write_ms: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Producers:
    """Everybody who writes, and what is missing from the picture."""

    open: tuple[OpenTransaction, ...]
    active: tuple[Producer, ...]
    gaps: tuple[Gap, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Coordinated:
    """What coordinators told. `complete`: all of them did, and left nothing out."""

    names: Mapping[int, str]
    """Transactional ids by producer id."""
    under_way: tuple[Transaction, ...]
    gaps: tuple[Gap, ...]
    complete: bool


def open_transactions(
    places: Mapping[int, Places], known: Coordinated, *, hanging: Container[int]
) -> list[OpenTransaction]:
    """Join what is open on partitions with what is under way at coordinators; oldest first."""
    left = dict(places)
    found = [_joined(one, left.pop(one.producer_id, [])) for one in known.under_way]
    found += [
        _without_coordinator(producer_id, open_at, known, hanging=producer_id in hanging)
        for producer_id, open_at in left.items()
    ]
    return sorted(found, key=lambda one: (one.started or 0, one.transactional_id or ""))


def open_places(known: Iterable[tuple[TopicPartition, PartitionProducer]]) -> dict[int, Places]:
    """Where each producer has a transaction open."""
    places: dict[int, Places] = {}
    for partition, producer in known:
        if producer.open_since is not None:
            places.setdefault(producer.producer_id, []).append((partition, producer))
    return places


def _joined(transaction: Transaction, places: Places) -> OpenTransaction:
    return OpenTransaction(
        transactional_id=transaction.id,
        producer_id=transaction.producer_id,
        epoch=transaction.epoch,
        state=transaction.state,
        started=transaction.started,
        timeout_ms=transaction.timeout_ms,
        partitions=transaction.partitions,
        open_since=begins(places),
        hanging=False,
    )


def _without_coordinator(
    producer_id: int,
    places: Places,
    known: Coordinated,
    *,
    hanging: bool,
) -> OpenTransaction:
    return OpenTransaction(
        transactional_id=known.names.get(producer_id),
        producer_id=producer_id,
        epoch=max(producer.epoch for _, producer in places),
        state=None,
        started=None,
        timeout_ms=None,
        partitions=tuple(partition for partition, _ in places),
        open_since=begins(places),
        hanging=hanging,
    )


def begins(places: Places) -> tuple[tuple[TopicPartition, int], ...]:
    """Where a transaction begins on each partition."""
    return tuple(
        (partition, producer.open_since)
        for partition, producer in places
        if producer.open_since is not None
    )


def active_producers(
    known: Iterable[tuple[TopicPartition, PartitionProducer]], names: Mapping[int, str]
) -> list[Producer]:
    """Bring a producer's partitions together; who wrote last comes first."""
    places: dict[tuple[int, int], Places] = {}
    for partition, producer in known:
        places.setdefault((producer.producer_id, producer.epoch), []).append((partition, producer))
    found = [
        Producer(
            producer_id=producer_id,
            epoch=epoch,
            transactional_id=names.get(producer_id),
            partitions=tuple(partition for partition, _ in own),
            last_write_ms=max(one.last_timestamp for _, one in own),
        )
        for (producer_id, epoch), own in places.items()
    ]
    return sorted(found, key=lambda one: (-(one.last_write_ms or 0), one.producer_id))
