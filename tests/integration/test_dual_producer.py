"""One producer, two clusters: the same records on both, and a map that tells which is which."""

import importlib
import os
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException, Producer
from confluent_kafka.serialization import IntegerSerializer, StringSerializer
from dual_writing import Reports, assert_is_part, assert_map_is_true, count, read_both, to
from judge import PATIENCE_S, client_config
from judging import same_records
from machine import eventually
from topic_making import ago, make, unique

from kferry import DualProducer
from kferry.dualwrite import Policy, State, read_map
from kferry.dualwrite.errors import NotOnTwoClustersError
from kferry.dualwrite.frames import Missing, Pairs
from kferry.names import TopicName
from kferry.sandbox import Sandbox

PARTITIONS = 3
CHILD = Path(__file__).with_name("dual_child.py")
PROGRAM = """
import sys
from confluent_kafka import Producer

if __name__ == "__main__":
    settings = {"bootstrap.servers": sys.argv[1]}
    producer = Producer(**settings)

    def acked(err, msg):
        if err is not None:
            sys.exit(f"not delivered: {err}")
        print(msg.partition(), msg.offset(), msg.value().decode())

    for line in sys.stdin:
        while True:
            try:
                producer.produce(sys.argv[2], line.rstrip(), callback=acked)
                break
            except BufferError:
                producer.poll(0.1)
        producer.poll(0)
    print(len(producer), "wait", file=sys.stderr)
    producer.flush()
"""
"""In the manner of the client's examples."""
BOTH = pytest.mark.parametrize("policy", list(Policy))


def on_both(sandbox: Sandbox, name: str, **secondary: str) -> TopicName:
    topic = make(sandbox.source, unique(name), partitions=PARTITIONS)
    return make(sandbox.target, topic, partitions=PARTITIONS, configs=secondary)


@BOTH
def test_both_sides_hold_the_same_records_and_the_map_names_the_pairs(
    plain: Sandbox, tmp_path: Path, policy: Policy
) -> None:
    topic = make(plain.source, unique("dual"), partitions=PARTITIONS)
    other = make(plain.target, TopicName(f"{topic}.new"), partitions=PARTITIONS)
    before = Producer(to(plain.source))  # so that offsets differ
    for number in range(17):
        before.produce(topic, b"before", partition=number % PARTITIONS)
    assert before.flush(PATIENCE_S) == 0
    hours_ago = ago(10_000_000)
    reports = Reports()
    with DualProducer(
        to(plain.source, on_delivery=reports),
        secondary=to(plain.target),
        policy=policy,
        topics={topic: other},
        map_file=tmp_path / "map",
        report_wait=PATIENCE_S,
    ) as producer:
        for number in range(2_000):
            producer.produce(
                topic,
                None if number % 50 == 0 else b"v%d" % number,
                None if number % 3 == 0 else b"k%d" % (number % 41),
                headers=[("n", b"%d" % number), ("n", None)],
                timestamp=hours_ago + number if number % 2 else 0,
            )
            producer.poll(0)
        assert producer.flush(PATIENCE_S) == 0
        assert len(reports.all) == 2_000
        assert not reports.errors
        stats = producer.stats()
    assert (stats.produced, stats.both, stats.missing, stats.waiting) == (2_000, 2_000, 0, 0)
    primary, secondary = read_both(plain, topic, other)
    own = {number: [r for r in rs if r.value != b"before"] for number, rs in primary.items()}
    same_records(own, secondary)
    told = assert_map_is_true(tmp_path / "map", topic, primary, secondary)
    assert told.clusters is not None
    assert (told.clusters.primary, told.clusters.secondary) == (
        plain.source.cluster_id,
        plain.target.cluster_id,
    )
    assert told.closed
    assert told.secondary_name(topic) == other
    paired = [run.length for one in told.partitions.values() for run in one.pairs]
    assert sum(paired) == 2_000
    for _, report in reports.all:
        one, two = report.primary, report.secondary
        assert (one.state, two.state) == (State.DELIVERED, State.DELIVERED)
        assert (report.topic(), report.partition(), report.offset()) == (
            topic,
            one.partition,
            one.offset,
        )
        assert (two.topic, two.partition, two.timestamp) == (other, one.partition, one.timestamp)


