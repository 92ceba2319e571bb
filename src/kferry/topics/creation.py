"""The topics that a copy needs on the target and does not find there.

Owns what each of them must be. The counterpart has the same partitions, because records keep their
partition, and the configs that were set on the source's topic. Creates nothing; `created` does.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from kferry.admin.configs import Configs
from kferry.admin.topic_changes import NewTopic
from kferry.names import TopicName
from kferry.topics.copied_configs import copied_configs, inherited_otherwise
from kferry.topics.during_copy import MESSAGE_BYTES, during_copy
from kferry.topics.effective import effective_configs
from kferry.topics.facts import TopicFacts
from kferry.topics.pairing import TopicPair
from kferry.topics.terms import TargetTerms, take_terms
from kferry.units import many
from kferry.wire import Cluster, WireError

BROKER_DEFAULT = -1
_DEFAULT_SINCE = (2, 4)  # KIP-464


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetTopic:
    """A topic to be created."""

    source: TopicName
    target: TopicName
    partitions: int
    replication: int
    """-1 is the target's default."""
    configs: Mapping[str, str]
    """What it has while it is filled."""
    finished: Mapping[str, str | None]
    """What to set when the copy is complete; None: back to the default."""
    notes: tuple[str, ...]
    """What is not as on the source, and why; a sentence each, without the topic's name."""

    @property
    def new(self) -> NewTopic:
        """As it is asked for."""
        return NewTopic(
            name=self.target,
            partitions=self.partitions,
            replication=self.replication,
            configs=self.configs,
        )


async def counterparts(
    source: Cluster, target: Cluster, missing: Iterable[TopicPair], *, replication: int | None
) -> list[TargetTopic]:
    """Tell what the missing topics must be; `replication` None is the source's, -1 the target's."""
    pairs = list(missing)
    if not pairs:
        return []
    terms = await take_terms(target, [one.target for one in pairs])
    found = await effective_configs(source, (one.source.name for one in pairs))
    return [
        counterpart(
            one.source,
            one.target,
            terms=terms,
            effective=None if isinstance(configs, WireError) else configs,
            replication=replication,
        )
        for one in pairs
        for configs in (found[one.source.name],)
    ]


def counterpart(
    source: TopicFacts,
    target: TopicName,
    *,
    terms: TargetTerms,
    effective: Configs | None,
    replication: int | None,
) -> TargetTopic:
    """Tell what one topic must be. `effective` are the source's configs, defaults included."""
    notes: list[str] = []
    copies = _replication(source, terms, replication, notes)
    known = terms.replication if copies == BROKER_DEFAULT else copies
    if source.set_configs is None:
        notes.append("the source does not tell its configs: it gets the target's defaults")
    own, about_configs = copied_configs(source.set_configs or {}, terms, replication=known)
    notes += about_configs
    if effective is not None:
        notes += inherited_otherwise(effective, terms)
    now = during_copy(own, terms, source_bytes=_message_bytes(effective))
    return TargetTopic(
        source=source.name,
        target=target,
        partitions=len(source.partitions),
        replication=copies,
        configs=now.configs,
        finished=now.finished,
        notes=tuple(notes),
    )


def _replication(
    source: TopicFacts, terms: TargetTerms, wanted: int | None, notes: list[str]
) -> int:
    if wanted == BROKER_DEFAULT and terms.replication is not None:
        return terms.replication
    if wanted == BROKER_DEFAULT and terms.release_number >= _DEFAULT_SINCE:
        return BROKER_DEFAULT
    if wanted == BROKER_DEFAULT:
        notes.append(
            f"replication is the source's: Kafka {terms.release} creates no topic with its default"
        )
        wanted = None
    copies = max(source.replication, 1) if wanted is None else wanted
    if copies <= terms.brokers:
        return copies
    brokers = many(terms.brokers, "live broker")
    notes.append(f"replication {copies} becomes {terms.brokers}: the target has {brokers}")
    return terms.brokers


def _message_bytes(effective: Configs | None) -> int | None:
    found = None if effective is None else effective.get(MESSAGE_BYTES)
    return None if found is None or found.value is None else int(found.value)
