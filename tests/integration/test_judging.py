"""The judge himself: what is equal passes, and every kind of fault is found and told."""

import dataclasses
import time
import uuid
from collections.abc import Sequence

import pytest
from cleaning import busy_cleaner, clean
from confluent_kafka import Producer, TopicPartition
from inspecting import admin_of
from judge import PATIENCE_S, client_config
from judging import Records, Seen, assert_same, judge, read_all, same_records
from test_inspect_topics import make

from kferry.sandbox import Cluster, Sandbox


def seen(offset: int, value: bytes | None, key: bytes | None = b"k", **more: int) -> Seen:
    return Seen(
        offset=offset,
        timestamp=more.get("timestamp", 1000),
        timestamp_type=more.get("timestamp_type", 1),
        key=key,
        value=value,
        headers=(("h", b"1"), ("h", None)),
    )


def log(*values: bytes | None, first: int = 0) -> Records:
    return {0: [seen(first + n, value) for n, value in enumerate(values)]}


def test_offsets_and_who_set_the_time_may_differ() -> None:
    target = [one._replace(offset=one.offset + 7, timestamp_type=2) for one in log(b"a", b"b")[0]]
    same_records(log(b"a", b"b"), {0: target})


@pytest.mark.parametrize(
    ("target", "told"),
    [
        (log(b"a", b"c"), "1 lost, 0 too many"),
        (log(b"a", b"b", b"b", b"c"), "0 lost, 1 too many"),
        (log(b"a", b"c", b"b"), "reordered"),
        (log(b"a", b"b", b"x"), "1 lost, 1 too many"),
        ({0: [*log(b"a", b"b")[0], seen(2, b"c", b"other")]}, "key b'other'"),
        ({0: [*log(b"a", b"b")[0], seen(2, b"c", timestamp=1001)]}, "time 1001"),
        ({0: [*log(b"a", b"b")[0], seen(2, b"c")._replace(headers=())]}, "1 lost, 1 too many"),
        ({**log(b"a", b"b", b"c"), 1: []}, "partitions"),
    ],
)
def test_every_difference_fails_and_is_told(target: Records, told: str) -> None:
    with pytest.raises(AssertionError, match=told):
        same_records(log(b"a", b"b", b"c"), target, topic="t")


def test_the_first_difference_has_both_offsets() -> None:
    with pytest.raises(AssertionError) as caught:
        same_records(log(b"a", b"b", first=40), log(b"a", b"x", first=7), topic="t")
    assert "t-0: 2 records on the source, 2 on the target" in str(caught.value)
    assert "source offset 41: key b'k', value b'b'" in str(caught.value)
    assert "target offset 8: key b'k', value b'x'" in str(caught.value)


def keyed(*pairs: tuple[str, str | None]) -> Records:
    return {
        0: [
            seen(n, None if value is None else value.encode(), key.encode())
            for n, (key, value) in enumerate(pairs)
        ]
    }


def test_what_the_cleaner_took_since_may_still_be_on_the_target() -> None:
    target = keyed(("a", "1"), ("b", "1"), ("a", "2"), ("c", "1"), ("c", None))
    same_records(keyed(("b", "1"), ("a", "2")), target, compacted=True, written=target)


@pytest.mark.parametrize(
    ("target", "told"),
    [
        (keyed(("a", "1"), ("a", "2")), "not, in their order"),
        (keyed(("a", "2"), ("b", "1")), "not, in their order"),
        (keyed(("b", "1"), ("a", "2"), ("b", "0")), "another last value; first b'b'"),
        (keyed(("b", "1"), ("a", "2"), ("z", "1")), "another last value; first b'z'"),
        (keyed(("a", "1"), ("b", "1"), ("a", "1"), ("a", "2")), "more than once"),
        (keyed(("b", "1"), ("a", "9"), ("a", "2")), "what was written"),
    ],
)
def test_of_compacted_topics_too(target: Records, told: str) -> None:
    written = keyed(("a", "1"), ("b", "1"), ("a", "2"))
    with pytest.raises(AssertionError, match=told):
        same_records(keyed(("b", "1"), ("a", "2")), target, compacted=True, written=written)


