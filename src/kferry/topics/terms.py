"""What the target offers a new topic: brokers, known configs, defaults.

Owns how that is found out. Kafka 2.4 and later answer for a topic that is not there; before, any
topic that is there tells the names.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from kferry.admin.configs import topic_configs
from kferry.admin.topic_defaults import topic_defaults
from kferry.names import TopicName
from kferry.topics.inventory import set_on_topic
from kferry.wire import Cluster, WireError

BEFORE_MAX = "message.timestamp.before.max.ms"
AFTER_MAX = "message.timestamp.after.max.ms"
DIFFERENCE_MAX = "message.timestamp.difference.max.ms"
"""Until 3.9; the other two, from 3.6 on, have taken its place (KIP-937)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetTerms:
    """What the target offers a new topic. `defaults` is None where it does not tell."""

    brokers: int
    release: str
    release_number: tuple[int, ...]
    defaults: Mapping[str, str | None] | None
    """By config; None where a topic we looked at has set a value of its own."""
    replication: int | None
    """The default replication."""

    def knows(self, config: str) -> bool:
        """Whether a topic may have this config; where nobody tells, only what we know is denied."""
        if self.defaults is not None:
            return config in self.defaults
        if config in {BEFORE_MAX, AFTER_MAX}:
            return self.release_number >= (3, 6)
        return config != DIFFERENCE_MAX or self.release_number < (4, 0)

    def default(self, config: str) -> str | None:
        """Return the default, if it is known."""
        return None if self.defaults is None else self.defaults.get(config)

    def number(self, config: str) -> int | None:
        """Return a default that is a number, if it is known."""
        value = self.default(config)
        return None if value is None else int(value)


async def take_terms(target: Cluster, missing: Iterable[TopicName]) -> TargetTerms:
    """Ask the target; `missing` are the topics that are to be created there."""
    connection = await target.any_connection()
    told = await _told(target, next(iter(missing), None))
    # Brokers come last: what is asked here replaces what the cluster knew of topics.
    brokers = len((await target.refresh()).brokers)
    defaults, replication = told
    return TargetTerms(
        brokers=brokers,
        release=connection.versions.release,
        release_number=connection.versions.release_number,
        defaults=defaults,
        replication=replication,
    )


async def _told(
    target: Cluster, missing: TopicName | None
) -> tuple[Mapping[str, str | None] | None, int | None]:
    """Return defaults and replication, as far as they are told to us."""
    if missing is not None:
        try:
            found = await topic_defaults(target, missing)
        except WireError as error:
            # A right is missing, or a policy speaks: who creates the topics will hear it again.
            if error.retriable:
                raise
            found = None
        if found is not None:
            return found.configs, found.replication
    try:
        return await _names_of_any_topic(target), None
    except WireError as error:
        if error.retriable:
            raise
        return None, None


async def _names_of_any_topic(target: Cluster) -> Mapping[str, str | None] | None:
    there = (await target.refresh(None)).topics
    usable = sorted(name for name, topic in there.items() if not topic.error_code)
    for configs in (await topic_configs(target, usable[:1])).values():
        if not isinstance(configs, WireError):
            own = set_on_topic(configs)
            return {name: None if name in own else one.value for name, one in configs.items()}
    return None
