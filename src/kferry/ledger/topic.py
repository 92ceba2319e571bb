"""The topic that a ledger is.

Owns finding, making and judging it. Only `create_ledger` writes anything.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from kferry.admin.configs import topic_configs
from kferry.admin.topic_changes import NewTopic, create_topics
from kferry.ledger.errors import LedgerNotCreated, LedgerUnfit
from kferry.ledger.names import ledger_topic, migration_of
from kferry.names import PartitionId, TopicName, TopicPartition
from kferry.wire import BrokerError, Cluster, Topic
from kferry.wire.retry import keep_trying

DEFAULT_SLOTS = 8
_MOST_REPLICAS = 3
_COMPACT = "compact"
_SEGMENT_BYTES = str(32 << 20)
"""The newest segment is never compacted: at Kafka's 1 GiB each start would read gigabytes."""
LEDGER_CONFIGS: Mapping[str, str] = {"cleanup.policy": _COMPACT, "segment.bytes": _SEGMENT_BYTES}

_UNKNOWN_TOPIC_OR_PARTITION = 3
_LEADER_NOT_AVAILABLE = 5
_EXISTS = 36


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerTopic:
    """A migration's ledger on one cluster; its partitions are the slots."""

    migration: str
    topic: TopicName
    slots: int

    def partition(self, slot: int) -> TopicPartition:
        """Return the partition that a slot is."""
        if not 0 <= slot < self.slots:
            raise ValueError(f"slot {slot} of {self.slots}")
        return TopicPartition(self.topic, PartitionId(slot))


async def find_ledgers(cluster: Cluster) -> list[str]:
    """Return the migrations whose ledgers this cluster holds, as far as we may see them."""
    topics = (await cluster.refresh(None)).topics
    return sorted(name for name in map(migration_of, topics) if name is not None)


async def open_ledger(cluster: Cluster, migration: str) -> LedgerTopic | None:
    """Return a ledger that is there; None if it is not."""
    name = ledger_topic(migration)
    found = (await cluster.refresh({name})).topics.get(name)
    if found is None or found.error_code == _UNKNOWN_TOPIC_OR_PARTITION:
        return None
    if found.error_code not in {0, _LEADER_NOT_AVAILABLE}:
        raise BrokerError(found.error_code, f"ledger {name}")
    return _ledger(migration, found)


async def create_ledger(
    cluster: Cluster, migration: str, *, slots: int = DEFAULT_SLOTS, replication: int | None = None
) -> LedgerTopic:
    """Return the ledger, made if it was not there, once every slot has a leader.

    One that somebody made beforehand is taken with the slots it has.
    """
    name = ledger_topic(migration)
    if await open_ledger(cluster, migration) is None:
        wanted = NewTopic(
            name=name,
            partitions=slots,
            replication=replication or min(_MOST_REPLICAS, len(cluster.metadata.brokers)),
            configs=LEDGER_CONFIGS,
        )
        refusal = (await create_topics(cluster, [wanted]))[name]
        if refusal is not None and refusal.error_code != _EXISTS:
            raise _not_created(wanted, refusal) from refusal
        # Whoever came in between may have made it otherwise.
        made_here = refusal is None
    else:
        made_here = False
    _, ledger = await asyncio.gather(
        _nothing() if made_here else _insist_on_compaction(cluster, name),
        _until_led(cluster, migration),
    )
    return ledger


async def _nothing() -> None:
    return


async def _insist_on_compaction(cluster: Cluster, name: TopicName) -> None:
    configs = (await topic_configs(cluster, [name]))[name]
    if isinstance(configs, BrokerError):
        return  # not for us to see; whoever made it was told what it takes
    found = configs.get("cleanup.policy")
    if found is not None and found.value != _COMPACT:
        raise LedgerUnfit(
            f"topic {name} is there and has cleanup.policy={found.value}",
            "a ledger must be compacted and nothing else, or its oldest documents expire",
            hint=f"kafka-configs --alter --entity-type topics --entity-name {name} "
            f"--add-config cleanup.policy={_COMPACT}",
        )


async def _until_led(cluster: Cluster, migration: str) -> LedgerTopic:
    name = ledger_topic(migration)

    async def look() -> LedgerTopic:
        found = (await cluster.refresh({name})).topics.get(name)
        if found is None or found.error_code:
            code = found.error_code if found else _UNKNOWN_TOPIC_OR_PARTITION
            raise BrokerError(code, f"ledger {name}")
        without = [one.id for one in found.partitions if one.leader is None]
        if without or not found.partitions:
            raise BrokerError(_LEADER_NOT_AVAILABLE, f"ledger {name}, slots {without}")
        return _ledger(migration, found)

    async def at_once() -> None:
        """`look` refreshes by itself."""

    return await keep_trying(look, cluster.limits, before_again=at_once)


def _ledger(migration: str, found: Topic) -> LedgerTopic:
    return LedgerTopic(migration=migration, topic=found.name, slots=len(found.partitions))


def _not_created(wanted: NewTopic, refusal: BrokerError) -> LedgerNotCreated:
    return LedgerNotCreated(
        f"the ledger {wanted.name} cannot be created",
        str(refusal),
        hint="have it made by who may: "
        f"kafka-topics --create --topic {wanted.name} --partitions {wanted.partitions} "
        f"--config cleanup.policy={_COMPACT}",
    )