def test_what_the_secondary_refuses_is_counted_named_and_fails_nothing(
    plain: Sandbox, tmp_path: Path
) -> None:
    topic = on_both(plain, "dual-large", **{"max.message.bytes": "2000"})
    reports = Reports()
    with DualProducer(
        to(plain.source),
        secondary=to(plain.target, batch__num__messages=1),
        map_file=tmp_path / "map",
    ) as producer:
        for number in range(600):
            size = 5_000 if number % 60 == 7 else 20
            producer.produce(topic, b"%d " % number + b"x" * size, on_delivery=reports)
        producer.flush(PATIENCE_S)
        eventually(lambda: producer.stats().waiting == 0)
        stats = producer.stats()
    assert not reports.errors
    assert (stats.primary, stats.both, stats.missing) == (600, 590, 10)
    assert stats.missing_by_reason == {"MSG_SIZE_TOO_LARGE": 10}
    primary, secondary = read_both(plain, topic)
    assert (count(primary), count(secondary)) == (600, 590)
    assert_is_part(secondary, primary)
    told = assert_map_is_true(tmp_path / "map", topic, primary, secondary)
    gaps = [run for one in told.partitions.values() for run in one.missing]
    assert sum(run.length for run in gaps) == 10
    assert {run.reason for run in gaps} == {"MSG_SIZE_TOO_LARGE"}


def test_both_or_error_says_which_side_has_a_record(plain: Sandbox, tmp_path: Path) -> None:
    topic = on_both(plain, "dual-strict", **{"max.message.bytes": "2000"})
    reports = Reports()
    with DualProducer(
        to(plain.source),
        secondary=to(plain.target),
        policy="both-or-error",
        map_file=tmp_path / "map",
    ) as producer:
        for size in (20, 5_000, 30):
            producer.produce(topic, b"x" * size, partition=0, on_delivery=reports)
            assert producer.flush(PATIENCE_S) == 0
    errors = [error and error.code() for error, _ in reports.all]
    assert errors == [None, KafkaError.MSG_SIZE_TOO_LARGE, None]
    refused = reports.all[1][1]
    assert (refused.primary.state, refused.secondary.state) == (State.DELIVERED, State.FAILED)
    primary, secondary = read_both(plain, topic)
    assert (count(primary), count(secondary)) == (3, 2)
    assert_map_is_true(tmp_path / "map", topic, primary, secondary)


@BOTH
def test_what_the_primary_refuses_never_reaches_the_secondary(
    plain: Sandbox, policy: Policy
) -> None:
    topic = make(plain.source, unique("dual-p"), configs={"max.message.bytes": "2000"})
    make(plain.target, topic)
    reports = Reports()
    with DualProducer(to(plain.source), secondary=to(plain.target), policy=policy) as producer:
        for size in (20, 5_000, 30):
            producer.produce(topic, b"x" * size, on_delivery=reports)
            assert producer.flush(PATIENCE_S) == 0
    assert [error and error.code() for error, _ in reports.all] == [
        None,
        KafkaError.MSG_SIZE_TOO_LARGE,
        None,
    ]
    assert reports.all[1][1].secondary.state is State.NOT_SENT
    primary, secondary = read_both(plain, topic)
    same_records(primary, secondary)
    assert count(primary) == 2


def test_a_partition_that_the_secondary_does_not_have_is_named(
    plain: Sandbox, tmp_path: Path
) -> None:
    topic = make(plain.source, unique("dual-fewer"), partitions=2)
    make(plain.target, topic, partitions=1)
    with DualProducer(
        to(plain.source), secondary=to(plain.target), map_file=tmp_path / "map"
    ) as producer:
        for number in range(20):
            producer.produce(topic, b"%d" % number, partition=number % 2)
        producer.flush(PATIENCE_S)
        eventually(lambda: producer.stats().waiting == 0)
        stats = producer.stats()
    assert stats.both == 10
    assert stats.missing_by_partition == {(topic, 1): (10, 0, 9)}
    assert stats.missing_by_reason == {"_UNKNOWN_PARTITION": 10}


def test_a_right_that_is_lacking_on_the_secondary_is_named(sasl: Sandbox, tmp_path: Path) -> None:
    topic = make(sasl.target, unique("dual-right"))
    make(sasl.source, topic)
    reports = Reports()
    reader = {**to(sasl.source), **to_as_kferry(sasl)}
    with DualProducer(to(sasl.target), secondary=reader, map_file=tmp_path / "map") as producer:
        for number in range(10):
            producer.produce(topic, b"%d" % number, on_delivery=reports)
        producer.flush(PATIENCE_S)
        eventually(lambda: producer.stats().waiting == 0)
        stats = producer.stats()
    assert len(reports.all) == 10
    assert not reports.errors
    assert stats.missing == 10
    assert "AUTHORIZATION" in " ".join(stats.missing_by_reason)
    told = read_map(tmp_path / "map")
    assert [(run.primary, run.length) for run in told.partitions[topic, 0].missing] == [(0, 10)]


def to_as_kferry(sandbox: Sandbox) -> dict[str, str]:
    """Settings of a user who may read on the source, and not write."""
    return dict(client_config(sandbox.source.kferry_properties))


