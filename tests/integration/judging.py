"""The independent reader: what stands in two clusters, and whether it is the same.

Owns reading to the end with confluent-kafka, and the comparison. Nothing of kferry that moves
records is used here, so that nobody marks their own homework.
"""

import re
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from confluent_kafka import (
    TIMESTAMP_NOT_AVAILABLE,
    Consumer,
    IsolationLevel,
    KafkaError,
    KafkaException,
    Message,
    TopicPartition,
)
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # its stubs export too little
    AdminClient,
    OffsetSpec,
)
from judge import PATIENCE_S, client_config

from kferry.sandbox import Cluster

Isolation = Literal["read_committed", "read_uncommitted"]
Headers = tuple[tuple[str, bytes | None], ...]
_AT_ONCE = 10_000
_SHOWN = 80
_EXAMPLES = 5
_NUMBER = re.compile(rb"(\d+)")
_PASSING = {
    KafkaError._TRANSPORT,
    KafkaError._ALL_BROKERS_DOWN,
    KafkaError._TIMED_OUT,
    KafkaError.NOT_LEADER_FOR_PARTITION,
    KafkaError.LEADER_NOT_AVAILABLE,
    KafkaError.UNKNOWN_TOPIC_OR_PART,  # metadata of a broker that has just come back
}


class Seen(NamedTuple):
    """One record as a consumer gets it."""

    offset: int
    timestamp: int
    """-1 where the record has none."""
    timestamp_type: int
    key: bytes | None
    value: bytes | None
    headers: Headers

    @property
    def content(self) -> tuple[bytes | None, bytes | None, Headers, int]:
        """What a copy must keep: all but the offset, and who set the time."""
        return self.key, self.value, self.headers, self.timestamp


Records = dict[int, list[Seen]]
"""By partition; one that is empty is there, too."""


def read_all(
    cluster: Cluster,
    topic: str,
    isolation: Isolation = "read_committed",
    *,
    patience_s: float = 120.0,
) -> Records:
    """Read a topic from its start to the end it has now: the last stable one, if committed.

    What is written meanwhile is left out, so that two reads can be compared.
    """
    config = client_config(cluster.properties)
    ends = _ends(config, topic, isolation)
    records: Records = {partition: [] for partition in ends}
    open_ = {partition for partition, end in ends.items() if end > 0}
    if not open_:
        return records
    deadline = time.monotonic() + patience_s
    with closing(Consumer({**config, **_READING, "isolation.level": isolation})) as consumer:
        consumer.assign([TopicPartition(topic, partition, 0) for partition in sorted(open_)])
        while open_:
            assert time.monotonic() < deadline, (
                f"{topic}: no end came of {sorted(open_)} within {patience_s:.0f} s; "
                f"ends {ends}, read { ({number: len(found) for number, found in records.items()}) }"
            )
            for message in consumer.consume(_AT_ONCE, timeout=0.1):
                _take(message, ends, records, open_)
    return records


_READING = {
    "group.id": "judge",
    "enable.auto.commit": False,
    "enable.partition.eof": True,
    "auto.offset.reset": "earliest",  # a log that does not start at 0
    "check.crcs": True,
}


def _ends(config: Mapping[str, str], topic: str, isolation: Isolation) -> dict[int, int]:
    admin = AdminClient(dict(config))  # kept: its futures die with it
    described = admin.list_topics(topic, timeout=PATIENCE_S).topics[topic]
    if described.error is not None:
        raise KafkaException(described.error)
    level = (
        IsolationLevel.READ_COMMITTED
        if isolation == "read_committed"
        else IsolationLevel.READ_UNCOMMITTED
    )
    latest = OffsetSpec.latest()  # type: ignore[no-untyped-call]  # its stubs say too little
    wanted = {TopicPartition(topic, number): latest for number in described.partitions}
    listed = admin.list_offsets(wanted, isolation_level=level)
    return {
        place.partition: future.result(PATIENCE_S).offset
        for place, future in sorted(listed.items(), key=lambda item: item[0].partition)
    }


