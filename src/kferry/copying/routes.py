"""Which broker serves which lane, on both sides, and how that changes.

Owns the readers and writers and the lanes' places at them. Looks at the metadata when somebody says
that it is stale, and every few seconds in any case.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass, field

from kferry.copying.lane import Lane, Phase, Trouble
from kferry.copying.places import remade
from kferry.copying.reader import Reader
from kferry.copying.writer import Writer
from kferry.names import BrokerId, TopicName
from kferry.wire import Cluster, Metadata, WireError

_EVERY_S = 5.0
_LEAST_S = 0.2
_PREFERRED_S = 300.0
"""As long as Kafka's own clients keep to a replica before they ask the leader again."""
_MISSING_LOOKS = 5
"""Looks in a row without a topic, until it counts as deleted and not as forgotten by one broker."""


@dataclass(slots=True, kw_only=True, eq=False)
class Side:
    """One cluster, its lanes' topics and the loops that serve them."""

    name: str
    cluster: Cluster
    topic_of: Callable[[Lane], TopicName]
    stale: asyncio.Event = field(default_factory=asyncio.Event)
    ids: dict[TopicName, str] = field(default_factory=dict)
    """The topic ids that the copy began with."""
    missing: dict[TopicName, int] = field(default_factory=dict)


class Routes:
    """Keeps every lane at the loops of its two leaders."""

    def __init__(
        self,
        source: Side,
        target: Side,
        *,
        make_reader: Callable[[BrokerId], Reader],
        make_writer: Callable[[BrokerId], Writer],
        spawn: Callable[[Coroutine[None, None, None]], None],
        doubted: Callable[[Lane], None],
        epoch_changed: Callable[[Lane], None],
    ) -> None:
        self.source, self.target = source, target
        self.lanes: list[Lane] = []
        self.readers: dict[BrokerId, Reader] = {}
        self.writers: dict[BrokerId, Writer] = {}
        self._reader_of: dict[Lane, Reader] = {}
        self._writer_of: dict[Lane, Writer] = {}
        self._make_reader, self._make_writer = make_reader, make_writer
        self._spawn = spawn
        self._doubted, self._epoch_changed = doubted, epoch_changed
        self._epochs: dict[Lane, int] = {}
        self._preferred: dict[Lane, tuple[BrokerId, float]] = {}
        self.under_replicated: dict[str, int] = {"source": 0, "target": 0}

    def add(self, lanes: Iterable[Lane]) -> None:
        """Take in lanes; they get their places at the next look, which is asked for."""
        self.lanes += lanes
        self.source.stale.set()
        self.target.stale.set()

    def offer(self, lane: Lane) -> None:
        """Tell a lane's writer that it has something to send."""
        if writer := self._writer_of.get(lane):
            writer.offer(lane)

    def prefer(self, lane: Lane, broker: BrokerId | None) -> None:
        """Read a lane from a replica nearer to us, for a while, or from its leader again."""
        if broker is None:
            if self._preferred.pop(lane, None) is not None:
                self.source.stale.set()
        elif broker in self.source.cluster.metadata.brokers:
            until = asyncio.get_running_loop().time() + _PREFERRED_S
            self._preferred[lane] = (broker, until)
            self._read_at(lane, broker)

    def _reading_from(self, lane: Lane, leader: BrokerId, metadata: Metadata) -> BrokerId:
        broker, until = self._preferred.get(lane, (leader, 0.0))
        if broker in metadata.brokers and asyncio.get_running_loop().time() < until:
            return broker
        self._preferred.pop(lane, None)
        return leader

    def wake_reader(self, lane: Lane) -> None:
        """Tell a lane's reader that it may go on."""
        if reader := self._reader_of.get(lane):
            reader.wake.set()

    def wake_all(self) -> None:
        """Tell every loop that something changed for it: the rate, a pause, the lease."""
        for reader in self.readers.values():
            reader.wake.set()
        for writer in self.writers.values():
            writer.wake.set()

    async def keep(self, side: Side) -> None:
        """Follow the metadata of one side until cancelled."""
        while True:
            side.stale.clear()
            try:
                metadata = await side.cluster.refresh({side.topic_of(lane) for lane in self.lanes})
            except WireError as error:
                for lane in self.lanes:
                    if lane.phase is not Phase.STOPPED:
                        lane.hindrance = f"{side.name}: {error}"
                await asyncio.sleep(_LEAST_S)
                side.stale.set()
            else:
                self._compare(side, metadata)
                self._place(side, metadata)
            try:
                async with asyncio.timeout(_EVERY_S):
                    await side.stale.wait()
            except TimeoutError:
                continue
            await asyncio.sleep(_LEAST_S)  # many lanes say so at once

    def _compare(self, side: Side, metadata: Metadata) -> None:
        """Insist that the topics are those that the copy began with (KIP-516)."""
        for name in {side.topic_of(lane) for lane in self.lanes}:
            topic = metadata.topics.get(name)
            gone = topic is None or topic.error_code == 3
            side.missing[name] = side.missing.get(name, 0) + 1 if gone else 0
            if side.missing[name] >= _MISSING_LOOKS:
                self._end(side, name)
            elif topic is not None and topic.id is not None:
                known = side.ids.setdefault(name, str(topic.id))
                if known != str(topic.id):
                    self._end(side, name, known=known, now=str(topic.id))
            if gone:
                side.stale.set()

    def _end(self, side: Side, name: TopicName, *, known: str = "", now: str = "") -> None:
        gone = f"{name} is no longer on the {side.name}"
        for lane in self.lanes:
            if side.topic_of(lane) == name and lane.phase is not Phase.STOPPED:
                lane.stop(
                    remade(side.name, lane, name, known, now)
                    if now
                    else Trouble(code="topic-deleted", reason=gone, offset=lane.copied_to)
                )

    def _place(self, side: Side, metadata: Metadata) -> None:
        behind = 0
        for lane in self.lanes:
            partition = lane.source if side is self.source else lane.target
            topic = metadata.topics.get(partition.topic)
            found = None if topic is None else topic.partition(partition.partition)
            if found is None or found.leader is None:
                if lane.phase is not Phase.STOPPED:
                    lane.hindrance = f"{side.name}: {partition} has no leader just now"
                side.stale.set()
                continue
            behind += found.under_replicated
            if lane.phase is Phase.FLOWING and lane.hindrance.startswith(f"{side.name}: "):
                lane.hindrance = ""  # whoever is still hindered says so again at once
            if side is self.source:
                self._read_at(lane, self._reading_from(lane, found.leader, metadata))
                self._note_epoch(lane, found.leader_epoch)
            else:
                self._write_at(lane, found.leader)
        self.under_replicated[side.name] = behind

    def _read_at(self, lane: Lane, broker: BrokerId) -> None:
        reader = self.readers.get(broker)
        if reader is None:
            reader = self.readers[broker] = self._make_reader(broker)
            self._spawn(reader.run())
        old = self._reader_of.get(lane)
        if old is not reader:
            if old is not None:
                old.lanes.discard(lane)
            self._reader_of[lane] = reader
            reader.lanes.add(lane)
        reader.wake.set()

    def _note_epoch(self, lane: Lane, epoch: int) -> None:
        """Where another leader rules, look whether the log is still the one we copied (KIP-320)."""
        before = self._epochs.get(lane)
        self._epochs[lane] = epoch
        resumed = before is None and lane.leader_epoch >= 0
        if epoch >= 0 and (resumed or before not in {None, epoch}):
            self._epoch_changed(lane)

    def _write_at(self, lane: Lane, broker: BrokerId) -> None:
        writer = self.writers.get(broker)
        if writer is None:
            writer = self.writers[broker] = self._make_writer(broker)
            self._spawn(writer.run())
        old = self._writer_of.get(lane)
        if old is writer:
            return
        if old is not None:
            old.release(lane)
            if lane.in_flight:  # what the former leader made of it is not known
                lane.doubt(f"target: {lane.target} has another leader")
                self._doubted(lane)
            lane.proven = False
        self._writer_of[lane] = writer
        writer.lanes.add(lane)
        writer.offer(lane)
