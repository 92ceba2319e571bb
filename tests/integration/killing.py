"""A copy that is killed again and again, and judged in the end.

Owns the moments: each is drawn from a seed and lies behind something that was seen to happen. Used
by the test of ten kills and by the campaign of many.
"""

import asyncio
import random
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from confluent_kafka import KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # its stubs export too little
    AdminClient,
    OffsetSpec,
)
from copying import Ended, copy, ended, kferry, sides
from following import running
from judge import PATIENCE_S, client_config
from judging import Records, read_all
from mixing import Mix

from kferry.config import load_properties
from kferry.copying import position_key, read_all_runs, read_position
from kferry.ledger import Value, open_ledger, read_ledger
from kferry.names import PartitionId, SourceOffset, TargetOffset, TopicName
from kferry.names import TopicPartition as Partition
from kferry.offsets import OffsetMap, Place, Translated
from kferry.sandbox import Cluster, Sandbox
from kferry.wire import open_cluster

CUT_SHORT = "cut short"
"""What a copy says that has to settle."""
_NOT_YET = {
    KafkaError.NOT_LEADER_FOR_PARTITION,
    KafkaError.LEADER_NOT_AVAILABLE,
    KafkaError.UNKNOWN_TOPIC_OR_PART,
    KafkaError.UNKNOWN_LEADER_EPOCH,  # of a broker that has just come back
    KafkaError._TRANSPORT,
    KafkaError._TIMED_OUT,
}
_MARKERS = 3
"""A start writes a marker or so into each partition; more than these is growth."""


class Ends:
    """How long some topics are on a cluster, those that are not there counting as nothing."""

    def __init__(self, cluster: Cluster, topics: Iterable[str]) -> None:
        self._admin = AdminClient(dict(client_config(cluster.properties)))
        self._topics = set(topics)

    def total(self) -> int:
        """Add up; again while the brokers are about to make a topic."""
        while True:
            try:
                return self._total()
            except KafkaException as error:
                if error.args[0].code() not in _NOT_YET:
                    raise

    def grown(self, beyond: int) -> bool:
        return self.total() > beyond

    def _total(self) -> int:
        there = self._admin.list_topics(timeout=PATIENCE_S).topics
        places = [
            TopicPartition(name, number)
            for name in self._topics & there.keys()
            for number in there[name].partitions
        ]
        if not places:
            return 0
        latest = OffsetSpec.latest()  # type: ignore[no-untyped-call]  # its stubs say too little
        found = self._admin.list_offsets(dict.fromkeys(places, latest))
        return sum(future.result(PATIENCE_S).offset for future in found.values())


