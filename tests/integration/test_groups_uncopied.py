"""Where groups go on in topics that kferry did not copy: by a rule, and never by itself."""

import os
import time
from pathlib import Path

from confluent_kafka import OFFSET_INVALID, Producer, TopicPartition
from copying import copy
from judge import PATIENCE_S, client_config, create_topic, send
from test_groups_sync import committed, groups, sync, unique
from test_inspect_groups import commit

from kferry.sandbox import Cluster, Sandbox

HOUR_MS = 3_600_000


def dated(cluster: Cluster, topic: str, ages_h: list[int]) -> int:
    """Write one record for each age, and return now."""
    now = int(time.time() * 1000)
    producer = Producer(client_config(cluster.properties))
    for age in ages_h:
        producer.produce(topic, str(age), timestamp=now - age * HOUR_MS)
        producer.flush(PATIENCE_S)
    return now


def test_groups_start_in_a_topic_that_is_not_copied_where_the_rule_says(plain: Sandbox) -> None:
    name = unique("uncopied")
    moved, copied, group = f"{name}-moved", f"{name}-copied", f"{name}-group"
    for topic in (moved, copied):
        create_topic(client_config(plain.source.properties), topic)
        for number in range(6):
            send(client_config(plain.source.properties), topic, str(number))
    # Producers went first: the target's topic began empty.
    create_topic(client_config(plain.target.properties), moved)
    now = dated(plain.target, moved, [9, 8, 2, 1])
    commit(plain.source, group, [TopicPartition(moved, 0, 6), TopicPartition(copied, 0, 3)])
    assert copy(plain, "--topic", copied, migration=name).code == 0

    rows = {row["topic"]: row for row in sync(plain, "--group", group, migration=name)}
    assert (rows[moved]["step"], rows[moved]["target_offset"]) == ("left", None)
    assert committed(plain.target, group, moved)[0] == OFFSET_INVALID

    since = f"datetime:{now - 5 * HOUR_MS}"
    shown = groups(plain, "show", "--group", group, "--uncopied", since, migration=name)
    found = {row["topic"]: row for row in shown.result["rows"]}
    assert (found[moved]["step"], found[moved]["target_offset"]) == ("set", 2)
    assert not found[moved]["exact"]
    assert found[copied]["step"] == "same"

    one = ("--group", group, "--topic", moved)
    (row,) = sync(plain, *one, "--uncopied", "start", migration=name)
    assert (row["step"], row["target_offset"], row["skipped"]) == ("set", 0, 0)
    assert committed(plain.target, group, moved) == (0, "")
    # A rule knows nothing of what the group has read since: it is not applied twice.
    (row,) = sync(plain, *one, "--uncopied", "end", migration=name)
    assert row["step"] == "left"
    assert committed(plain.target, group, moved) == (0, "")
    (row,) = sync(plain, *one, "--uncopied", "end", "--force", migration=name)
    assert (row["step"], row["target_offset"], row["skipped"]) == ("set", 4, 4)
    assert committed(plain.target, group, moved) == (4, "")
    (row,) = sync(plain, *one, "--undo", migration=name)
    assert committed(plain.target, group, moved)[0] == OFFSET_INVALID


def test_unread_records_that_stay_behind_are_counted_and_a_missing_topic_said(
    plain: Sandbox,
) -> None:
    name = unique("behind")
    here, nowhere, copied = (f"{name}-{one}" for one in ("here", "nowhere", "copied"))
    group = f"{name}-group"
    for topic in (here, nowhere, copied):
        create_topic(client_config(plain.source.properties), topic)
        for number in range(6):
            send(client_config(plain.source.properties), topic, str(number))
    create_topic(client_config(plain.target.properties), here)
    commit(plain.source, group, [TopicPartition(here, 0, 4), TopicPartition(nowhere, 0, 4)])
    assert copy(plain, "--topic", copied, migration=name).code == 0
    rows = groups(plain, "show", "--group", group, "--uncopied", "end", migration=name).result
    by_topic = {row["topic"]: row for row in rows["rows"]}
    assert by_topic[here]["skipped"] == 2
    assert "2 unread records stay on the source" in by_topic[here]["reason"]
    assert by_topic[nowhere]["step"] == "left"
    assert "does not exist" in by_topic[nowhere]["reason"]
    file = Path(os.environ["KFERRY_HOME"]) / f"{name}.csv"
    send(client_config(plain.target.properties), here, "on the target")
    file.write_text(f"{here},0,1\r\n")
    rows = groups(plain, "show", "--group", group, "--uncopied", str(file), migration=name).result
    by_topic = {row["topic"]: row for row in rows["rows"]}
    assert (by_topic[here]["step"], by_topic[here]["target_offset"]) == ("set", 1)
    wrong = groups(plain, "show", "--group", group, "--uncopied", "strat", migration=name)
    assert wrong.code == 2
    assert "neither start, end nor datetime:TIME" in wrong.said
