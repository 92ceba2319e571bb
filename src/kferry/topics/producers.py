"""Who writes into the topics just now, open transactions before all.

Owns the questions and their order. A transaction that is open on a partition and under way at no
coordinator hangs: it holds the last stable offset back until somebody aborts it. It is only called
so when it was open before the coordinators were asked and is still, so that one which ends just now
is not accused.
"""

from collections.abc import Iterable, Mapping

from kferry.admin.operations import Operation, Resource
from kferry.admin.producers import PartitionProducer, partition_producers
from kferry.admin.transactions import (
    FINISHED,
    ListedTransaction,
    Transaction,
    describe_transactions,
    list_transactions,
)
from kferry.admin.view import Question, View, view_of
from kferry.admin.visibility import left_out
from kferry.config import TopicSelection
from kferry.names import BrokerId, TopicPartition
from kferry.topics.selected import selected_topics
from kferry.topics.writers import (
    Coordinated,
    Places,
    Producers,
    active_producers,
    begins,
    open_places,
    open_transactions,
)
from kferry.wire import Cluster, Outcomes, WireError

PRODUCERS = Question(subject="producers", since="2.8", right=Operation.READ, on=Resource.TOPIC)
TRANSACTIONS = Question(
    subject="transactions", since="3.0", right=Operation.DESCRIBE, on=Resource.TRANSACTIONAL_ID
)


async def take_producers(cluster: Cluster, selection: TopicSelection) -> Producers:
    """Look at the selected topics' partitions and at the transactions that touch them."""
    view = await view_of(cluster)
    topics, gaps = await selected_topics(cluster, selection, view)
    partitions = {
        TopicPartition(topic.name, partition.id)
        for topic in topics.values()
        for partition in topic.partitions
        if partition.leader is not None
    }
    remembered = await partition_producers(cluster, partitions)
    known = _known(remembered)
    coordinated = await _coordinated(cluster, view)
    places = open_places(known)
    hanging = await _hanging(cluster, places, coordinated)
    return Producers(
        open=tuple(
            one
            for one in open_transactions(places, coordinated, hanging=hanging)
            if selection == TopicSelection() or not partitions.isdisjoint(one.partitions)
        ),
        active=tuple(active_producers(known, coordinated.names)),
        gaps=(*gaps, *view.gaps(PRODUCERS, remembered), *coordinated.gaps),
    )


def _known(remembered: Outcomes[TopicPartition, tuple[PartitionProducer, ...]]) -> Places:
    return [
        (partition, producer)
        for partition, outcome in sorted(remembered.items(), key=lambda item: item[0])
        if isinstance(outcome, tuple)
        for producer in outcome
    ]


async def _coordinated(cluster: Cluster, view: View) -> Coordinated:
    listed = await list_transactions(cluster)
    described = await describe_transactions(cluster, _under_way(listed))
    gaps = view.gaps(TRANSACTIONS, listed, lambda broker: f"broker {broker}")
    gaps += view.gaps(TRANSACTIONS, described)
    gaps = gaps or await left_out(cluster, view, Resource.TRANSACTIONAL_ID)
    return Coordinated(
        names={one.producer_id: one.id for found in listed.values() for one in _each(found)},
        under_way=tuple(one for one in described.values() if isinstance(one, Transaction)),
        gaps=tuple(gaps),
        complete=not gaps,
    )


def _under_way(listed: Outcomes[BrokerId, list[ListedTransaction]]) -> dict[str, BrokerId]:
    return {
        one.id: broker
        for broker, found in listed.items()
        for one in _each(found)
        if one.state not in FINISHED
    }


def _each(found: list[ListedTransaction] | WireError) -> Iterable[ListedTransaction]:
    return () if isinstance(found, WireError) else found


async def _hanging(
    cluster: Cluster, places: Mapping[int, Places], coordinated: Coordinated
) -> set[int]:
    """Return the producers whose transactions no coordinator knows and that are open still."""
    suspects = places.keys() - {one.producer_id for one in coordinated.under_way}
    # With part of the coordinators silent, what the others do not know proves nothing.
    if not suspects or not coordinated.complete:
        return set()
    again = open_places(
        _known(
            await partition_producers(
                cluster, {partition for one in suspects for partition, _ in places[one]}
            )
        )
    )
    return {
        one
        for one in suspects
        if not set(begins(places[one])).isdisjoint(begins(again.get(one, [])))
    }
