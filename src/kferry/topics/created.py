"""Creating topics, until they can be written to.

Owns the wait for leaders and the doubt after a lost answer: what exists then, with just what was
asked for, is what we created. One topic that is refused never holds up the others.
"""

from collections.abc import Collection, Mapping, Sequence

from kferry.admin.configs import topic_configs
from kferry.admin.operations import Operation, Resource, grant
from kferry.admin.topic_changes import NewTopic, Refusals, create_topics
from kferry.admin.view import DENIED, view_of
from kferry.errors import KferryError
from kferry.names import TopicName
from kferry.topics.creation import TargetTopic
from kferry.topics.errors import NoLeaders, NotCreated, TopicExists
from kferry.topics.inventory import set_on_topic
from kferry.wire import BrokerError, Cluster, Topic, WireError
from kferry.wire.retry import Pauses, keep_trying, may_pass

_TIMED_OUT = 7
_EXISTS = 36

Failures = dict[TopicName, KferryError | None]
"""What went wrong with each topic; None where nothing did."""


async def create_missing(cluster: Cluster, topics: Sequence[TargetTopic]) -> Failures:
    """Create topics and wait until every partition has a leader."""
    if not topics:
        return {}
    wanted = {one.target: one.new for one in topics}
    try:
        refusals = await _create(cluster, wanted)
    except WireError as error:
        return dict.fromkeys(wanted, error)
    failures: Failures = {
        name: await _failure(cluster, name, refusal) for name, refusal in refusals.items()
    }
    coming = {name: wanted[name].partitions for name, one in failures.items() if one is None}
    return failures | await until_led(cluster, coming)


async def until_led(cluster: Cluster, partitions: Mapping[TopicName, int]) -> Failures:
    """Wait until so many partitions of each topic have leaders, as long as there are ever more."""
    pauses = Pauses(cluster.limits)
    open_ = dict(partitions)
    missing = open_
    while open_:
        try:
            seen = (await cluster.refresh(open_)).topics
        except WireError as error:
            if not may_pass(error) or pauses.over:
                return dict.fromkeys(partitions) | dict.fromkeys(open_, error)
        else:
            left = {name: _leaderless(seen.get(name), count) for name, count in open_.items()}
            if sum(left.values()) < sum(missing.values()):
                pauses = Pauses(cluster.limits)
            missing = left
            open_ = {name: count for name, count in open_.items() if left[name]}
        if pauses.over:
            break
        if open_:
            await pauses.pause()
    return {
        name: NoLeaders(name, missing[name], count, cluster.limits.retry) if name in open_ else None
        for name, count in partitions.items()
    }


def _leaderless(topic: Topic | None, partitions: int) -> int:
    if topic is None or topic.error_code:
        return partitions
    led = sum(one.leader is not None for one in topic.partitions)
    return max(partitions - led, 0)


async def _create(cluster: Cluster, wanted: Mapping[TopicName, NewTopic]) -> Refusals:
    attempts = 0

    async def once() -> Refusals:
        nonlocal attempts
        attempts += 1
        return await create_topics(cluster, list(wanted.values()))

    refusals = await keep_trying(once, cluster.limits, before_again=cluster.refresh)
    if attempts > 1:  # the answers to the attempts before were lost
        there = [name for name, one in refusals.items() if one and one.error_code == _EXISTS]
        refusals |= dict.fromkeys(await _ours(cluster, there, wanted))
    # A controller that could not wait any longer has created the topic all the same.
    slow = [name for name, one in refusals.items() if one and one.error_code == _TIMED_OUT]
    return refusals | dict.fromkeys(slow)


async def _ours(
    cluster: Cluster, names: Collection[TopicName], wanted: Mapping[TopicName, NewTopic]
) -> list[TopicName]:
    """Tell which of the topics are just what we asked for."""
    if not names:
        return []
    pauses = Pauses(cluster.limits)
    # The controller knows of them already; whom we ask may not have heard of them yet.
    while True:
        metadata = await cluster.refresh(names)
        seen = {name: one for name, one in metadata.topics.items() if not one.error_code}
        if seen.keys() >= set(names) or pauses.over:
            break
        await pauses.pause()
    configs = await topic_configs(cluster, names)
    return [
        name
        for name in names
        if name in seen
        and len(seen[name].partitions) == wanted[name].partitions
        and not isinstance(own := configs[name], BrokerError)
        and set_on_topic(own) == wanted[name].configs
    ]


async def _failure(
    cluster: Cluster, topic: TopicName, refusal: BrokerError | None
) -> KferryError | None:
    if refusal is None:
        return None
    if refusal.error_code == _EXISTS:
        return TopicExists(topic)
    hint = ""
    if refusal.error_code in DENIED:
        principal = (await view_of(cluster)).principal
        hint = grant(principal, Operation.CREATE, Resource.TOPIC, topic)
    return NotCreated(topic, refusal, hint=hint)
