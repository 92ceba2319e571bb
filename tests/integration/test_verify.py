"""`kferry verify` finds damage of every kind, names its place, and raises no false alarm."""

import asyncio
import json
import random
import signal
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cleaning import busy_cleaner, clean
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic
from copying import Ended, copy, ended, kferry, sides
from following import running
from judge import PATIENCE_S, client_config
from judging import Seen, read_all
from killing import Ends
from machine import eventually
from mixing import KINDS, Mix
from planting import plant, write

from kferry.sandbox import Sandbox
from kferry.sandbox.faults.topics import recreate, trim

Row = dict[str, Any]
Records = list[Seen]
COUNT = 3_000
BIG = 2_000
SEED = 20_240_401
FEW = {name: KINDS[name] for name in ("tiny", "transactions", "compacted")}


def verify(sandbox: Sandbox, *arguments: str, migration: str, code: int = 0) -> Row:
    done = verified(sandbox, *arguments, migration=migration)
    assert done.code == code, f"{done.code}\n{done.said}\n{done.result}"
    return done.result


def verified(sandbox: Sandbox, *arguments: str, migration: str) -> Ended:
    return ended(kferry("verify", *sides(sandbox), "-m", migration, "--json", *arguments))


def counts(row: Row) -> tuple[int, int, int, int, int]:
    return (
        row["same"],
        row["differ"],
        row["only_source"],
        row["only_target"],
        row["expired_source"],
    )


def unique(name: str) -> str:
    return f"verify-{name}-{uuid.uuid4().hex[:8]}"


def create(sandbox: Sandbox, topic: str, *, partitions: int = 1, **configs: str) -> None:
    admin = AdminClient(dict(client_config(sandbox.source.properties)))
    wanted = NewTopic(topic, partitions, 1, config={"retention.ms": "-1", **configs})
    admin.create_topics([wanted])[topic].result(PATIENCE_S)


