"""How much there is to copy, how long that takes, and what it meets: space, retention, quotas.

Owns the arithmetic. Pure; `sizing_facts` asks the clusters. What could not be asked is None, and
makes None of what follows from it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from kferry.admin.quotas import Quota
from kferry.names import TopicName
from kferry.topics.facts import total

PRODUCE_QUOTA = "producer_byte_rate"
_MANY_REPLICAS = 4000
"""Per broker; from there on Kafka's own advice begins to warn."""
_DEFAULT: str | None = None
_ABSENT = "\0"
"""No entity is called so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicLoad:
    """A topic to be copied."""

    name: TopicName
    partitions: int
    replicas: int
    """On the target."""
    bytes: int | None
    """Of one copy, as it lies on disk, which is what goes over the wire."""
    records: int | None
    records_per_second: float | None
    retention_ms: int | None = None
    """None: time alone deletes nothing on the source, or what does is not known."""
    retention_bytes: int | None = None
    """Of each partition; None: size alone deletes nothing."""
    age_ms: int | None = None
    """Of its oldest record; None: not known, so it may be as old as retention allows."""

    @property
    def bytes_per_second(self) -> float | None:
        """How fast it grows, with records as large as the present ones."""
        if self.records_per_second is None or self.bytes is None or self.records is None:
            return None
        return self.records_per_second * self.bytes / self.records if self.records else 0.0

    @property
    def kept_seconds(self) -> float | None:
        """How long a record stays on the source once it is written; None: nothing deletes it."""
        growth = self.bytes_per_second
        limits = []
        if self.retention_ms is not None:
            limits.append(self.retention_ms / 1000)
        if self.retention_bytes is not None and growth:
            limits.append(self.retention_bytes * self.partitions / growth)
        return min(limits, default=None)

    def overtaken_after(self, seconds: float) -> float | None:
        """Tell after how long deletion meets a copy that takes `seconds`; None: it does not.

        Both walk from the oldest record to the newest: the copy through all of its age in the time
        it takes, deletion as fast as the clock, and `kept` behind the present.
        """
        kept = self.kept_seconds
        if kept is None or seconds <= kept:
            return None
        growth = self.bytes_per_second
        ages = [kept]
        if self.age_ms is not None:
            ages.append(max(self.age_ms / 1000, 0.0))
        if self.retention_ms is None and growth and self.bytes is not None:
            ages.append(self.bytes / growth)
        age = min(ages)
        return (kept - age) / (1 - age / seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class Overtaken:
    """A topic of which the source deletes records before they are copied."""

    topic: TopicName
    after_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetRoom:
    """What the target has and allows."""

    brokers: int
    replicas: int | None = None
    """Of all partitions it has now."""
    free_bytes: int | None = None
    quota: float | None = None
    """Bytes per second and broker that kferry may write."""
    offsets_kept_seconds: float | None = None
    """How long positions of a group that nobody uses are kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizing:
    """The answer."""

    bytes: int | None
    records: int | None
    unknown: tuple[TopicName, ...]
    """Topics whose size nobody told: the sums are without them."""
    disk_bytes: int | None
    """With all replicas."""
    fits: bool | None
    growth: float | None
    """Bytes per second that are written to the source meanwhile."""
    speed: float | None
    """Bytes per second of the copy."""
    limited_by: Literal["rate", "quota"] | None
    seconds: float | None
    """Until it has caught up."""
    never: bool
    """The source grows at least as fast."""
    allows_seconds: float | None
    """What source retention leaves at least; None: it does not matter, or is not known."""
    overtaken: tuple[Overtaken, ...]
    """The first comes first."""
    replicas_per_broker: float | None
    many_replicas: bool
    positions_expire: bool
    """Positions written when the copy begins would be gone when it has caught up."""


def size_up(loads: Sequence[TopicLoad], room: TargetRoom, *, rate: float | None) -> Sizing:
    """Put together what a copy of these topics at `rate` bytes per second meets."""
    amount = total(one.bytes for one in loads)
    growth = total(one.bytes_per_second for one in loads)
    speed, limited_by = _speed(rate, room)
    seconds, never = _duration(amount, growth or 0.0, speed)
    disk = total(None if one.bytes is None else one.bytes * one.replicas for one in loads)
    kept = [one.kept_seconds for one in loads if one.kept_seconds is not None]
    replicas = _replicas_per_broker(loads, room)
    return Sizing(
        bytes=amount,
        records=total(one.records for one in loads),
        unknown=tuple(sorted(one.name for one in loads if one.bytes is None)),
        disk_bytes=disk,
        fits=None if disk is None or room.free_bytes is None else disk <= room.free_bytes,
        growth=growth,
        speed=speed,
        limited_by=limited_by,
        seconds=seconds,
        never=never,
        allows_seconds=min(kept, default=None),
        overtaken=_overtaken(loads, seconds),
        replicas_per_broker=replicas,
        many_replicas=replicas is not None and replicas > _MANY_REPLICAS,
        positions_expire=None not in (seconds, room.offsets_kept_seconds)
        and (seconds or 0) > (room.offsets_kept_seconds or 0),
    )


def _speed(
    rate: float | None, room: TargetRoom
) -> tuple[float | None, Literal["rate", "quota"] | None]:
    allowed = None if room.quota is None else room.quota * room.brokers
    if allowed is not None and (rate is None or allowed < rate):
        return allowed, "quota"
    return rate, None if rate is None else "rate"


def _duration(amount: int | None, growth: float, speed: float | None) -> tuple[float | None, bool]:
    if amount is None or speed is None:
        return None, False
    if speed <= growth:
        return None, True
    return amount / (speed - growth), False


def _overtaken(loads: Iterable[TopicLoad], seconds: float | None) -> tuple[Overtaken, ...]:
    if seconds is None:
        return ()
    met = [
        Overtaken(topic=one.name, after_seconds=after)
        for one in loads
        if one.bytes and (after := one.overtaken_after(seconds)) is not None
    ]
    return tuple(sorted(met, key=lambda one: (one.after_seconds, one.topic)))


def _replicas_per_broker(loads: Iterable[TopicLoad], room: TargetRoom) -> float | None:
    if not room.brokers or room.replicas is None:
        return None
    added = sum(one.partitions * one.replicas for one in loads)
    return (room.replicas + added) / room.brokers


def quota_for(
    quotas: Iterable[Quota], *, user: str | None, client_id: str, limit: str = PRODUCE_QUOTA
) -> float | None:
    """Return the limit that a broker holds a client to: the most specific one counts."""
    limits = {
        (one.entity.get("user", _ABSENT), one.entity.get("client-id", _ABSENT)): one.limits[limit]
        for one in quotas
        if limit in one.limits and not set(one.entity) - {"user", "client-id"}
    }
    clients = (client_id, _DEFAULT, _ABSENT)
    users = (_DEFAULT, _ABSENT) if user is None else (user, _DEFAULT, _ABSENT)
    order = [(one, client) for one in users for client in clients]
    return next((limits[entity] for entity in order if entity in limits), None)


def quotas_below(
    quotas: Iterable[Quota], growth: float, *, brokers: int
) -> tuple[tuple[Quota, float], ...]:
    """Return quotas under which one client could not write what the source takes in now.

    With each goes what it allows over all brokers. Who writes how much, no broker tells.
    """
    allowed = [
        (one, one.limits[PRODUCE_QUOTA] * brokers) for one in quotas if PRODUCE_QUOTA in one.limits
    ]
    return tuple(pair for pair in allowed if pair[1] < growth)
