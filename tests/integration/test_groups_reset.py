"""`groups reset`, judged by the official tool: the same offsets from both, in every mode."""

import csv
import json
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from confluent_kafka import Consumer, TopicPartition
from judge import PATIENCE_S, client_config
from positions_matrix import (
    CONSUMER_GROUPS,
    GROUPS,
    Committed,
    Matrix,
    asked,
    committed,
    official,
)
from test_inspect_groups import member

from kferry.sandbox import Sandbox


def iso_time(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds")


def reset(logs: Matrix, *arguments: str, code: int = 0) -> list[dict[str, object]]:
    done = asked("groups", "reset", "--source", logs.cluster.bootstrap, "--json", *arguments)
    assert done.code == code, f"{done.code}\n{done.said}\n{done.out}"
    return done.rows


def exported(logs: Matrix, *arguments: str) -> list[str]:
    done = asked("groups", "reset", "--source", logs.cluster.bootstrap, "--export", *arguments)
    assert done.code == 0, done.said
    return sorted(done.lines)


def named(logs: Matrix, *names: str) -> list[str]:
    return [word for name in names for word in ("--group", logs.group(name))]


def everywhere(logs: Matrix) -> list[str]:
    return [word for topic in logs.topics for word in ("--topic", topic)]


def standing(logs: Matrix, name: str) -> Committed:
    return committed(logs.cluster, logs.group(name), list(logs.logs))


def lines(told: str) -> list[str]:
    """The rows of an official export without its quotes, and the warnings it mixes in."""
    return sorted(",".join(row) for row in csv.reader(told.splitlines()) if len(row) > 1)


def test_every_mode_gives_the_offsets_that_the_official_tool_gives(logs: Matrix) -> None:
    amid, late = (iso_time(at) for at in logs.times[1:])
    stand_everywhere = ("at-start", "behind", "beyond", "middle")
    several = [*named(logs, *GROUPS, "nobody"), *everywhere(logs)]
    modes = [
        [*several, "--to-earliest"],
        [*several, "--to-current"],
        [*several, "--to-offset", "15"],
        [*named(logs, *stand_everywhere), *everywhere(logs), "--shift-by", "-7"],
        [*several, "--to-datetime", amid],
        [*several, "--to-datetime", late.removesuffix("+00:00")],
        [*several, "--by-duration", "PT10H"],
        [*named(logs, *GROUPS), "--all-topics", "--shift-by", "7"],
        [*named(logs, "middle"), "--topic", f"{logs.topic('times')}:0,2", "--to-latest"],
    ]
    before = {name: standing(logs, name) for name in GROUPS}
    calls = [("--reset-offsets", "--dry-run", "--export", *mode) for mode in modes]
    told = [lines(one) for one in official(logs.cluster, CONSUMER_GROUPS, calls)]
    found = [exported(logs, *mode) for mode in modes]
    for mode, ours, theirs in zip(modes, found, told, strict=True):
        assert ours == theirs, mode[-2:]
    assert len(found[0]) == len(logs.logs) * (len(GROUPS) + 1)
    assert len(found[-1]) == 2
    assert len({tuple(one) for one in found}) == len(modes)
    assert {name: standing(logs, name) for name in GROUPS} == before, "a dry run changes nothing"
    assert not standing(logs, "nobody")


def test_what_is_executed_is_committed_without_an_epoch(logs: Matrix) -> None:
    group = f"{logs.prefix}-executed"
    rows = reset(logs, "--group", group, *everywhere(logs), "--to-latest", "--execute")
    ends = {place: end for place, (_, end) in logs.logs.items()}
    assert {row["step"] for row in rows} == {"set"}
    assert committed(logs.cluster, group, list(ends)) == ends
    again = reset(logs, "--group", group, "--all-topics", "--to-latest", "--execute")
    assert {row["step"] for row in again} == {"same"}
    back = reset(logs, "--group", group, "--all-topics", "--shift-by", "-3", "--execute")
    assert {(row["before"], row["offset"]) for row in back} == {
        (end, max(start, end - 3)) for start, end in logs.logs.values()
    }
    assert committed(logs.cluster, group, list(ends)) == {
        place: max(start, end - 3) for place, (start, end) in logs.logs.items()
    }


def test_files_go_from_either_tool_to_the_other(logs: Matrix, tmp_path: Path) -> None:
    one, two = (f"{logs.prefix}-{name}" for name in ("file-one", "file-two"))
    ours, theirs = tmp_path / "ours.csv", tmp_path / "theirs.csv"
    scope = ("--group", one, "--group", two, *everywhere(logs))
    amid = iso_time(logs.times[1])
    (told,) = official(
        logs.cluster,
        CONSUMER_GROUPS,
        [("--reset-offsets", "--dry-run", "--export", *scope, "--to-datetime", amid)],
    )
    theirs.write_text(told)
    rows = reset(logs, "--group", one, "--from-file", str(theirs), "--execute")
    assert {row["group"] for row in rows} == {one}
    stand = committed(logs.cluster, one, list(logs.logs))
    assert [f"{one},{topic},{part},{at}" for (topic, part), at in sorted(stand.items())] == [
        line for line in lines(told) if line.startswith(one)
    ]
    # And back: three columns for one group, four for several.
    ours.write_text("\n".join(exported(logs, "--group", one, "--all-topics", "--shift-by", "1")))
    assert ours.read_text().count(",") == 2 * len(stand)
    official(
        logs.cluster,
        CONSUMER_GROUPS,
        [("--reset-offsets", "--execute", "--group", two, "--from-file", str(ours))],
    )
    expected = {place: min(at + 1, logs.logs[place][1]) for place, at in stand.items()}
    assert committed(logs.cluster, two, list(logs.logs)) == expected


def test_the_two_steps_of_the_old_documents_set_a_group_to_a_time(
    logs: Matrix, tmp_path: Path
) -> None:
    topic, group, at = logs.topic("times"), f"{logs.prefix}-two-steps", str(logs.times[1])
    server = ("--broker-list", logs.cluster.bootstrap)
    first = asked("offsets", "get", *server, "--topic", topic, "--time", at, "--csv")
    assert first.code == 0, first.said
    file = tmp_path / "offsets.csv"
    file.write_bytes(b"\xef\xbb\xbf" + first.out.replace("\n", "\r\n").encode())
    old = ("--new-consumer", "--bootstrap-server", logs.cluster.bootstrap, "--reset-offsets")
    second = asked("groups", "reset", *old, "--from-file", str(file), "--group", group, "-excute")
    assert second.code == 0, second.said
    assert "-excute is read as --execute" in second.said
    by_time = reset(logs, "--group", group, "--topic", topic, "--to-datetime", at)
    assert {row["step"] for row in by_time} == {"same"}
    # The lines of the first step do as a file, too.
    plain = asked("offsets", "get", *server, "--topic", topic, "--time", "-2")
    file.write_text(plain.out)
    rows = reset(logs, "--group", group, "--from-file", str(file), "--execute")
    assert {row["offset"] for row in rows} == {0}


@pytest.mark.parametrize("protocol", ["classic", "consumer"])
def test_an_active_group_is_refused_by_name_and_the_others_are_done(
    logs: Matrix, protocol: str
) -> None:
    topic = logs.topic("trimmed")
    active, idle = (f"{logs.prefix}-{protocol}-{name}" for name in ("active", "idle"))
    scope = ("--group", active, "--group", idle, "--topic", topic, "--to-latest")
    config = {"group.id": active, "group.protocol": protocol, "client.id": "billing"}
    with member(logs.cluster, topic, **config):
        rows = reset(logs, *scope, "--execute", code=5)
        assert reset(logs, *scope, code=5)
        shown = asked("groups", "reset", "--source", logs.cluster.bootstrap, *scope)
        assert "billing at 127.0.0.1" in shown.out
        steps = {(row["group"], row["step"]) for row in rows}
        assert steps == {(active, "active"), (idle, "set")}
        assert not committed(logs.cluster, active, [(topic, 0)])
    assert committed(logs.cluster, idle, [(topic, 0)]) == {(topic, 0): 50}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--group", "nobody", "--all-topics"), "no position anywhere on the source: nobody"),
        (("--group", "nobody*", "--topic", "{p}-one"), "no group on the source matches nobody*"),
        (("--group", "g", "--topic", "{p}-onne"), "did you mean `{p}-one`"),
        (("--group", "g", "--topic", "{p}-times:1,7,9"), "has 3 partitions, and none with the"),
        (("--group", "g", "--topic", "{p}-nothing*"), "no topic on the source matches"),
    ],
)
def test_what_is_not_there_is_refused_before_anything_is_set(
    logs: Matrix, arguments: tuple[str, ...], words: str
) -> None:
    wanted = [one.format(p=logs.prefix) for one in arguments]
    server = ("--source", logs.cluster.bootstrap)
    done = asked("groups", "reset", *server, *wanted, "--to-latest", "--execute")
    assert (done.code, done.out) == (2, "")
    assert words.format(p=logs.prefix) in done.said.replace("\n│ ", " ")
    assert "Nothing was changed." in done.said
    assert not committed(logs.cluster, "g", list(logs.logs))


