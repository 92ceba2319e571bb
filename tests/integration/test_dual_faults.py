"""A cluster in trouble: what it costs the application under each policy, and what is told of it."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import KafkaError, KafkaException
from dual_writing import Reports, assert_is_part, assert_map_is_true, count, read_both, to
from judge import PATIENCE_S
from judging import same_records
from machine import eventually
from topic_making import make, unique

from kferry import DualProducer
from kferry.dualwrite import State, read_map
from kferry.names import TopicName
from kferry.sandbox import Cluster, Sandbox

pytestmark = pytest.mark.own_brokers

PARTITIONS = 2
QUICK = {"socket.timeout.ms": 2_000, "reconnect.backoff.max.ms": 500}
"""A client that notices soon, and asks again soon."""


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox.start() as sandbox:
        yield sandbox


def on_both(sandbox: Sandbox, name: str) -> TopicName:
    topic = make(sandbox.source, unique(name), partitions=PARTITIONS)
    return make(sandbox.target, topic, partitions=PARTITIONS)


def take_away(cluster: Cluster, how: str) -> None:
    broker = cluster.brokers[0]
    broker.pause() if how == "asleep" else broker.kill()


def bring_back(cluster: Cluster) -> None:
    broker = cluster.brokers[0]
    broker.resume()
    broker.start()
    cluster.wait_until_complete()


def led(sandbox: Sandbox, topic: str) -> None:
    """Wait until a broker that slept leads again: its controller had given it up."""

    def is_led() -> bool:
        try:
            read_both(sandbox, topic)
        except KafkaException:
            return False
        return True

    eventually(is_led)


def send(producer: DualProducer, topic: str, numbers: range, reports: Reports) -> None:
    for number in numbers:
        producer.produce(topic, b"%d" % number, b"k%d" % (number % 19), on_delivery=reports)
        producer.poll(0)


@pytest.mark.parametrize("how", ["asleep", "dead"])
def test_a_secondary_that_is_gone_fails_nothing_and_gets_what_fits_when_it_is_back(
    sandbox: Sandbox, tmp_path: Path, how: str
) -> None:
    topic = on_both(sandbox, f"dual-{how}")
    reports = Reports()
    with DualProducer(
        to(sandbox.source),
        secondary={**to(sandbox.target), **QUICK},
        map_file=tmp_path / "map",
        report_wait=0.2,
        secondary_queue_records=1_000,
        close_wait=PATIENCE_S,
    ) as producer:
        send(producer, topic, range(1_000), reports)
        assert producer.flush(PATIENCE_S) == 0
        eventually(lambda: producer.stats().both == 1_000)
        take_away(sandbox.target, how)
        try:
            send(producer, topic, range(1_000, 3_500), reports)
            assert producer.flush(PATIENCE_S) == 0
            stats = producer.stats()
            assert len(reports.all) == 3_500
            assert not reports.errors
            assert (stats.primary, stats.both, stats.behind) == (3_500, 1_000, True)
            assert (stats.waiting, stats.missing) == (1_000, 1_500)
            assert list(stats.missing_by_reason) == ["the secondary's queue was full"]
            assert {r.secondary.state for _, r in reports.all[1_000:]} <= {
                State.WAITING,
                State.NOT_SENT,
            }
        finally:
            bring_back(sandbox.target)
        eventually(lambda: producer.stats().waiting == 0)
        more = iter(range(3_500, 9_999))

        def keeps_up() -> bool:
            number = next(more)
            send(producer, topic, range(number, number + 1), reports)
            return not producer.stats().behind

        eventually(keeps_up)
        sent = next(more)
        assert producer.flush(PATIENCE_S) == 0
        eventually(lambda: producer.stats().waiting == 0)
    stats = producer.stats()
    assert (stats.both, stats.missing) == (sent - 1_500, 1_500)
    primary, secondary = read_both(sandbox, topic)
    assert (count(primary), count(secondary)) == (sent, sent - 1_500)
    assert_is_part(secondary, primary)
    told = assert_map_is_true(tmp_path / "map", topic, primary, secondary)
    gaps = [run for one in told.partitions.values() for run in one.missing]
    assert sum(run.length for run in gaps) == 1_500
    assert sum(run.length for one in told.partitions.values() for run in one.pairs) == sent - 1_500
    assert not any(one.unknown for one in told.partitions.values())


def test_a_secondary_that_is_down_at_the_start_gets_its_records_when_it_comes(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    topic = on_both(sandbox, "dual-late")
    reports = Reports()
    take_away(sandbox.target, "dead")
    try:
        producer = DualProducer(
            to(sandbox.source),
            secondary={**to(sandbox.target), **QUICK},
            map_file=tmp_path / "map",
            report_wait=0.2,
        )
        send(producer, topic, range(300), reports)
        assert producer.flush(PATIENCE_S) == 0
        assert len(reports.all) == 300
        assert not reports.errors
    finally:
        bring_back(sandbox.target)
    eventually(lambda: producer.stats().both == 300)
    producer.close()
    primary, secondary = read_both(sandbox, topic)
    same_records(primary, secondary)
    told = assert_map_is_true(tmp_path / "map", topic, primary, secondary)
    assert told.clusters is not None
    assert told.clusters.secondary == sandbox.target.cluster_id


def test_a_secondary_that_stays_away_does_not_keep_an_application_from_ending(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    topic = on_both(sandbox, "dual-end")
    reports = Reports()
    take_away(sandbox.target, "asleep")
    try:
        producer = DualProducer(
            to(sandbox.source),
            secondary={**to(sandbox.target), **QUICK},
            map_file=tmp_path / "map",
            report_wait=0,
            close_wait=0.5,
        )
        send(producer, topic, range(100), reports)
        producer.close()
    finally:
        bring_back(sandbox.target)
    assert len(reports.all) == 100
    assert not reports.errors
    assert producer.stats().missing == 100
    primary, secondary = read_both(sandbox, topic)
    assert (count(primary), count(secondary)) == (100, 0)
    told = assert_map_is_true(tmp_path / "map", topic, primary, secondary)
    gaps = [run for one in told.partitions.values() for run in one.missing]
    assert sum(run.length for run in gaps) == 100
    assert told.closed


def test_a_program_that_ends_while_the_secondary_is_away_names_what_is_missing(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    topic = on_both(sandbox, "dual-exit")
    code = f"""
