"""`offsets get`, judged by the official tool: every place, every time, every filter."""

import json
from typing import Any

from positions_matrix import GET_OFFSETS, Matrix, asked, official

from kferry.sandbox import Sandbox


def got(matrix: Matrix, *arguments: str) -> list[str]:
    done = asked("offsets", "get", "--source", matrix.cluster.bootstrap, *arguments)
    assert done.code == 0, done.said
    return done.lines


def rows(matrix: Matrix, *arguments: str) -> dict[tuple[str, int], dict[str, Any]]:
    found = [json.loads(line) for line in got(matrix, "--json", *arguments)]
    return {(one["topic"], one["partition"]): one for one in found}


def test_every_place_and_time_is_what_the_official_tool_says(logs: Matrix) -> None:
    whens = ["-1", "earliest", "max-timestamp", *map(str, logs.times)]
    told = official(
        logs.cluster, GET_OFFSETS, [("--topic", f"{logs.prefix}.*", "--time", one) for one in whens]
    )
    found = [got(logs, "--topic", f"{logs.prefix}*", "--time", one) for one in whens]
    assert found == [one.splitlines() for one in told]
    # They differ, so that the comparison means something, and some partitions have no answer.
    assert len({tuple(one) for one in found}) == len(whens)
    assert len(found[0]) == len(logs.logs) > len(found[2]) > len(found[-1])


def test_filters_mean_what_they_mean_to_the_official_tool(logs: Matrix) -> None:
    filters: list[tuple[str, ...]] = [
        ("--topic-partitions", f"{logs.prefix}-(one|times):1-,{logs.prefix}-trimmed,:-1"),
        ("--exclude-internal-topics", "--topic-partitions", ":0-2"),
        ("--topic", f"{logs.prefix}-times,{logs.prefix}-op.n", "--partitions", "0,2"),
    ]
    told = official(logs.cluster, GET_OFFSETS, filters)
    ours = got(logs, *filters[0]), got(logs, *filters[1])
    assert [*ours] == [one.splitlines() for one in told[:2]]
    assert ours[0] != ours[1]
    # Its own command line means what it means there.
    done = asked("offsets", "get", "--bootstrap-server", logs.cluster.bootstrap, *filters[2])
    assert done.lines == told[2].splitlines()
    assert "is read as --target" in done.said
    assert "is read as a regular expression" in done.said


def test_the_stable_end_stands_before_an_open_transaction(logs: Matrix) -> None:
    topic = logs.topic("open")
    assert got(logs, "--topic", topic) == [f"{topic}:0:15"]
    assert got(logs, "--topic", topic, "--time", "latest-stable") == [f"{topic}:0:10"]


def test_where_there_is_no_such_record_a_group_goes_on_at_the_end(logs: Matrix) -> None:
    late = str(logs.times[2])
    found = rows(logs, "--topic", f"{logs.prefix}*", "--time", late)
    assert found.keys() == logs.logs.keys()
    for place, one in found.items():
        assert one["offset"] is None
        assert one["resume"] == logs.logs[place][1]
    csv = got(logs, "--topic", logs.topic("times"), "--time", late, "--csv")
    assert csv == [f"{logs.topic('times')},{n},{end}" for n, end in enumerate((40, 5, 0))]


def test_both_sides_stand_next_to_each_other(plain: Sandbox, logs: Matrix) -> None:
    sides = ("--source", plain.source.bootstrap, "--target", plain.target.bootstrap)
    topic = logs.topic("one")
    done = asked("offsets", "get", "--both", *sides, "--topic", topic)
    assert done.code == 0, done.said
    head, row = (line.split() for line in done.lines)
    assert (head, row) == (["topic", "part", "source", "target"], [topic, "0", "1", "-"])
    refused = asked("offsets", "get", *sides, "--topic", topic)
    assert refused.code == 2
    assert "--on source" in refused.said
    assert asked("offsets", "get", *sides, "--on", "source", "--topic", topic).out == (
        f"{topic}:0:1\n"
    )


def test_a_name_that_is_not_there_is_refused_and_the_near_one_offered(logs: Matrix) -> None:
    wrong = logs.topic("trimed")
    done = asked("offsets", "get", "--source", logs.cluster.bootstrap, "--topic", wrong)
    assert done.code == 2
    assert f"did you mean `{logs.topic('trimmed')}`" in done.said.replace("\n│ ", " ")
    assert done.out == ""