def _take(message: Message, ends: Mapping[int, int], records: Records, open_: set[int]) -> None:
    error, partition = message.error(), message.partition()
    if error is not None:
        # The end of a partition comes behind markers and holes, too, which are no messages.
        if error.code() == KafkaError._PARTITION_EOF:
            assert partition is not None
            open_.discard(partition)
        elif error.code() not in _PASSING:
            raise KafkaException(error)
        return
    offset = message.offset()
    assert partition is not None
    assert offset is not None
    if offset < ends[partition]:
        records[partition].append(_seen(offset, message))
    if offset >= ends[partition] - 1:
        open_.discard(partition)


def _seen(offset: int, message: Message) -> Seen:
    kind, timestamp = message.timestamp()
    given: Any = message.headers() or ()  # a list of pairs, whatever the type says
    return Seen(
        offset=offset,
        timestamp=-1 if kind == TIMESTAMP_NOT_AVAILABLE or timestamp < 0 else timestamp,
        timestamp_type=kind,
        key=_bytes(message.key()),
        value=_bytes(message.value()),
        headers=tuple((name, _bytes(value)) for name, value in given),
    )


def _bytes(value: str | bytes | None) -> bytes | None:
    return value.encode() if isinstance(value, str) else value


def assert_same(
    source_cluster: Cluster,
    target_cluster: Cluster,
    topic: str,
    *,
    target_topic: str | None = None,
    compacted: bool = False,
    target_isolation: Isolation = "read_uncommitted",
) -> None:
    """Insist that a finished copy is exact.

    The source is read committed: aborted records do not belong to it. The target is read
    uncommitted, because nothing may be there that only a careful consumer would not see.
    """
    source = read_all(source_cluster, topic)
    target = read_all(target_cluster, target_topic or topic, target_isolation)
    same_records(source, target, compacted=compacted, topic=topic)


def same_records(
    source: Mapping[int, Sequence[Seen]],
    target: Mapping[int, Sequence[Seen]],
    *,
    compacted: bool = False,
    written: Mapping[int, Sequence[Seen]] | None = None,
    topic: str = "",
) -> None:
    """Insist that what was read on both sides is the same, partition by partition.

    `compacted`: the cleaner may have taken records on the source since they were copied. With
    `written`, all that was ever on the source, the target may hold nothing else and nothing twice.
    """
    assert list(source) == list(target), (
        f"{topic}: partitions {list(source)} on the source, {list(target)} on the target"
    )
    compare = _same_compacted if compacted else _same_exactly
    troubles = [
        f"{topic}-{partition}: {trouble}"
        for partition in source
        for trouble in compare(source[partition], target[partition])
    ]
    for partition, own in (written or {}).items():
        stray = _first_missing(target[partition], own)
        if stray is not None:
            troubles.append(
                f"{topic}-{partition}: of what was written, in its order, the target's is no part; "
                f"first: {_shown(stray)}"
            )
    assert not troubles, "\n".join(troubles)


def _same_exactly(source: Sequence[Seen], target: Sequence[Seen]) -> list[str]:
    here, there = [one.content for one in source], [one.content for one in target]
    if here == there:
        return []
    index = next(
        (n for n, (a, b) in enumerate(zip(here, there, strict=False)) if a != b),
        min(len(here), len(there)),
    )
    lost, more = Counter(here) - Counter(there), Counter(there) - Counter(here)
    nature = f"{lost.total():,} lost, {more.total():,} too many" if lost or more else "reordered"
    trouble = (
        f"{len(source):,} records on the source, {len(target):,} on the target: {nature}; "
        f"they differ first at record {index:,}:\n"
        f"  source {_shown(source[index] if index < len(source) else None)}\n"
        f"  target {_shown(target[index] if index < len(target) else None)}"
    )
    return [trouble]


