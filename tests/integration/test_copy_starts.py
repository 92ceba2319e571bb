"""Where a copy begins: at a time, at the end, or where the slowest group stands."""

import json

import pytest
from confluent_kafka import TopicPartition
from copying import copy
from following import running
from judging import judge, read_all
from numbering import Numbers
from test_inspect_groups import commit, member
from topic_making import DAY_MS, ago, fill, make, unique

from kferry.sandbox import Sandbox


def times_of(sandbox: Sandbox, topic: str) -> list[int]:
    return [one.timestamp for one in read_all(sandbox.target, topic)[0]]


def test_since_a_time_begins_with_the_first_record_of_that_time(plain: Sandbox) -> None:
    topic = make(plain.source, unique("since"), partitions=2)
    times = [ago(DAY_MS) + step for step in range(0, 100_000, 1_000)]
    fill(plain.source, topic, times)
    cut = times[70]
    done = copy(plain, "--topic", topic, "--since", str(cut), migration=topic)
    assert (done.code, done.result["records"]) == (0, 30), done.said
    assert times_of(plain, topic) == times[70:]
    # A start is where a copy began, not where it goes on.
    fill(plain.source, topic, [ago(DAY_MS)])
    again = copy(plain, "--topic", topic, "--since", str(cut), migration=topic)
    assert (again.code, again.result["records"], again.result["total_records"]) == (0, 1, 31)


def test_since_a_time_after_all_records_begins_at_the_end(plain: Sandbox) -> None:
    topic = make(plain.source, unique("later"))
    fill(plain.source, topic, [ago(DAY_MS)] * 10)
    done = copy(plain, "--topic", topic, "--since", str(ago(DAY_MS // 2)), migration=topic)
    assert (done.code, done.result["records"]) == (0, 0), done.said
    fill(plain.source, topic, [ago(1_000)] * 3)
    again = copy(plain, "--topic", topic, migration=topic)
    assert (again.code, again.result["records"]) == (0, 3), again.said


def test_from_the_end_only_what_comes_is_copied(plain: Sandbox) -> None:
    topic = make(plain.source, unique("end"), partitions=2)
    numbers = Numbers(plain.source, topic, partitions=2)
    numbers.write(100)
    with running(plain, "--topic", topic, "--from-end", migration=topic) as run:
        run.until(lambda: run.shown and run.shown[-1]["state"] == "following")
        before = set(numbers.acknowledged)
        numbers.write(60)
        run.until_copied(60)
        done = run.stop()
    assert done.code == 0, done.said
    verdict = judge(read_all(plain.target, topic), numbers.acknowledged - before)
    assert verdict.exact, verdict


@pytest.fixture
def lagging(plain: Sandbox) -> tuple[str, str, str]:
    """A topic and two groups: in each partition another one is the slower."""
    topic = make(plain.source, unique("unread"), partitions=3)
    Numbers(plain.source, topic, partitions=3).write(300)
    slow, fast = unique("slow"), unique("fast")
    commit(plain.source, slow, [TopicPartition(topic, 0, 30), TopicPartition(topic, 1, 90)])
    commit(plain.source, fast, [TopicPartition(topic, 0, 80), TopicPartition(topic, 1, 100)])
    return topic, slow, fast


def test_what_no_group_has_read_is_copied_and_counted(
    plain: Sandbox, lagging: tuple[str, str, str]
) -> None:
    topic, slow, fast = lagging
    dry = copy(plain, "--topic", topic, "--unconsumed", "--dry-run", migration=topic)
    assert dry.code == 0, dry.said
    listing = "\n".join(dry.result["listing"])
    assert "Prepare to migrate" in listing
    assert f"{topic}-0: from 30 to 100" in listing
    done = copy(plain, "--topic", topic, "--unconsumed", migration=topic)
    assert done.code == 0, done.said
    copied = read_all(plain.target, topic)
    source = read_all(plain.source, topic)
    assert [one.content for one in copied[0]] == [one.content for one in source[0][30:]]
    assert [one.content for one in copied[1]] == [one.content for one in source[1][90:]]
    counts = {(one["group"], one["topic"]): one for one in done.result["unconsumed"]}
    assert counts[slow, topic]["unconsumed"] == 80, json.dumps(done.result["unconsumed"])
    assert counts[fast, topic]["unconsumed"] == 20
    assert counts[slow, topic]["arrived"] == sum(map(len, copied.values()))


def test_while_a_group_works_its_unread_records_cannot_be_told(plain: Sandbox) -> None:
    topic, group = make(plain.source, unique("busy")), unique("busy")
    Numbers(plain.source, topic, partitions=1).write(20)
    commit(plain.source, group, [TopicPartition(topic, 0, 5)])
    with member(plain.source, topic, **{"group.id": group}):
        refused = copy(plain, "--topic", topic, "--unconsumed", migration=topic)
        assert refused.code == 5
        assert group in refused.said
        assert "--live" in refused.said
        live = copy(plain, "--topic", topic, "--unconsumed", "--live", migration=topic)
    assert live.code == 0, live.said
    assert live.result["records"] == 15