@dataclass(slots=True, kw_only=True)
class Ordeal:
    """One copy of a mix, and what is done to it."""

    sandbox: Sandbox
    mix: Mix
    rate: str
    """So slow that it is never done before it is killed."""
    say: Callable[[str], None] = print
    kills: int = 0
    settled: int = 0
    """How often a start said that it had to compare first."""
    _random: random.Random = field(init=False)
    _ends: Ends = field(init=False)

    def __post_init__(self) -> None:
        self._random = random.Random(f"{self.mix.seed} kills")
        self._ends = Ends(self.sandbox.target, self.mix.topics)

    @property
    def migration(self) -> str:
        return self.mix.prefix

    @property
    def selection(self) -> tuple[str, str]:
        return "--topic", f"{self.mix.prefix}-*"

    def kill_once(self) -> None:
        """Start or go on with the copy and kill it: mostly while records flow, or anywhere."""
        draw = self._random
        while_it_flows, delay = draw.random() < 0.75, draw.uniform(0.0, 1.5)
        grown = self._ends.total() + _MARKERS * self.mix.partitions
        with running(
            self.sandbox, *self.selection, "--rate", self.rate, migration=self.migration
        ) as run:
            if while_it_flows:
                run.until(lambda: self._ends.total() > grown)
            # Not a wait for anything: the moment itself.
            time.sleep(delay if while_it_flows else 2 * delay)
            assert run.process.poll() is None, f"it ended:\n{run.said}"
            run.process.kill()
            ended = run.ended()
        self.kills += 1
        self.settled += CUT_SHORT in ended.said
        self.say(
            f"kill {self.kills}: {'while it flowed' if while_it_flows else 'anywhere'}, "
            f"{delay:.2f} s, {self._ends.total():,} offsets on the target"
        )

    def finish(self) -> Ended:
        """Copy the rest as fast as it goes."""
        ended = copy(self.sandbox, *self.selection, migration=self.migration)
        assert ended.code == 0, f"{ended.code}\n{ended.said}\n{ended.result}"
        assert ended.result["stopped"] == ended.result["gaps"] == [], ended.result
        return ended

    def judge(self, ended: Ended) -> None:
        """Insist on every promise about a finished copy; `ended` is its last run."""
        records = self.mix.assert_copied(self.sandbox)
        on_target = sum(len(own) for topic in records.values() for own in topic.values())
        assert ended.result["total_records"] == on_target
        again = self.finish()
        assert again.result["records"] == 0, again.result
        assert again.result["total_records"] == on_target
        assert CUT_SHORT not in again.said, again.said
        self._verify(records)

    def _verify(self, records: Mapping[str, Records]) -> None:
        """Insist that kferry's own word is the same, by the digests that kills have left.

        It begins with the first record the map knows: what was settled before that is not counted.
        """
        told = ("-m", self.migration, "--json")
        ended_ = ended(kferry("verify", *sides(self.sandbox), *told))
        assert ended_.code == 0, f"{ended_.said}\n{ended_.result}"
        for told_of in ended_.result["partitions"]:
            there = records[told_of["topic"]].get(told_of["partition"], [])
            begins = told_of["target_range"][0]
            counted = told_of["same"] + told_of["expired_source"]
            assert counted == sum(one.offset >= begins for one in there), told_of
        numbers = {(one["topic"], one["partition"]) for one in ended_.result["partitions"]}
        assert numbers >= {
            (topic, number) for topic, own in records.items() for number in own if own[number]
        }


def assert_mapped(sandbox: Sandbox, migration: str, topics: Iterable[str]) -> int:
    """Insist that the ledger's map leads from every record to its equal; return how many."""
    documents = asyncio.run(_ledger(sandbox, migration))
    mapped = 0
    for topic in topics:
        source, target = read_all(sandbox.source, topic), read_all(sandbox.target, topic)
        for number in source:
            partition = Partition(TopicName(topic), PartitionId(number))
            key = position_key(partition)
            position = read_position(key, documents[key])
            offsets = OffsetMap(
                runs=read_all_runs(partition, position, documents),
                begins=SourceOffset(position.begins),
                copied_to=SourceOffset(position.copied_to),
                target_end=TargetOffset(position.next_target),
            )
            mapped += _agree(offsets, number, source, target)
    return mapped


async def _ledger(sandbox: Sandbox, migration: str) -> dict[str, Value]:
    settings = load_properties(sandbox.target.properties)
    async with open_cluster(settings) as cluster:
        ledger = await open_ledger(cluster, migration)
        assert ledger is not None
        contents = await read_ledger(cluster, ledger)
    assert not contents.unreadable
    return {
        key: found.value
        for own in contents.values()
        for key, found in own.items()
        if found.value is not None
    }


def _agree(offsets: OffsetMap, number: int, source: Records, target: Records) -> int:
    at = {one.offset: one for one in target[number]}
    for one in source[number]:
        found = offsets.to_target(SourceOffset(one.offset))
        assert isinstance(found, Translated), (number, one.offset, found)
        assert found.place is Place.RECORD, (number, one.offset, found)
        assert at[found.offset].content == one.content, (number, one.offset, found)
        assert offsets.to_source(TargetOffset(found.offset)) == Translated(one.offset, Place.RECORD)
    return len(source[number])
