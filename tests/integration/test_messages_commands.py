"""`kferry messages` as people and scripts run it; what arrives is judged by confluent-kafka."""

import io
import json
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer
from copying import copy, sides
from copying import kferry as started
from following import Running
from judge import PATIENCE_S, client_config
from judging import Seen, read_all
from machine import KFERRY
from machine import kferry as in_a_process
from mixing import Kind, Mix
from numbering import Numbers
from topic_making import ago, delete, make, unique

from kferry.cli.main import run as run_line
from kferry.names import TopicName
from kferry.sandbox import Cluster, Sandbox

HOSTILE = b"\x1b]0;owned\x07\x1b[2J\xc2\x9b31m"
BINARY = bytes(range(256)) * 40


def kferry(*arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run a command line in this process: a fresh one takes a second before it does anything."""
    out, said = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(said):
        code = run_line(arguments)
    return subprocess.CompletedProcess(arguments, code, out.getvalue(), said.getvalue())


def on(cluster: Cluster, side: str = "target") -> tuple[str, str]:
    return f"--{side}-config", str(cluster.kferry_properties)


def objects(done: "subprocess.CompletedProcess[str]") -> list[dict[str, Any]]:
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def write(cluster: Cluster, topic: str, *records: dict[str, Any]) -> None:
    producer = Producer(client_config(cluster.properties))
    for one in records:
        producer.produce(topic, partition=0, **one)
    assert producer.flush(PATIENCE_S) == 0


@contextmanager
def tailing(*arguments: str) -> Iterator[Running]:
    process = started("messages", "tail", "--json", *arguments)
    try:
        yield Running(process)
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(PATIENCE_S)
        for pipe in (process.stdout, process.stderr):
            assert pipe is not None
            pipe.close()


def test_a_value_is_written_out_byte_for_byte(plain: Sandbox, tmp_path: Path) -> None:
    topic = make(plain.source, unique("raw"))
    write(plain.source, topic, {"value": BINARY}, {"value": None, "key": b"k"}, {"value": b""})
    query = ("messages", "query", *on(plain.source, "source"), "--topic", topic)
    file = tmp_path / "value"
    done = kferry(*query, "--offset", "0", "--raw", str(file))
    assert (done.returncode, done.stdout, file.read_bytes()) == (0, "", BINARY), done.stderr
    here = subprocess.run(
        [KFERRY, *query, "--offset", "0", "--raw", "-"],
        capture_output=True,
        check=True,
        timeout=PATIENCE_S,
    )
    assert here.stdout == BINARY
    for offset, name, said in (("1", "null", "it is null"), ("0", "value", "there already")):
        again = kferry(*query, "--offset", offset, "--raw", str(tmp_path / name))
        assert again.returncode == 2
        assert said in again.stderr
    assert not (tmp_path / "null").exists()
    empty = kferry(*query, "--offset", "2", "--raw", str(tmp_path / "empty"))
    assert (empty.returncode, (tmp_path / "empty").read_bytes()) == (0, b"")
    several = kferry(*query, "--raw", str(tmp_path / "several"))
    assert (several.returncode, (tmp_path / "several").exists()) == (2, False)


def test_hostile_records_are_shown_and_do_nothing(plain: Sandbox) -> None:
    topic = make(plain.source, unique("hostile"))
    record = {"value": HOSTILE, "key": HOSTILE, "headers": [(HOSTILE.decode(), HOSTILE)]}
    write(plain.source, topic, record)
    query = ("messages", "query", *on(plain.source, "source"), "--topic", topic)
    for more in ((), ("--json",), ("--format", "json"), ("--format", "hex")):
        done = kferry(*query, *more)
        assert done.returncode == 0, done.stderr
        shown = (done.stdout + done.stderr).replace("\n", "")
        assert shown.isprintable(), done.stdout
    found, _ = objects(kferry(*query, "--json"))
    assert bytes.fromhex(found["value"]) == HOSTILE


def test_null_empty_and_repeated_are_told_apart(plain: Sandbox) -> None:
    topic = make(plain.source, unique("apart"))
    headers = [("a", b"1"), ("a", None), ("b", b""), ("a", b"1")]
    write(
        plain.source,
        topic,
        {"key": b"k", "value": None},
        {"key": None, "value": b""},
        {"key": b"", "value": b"null", "headers": headers},
    )
    *found, summary = objects(
        kferry(
            "messages",
            "query",
            *on(plain.source, "source"),
            "--topic",
            topic,
            "--json",
            "--oldest-first",
        )
    )
    assert [(one["key"], one["value"]) for one in found] == [("k", None), (None, ""), ("", "null")]
    shown = [(one["name"], one["value"]) for one in found[2]["headers"]]
    assert shown == [("a", "1"), ("a", None), ("b", ""), ("a", "1")]
    assert (summary["found"], summary["limit"]) == (3, None)


def test_a_query_that_a_limit_ended_names_the_one_that_goes_on(plain: Sandbox) -> None:
    topic = make(plain.source, unique("limit"), partitions=3)
    Numbers(plain.source, topic, partitions=3).write(100)
    words = [
        "messages",
        "query",
        *on(plain.source, "source"),
        "--topic",
        topic,
        "--scan-records",
        "30",
        "--limit",
        "100",
        "--json",
    ]
    seen: list[tuple[int, int]] = []
    codes = []
    while words:
        done = kferry(*words)
        *found, _ = [json.loads(line) for line in done.stdout.splitlines()]
        seen += [(one["partition"], one["offset"]) for one in found]
        codes.append(done.returncode)
        (last,) = [line for line in done.stderr.splitlines() if line.startswith("next:")]
        words = [*last.split()[2:], "--json"] if "--go-on" in last else []
    assert codes == [7, 7, 7, 0]
    assert len(seen) == len(set(seen)) == 100


def test_both_sides_are_followed_and_ctrl_c_is_no_failure(plain: Sandbox) -> None:
    topic = unique("tail")
    for cluster in (plain.source, plain.target):
        make(cluster, topic)
    write(plain.source, topic, {"value": b"before"}, {"value": b"last"})
    with tailing(*sides(plain), "--topic", topic, "--both", "--from-end", "1") as run:
        run.until(lambda: '"last"' in run.out)
        write(plain.source, topic, {"value": b"new here"})
        write(plain.target, topic, {"value": b"new there"})
        run.until(lambda: '"new here"' in run.out and '"new there"' in run.out)
        run.process.send_signal(signal.SIGINT)
        done = run.ended()
    assert done.code == 0, done.said
    found = {(one["side"], one["value"]) for one in done.lines}
    assert found == {("source", "last"), ("source", "new here"), ("target", "new there")}


MIX = {
    "transactions": Kind(partitions=1, share=0.5, transactions=True),
    "compacted": Kind(partitions=1, size=60, compacted=True),
}


def test_every_record_is_found_on_the_other_side_through_holes(plain: Sandbox) -> None:
    mix = Mix(cluster=plain.source, prefix=unique("compare"), seed=8, kinds=MIX)
    mix.create()
    mix.write(60)
    mix.clean()
    done = copy(
        plain, *(word for one in mix.topics for word in ("--topic", one)), migration=mix.prefix
    )
    assert done.code == 0, done.said
    for topic in mix.topics:
        own = read_all(plain.source, topic)[0]
        assert own[-1].offset >= len(own), "there are holes before the last one"
        there = {one.offset: one for one in read_all(plain.target, topic)[0]}
        for here in (own[0], own[len(own) // 2], own[-1]):
            pair = compared(plain, topic, here.offset, mix.prefix)
            assert pair["same"] is True
            other = there[pair["target"]["offset"]]
            assert content(pair["target"]) == content(pair["source"])
            assert other.content == here.content
            back = compared(plain, topic, other.offset, mix.prefix, "--on", "target")
            assert back["source"]["offset"] == here.offset
        (overview,) = objects(
            kferry(
                "messages",
                "compare",
                *sides(plain),
                "-m",
                mix.prefix,
                "--topic",
                topic,
                "--seconds",
                "0",
                "--json",
            )
        )
        assert (overview["lag"], overview["newest_same"]) == (0, True)
        newest = overview["source"]["newest"]["offset"]
        assert (newest, overview["source"]["first"]["offset"]) == (own[-1].offset, own[0].offset)


def compared(sandbox: Sandbox, topic: str, offset: int, migration: str, *more: str) -> Any:
    place = ("--partition", "0", "--offset", str(offset))
    done = kferry(
        "messages",
        "compare",
        *sides(sandbox),
        "-m",
        migration,
        "--topic",
        topic,
        *place,
        "--json",
        *more,
    )
    (found,) = objects(done)
    return found


def content(one: dict[str, Any]) -> tuple[Any, ...]:
    return one["key"], one["value"], one["headers"], one["timestamp"]


def test_another_record_in_the_same_place_is_a_difference(plain: Sandbox) -> None:
    topic, at = make(plain.source, unique("differs")), ago(60_000)
    write(plain.source, topic, {"key": b"k", "value": b"right", "timestamp": at})
    assert copy(plain, "--topic", topic, migration=topic).code == 0
    delete(plain.target, topic)
    make(plain.target, topic)
    write(plain.target, topic, {"key": b"k", "value": b"wrong", "timestamp": at})
    both = ("messages", "compare", *sides(plain), "-m", topic, "--topic", topic, "--json")
    overview = kferry(*both, "--seconds", "0")
    assert overview.returncode == 4, overview.stdout
    pair = kferry(*both, "--partition", "0", "--offset", "0")
    assert pair.returncode == 4
    assert json.loads(pair.stdout)["differs"] == ["value"]


def test_what_is_not_copied_yet_has_no_other_side(plain: Sandbox) -> None:
    topic = make(plain.source, unique("yet"))
    write(plain.source, topic, {"value": b"0"})
    assert copy(plain, "--topic", topic, migration=topic).code == 0
    write(plain.source, topic, {"value": b"1"})
    both = ("messages", "compare", *sides(plain), "-m", topic, "--topic", topic, "--json")
    later = kferry(*both, "--partition", "0", "--offset", "1")
    assert later.returncode == 7
    assert json.loads(later.stdout)["target"] is None
    (overview,) = objects(kferry(*both, "--seconds", "0"))
    assert (overview["lag"], overview["copied_to"]) == (1, 1)


def test_without_a_copy_both_sides_are_shown_and_nothing_is_guessed(plain: Sandbox) -> None:
    topic = unique("strangers")
    for cluster in (plain.source, plain.target):
        make(cluster, topic)
        write(cluster, topic, {"value": b"x"})
    both = ("messages", "compare", *sides(plain), "--topic", topic, "--json")
    (overview,) = objects(kferry(*both, "--seconds", "0"))
    assert (overview["copied_to"], overview["newest_same"]) == (None, None)
    assert (overview["source"]["end"], overview["target"]["end"]) == (1, 1)
    assert kferry(*both, "--partition", "0", "--offset", "0").returncode == 2


def test_what_is_sent_is_there_as_it_was_given(plain: Sandbox, tmp_path: Path) -> None:
    topic = make(plain.target, unique("send"), partitions=3)
    send = ("messages", "send", *on(plain.target), "--topic", topic)
    assert kferry(*send, "--value", "dry").returncode == 0
    lines = "".join(f"key-{number}\tvalue {number}\n" for number in range(1500))
    done = in_a_process(
        *send, "--key-separator", r"\t", "--header", "from=test", "--execute", stdin=lines
    )
    assert done.returncode == 0, done.stderr
    file = tmp_path / "value"
    file.write_bytes(BINARY)
    at = ago(60_000)
    for more in (
        ("--file", str(file), "--key", "file", "--timestamp", str(at)),
        ("--tombstone", "--key", "gone"),
        ("--value", "", "--partition", "2"),
    ):
        assert kferry(*send, *more, "--execute").returncode == 0
    found = read_all(plain.target, topic)
    everything = {(number, one.offset): one for number, own in found.items() for one in own}
    assert len(everything) == 1503
    for number, told in enumerate(done.stdout.splitlines()):
        partition, offset = map(int, told.split(":"))
        one = everything[partition, offset]
        assert (one.key, one.value) == (b"key-%d" % number, b"value %d" % number)
        assert one.headers == (("from", b"test"),)
    others = {one.key: one for one in everything.values() if not one.headers}
    assert (others[b"file"].value, others[b"file"].timestamp) == (BINARY, at)
    assert others[b"gone"].value is None
    assert others[None].value == b""
    assert partitions_by_key(found) == partitions_by_key(judged(plain.target, 1500))


def partitions_by_key(records: dict[int, list[Seen]]) -> dict[bytes, int]:
    """Where each key lies, of those that both were given."""
    return {
        one.key: number
        for number, own in records.items()
        for one in own
        if one.key is not None and one.key.startswith(b"key-")
    }


def judged(cluster: Cluster, count: int) -> dict[int, list[Seen]]:
    """Let another client put the same keys where Java clients would."""
    topic = make(cluster, unique("judged"), partitions=3)
    producer = Producer({**client_config(cluster.properties), "partitioner": "murmur2_random"})
    for number in range(count):
        producer.produce(topic, b"", b"key-%d" % number)
    assert producer.flush(PATIENCE_S) == 0
    return read_all(cluster, topic)


def test_nothing_is_sent_where_it_does_harm(plain: Sandbox) -> None:
    topic = make(plain.source, unique("harm"))
    write(plain.source, topic, {"value": b"0"})
    assert copy(plain, "--topic", topic, migration=topic).code == 0
    words = ("--topic", topic, "--value", "foreign", "--execute")
    for side, cluster in (("target", plain.target), ("source", plain.source)):
        refused = kferry("messages", "send", *on(cluster, side), *words)
        assert refused.returncode == 5, refused.stderr
        assert len(read_all(cluster, topic)[0]) == 1
    ledger = ("--topic", f"__kferry.{topic}", "--value", "x", "--execute", "--force")
    assert kferry("messages", "send", *on(plain.target), *ledger).returncode == 5
    forced = kferry("messages", "send", *on(plain.target), *words, "--force")
    assert forced.returncode == 0, forced.stderr
    assert read_all(plain.target, topic)[0][-1].value == b"foreign"


def test_a_ledger_of_a_later_release_keeps_records_from_being_sent_unless_forced(
    plain: Sandbox,
) -> None:
    topic = make(plain.target, unique("later"))
    ledger = make(plain.target, TopicName(f"__kferry.{topic}"))
    write(plain.target, ledger, {"key": b"manifest", "value": b'{"v": 99}'})
    send = ("messages", "send", *on(plain.target), "--topic", topic, "--value", "x", "--execute")
    try:
        refused = kferry(*send)
        assert refused.returncode == 5, refused.stderr
        assert topic in refused.stderr
        assert "--force" in refused.stderr
        assert kferry(*send, "--force").returncode == 0
    finally:  # others send on this cluster, too
        delete(plain.target, ledger)
    assert len(read_all(plain.target, topic)[0]) == 1


def test_a_line_without_a_key_ends_it_behind_the_good_ones(plain: Sandbox) -> None:
    topic = make(plain.target, unique("lines"))
    send = ("messages", "send", *on(plain.target), "--topic", topic, "--key-separator", ":")
    done = in_a_process(*send, "--execute", stdin="a:1\nb:2\nbroken\nc:3\n")
    assert done.returncode == 2
    assert "line 3" in done.stderr
    assert [one.key for one in read_all(plain.target, topic)[0]] == [b"a", b"b"]


def test_a_record_that_a_broker_refuses_is_an_error(plain: Sandbox) -> None:
    topic = make(plain.target, unique("compact"), configs={"cleanup.policy": "compact"})
    send = ("messages", "send", *on(plain.target), "--topic", topic, "--execute")
    done = kferry(*send, "--value", "without a key")
    assert done.returncode == 1
    assert "K275" in done.stderr


def test_secured_clusters_are_looked_at_and_sent_to(sasl: Sandbox) -> None:
    topic = unique("secured")
    for cluster in (sasl.source, sasl.target):
        make(cluster, topic)
    admin = ("--target-config", str(sasl.target.properties))
    sent = kferry("messages", "send", *admin, "--topic", topic, "--value", "x", "--execute")
    assert sent.returncode == 0, sent.stderr
    found, _ = objects(kferry("messages", "query", *on(sasl.target), "--topic", topic, "--json"))
    assert (found["value"], found["offset"]) == ("x", 0)
    refused = kferry(
        "messages",
        "send",
        *on(sasl.source, "source"),
        "--topic",
        topic,
        "--value",
        "x",
        "--execute",
        "--force",
    )
    assert refused.returncode == 1, "the least privileged user of a source may not write"
    assert read_all(sasl.source, topic) == {0: []}


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("query",), 2, "did you mean"),
        (("query", "--partition", "7"), 2, "has no partition 7"),
        (("query", "--offset", "99"), 2, "has nothing at 99"),
        (("query", "--from-time", "2099-01-01"), 0, "0 found"),
        (("tail", "--partition", "7"), 2, "has no partition 7"),
    ],
)
def test_what_is_not_there_is_named(
    plain: Sandbox, words: tuple[str, ...], code: int, said: str
) -> None:
    topic = make(plain.source, unique("absent"))
    write(plain.source, topic, {"value": b"x", "timestamp": ago(60_000)})
    name = topic[:-1] if words == ("query",) else topic
    done = kferry("messages", *words, *on(plain.source, "source"), "--topic", name)
    assert (done.returncode, said in done.stderr) == (code, True), done.stderr
    assert "next:" in done.stderr or "hint:" in done.stderr
