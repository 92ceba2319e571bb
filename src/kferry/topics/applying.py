"""Doing what was planned for topics, and reading it back.

Owns the three calls in their order: create, enlarge, set. What a migration must remember is written
by whoever calls, before. One topic that is refused never holds up the others.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from kferry.admin.configs import Configs
from kferry.admin.operations import Operation, Resource, grant
from kferry.admin.topic_changes import NewTopic, create_partitions
from kferry.admin.view import DENIED, view_of
from kferry.errors import KferryError
from kferry.names import TopicName
from kferry.plans import Item
from kferry.topics.created import Failures, create_missing, until_led
from kferry.topics.creation import TargetTopic
from kferry.topics.effective import effective_configs
from kferry.topics.errors import NotAsSet
from kferry.topics.inventory import set_on_topic
from kferry.topics.suspension import restore
from kferry.wire import BrokerError, Cluster, WireError
from kferry.wire.retry import Pauses, may_pass


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicWork:
    """The work of a topic's item, read back from it."""

    source: TopicName
    target: TopicName
    creates: bool
    partitions: int | None
    """None: they stay as they are."""
    replication: int = -1
    configs: Mapping[str, str] = field(default_factory=dict)
    finish: Mapping[str, str | None] = field(default_factory=dict)
    """What is set when the copy is complete."""

    @property
    def new(self) -> NewTopic:
        """What is created."""
        return NewTopic(
            name=self.target,
            partitions=self.partitions or 1,
            replication=self.replication,
            configs=self.configs,
        )


def work_of(item: Item) -> TopicWork:
    """Read an item that this room has planned."""
    work = item.work or {}
    return TopicWork(
        source=TopicName(work["source"]),
        target=TopicName(item.name),
        creates=work["do"] == "create",
        partitions=work["partitions"],
        replication=work.get("replication", -1),
        configs=work["configs"],
        finish=work["finish"],
    )


async def apply_topics(target: Cluster, works: Sequence[TopicWork]) -> Failures:
    """Create and change topics."""
    new = [one for one in works if one.creates]
    failures = await create_missing(target, [_as_made(one) for one in new])
    created = {one.target: one.configs for one in new if failures[one.target] is None}
    failures |= await _read_back(target, created)
    others = [one for one in works if not one.creates]
    failures |= await _enlarge(
        target, {one.target: one.partitions for one in others if one.partitions is not None}
    )
    whole = {one.target: one.configs for one in others if failures.get(one.target) is None}
    return failures | await restore(target, {name: {**own} for name, own in whole.items()})


def _as_made(one: TopicWork) -> TargetTopic:
    return TargetTopic(
        source=one.source,
        target=one.target,
        partitions=one.partitions or 1,
        replication=one.replication,
        configs=one.configs,
        finished=one.finish,
        notes=(),
    )


async def _enlarge(target: Cluster, counts: Mapping[TopicName, int]) -> Failures:
    if not counts:
        return {}
    try:
        refusals = await create_partitions(target, counts)
    except WireError as error:
        return dict.fromkeys(counts, error)
    failures: Failures = {}
    for name, refusal in refusals.items():
        failures[name] = None if refusal is None else await _not_enlarged(target, name, refusal)
    grown = {name: counts[name] for name, failure in failures.items() if failure is None}
    return failures | await until_led(target, grown)


async def _not_enlarged(target: Cluster, name: TopicName, refusal: BrokerError) -> KferryError:
    hint = refusal.hint
    if refusal.error_code in DENIED:
        principal = (await view_of(target)).principal
        hint = grant(principal, Operation.ALTER, Resource.TOPIC, name)
    return KferryError(
        f"the topic {name} did not get more partitions",
        f"{refusal.name}: {refusal.detail}",
        hint=hint,
        changed="This topic is as it was; others are not affected.",
    )


async def _read_back(target: Cluster, wanted: Mapping[TopicName, Mapping[str, str]]) -> Failures:
    """Look whether new topics have what they were created with; brokers hear of it in time."""
    failures: Failures = dict.fromkeys(wanted)
    pauses = Pauses(target.limits)
    open_ = list(wanted)
    while open_:
        found = await effective_configs(target, open_)
        for name in open_:
            failures[name] = _unlike(name, wanted[name], found[name])
        open_ = [name for name in open_ if _may_come(failures[name])]
        if pauses.over:
            break
        if open_:
            await pauses.pause()
    return failures


def _may_come(failure: KferryError | None) -> bool:
    return may_pass(failure) if isinstance(failure, WireError) else failure is not None


def _unlike(
    topic: TopicName, wanted: Mapping[str, str], found: Configs | WireError
) -> KferryError | None:
    if isinstance(found, WireError):
        # Whoever may create a topic need not be let see its configs.
        denied = isinstance(found, BrokerError) and found.error_code in DENIED
        return None if denied else found
    own = set_on_topic(found)
    wrong = [
        f"{name} is {own.get(name)} instead of {value}"
        for name, value in sorted(wanted.items())
        if (own.get(name) or "").replace(" ", "") != value.replace(" ", "")
    ]
    return NotAsSet(topic, "; ".join(wrong)) if wrong else None