def test_another_cluster_than_the_map_file_is_about_gets_nothing(
    plain: Sandbox, tmp_path: Path
) -> None:
    topic = on_both(plain, "dual-other")
    with DualProducer(
        to(plain.source), secondary=to(plain.target), map_file=tmp_path / "map"
    ) as producer:
        producer.produce(topic, b"1", partition=0)
        producer.flush(PATIENCE_S)
    with DualProducer(
        to(plain.target), secondary=to(plain.source), map_file=tmp_path / "map"
    ) as producer:
        producer.produce(topic, b"2", partition=0)
        producer.flush(PATIENCE_S)
        eventually(lambda: producer.stats().missing == 1)
    primary, secondary = read_both(plain, topic)
    assert [one.value for one in primary[0]] == [b"1"]
    assert [one.value for one in secondary[0]] == [b"1", b"2"]


def test_one_cluster_under_two_addresses_does_not_get_records_twice(plain: Sandbox) -> None:
    topic = on_both(plain, "dual-same")
    with DualProducer(to(plain.source), secondary=to(plain.source)) as producer:
        producer.produce(topic, b"1", partition=0)
        producer.flush(PATIENCE_S)
        eventually(lambda: producer.stats().missing == 1)
    assert count(read_both(plain, topic)[0]) == 1


def written(journal: Path, map_file: Path, *, lines: int, pairs: int) -> bool:
    """Whether both have grown beyond that: the map file is written some time after the reports."""
    return (
        journal.exists()
        and journal.read_bytes().count(b"\n") > lines
        and pairs_in(map_file) > pairs
    )


def pairs_in(map_file: Path) -> int:
    told = read_map(map_file)
    return sum(run.length for one in told.partitions.values() for run in one.pairs)


def test_a_killed_application_leaves_a_map_that_is_true_and_says_what_it_does_not_know(
    plain: Sandbox, tmp_path: Path
) -> None:
    topic = on_both(plain, "dual-kill")
    map_file, journal = tmp_path / "map", tmp_path / "journal"
    for round_ in range(3):
        lines = journal.read_bytes().count(b"\n") if round_ else 0
        pairs = pairs_in(map_file) if round_ else 0
        child = subprocess.Popen(
            [
                sys.executable,
                str(CHILD),
                plain.source.bootstrap,
                plain.target.bootstrap,
                topic,
                str(map_file),
                str(journal),
            ]
        )
        try:
            eventually(partial(written, journal, map_file, lines=lines + 6_000, pairs=pairs))
        finally:
            child.send_signal(signal.SIGKILL)
            child.wait()
    primary, secondary = read_both(plain, topic)
    assert_is_part(secondary, primary)
    told = assert_map_is_true(map_file, topic, primary, secondary)
    assert told.sessions == 3
    assert not told.closed
    reported = [line.split() for line in journal.read_text().splitlines()[:-1]]
    assert all(error == "None" for error, *_ in reported)
    there = {n: {one.offset: one.value for one in rs} for n, rs in secondary.items()}
    here = {n: {one.offset: one.value for one in rs} for n, rs in primary.items()}
    for _, value, partition, offset, state, other in reported:
        assert here[int(partition)][int(offset)] == value.encode()
        if state == State.DELIVERED:
            assert there[int(partition)][int(other)] == value.encode()
    for number, records in primary.items():
        if not records:
            continue
        one = told.partitions[topic, number]
        runs: list[Pairs | Missing] = [*one.pairs, *one.missing]
        known = {run.primary + n for run in runs for n in range(run.length)}
        unknown = {offset for start, end in one.unknown for offset in range(start, end)}
        strays = [r.offset for r in records if r.offset not in known | unknown]
        assert all(offset >= one.known_to for offset in strays), "only the last moment is not told"


def test_a_program_written_for_the_client_runs_unchanged(plain: Sandbox, tmp_path: Path) -> None:
    topic = on_both(plain, "dual-program")
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    instead = f"""
import functools, runpy
import confluent_kafka
from kferry import DualProducer
confluent_kafka.Producer = functools.partial(
    DualProducer,
    secondary={{"bootstrap.servers": {plain.target.bootstrap!r}}},
    map_file={str(tmp_path / "map")!r},
    report_wait={PATIENCE_S},
)
runpy.run_path({str(program)!r}, run_name="__main__")
"""
    done = subprocess.run(
        [sys.executable, "-c", instead, plain.source.bootstrap, topic],
        input="".join(f"line {number}\n" for number in range(500)),
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_S,
    )
    assert done.returncode == 0, done.stderr
    primary, secondary = read_both(plain, topic)
    same_records(primary, secondary)
    assert_map_is_true(tmp_path / "map", topic, primary, secondary)
    sent = sorted(line.split(maxsplit=2) for line in done.stdout.splitlines())
    assert sent == sorted(
        [str(number), str(one.offset), (one.value or b"").decode()]
        for number, records in primary.items()
        for one in records
    )
    assert len(sent) == 500