def test_a_file_that_names_what_is_not_there_changes_nothing(logs: Matrix, tmp_path: Path) -> None:
    file, group = tmp_path / "wrong.csv", f"{logs.prefix}-wrong-file"
    one = logs.topic("one")
    file.write_text(f"{one},0,1\n{one},1,0\nnobodys,0,0\n")
    server = ("--source", logs.cluster.bootstrap)
    done = asked(
        *("groups", "reset", *server, "--group", group, "--from-file", str(file), "--execute")
    )
    assert done.code == 2
    assert f"nobodys-0, {one}-1" in done.said.replace("\n│ ", " ")
    assert not committed(logs.cluster, group, [(one, 0)])


def test_a_snapshot_comes_back_as_it_was_taken(logs: Matrix, tmp_path: Path) -> None:
    file, names = tmp_path / "before.json", ("at-start", "in-some", "middle")
    server = ("--source", logs.cluster.bootstrap)
    group, place = logs.group("middle"), (logs.topic("times"), 1)
    with closing(Consumer({**client_config(logs.cluster.properties), "group.id": group})) as one:
        beside = TopicPartition(*place, 2, metadata="checkpoint ü")
        one.commit(offsets=[beside], asynchronous=False)
    before = {name: standing(logs, name) for name in names}
    taken = asked("groups", "export", str(file), *server, *named(logs, *names), "--json")
    assert taken.code == 0, taken.said
    assert json.loads(taken.out)["positions"] == sum(map(len, before.values()))
    reset(logs, *named(logs, *names), "--all-topics", "--to-earliest", "--execute")
    assert standing(logs, "middle") != before["middle"]

    dry = asked("groups", "import", str(file), *server, "--json")
    assert dry.code == 0, dry.said
    assert standing(logs, "middle") != before["middle"]
    assert {(row["group"], row["before"]) for row in dry.rows if row["topic"] == place[0]} >= {
        (group, 0)
    }
    done = asked("groups", "import", str(file), *server, "--execute", "--json")
    assert done.code == 0, done.said
    assert {name: standing(logs, name) for name in names} == before
    with closing(Consumer({**client_config(logs.cluster.properties), "group.id": group})) as one:
        (read,) = one.committed([TopicPartition(*place)], timeout=PATIENCE_S)
    assert (read.offset, (read.metadata or "").rstrip("\0")) == (2, "checkpoint ü")
    again = asked("groups", "import", str(file), *server, "--execute", "--json")
    assert {row["step"] for row in again.rows} == {"same"}


def test_a_snapshot_is_for_its_own_cluster_and_topics(
    plain: Sandbox, logs: Matrix, tmp_path: Path
) -> None:
    file, server = tmp_path / "mine.json", ("--source", logs.cluster.bootstrap)
    assert asked("groups", "export", str(file), *server, *named(logs, "middle")).code == 0
    there = asked("groups", "import", str(file), "--target", plain.target.bootstrap, "--execute")
    assert there.code == 5
    assert "positions of another cluster" in there.said
    twice = asked("groups", "export", str(file), *server)
    assert twice.code == 2
    assert "is there already" in twice.said
    document = json.loads(file.read_text())
    document["topics"][logs.topic("one")]["id"] = "00000000-0000-0000-0000-000000000001"
    file.write_text(json.dumps(document))
    done = asked("groups", "import", str(file), *server, "--execute", "--json")
    assert done.code == 1
    failed = {row["topic"] for row in done.rows if row["step"] == "failed"}
    assert failed == {logs.topic("one")}