from kferry import DualProducer
producer = DualProducer(
    {{"bootstrap.servers": {sandbox.source.bootstrap!r}}},
    secondary={{"bootstrap.servers": {sandbox.target.bootstrap!r}}},
    map_file={str(tmp_path / "map")!r},
    report_wait=0.1,
)
for number in range(100):
    producer.produce({str(topic)!r}, b"%d" % number, on_delivery=lambda error, report: None)
assert producer.flush() == 0
"""
    take_away(sandbox.target, "asleep")
    try:
        done = subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE_S,
        )
    finally:
        bring_back(sandbox.target)
    assert done.returncode == 0, done.stderr
    told = read_map(tmp_path / "map")
    assert told.closed
    gaps = [run for one in told.partitions.values() for run in one.missing]
    assert sum(run.length for run in gaps) == 100


def test_both_or_error_tells_of_a_side_that_is_gone(sandbox: Sandbox, tmp_path: Path) -> None:
    topic = on_both(sandbox, "dual-both")
    reports = Reports()
    with DualProducer(
        to(sandbox.source),
        secondary={**to(sandbox.target), **QUICK, "message.timeout.ms": 10_000},
        policy="both-or-error",
        map_file=tmp_path / "map",
    ) as producer:
        send(producer, topic, range(100), reports)
        assert producer.flush(PATIENCE_S) == 0
        assert not reports.errors
        take_away(sandbox.target, "dead")
        try:
            send(producer, topic, range(100, 200), reports)
            assert producer.flush(PATIENCE_S) == 0
        finally:
            bring_back(sandbox.target)
        assert len(reports.errors) == 100
        assert {error.code() for error in reports.errors} == {KafkaError._MSG_TIMED_OUT}
        assert all(r.primary.state is State.DELIVERED for _, r in reports.all)
        send(producer, topic, range(200, 300), reports)
        assert producer.flush(PATIENCE_S) == 0
    assert len(reports.errors) == 100
    primary, secondary = read_both(sandbox, topic)
    assert (count(primary), count(secondary)) == (300, 200)
    assert_is_part(secondary, primary)
    assert_map_is_true(tmp_path / "map", topic, primary, secondary)


def test_a_primary_that_sleeps_delays_and_costs_nothing(sandbox: Sandbox, tmp_path: Path) -> None:
    topic = on_both(sandbox, "dual-primary")
    reports = Reports()
    with DualProducer(
        {**to(sandbox.source), **QUICK},
        secondary=to(sandbox.target),
        map_file=tmp_path / "map",
    ) as producer:
        send(producer, topic, range(500), reports)
        assert producer.flush(PATIENCE_S) == 0
        take_away(sandbox.source, "asleep")
        try:
            send(producer, topic, range(500, 1_000), reports)
            assert producer.flush(3) > 0  # longer than a request may take: the client asks again
        finally:
            bring_back(sandbox.source)
        assert producer.flush(PATIENCE_S) == 0
        eventually(lambda: producer.stats().both == 1_000)
    assert len(reports.all) == 1_000
    assert not reports.errors
    led(sandbox, topic)
    primary, secondary = read_both(sandbox, topic)
    assert count(primary) == 1_000
    same_records(primary, secondary)
    assert_map_is_true(tmp_path / "map", topic, primary, secondary)