def test_confluents_serializing_producer_stands_on_it(
    plain: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    topic = on_both(plain, "dual-serializing")

    class Both(DualProducer):
        def __init__(self, config: dict[str, Any]) -> None:
            super().__init__(config, secondary=to(plain.target), report_wait=PATIENCE_S)

    monkeypatch.delitem(sys.modules, "confluent_kafka.serializing_producer")
    with monkeypatch.context() as while_it_is_imported:
        while_it_is_imported.setattr("confluent_kafka.cimpl.Producer", Both)
        module = importlib.import_module("confluent_kafka.serializing_producer")
    assert issubclass(module.SerializingProducer, DualProducer)
    settings = {
        **to(plain.source),
        "key.serializer": StringSerializer(),
        "value.serializer": IntegerSerializer(),
    }
    reports = Reports()
    producer = module.SerializingProducer(settings)
    for number in range(100):
        producer.produce(topic, key=f"k{number % 9}", value=number, on_delivery=reports)
    assert producer.flush(PATIENCE_S) == 0
    producer.close()
    assert len(reports.all) == 100
    assert not reports.errors
    primary, secondary = read_both(plain, topic)
    same_records(primary, secondary)
    assert count(primary) == 100


def test_calls_behave_as_the_clients_do(plain: Sandbox) -> None:
    topic = on_both(plain, "dual-calls")
    primary = to(plain.source, queue__buffering__max__messages=5)
    with DualProducer(primary, secondary=to(plain.target)) as producer:
        assert producer
        assert topic in producer.list_topics(timeout=PATIENCE_S).topics
        assert list(producer.list_topics(topic, timeout=PATIENCE_S).topics) == [topic]
        assert producer.cluster_id(PATIENCE_S) == plain.source.cluster_id
        assert producer.poll(0) == 0
        reports = Reports()
        for number in range(5):
            producer.produce(topic, str(number), callback=reports)
        with pytest.raises(BufferError):  # reports that nobody fetches count, as they do there
            producer.produce(topic, "too many", callback=reports)
        assert len(producer) == 5
        assert producer.poll(PATIENCE_S) >= 1
        assert producer.flush() == 0
        assert len(producer) == 0
        with pytest.raises(TypeError):
            producer.produce(topic, 17)  # type: ignore[arg-type]  # on purpose
        with pytest.raises(KafkaException):
            producer.produce(topic, b"x" * 2_000_000)  # more than message.max.bytes
        assert len(producer) == 0
        taken = producer.produce_batch(topic, [{"value": b"a"}, {"value": b"b", "partition": 0}])
        assert taken == 2
        assert producer.flush(PATIENCE_S) == 0
        calls = (
            producer.init_transactions,
            producer.begin_transaction,
            producer.commit_transaction,
            producer.abort_transaction,
            producer.send_offsets_to_transaction,
        )
        for call in calls:
            with pytest.raises(NotOnTwoClustersError):
                call()
    with pytest.raises(RuntimeError):
        producer.produce(topic, b"closed")


def test_an_error_in_a_callback_comes_out_of_poll_and_loses_no_report(plain: Sandbox) -> None:
    topic = on_both(plain, "dual-callback")
    heard: list[int] = []

    def fails_once(error: object, report: object) -> None:
        heard.append(1)
        if len(heard) == 1:
            raise LookupError

    with DualProducer(to(plain.source), secondary=to(plain.target)) as producer:
        for number in range(10):
            producer.produce(topic, b"%d" % number, on_delivery=fails_once)
        with pytest.raises(LookupError):
            producer.flush(PATIENCE_S)
        assert producer.flush(PATIENCE_S) == 0
    assert len(heard) == 10


def test_an_application_that_ends_without_a_word_leaves_a_map(
    plain: Sandbox, tmp_path: Path
) -> None:
    topic = on_both(plain, "dual-end")
    code = f"""
from kferry import DualProducer
producer = DualProducer(
    {{"bootstrap.servers": {plain.source.bootstrap!r}}},
    secondary={{"bootstrap.servers": {plain.target.bootstrap!r}}},
    map_file={str(tmp_path / "map")!r},
    report_wait={PATIENCE_S},
)
for number in range(100):
    producer.produce({str(topic)!r}, b"%d" % number)
producer.flush()
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_S,
        env=dict(os.environ),
    )
    assert done.returncode == 0, done.stderr
    primary, secondary = read_both(plain, topic)
    told = assert_map_is_true(tmp_path / "map", topic, primary, secondary)
    assert told.closed
    assert sum(run.length for one in told.partitions.values() for run in one.pairs) == 100
