"""The worked example of the script that copies what nobody has read, and what it leaves to do."""

from confluent_kafka import TopicPartition
from copying import copy
from test_groups_sync import logs, read_on, sync
from test_inspect_groups import commit
from test_inspect_topics import make
from test_unconsumed_starts import trim, unique, write

from kferry.sandbox import Sandbox


def test_what_nobody_has_read_arrives_and_both_groups_go_on_at_their_own_place(
    plain: Sandbox,
) -> None:
    source = plain.source
    test1, test2, test3, test4 = (make(source, f"test{n}") for n in range(1, 5))
    for topic, records in ((test1, 5_226), (test2, 100), (test3, 264_322), (test4, 10)):
        write(source, topic, records)
    first, other = unique("test123-group"), unique("test34-group")
    commit(
        source,
        first,
        [
            TopicPartition(test1, 0, 3_713),
            TopicPartition(test2, 0, 60),
            TopicPartition(test3, 0, 187_800),
        ],
    )
    commit(source, other, [TopicPartition(test3, 0, 200_000), TopicPartition(test4, 0, 10)])
    trim(source, test1, 5_226)
    migration = unique("script")
    topics = [word for topic in (test1, test2, test3, test4) for word in ("--topic", topic)]
    done = copy(plain, "--unconsumed", *topics, migration=migration)
    assert done.code == 0, done.said
    said = " ".join(done.said.split())
    skipped = "skip migrate: the committed offset 3,713 lies in expired data"
    assert f"{test1}-0: {skipped}" in said
    ends = {topic: end for (topic, _), (_, end) in logs(plain.target, [test2, test3]).items()}
    assert ends == {test2: 40, test3: 76_522}

    rows = sync(plain, "--group", first, "--group", other, migration=migration)
    told = {(row["group"], row["topic"]): row for row in rows}
    assert all(row["again"] == row["skipped"] == 0 for row in rows), rows
    assert {row["step"] for row in rows} == {"set"}
    assert told[first, test1]["reason"] == (
        "the first record copied: 1,513 offsets had expired on the source"
    )
    for group, topic, records, next_value in (
        (first, test2, 40, 60),
        (first, test3, 76_522, 187_800),
        (other, test3, 64_322, 200_000),
        (other, test4, 0, None),
        (first, test1, 0, None),
    ):
        found = [int(value or b"") for _, value in read_on(plain.target, group, topic, 0)]
        assert len(found) == records, (group, topic)
        assert found[:1] == ([] if next_value is None else [next_value])
        assert found == sorted(set(found))
