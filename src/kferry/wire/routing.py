"""Many questions at once, each to the broker that may answer it.

Owns the split by partition leader or by coordinator, and the repetition of those answers that say
"not me" or "not now". One question that cannot be answered never holds up the others: its error is
its result.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping
from enum import IntEnum
from typing import Any, TypeVar

from kafka.protocol.metadata import FindCoordinatorRequest, FindCoordinatorResponse

from kferry.names import BrokerId, TopicPartition
from kferry.wire.cluster import Cluster
from kferry.wire.errors import BrokerError, ProtocolViolation, WireError
from kferry.wire.metadata import Metadata
from kferry.wire.retry import Pauses, may_pass

_K = TypeVar("_K")
_R = TypeVar("_R")

Outcomes = dict[_K, _R | WireError]
Ask = Callable[[BrokerId, list[_K]], Awaitable[Mapping[_K, _R | WireError]]]
_Locate = Callable[[list[_K]], Awaitable[Mapping[_K, BrokerId | WireError]]]

_UNKNOWN_TOPIC_OR_PARTITION = 3
_LEADER_NOT_AVAILABLE = 5
_ROUNDS_FOR_UNKNOWN = 5
_BATCHED_LOOK_UP = 4


class Kind(IntEnum):
    """What a coordinator coordinates."""

    GROUP = 0
    TRANSACTION = 1


async def at_leaders(
    cluster: Cluster, partitions: Iterable[TopicPartition], ask: Ask[TopicPartition, _R]
) -> Outcomes[TopicPartition, _R]:
    """Ask each leader about its own partitions."""

    known: Metadata | None = cluster.metadata

    async def locate(wanted: list[TopicPartition]) -> dict[TopicPartition, BrokerId | WireError]:
        # What is known may be stale; then a broker says so, and it is asked for again.
        nonlocal known
        metadata, known = known, None
        if metadata is None or any(metadata.leader(partition) is None for partition in wanted):
            metadata = await cluster.refresh({partition.topic for partition in wanted})
        return {partition: _leader(metadata, partition) for partition in wanted}

    return await _fan_out(cluster, list(partitions), locate, ask)


def _leader(metadata: Metadata, partition: TopicPartition) -> BrokerId | WireError:
    topic = metadata.topics.get(partition.topic)
    found = None if topic is None else topic.partition(partition.partition)
    if topic is None or topic.error_code or found is None:
        code = topic.error_code if topic and topic.error_code else _UNKNOWN_TOPIC_OR_PARTITION
        return BrokerError(code, str(partition))
    if found.leader is None:
        return BrokerError(_LEADER_NOT_AVAILABLE, str(partition))
    return found.leader


async def at_every_broker(
    cluster: Cluster, ask: Callable[[BrokerId], Awaitable[_R]]
) -> Outcomes[BrokerId, _R]:
    """Ask each broker the same; one that does not answer has its error as its outcome."""

    async def one(broker: BrokerId) -> _R | WireError:
        try:
            return await ask(broker)
        except WireError as error:
            return error

    brokers = list(cluster.metadata.brokers)
    return dict(zip(brokers, await asyncio.gather(*map(one, brokers)), strict=True))


async def at_coordinators(
    cluster: Cluster, kind: Kind, keys: Iterable[str], ask: Ask[str, _R]
) -> Outcomes[str, _R]:
    """Ask each coordinator about its own groups or transactional ids."""

    async def locate(wanted: list[str]) -> Mapping[str, BrokerId | WireError]:
        found = await find_coordinators(cluster, kind, wanted)
        brokers = {place for place in found.values() if not isinstance(place, WireError)}
        if not brokers <= cluster.metadata.brokers.keys():
            await cluster.refresh()  # one that joined after we last looked
        return found

    return await _fan_out(cluster, list(keys), locate, ask)


async def find_coordinators(
    cluster: Cluster, kind: Kind, keys: list[str]
) -> dict[str, BrokerId | WireError]:
    """Ask who coordinates: all keys in one question, or one by one where the broker is older."""
    probe = await cluster.any_connection()
    version = probe.versions.choose(FindCoordinatorRequest, probe.where)
    if version >= _BATCHED_LOOK_UP:
        answer = await cluster.request(
            FindCoordinatorRequest(key_type=int(kind), coordinator_keys=keys),
            FindCoordinatorResponse,
        )
        return {found.key: _coordinator(found.key, found) for found in answer.coordinators}
    answers = await asyncio.gather(
        *(
            cluster.request(
                FindCoordinatorRequest(key=key, key_type=int(kind)), FindCoordinatorResponse
            )
            for key in keys
        )
    )
    return {key: _coordinator(key, answer) for key, answer in zip(keys, answers, strict=True)}


def _coordinator(key: str, answer: Any) -> BrokerId | WireError:
    if answer.error_code:
        return BrokerError(answer.error_code, key, answer.error_message)
    return BrokerId(answer.node_id)


async def _fan_out(
    cluster: Cluster, keys: list[_K], locate: _Locate[_K], ask: Ask[_K, _R]
) -> Outcomes[_K, _R]:
    pauses = Pauses(cluster.limits)
    outcomes: Outcomes[_K, _R] = {}
    open_, rounds = keys, 0
    while open_:
        outcomes.update(await _one_round(open_, locate, ask))
        rounds += 1
        open_ = [key for key in open_ if _again(outcomes[key], rounds)]
        if pauses.over:
            break
        if open_:
            await pauses.pause()
    return {key: outcomes[key] for key in keys}


def _again(outcome: object, rounds: int) -> bool:
    if isinstance(outcome, BrokerError) and outcome.error_code == _UNKNOWN_TOPIC_OR_PARTITION:
        # It passes when a topic was made a moment ago; it must not hold up the others for long.
        return rounds < _ROUNDS_FOR_UNKNOWN
    return isinstance(outcome, WireError) and may_pass(outcome)


def _unanswered(where: str, key: object) -> ProtocolViolation:
    return ProtocolViolation(where, f"nothing was answered about {key}")


async def _one_round(
    keys: list[_K], locate: _Locate[_K], ask: Ask[_K, _R]
) -> dict[_K, _R | WireError]:
    outcomes: dict[_K, _R | WireError] = {}
    places: dict[BrokerId, list[_K]] = defaultdict(list)
    try:
        located = await locate(keys)
    except WireError as error:
        return dict.fromkeys(keys, error)
    for key in keys:
        place = located[key] if key in located else _unanswered("a look-up", key)
        if isinstance(place, WireError):
            outcomes[key] = place
        else:
            places[place].append(key)

    async def at(broker: BrokerId, own: list[_K]) -> None:
        try:
            answers = await ask(broker, own)
        except WireError as error:
            outcomes.update(dict.fromkeys(own, error))
        else:
            outcomes.update(answers)
            for key in own:
                if key not in answers:
                    outcomes[key] = _unanswered(f"broker {broker}", key)

    async with asyncio.TaskGroup() as group:
        for broker, own in places.items():
            group.create_task(at(broker, own))
    return outcomes
