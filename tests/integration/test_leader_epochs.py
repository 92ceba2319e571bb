"""Where the log ends that a leader left behind."""

import asyncio
import uuid

from test_fast_path import LIMITS, create, write

from kferry.admin.leader_epochs import EpochEnd, ends_of_epochs
from kferry.config import load_properties
from kferry.names import PartitionId, TopicName, TopicPartition
from kferry.sandbox import Sandbox
from kferry.wire import BrokerError, UnsupportedApi, open_cluster


async def test_an_epoch_ends_with_its_log_and_an_unknown_one_nowhere(plain: Sandbox) -> None:
    partition, other = create(plain.source), create(plain.source)
    missing = TopicPartition(TopicName(f"epochs-{uuid.uuid4().hex[:8]}"), PartitionId(0))
    await asyncio.to_thread(write, plain.source, partition, "none", range(7))
    async with open_cluster(load_properties(plain.source.properties), LIMITS) as cluster:
        ends = await ends_of_epochs(cluster, {partition: 0, other: 99, missing: 0})
    unknown = ends.pop(missing)
    assert isinstance(unknown, BrokerError)
    assert unknown.name == "UNKNOWN_TOPIC_OR_PARTITION"
    assert ends == {
        partition: EpochEnd(epoch=0, end_offset=7),
        other: EpochEnd(epoch=-1, end_offset=-1),
    }


async def test_old_brokers_tell_the_end_alone_and_the_oldest_nothing(old: Sandbox) -> None:
    partition = create(old.target)
    await asyncio.to_thread(write, old.target, partition, "none", range(7))
    async with open_cluster(load_properties(old.target.properties), LIMITS) as cluster:
        ends = await ends_of_epochs(cluster, {partition: 0})
    assert ends == {partition: EpochEnd(epoch=-1, end_offset=7)}
    ancient = create(old.source)
    async with open_cluster(load_properties(old.source.properties), LIMITS) as cluster:
        ends = await ends_of_epochs(cluster, {ancient: 0})
    assert isinstance(ends[ancient], UnsupportedApi)
