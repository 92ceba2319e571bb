"""Damage, planted where a finished copy lies: the target's topic is made anew with other records.

Owns the rewriting. The ledger is told the new topic's id, so that to kferry it is the copy it made.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import Any

from confluent_kafka import Producer
from judge import PATIENCE_S, client_config
from judging import Seen

from kferry.config import load_properties
from kferry.ledger import append, open_ledger, read_ledger
from kferry.names import TopicName
from kferry.sandbox import Cluster as Broker
from kferry.sandbox import Sandbox
from kferry.sandbox.faults.topics import recreate
from kferry.wire import Cluster, open_cluster


def write(cluster: Broker, topic: str, partition: int, records: Sequence[Seen]) -> None:
    """Write records as they are, with a client that is not kferry."""
    producer = Producer(
        {
            **client_config(cluster.properties),
            "linger.ms": 50,
            "compression.type": "lz4",
            "enable.idempotence": True,  # a slow broker must not make it write anything twice
        }
    )
    for one in records:
        extra: dict[str, Any] = {"timestamp": one.timestamp} if one.timestamp > 0 else {}
        producer.produce(
            topic,
            key=one.key,
            value=one.value,
            partition=partition,
            headers=list(one.headers),
            **extra,
        )
        producer.poll(0)
    assert producer.flush(PATIENCE_S) == 0


async def plant(
    sandbox: Sandbox, migration: str, damaged: Mapping[str, Mapping[int, Sequence[Seen]]]
) -> None:
    """Let these topics of a finished copy hold other records, by partition."""
    await asyncio.gather(*(recreate(sandbox.target, topic) for topic in damaged))
    async with open_cluster(load_properties(sandbox.target.properties)) as cluster:
        ledger = await open_ledger(cluster, migration)
        assert ledger is not None
        for slot, documents in (await read_ledger(cluster, ledger)).items():
            for key, document in documents.items():
                topic = key.removeprefix("topic/")
                if key.startswith("topic/") and topic in damaged and document.value is not None:
                    value = {name: one for name, one in document.value.items() if name != "v"}
                    fresh = await _id_other_than(str(value["target_id"]), cluster, topic)
                    await append(cluster, ledger, slot, [(key, {**value, "target_id": fresh})])
    for name, partitions in damaged.items():
        for partition, records in partitions.items():
            await asyncio.to_thread(write, sandbox.target, name, partition, records)


async def _id_other_than(former: str, cluster: Cluster, topic: str) -> str:
    """Wait until the broker tells of the new topic: one that has much to do may tell of the old."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        found = (await cluster.refresh([TopicName(topic)])).topics.get(TopicName(topic))
        if found is not None and str(found.id) != former:
            return str(found.id)
        await asyncio.sleep(0.1)
    raise AssertionError(f"{topic} was not made anew within {PATIENCE_S} s")
