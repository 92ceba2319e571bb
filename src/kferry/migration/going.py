"""What retention will take once it works again: about how much of each topic, and from whom.

Owns the estimate and its reasons. Brokers delete whole segments, and later than they might: this is
what may go, not what is gone in a minute. Asks, and changes nothing.
"""

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from kferry.admin.log_dirs import disks
from kferry.admin.offsets import ListedOffset, Place, list_offsets, offsets_at
from kferry.admin.topic_defaults import topic_defaults
from kferry.config import TopicSelection
from kferry.groups import take_groups
from kferry.migration.book import TopicEntry
from kferry.names import GroupId, TopicName, TopicPartition
from kferry.topics.effective import effective_configs
from kferry.wire import Cluster, WireError

_POLICY, _MS, _BYTES = "cleanup.policy", "retention.ms", "retention.bytes"
_KAFKAS_OWN = {_POLICY: "delete", _MS: "604800000", _BYTES: "-1"}
"""For targets that do not tell what a topic has by default."""
_NO_SUCH_TOPIC = TopicName("kferry-asks-for-defaults")


@dataclass(frozen=True, slots=True, kw_only=True)
class Going:
    """What may go of one topic of the target."""

    topic: TopicName
    offsets: int
    bytes: int | None
    """About; None where the brokers do not tell sizes."""
    total_bytes: int | None
    why: str
    """By which setting."""
    compacted: bool
    """Whether the cleaner will work on it: of each key the newest record stays."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Behind:
    """A group of the target that has yet to read what may go."""

    group: GroupId
    place: TopicPartition
    position: int
    up_to: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """All of it."""

    going: tuple[Going, ...]
    behind: tuple[Behind, ...]


NOTHING_GOES = Outlook(going=(), behind=())


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rules:
    policy: str
    ms: int
    bytes: int

    @property
    def words(self) -> str:
        found = [f"{_MS}={self.ms}"] if self.ms >= 0 else []
        return ", ".join(found + ([f"{_BYTES}={self.bytes}"] if self.bytes >= 0 else []))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Logs:
    starts: Mapping[TopicPartition, int]
    ends: Mapping[TopicPartition, int]
    sizes: Mapping[TopicPartition, int] | None
    """None where the brokers do not tell."""


async def outlook(target: Cluster, waiting: Sequence[TopicEntry]) -> Outlook:
    """Estimate what goes when these topics have their own settings."""
    rules = await _rules(target, waiting)
    metadata = await target.refresh({one.target for one in waiting})
    places = [
        TopicPartition(name, one.id)
        for name in rules
        if name in metadata.topics
        for one in metadata.topics[name].partitions
    ]
    logs = _Logs(
        starts=await offsets_at(target, places, Place.START),
        ends=await offsets_at(target, places, Place.END),
        sizes=await _sizes(target, places),
    )
    up_to = await _by_time(target, places, rules, logs)
    for place in places:
        up_to[place] = max(up_to[place], logs.starts[place], _by_size(place, rules, logs))
    return Outlook(
        going=tuple(
            _going(own, rules[name], logs, up_to)
            for name in sorted(rules)
            if (own := [one for one in places if one.topic == name])
        ),
        behind=tuple(await _behind(target, up_to, logs)),
    )


async def _rules(target: Cluster, waiting: Sequence[TopicEntry]) -> dict[TopicName, _Rules]:
    """Tell what each topic will have. What finds no value is Kafka's own default."""
    now = await effective_configs(target, [one.target for one in waiting])
    try:
        defaults = await topic_defaults(target, _NO_SUCH_TOPIC)
    except WireError:
        defaults = None

    def value(entry: TopicEntry, name: str) -> str:
        if name in entry.finish and entry.finish[name] is not None:
            return str(entry.finish[name])
        configs = now[entry.target]
        if name not in entry.finish and not isinstance(configs, WireError) and name in configs:
            return str(configs[name].value)
        found = None if defaults is None else defaults.configs.get(name)
        return found or _KAFKAS_OWN[name]

    return {
        entry.target: _Rules(
            policy=value(entry, _POLICY),
            ms=int(value(entry, _MS)),
            bytes=int(value(entry, _BYTES)),
        )
        for entry in waiting
    }


async def _sizes(
    target: Cluster, places: Iterable[TopicPartition]
) -> dict[TopicPartition, int] | None:
    found: dict[TopicPartition, int] = {}
    for answer in (await disks(target)).values():
        if isinstance(answer, WireError):
            return None
        for disk in answer:
            for place, size in disk.sizes.items():
                found[place] = max(found.get(place, 0), size)  # of the copies, the largest
    return {place: found.get(place, 0) for place in places}


async def _by_time(
    target: Cluster,
    places: Sequence[TopicPartition],
    rules: Mapping[TopicName, _Rules],
    logs: _Logs,
) -> dict[TopicPartition, int]:
    """Return up to where records are older than their topic keeps them; 0: none is."""
    found = dict.fromkeys(places, 0)
    by_age: dict[int, list[TopicPartition]] = {}
    for place in places:
        own = rules[place.topic]
        if "delete" in own.policy and own.ms >= 0:
            by_age.setdefault(own.ms, []).append(place)
    now = int(time.time() * 1000)
    for age, own_places in by_age.items():
        for place, listed in (await list_offsets(target, own_places, max(0, now - age))).items():
            if isinstance(listed, ListedOffset):
                found[place] = logs.ends[place] if listed.offset < 0 else listed.offset
    return found


def _by_size(place: TopicPartition, rules: Mapping[TopicName, _Rules], logs: _Logs) -> int:
    own = rules[place.topic]
    size = 0 if logs.sizes is None else logs.sizes[place]
    if "delete" not in own.policy or own.bytes < 0 or size <= own.bytes:
        return 0
    count = logs.ends[place] - logs.starts[place]
    return logs.starts[place] + count * (size - own.bytes) // size


def _going(
    places: Sequence[TopicPartition],
    rules: _Rules,
    logs: _Logs,
    up_to: Mapping[TopicPartition, int],
) -> Going:
    gone = {one: up_to[one] - logs.starts[one] for one in places}
    sizes = logs.sizes
    return Going(
        topic=places[0].topic,
        offsets=sum(gone.values()),
        bytes=None
        if sizes is None
        else sum(
            sizes[one] * gone[one] // max(1, logs.ends[one] - logs.starts[one]) for one in places
        ),
        total_bytes=None if sizes is None else sum(sizes[one] for one in places),
        why=rules.words,
        compacted="compact" in rules.policy,
    )


async def _behind(
    target: Cluster, up_to: Mapping[TopicPartition, int], logs: _Logs
) -> list[Behind]:
    at_risk = {place: end for place, end in up_to.items() if end > logs.starts[place]}
    if not at_risk:
        return []
    selection = TopicSelection(exact=frozenset(place.topic for place in at_risk))
    found = []
    for group in (await take_groups(target, selection)).groups:
        for one in group.positions or ():
            place = TopicPartition(one.topic, one.partition)
            if one.offset is not None and one.offset < at_risk.get(place, 0):
                behind = Behind(
                    group=group.id, place=place, position=one.offset, up_to=at_risk[place]
                )
                found.append(behind)
    return found