def _same_compacted(source: Sequence[Seen], target: Sequence[Seen]) -> list[str]:
    troubles = []
    missing = _first_missing(source, target)
    if missing is not None:
        troubles.append(
            f"{len(source):,} records on the source are not, in their order, among the "
            f"{len(target):,} on the target; first: {_shown(missing)}"
        )
    here, there = _last(source), _last(target)
    wrong = [
        key
        for key in here | there
        if key not in here or key not in there or here[key].value != there[key].value
    ]
    if wrong:
        troubles.append(
            f"{len(wrong):,} of {len(here):,} keys have another last value; first {wrong[0]!r}:\n"
            f"  source {_shown(here.get(wrong[0]))}\n"
            f"  target {_shown(there.get(wrong[0]))}"
        )
    allowed = Counter(one.content for one in source)
    again = [
        content
        for content, times in Counter(one.content for one in target).items()
        if times > max(1, allowed[content])
    ]
    if again:
        places = [one for one in target if one.content == again[0]]
        troubles.append(
            f"{len(again):,} records stand more than once on the target; first at offsets "
            f"{', '.join(str(one.offset) for one in places)}: {_shown(places[0])}"
        )
    return troubles


def _last(records: Iterable[Seen]) -> dict[bytes | None, Seen]:
    """Return what a table made of a topic holds: a deleted key is like none."""
    last = {one.key: one for one in records}
    return {key: one for key, one in last.items() if one.value is not None}


def _first_missing(part: Sequence[Seen], whole: Sequence[Seen]) -> Seen | None:
    """Return the first record that keeps `part` from being a subsequence of `whole`."""
    rest = iter(whole)
    for one in part:
        if all(other.content != one.content for other in rest):
            return one
    return None


def _shown(one: Seen | None) -> str:
    if one is None:
        return "has none"
    headers = f", {len(one.headers)} headers {_short(one.headers)}" if one.headers else ""
    return (
        f"offset {one.offset:,}: key {_short(one.key)}, value {_short(one.value)}, "
        f"time {one.timestamp}{headers}"
    )


def _short(thing: object) -> str:
    text = repr(thing)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}… ({len(text):,} characters)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What became of numbered records. `examples` are a few of each kind of trouble."""

    sent: int
    seen: int
    lost: int
    repeated: int
    reordered: int
    strange: int
    """Nobody sent them."""
    examples: Mapping[str, Sequence[int]]

    @property
    def exact(self) -> bool:
        return not (self.lost or self.repeated or self.reordered or self.strange)


def number_in(record: Seen) -> int:
    """Return the first number in a value: `123`, `order-123 …`."""
    found = _NUMBER.search(record.value or b"")
    assert found is not None, f"there is no number in {_shown(record)}"
    return int(found.group())


def judge(
    records: Mapping[int, Iterable[Seen]],
    sent: Collection[int],
    *,
    number: Callable[[Seen], int] = number_in,
) -> Verdict:
    """Judge records whose numbers ascend within each partition, wherever each was sent to."""
    times: Counter[int] = Counter()
    late: list[int] = []
    for partition in records.values():
        highest = -1
        for one in map(number, partition):
            if one < highest and not times[one]:
                late.append(one)
            highest = max(highest, one)
            times[one] += 1
    wanted = set(sent)
    assert len(wanted) == len(sent), "numbers are given once each"
    lost, strange = sorted(wanted - times.keys()), sorted(times.keys() - wanted)
    again = sorted(one for one, seen in times.items() if seen > 1)
    return Verdict(
        sent=len(wanted),
        seen=len(wanted & times.keys()),
        lost=len(lost),
        repeated=times.total() - len(times),
        reordered=len(late),
        strange=len(strange),
        examples={
            name: some[:_EXAMPLES]
            for name, some in {
                "lost": lost,
                "repeated": again,
                "reordered": late,
                "strange": strange,
            }.items()
            if some
        },
    )