def test_numbered_records_are_counted() -> None:
    records = {0: log(b"0", b"2", b"4")[0], 1: log(b"1", b"3", b"3", b"2", b"99", b"5")[0]}
    verdict = judge(records, range(8))
    assert dataclasses.asdict(verdict) == {
        "sent": 8,
        "seen": 6,
        "lost": 2,
        "repeated": 2,
        "reordered": 1,
        "strange": 1,
        "examples": {"lost": [6, 7], "repeated": [2, 3], "reordered": [5], "strange": [99]},
    }
    assert not verdict.exact
    assert judge({0: log(b"order-0 x1", b"order-1")[0]}, range(2)).exact


def put(cluster: Cluster, topic: str, records: Sequence[Seen], partition: int = 0) -> None:
    producer = Producer(client_config(cluster.properties))
    for one in records:
        producer.produce(
            topic,
            one.value,
            one.key,
            partition=partition,
            timestamp=one.timestamp,
            headers=[*one.headers],
        )
    assert producer.flush(PATIENCE_S) == 0


def test_what_was_put_is_what_is_read_on_both_sides(plain: Sandbox) -> None:
    source, target = make(plain.source, "same", partitions=3), make(plain.target, "t", partitions=3)
    now = int(time.time() * 1000)
    records = [seen(n, b"%d" % n, None, timestamp=now + n) for n in range(25_000)]
    records.append(seen(25_000, None, timestamp=now))
    put(plain.source, source, records)
    put(plain.target, target, records)
    assert read_all(plain.source, source) == {0: records, 1: [], 2: []}
    assert_same(plain.source, plain.target, source, target_topic=target)
    put(plain.target, target, [records[0]], partition=2)
    with pytest.raises(AssertionError, match=f"{source}-2: 0 records on the source, 1 on the"):
        assert_same(plain.source, plain.target, source, target_topic=target)


def test_markers_holes_and_a_log_that_was_trimmed_do_not_hold_the_reader_up(
    plain: Sandbox,
) -> None:
    topic = make(plain.source, "markers")
    config = client_config(plain.source.properties)
    producer = Producer({**config, "transactional.id": f"judging-{uuid.uuid4().hex[:8]}"})
    producer.init_transactions(PATIENCE_S)
    for number, end in enumerate((*[producer.commit_transaction] * 2, producer.abort_transaction)):
        producer.begin_transaction()
        producer.produce(topic, b"%d" % number)
        producer.flush(PATIENCE_S)
        end(PATIENCE_S)
    producer.begin_transaction()
    producer.produce(topic, b"open")
    producer.flush(PATIENCE_S)

    def values(isolation: str) -> list[bytes | None]:
        found = read_all(plain.source, topic, isolation)  # type: ignore[arg-type]  # one of two
        return [one.value for one in found[0]]

    assert values("read_committed") == [b"0", b"1"]
    assert values("read_uncommitted") == [b"0", b"1", b"2", b"open"]
    admin = admin_of(plain.source)
    place = TopicPartition(topic, 0, 2)
    admin.delete_records([place])[place].result(PATIENCE_S)
    assert values("read_committed") == [b"1"]
    producer.abort_transaction(PATIENCE_S)


def test_the_cleaner_comes_within_seconds_and_what_is_left_still_compares(plain: Sandbox) -> None:
    topic, copy = f"judging-{uuid.uuid4().hex[:8]}", make(plain.target, "copy", partitions=2)
    busy_cleaner(plain.source, topic, partitions=2)
    now = int(time.time() * 1000) - 10_000
    records = [
        seen(n, b"%d" % n, b"key-%d" % (n % 10), timestamp=now + n * 10) for n in range(1000)
    ]
    put(plain.source, topic, records)
    clean(plain.source, topic, partitions=2)
    written = read_all(plain.source, topic)
    assert len(written[0]) < 200
    # The copy was made before the cleaner came.
    put(plain.target, copy, [*records, *(one for one in written[0] if one.key == b"push")])
    put(plain.target, copy, written[1], partition=1)
    assert_same(plain.source, plain.target, topic, target_topic=copy, compacted=True)
