"""Keeping retention and cleaner away from topics of others while they are filled, and the way back.

Owns which configs are changed for that time and what they were before. Whoever suspends keeps
`before` first: it is needed also if we die in between.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from kferry.admin.configs import Configs
from kferry.admin.topic_changes import alter_topic_configs
from kferry.errors import KferryError
from kferry.names import TopicName
from kferry.topics.created import Failures
from kferry.topics.during_copy import SUSPENDED
from kferry.topics.effective import effective_configs
from kferry.topics.errors import NotAsSet
from kferry.topics.inventory import set_on_topic
from kferry.wire import Cluster, WireError
from kferry.wire.retry import Pauses, may_pass

Wanted = Mapping[TopicName, Mapping[str, str | None]]
"""Configs to be set on topics; None: back to the default."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspension:
    """What is changed on a topic, and what was set there before; None: nothing was.

    Both are empty where all is suspended already: an older `before` is then the true one.
    """

    changes: Mapping[str, str]
    before: Mapping[str, str | None]


def suspension(configs: Configs) -> Suspension:
    """Tell what must change so that nothing is taken away from a topic."""
    own = set_on_topic(configs)
    changes = {name: value for name, value in SUSPENDED.items() if _matters(name, value, configs)}
    return Suspension(changes=changes, before={name: own.get(name) for name in changes})


def _matters(name: str, value: str, configs: Configs) -> bool:
    present = configs.get(name)
    return present is None or _normal(present.value) != value


async def suspensions(
    cluster: Cluster, topics: Iterable[TopicName]
) -> dict[TopicName, Suspension | KferryError]:
    """Look at topics and tell what must change; changes nothing."""
    return {
        name: found if isinstance(found, WireError) else suspension(found)
        for name, found in (await effective_configs(cluster, topics)).items()
    }


async def suspended(cluster: Cluster, topics: Iterable[TopicName]) -> set[TopicName]:
    """Return the topics that show just what is set while they are filled.

    So does every topic that we create. What may not be seen is not taken for one of them.
    """
    return {
        name
        for name, found in (await effective_configs(cluster, topics)).items()
        if not isinstance(found, WireError) and _is_suspended(found)
    }


def _is_suspended(configs: Configs) -> bool:
    own = set_on_topic(configs)
    return all(_normal(own.get(name)) == value for name, value in SUSPENDED.items())


async def suspend(cluster: Cluster, wanted: Mapping[TopicName, Suspension]) -> Failures:
    """Change what must change, and read it back."""
    return await restore(cluster, {name: one.changes for name, one in wanted.items()})


async def restore(cluster: Cluster, wanted: Wanted) -> Failures:
    """Set configs and read them back until the brokers show them."""
    try:
        failures: Failures = {**await alter_topic_configs(cluster, wanted)}
    except WireError as error:
        return dict.fromkeys(wanted, error)
    altered = {name: own for name, own in wanted.items() if own and failures[name] is None}
    return failures | await _until_shown(cluster, altered)


async def _until_shown(cluster: Cluster, wanted: Wanted) -> Failures:
    """Wait for brokers to hear from their controller what was set."""
    pauses = Pauses(cluster.limits)
    failures: Failures = dict.fromkeys(wanted)
    open_ = wanted
    while open_:
        found = await effective_configs(cluster, open_)
        failures |= {name: _difference(name, wanted[name], found[name]) for name in open_}
        open_ = {name: wanted[name] for name in open_ if _may_come(failures[name])}
        if pauses.over:
            break
        if open_:
            await pauses.pause()
    return failures


def _may_come(failure: KferryError | None) -> bool:
    if isinstance(failure, WireError):
        return may_pass(failure)
    return failure is not None


def _difference(
    topic: TopicName, wanted: Mapping[str, str | None], found: Configs | WireError
) -> KferryError | None:
    if isinstance(found, WireError):
        return found
    own = set_on_topic(found)
    wrong = [
        f"{name} is {_shown(own.get(name))} instead of {_shown(value)}"
        for name, value in sorted(wanted.items())
        if _normal(own.get(name)) != _normal(value)
    ]
    return NotAsSet(topic, "; ".join(wrong)) if wrong else None


def _normal(value: str | None) -> str | None:
    """Leave out what brokers leave out of lists: `compact, delete` is stored without the space."""
    return None if value is None else value.replace(" ", "")


def _shown(value: str | None) -> str:
    return "not set" if value is None else value
