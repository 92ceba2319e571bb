"""What a shape works with: one cluster, the dice, and a few calls that every shape needs.

Owns the clients of one shape and the count of what they wrote. Knows no shape.
"""

import random
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field

from kferry.sandbox.cluster import Cluster
from kferry.sandbox.load.confluent import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    Consumer,
    ResourceType,
    Settings,
    TopicPartition,
    client_settings,
)
from kferry.sandbox.load.errors import LoadError, StoppedError
from kferry.sandbox.load.positions import committed
from kferry.sandbox.load.record import Record, dice
from kferry.sandbox.load.shape import Release, Scale, Shape, release_of
from kferry.sandbox.load.writer import TransactionalWriter, Writer
from kferry.sandbox.narration import Narrate, silent

_PATIENCE_S = 60.0
_TICK_S = 0.05
_IDEMPOTENT_SINCE = (0, 11)
_BATCH = 100
_NOBODY = "sandbox-load"  # a consumer must name a group even where it joins none


@dataclass(slots=True, kw_only=True)
class Workbench:
    """One shape's place of work."""

    cluster: Cluster
    shape: Shape
    seed: int
    scale: Scale
    lasting: bool
    """Whether processes we start outlive us; else they end with us."""
    stop: threading.Event
    """Set when nobody waits for the shape any more: it is left as it is, at once."""
    narrate: Narrate = silent
    records: int = 0
    notes: list[str] = field(default_factory=list)
    settings: Settings = field(init=False)
    _admin: AdminClient = field(init=False)
    """Kept: what a collected client was asked is never answered."""

    def __post_init__(self) -> None:
        self.settings = client_settings(self.cluster)
        self._admin = AdminClient(self.settings)

    @property
    def release(self) -> Release:
        """The cluster's version, to compare with."""
        return release_of(self.cluster.version)

    @property
    def topic(self) -> str:
        """The shape's only topic, or its first."""
        return self.shape.topics[0].name

    def dice(self, name: str = "") -> random.Random:
        """Return the source of chance for one part of the shape."""
        return dice(self.seed, f"{self.shape.name}/{name}")

    def amount(self, *, small: int, full: int) -> int:
        """Return how many, by scale."""
        return small if self.scale is Scale.SMALL else full

    @contextmanager
    def writer(
        self, *, batch: int = _BATCH, codec: str = "none", idempotent: bool = True
    ) -> Iterator[Writer]:
        """Open a producer; its records count for this shape."""
        idempotent = idempotent and self.release >= _IDEMPOTENT_SINCE
        with Writer(
            self.settings, idempotent=idempotent, batch=batch, codec=codec, stop=self.stop
        ) as writer:
            yield writer
        self.records += writer.written

    @contextmanager
    def transactional_writer(
        self, name: str, *, batch: int = _BATCH, timeout_ms: int = 60_000
    ) -> Iterator[TransactionalWriter]:
        """Open a producer with a transactional id."""
        with TransactionalWriter(
            self.settings,
            transactional_id=f"load-{self.shape.name}-{name}",
            batch=batch,
            timeout_ms=timeout_ms,
            stop=self.stop,
        ) as writer:
            yield writer
        self.records += writer.written

    def write(
        self,
        records: Iterable[Record],
        *,
        topic: str = "",
        batch: int = _BATCH,
        codec: str = "none",
    ) -> None:
        """Write records into one topic with a producer of their own."""
        with self.writer(batch=batch, codec=codec) as writer:
            writer.write(topic or self.topic, records)

    def delete_records(self, topic: str, before: Mapping[int, int]) -> None:
        """Delete from partitions all records before an offset each."""
        wanted = [TopicPartition(topic, number, offset) for number, offset in before.items()]
        for future in self._admin.delete_records(wanted).values():
            future.result(_PATIENCE_S)

    def commit(self, group: str, positions: Iterable[TopicPartition]) -> None:
        """Commit positions as a consumer does that assigns partitions to itself."""
        settings = {**self.settings, "group.id": group, "enable.auto.commit": False}
        wanted = list(positions)
        with closing(Consumer(settings)) as consumer:
            self.wait_until(lambda: committed(consumer, wanted), f"a coordinator for {group}")

    def set_group_config(self, group: str, name: str, value: str) -> None:
        """Change one setting of a group (KIP-848 gave groups settings)."""
        change = ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET)
        resource = ConfigResource(ResourceType.GROUP, group, incremental_configs=[change])
        for future in self._admin.incremental_alter_configs([resource]).values():
            future.result(_PATIENCE_S)

    def broker_setting(self, name: str) -> int:
        """Return a number from the settings of the first broker."""
        broker = ConfigResource(ResourceType.BROKER, str(self.cluster.brokers[0].number))
        (future,) = self._admin.describe_configs([broker]).values()
        return int(future.result(_PATIENCE_S)[name].value)

    def wait_until(
        self, done: Callable[[], bool], what: str, *, patience_s: float = _PATIENCE_S
    ) -> None:
        """Ask until `done` says yes; `what` names that which did not come."""
        deadline = time.monotonic() + patience_s
        while not done():
            if time.monotonic() > deadline:
                raise LoadError(f"{what} did not come within {patience_s:.0f} s")
            if self.stop.wait(_TICK_S):
                raise StoppedError

    def wait_for_bounds(
        self,
        topic: str,
        partition: int,
        wanted: tuple[int, int],
        *,
        patience_s: float = _PATIENCE_S,
    ) -> None:
        """Wait until a partition's log starts and ends at these offsets, markers included."""
        settings: Settings = {"group.id": _NOBODY, "isolation.level": "read_uncommitted"}
        place = TopicPartition(topic, partition)
        with closing(Consumer({**self.settings, **settings})) as consumer:
            self.wait_until(
                lambda: consumer.get_watermark_offsets(place, timeout=_PATIENCE_S) == wanted,
                f"a log from {wanted[0]} to {wanted[1]} in {topic}-{partition}",
                patience_s=patience_s,
            )