def some(number: int) -> Seen:
    """One record; each has its own contents but for some that come twice."""
    value: bytes | None = b"value-%d" % (number // 2 * 2)
    if number % 50 == 7:
        value = None
    return Seen(
        offset=number,
        timestamp=1_700_000_000_000 + number,
        timestamp_type=1,
        key=b"key-%d" % (number % 97),
        value=value,
        headers=(("one", b"1"), ("two", None)) if number % 10 == 3 else (),
    )


def changed(at: int, **fields: Any) -> Callable[[Records], Records]:
    return lambda found: [*found[:at], found[at]._replace(**fields), *found[at + 1 :]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Damage:
    do: Callable[[Records], Records]
    counts: tuple[int, int, int, int, int]
    source: int | None
    """The offsets that the first difference must name."""
    target: int | None
    what: str


DAMAGES = {
    "byte": Damage(
        do=changed(1234, value=b"valuf-1234"),
        counts=(COUNT - 1, 1, 0, 0, 0),
        source=1234,
        target=1234,
        what="value: other bytes",
    ),
    "swapped": Damage(
        do=lambda found: [*found[:800], found[801], found[800], *found[802:]],
        counts=(COUNT - 1, 1, 0, 0, 0),
        source=800,
        target=801,
        what="order",
    ),
    "missing": Damage(
        do=lambda found: [*found[:1500], *found[1501:]],
        counts=(COUNT - 1, 0, 1, 0, 0),
        source=1500,
        target=1500,
        what="missing on the target",
    ),
    "repeated": Damage(
        do=lambda found: [*found[:1001], found[1000], *found[1001:]],
        counts=(COUNT, 0, 0, 1, 0),
        source=None,
        target=1001,
        what="only on the target",
    ),
    "timestamp": Damage(
        do=changed(77, timestamp=1_700_000_000_076),
        counts=(COUNT - 1, 1, 0, 0, 0),
        source=77,
        target=77,
        what="timestamp: 1700000000077 on the source, 1700000000076 on the target",
    ),
    "header": Damage(
        do=changed(13, headers=(("one", b"1"),)),
        counts=(COUNT - 1, 1, 0, 0, 0),
        source=13,
        target=13,
        what="headers: 2 on the source, 1 on the target",
    ),
    "null": Damage(
        do=changed(57, value=b""),
        counts=(COUNT - 1, 1, 0, 0, 0),
        source=57,
        target=57,
        what="value: null on the source, empty on the target",
    ),
    "tombstone": Damage(
        do=lambda found: [one for one in found if one.offset != 107],
        counts=(COUNT - 1, 0, 1, 0, 0),
        source=107,
        target=107,
        what="missing on the target",
    ),
    "extra": Damage(
        do=lambda found: [*found, some(COUNT)],
        counts=(COUNT, 0, 0, 1, 0),
        source=None,
        target=COUNT,
        what="not written by this copy",
    ),
    "first-and-last": Damage(
        do=lambda found: found[1:-1],
        counts=(COUNT - 2, 0, 2, 0, 0),
        source=0,
        target=0,
        what="missing on the target",
    ),
    "none": Damage(
        do=lambda found: found, counts=(COUNT, 0, 0, 0, 0), source=None, target=None, what=""
    ),
}


@pytest.mark.parametrize("level", ["digest", "records"])
def test_damage_of_every_kind_is_found_counted_and_named(plain: Sandbox, level: str) -> None:
    prefix = unique("damage")
    topics = {f"{prefix}-{kind}": damage for kind, damage in DAMAGES.items()}
    original = [some(number) for number in range(COUNT)]
    for topic in topics:
        create(plain, topic)
        write(plain.source, topic, 0, original)
    assert copy(plain, "--topic", f"{prefix}-*", migration=prefix).code == 0
    before = verify(plain, "--both", "--level", level, migration=prefix)
    assert counts(before) == (COUNT * len(topics), 0, 0, 0, 0)
    asyncio.run(
        plant(plain, prefix, {topic: {0: damage.do(original)} for topic, damage in topics.items()})
    )
    found = verify(plain, "--level", level, migration=prefix, code=4)
    rows = {row["topic"]: row for row in found["partitions"]}
    for topic, damage in topics.items():
        row, first = rows[topic], rows[topic]["first_difference"]
        assert counts(row) == damage.counts, f"{topic}: {row['trouble']} {row['differences']}"
        if not damage.what:
            assert first is None
            continue
        assert (first["source_offset"], first["target_offset"]) == (damage.source, damage.target)
        assert first["what"].startswith(damage.what), first
    sums = [sum(column) for column in zip(*(one.counts for one in topics.values()), strict=True)]
    assert list(counts(found)) == sums


def test_the_target_alone_tells_and_the_source_is_read_only_where_it_does_not(
    plain: Sandbox,
) -> None:
    topic = unique("alone")
    create(plain, topic, partitions=2)
    for partition in (0, 1):
        write(plain.source, topic, partition, [big(number) for number in range(300)])
    assert copy(plain, "--topic", topic, migration=topic).code == 0
    for partition in (0, 1):
        write(plain.source, topic, partition, [big(number) for number in range(300, 400)])
    assert copy(plain, "--topic", topic, migration=topic).code == 0
    both = verify(plain, "--both", migration=topic)
    alone = verify(plain, migration=topic)
    assert counts(alone) == counts(both) == (800, 0, 0, 0, 0)
    assert alone["bytes_read"] * 2 == both["bytes_read"]
    trim(plain.source, topic, 0, before=30)
    assert counts(verify(plain, migration=topic)) == (770, 0, 0, 0, 30)
    damaged = [big(number) for number in range(400)]
    damaged[350] = damaged[350]._replace(key=b"other")
    whole = [big(number) for number in range(400)]
    asyncio.run(plant(plain, topic, {topic: {0: whole, 1: damaged}}))
    found = verify(plain, migration=topic, code=4)
    assert [counts(row) for row in found["partitions"]] == [(370, 0, 0, 0, 30), (399, 1, 0, 0, 0)]
    assert found["partitions"][1]["first_difference"]["source_offset"] == 350


def test_a_batch_in_another_partition_is_missing_there_and_too_much_here(plain: Sandbox) -> None:
    topic = unique("elsewhere")
    create(plain, topic, partitions=2)
    first = [some(number) for number in range(500)]
    second = [some(number) for number in range(500, 900)]
    write(plain.source, topic, 0, first)
    write(plain.source, topic, 1, second)
    assert copy(plain, "--topic", topic, migration=topic).code == 0
    damaged = {0: [*first[:100], *first[150:]], 1: [*second[:200], *first[100:150], *second[200:]]}
    asyncio.run(plant(plain, topic, {topic: damaged}))
    found = verify(plain, "--both", migration=topic, code=4)
    here, there = found["partitions"]
    assert counts(here) == (450, 0, 50, 0, 0)
    assert here["first_difference"]["source_offset"] == 100
    assert counts(there) == (400, 0, 0, 50, 0)
    assert there["first_difference"]["target_offset"] == 200


def test_without_damage_the_order_and_holes_of_a_real_log_are_no_difference(
    plain: Sandbox,
) -> None:
    topic = unique("quiet")
    create(plain, topic, partitions=2)
    for partition in (0, 1):
        write(plain.source, topic, partition, [some(number) for number in range(700)])
    assert copy(plain, "--topic", topic, migration=topic).code == 0
    write(plain.source, topic, 0, [some(number) for number in range(700, 750)])
    found = verify(plain, "--both", migration=topic)
    assert counts(found) == (1400, 0, 0, 0, 0)
    assert [row["not_copied"] for row in found["partitions"]] == [50, 0]
    assert [len(read_all(plain.target, topic)[partition]) for partition in (0, 1)] == [700, 700]


def test_a_killed_run_goes_on_where_it_was(plain: Sandbox, tmp_path: Path) -> None:
    topic, report = unique("killed"), tmp_path / "report.json"
    create(plain, topic, partitions=3)
    for partition in range(3):
        write(plain.source, topic, partition, [big(number) for number in range(1_000)])
    assert copy(plain, "--topic", topic, migration=topic).code == 0
    arguments = (*sides(plain), "-m", topic, "--both", "--report", str(report))
    slow = kferry("verify", *arguments, "--rate", "600KiB/s")
    eventually(lambda: report.exists() and kept(report)["same"] > 0)
    assert slow.poll() is None
    slow.kill()
    slow.communicate()
    before = kept(report)
    assert 0 < before["same"] < 3_000
    assert not before["complete"]
    found = verify(plain, "--both", "--report", str(report), migration=topic)
    assert counts(found) == (3_000, 0, 0, 0, 0)
    assert found["bytes_read"] < 6_000 * BIG + before["bytes_read"]
    shown = ended(kferry("verify", "show", str(report), "--json"))
    assert shown.code == 0
    assert shown.result == found


def test_an_interrupted_run_says_so_and_a_changed_report_is_refused(
    plain: Sandbox, tmp_path: Path
) -> None:
    topic, report = unique("stopped"), tmp_path / "report.json"
    create(plain, topic)
    write(plain.source, topic, 0, [big(number) for number in range(1_000)])
    assert copy(plain, "--topic", topic, migration=topic).code == 0
    arguments = (*sides(plain), "-m", topic, "--both", "--report", str(report), "--json")
    slow = kferry("verify", *arguments, "--rate", "100KiB/s")
    eventually(report.exists)
    slow.send_signal(signal.SIGINT)
    stopped = ended(slow)
    assert stopped.code == 7, stopped.said
    assert not stopped.result["complete"]
    budget = verified(plain, "--rate", "100KiB/s", "--max-duration", "1s", migration=topic)
    assert budget.code == 7, budget.said
    report.write_text(report.read_text().replace('"differ": 0', '"differ": 1', 1))
    refused = ended(kferry("verify", "show", str(report)))
    assert refused.code == 2
    assert "changed after it was written" in refused.said


def test_it_works_and_follows_while_records_are_written_and_copied(
    plain: Sandbox, tmp_path: Path
) -> None:
    mix = Mix(cluster=plain.source, prefix=unique("flow"), seed=SEED, kinds=FEW)
    mix.create()
    mix.write(200)
    report = tmp_path / "report.json"
    ends = Ends(plain.target, mix.topics)
    with running(plain, "--topic", f"{mix.prefix}-*", migration=mix.prefix) as copying:
        copying.until(lambda: ends.total() > 200)
        arguments = (*sides(plain), "-m", mix.prefix, "--both", "--report", str(report))
        following = kferry("verify", *arguments, "--follow", "--json")
        mix.write(200)
        found = verify(plain, "--both", migration=mix.prefix)
        assert found["same"] > 200
        mix.clean()
        total = ends.total()
        eventually(lambda: report.exists() and kept(report)["target_to"] >= total)
        following.send_signal(signal.SIGINT)
        followed = ended(following)
        assert followed.code == 0, f"{followed.said}\n{followed.result}"
        assert copying.stop().code == 0
    last = verify(plain, "--both", migration=mix.prefix)
    assert last["expired_source"] > 0, "the cleaner took nothing"


def test_what_is_gone_from_the_target_alone_is_missing(plain: Sandbox) -> None:
    topic = unique("trimmed")
    create(plain, topic, partitions=3)
    for partition in range(3):
        write(plain.source, topic, partition, [some(number) for number in range(500)])
    assert copy(plain, "--topic", topic, migration=topic).code == 0
    trim(plain.source, topic, 0, before=100)
    trim(plain.target, topic, 1, before=100)
    trim(plain.source, topic, 2, before=150)
    trim(plain.target, topic, 2, before=100)
    for level in ("counts", "digest"):
        found = verify(plain, "--both", "--level", level, migration=topic, code=4)
        here, there, both = found["partitions"]
        assert counts(here) == (400, 0, 0, 0, 100), level
        assert counts(there) == (400, 0, 100, 0, 0), level
        assert counts(both) == (350, 0, 0, 0, 150), level
        if level == "digest":
            first = there["first_difference"]
            assert (first["source_offset"], first["target_offset"]) == (0, 0)


def test_cleaners_at_work_on_both_sides_raise_no_alarm(plain: Sandbox) -> None:
    topic = unique("cleaned")
    busy_cleaner(plain.source, topic)
    began = int(time.time() * 1000) - 600_000
    records = [
        some(number)._replace(timestamp=began + 20 * number, key=b"key-%d" % (number % 40))
        for number in range(600)
    ]
    write(plain.source, topic, 0, records[:400])
    clean(plain.source, topic)
    write(plain.source, topic, 0, records[400:])
    assert copy(plain, "--topic", topic, "--complete", migration=topic).code == 0
    before = verify(plain, "--both", migration=topic)
    clean(plain.source, topic)
    assert copy(plain, "--topic", topic, migration=topic).code == 0
    clean(plain.target, topic)  # two records by another client, too
    found = verify(plain, "--both", "--producers-moved", migration=topic)
    assert found["expired_source"] > before["expired_source"]
    assert found["expired_target"] > 0, "the target's cleaner took nothing"
    strict = verify(plain, "--both", migration=topic, code=4)
    assert strict["only_target"] == 2
    assert strict["same"] == found["same"]


def test_a_topic_made_anew_is_not_compared(plain: Sandbox) -> None:
    topic = unique("anew")
    create(plain, topic)
    write(plain.source, topic, 0, [some(number) for number in range(10)])
    assert copy(plain, "--topic", topic, migration=topic).code == 0
    asyncio.run(recreate(plain.target, topic))
    found = verify(plain, migration=topic, code=1)
    assert "made anew on the target" in found["partitions"][0]["trouble"]
    named = verified(plain, "--topic", "verify-anev", migration=topic)
    assert named.code == 2
    assert f"did you mean `{topic}`" in named.said or "no topic" in named.said


def big(number: int) -> Seen:
    """A record that no codec makes smaller."""
    return some(number)._replace(value=random.Random(number).randbytes(BIG))


def kept(report: Path) -> Row:
    """Read a report; `target_to` is how much of the targets it is about."""
    found: Row = json.loads(report.read_text())
    rows = [row for row in found["partitions"] if row["complete"]]
    return {**found, "target_to": sum(row["target_range"][1] for row in rows)}
