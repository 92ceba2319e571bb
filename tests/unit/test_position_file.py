"""Files of positions: what spreadsheets and other tools make of them, and what is refused."""

import re

import pytest

from kferry.groups.position_file import BadPositions, decoded, read_csv, to_csv
from kferry.names import PartitionId, TopicName, TopicPartition


def rows(data: bytes) -> list[tuple[str | None, str, int, int]]:
    return [
        (one.group, one.place.topic, one.place.partition, one.offset)
        for one in read_csv(decoded(data, "file"), "file")
    ]


@pytest.mark.parametrize(
    "data",
    [
        b"orders,0,7\norders,1,8\n\n",
        b"orders,0,7\r\norders,1,8\r\n",
        b"\xef\xbb\xbforders,0,7\norders,1,8",
        b"topic,partition,offset\norders,0,7\norders,1,8",
        b"TOPIC,PARTITION,NEW-OFFSET\r\n\r\norders,0,7\r\n\r\norders,1,8",
        b'"orders","0","7"\n "orders" , 1 , 8 \n'.replace(b' "orders" ', b" orders "),
        b"orders:0:7\norders:1:8\n",
        (
            b"Warn: Partition 0 from topic t is empty. Falling back to latest known offset.\n\n"
            b'"orders",0,7\norders,1,8\n'
        ),
        b"orders,0,7\norders,1,8\norders,0,7\n",
        "orders,0,7\norders,1,8\n".encode("utf-16"),
    ],
)
def test_every_spelling_of_the_same_positions_is_read(data: bytes) -> None:
    assert rows(data) == [(None, "orders", 0, 7), (None, "orders", 1, 8)]


def test_a_group_may_hold_what_csv_quotes() -> None:
    place = TopicPartition(TopicName("orders"), PartitionId(3))
    for group in ('a,b "c"', "line\nend", " lead", "gruppe-ü"):
        text = to_csv([(group, place, 5)])
        assert rows(text.encode()) == [(group, "orders", 3, 5)]


def test_what_is_written_is_what_kafkas_tool_takes() -> None:
    place = TopicPartition(TopicName("orders"), PartitionId(3))
    assert to_csv([(None, place, 5)]) == "orders,3,5\n"
    assert to_csv([("g", place, 5)]) == "g,orders,3,5\n"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "holds no position"),
        (b"\n\n\n", "holds no position"),
        (b"topic,partition,offset\n", "holds no position"),
        (b"orders,0", "line 1: 3 or 4 columns were expected, not 2"),
        (b"orders,0,7\ng,orders,0,7\n", "some lines have a group and some have none"),
        (b"orders,0,-1", "`-1` is no offset"),
        (b"orders,0,7.5", "`7.5` is no offset"),
        (b"orders,0,9223372036854775808", "9223372036854775808 is no offset"),
        (b"orders,0," + b"9" * 5000, "is no offset"),
        (b"orders,x,7", "`x` is no partition"),
        (b"orders,2147483648,7", "2147483648 is no partition"),
        (b"ord ers,0,7", "`ord ers` is no topic's name"),
        (b",0,7", "`` is no topic's name"),
        (b",orders,0,7", "the group has no name"),
        (b"orders:0:", "there is no offset"),
        (b"orders,0,7\norders,0,8", "line 2: orders-0 was at 7 already, and is at 8"),
        (b"\x00\x01\xff\xfe", "is not a text"),
        (b"orders;0;7", "1"),
        (b"x" * 200_000, "field larger than field limit"),
        (b"\n".join(b"orders,%d,x" % n for n in range(20)), "and 15 more"),
        ("orders,٣,7".encode(), "is no partition"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_line(data: bytes, words: str) -> None:
    with pytest.raises(BadPositions, match=re.escape(words)) as refused:
        rows(data)
    assert refused.value.changed == "Nothing was changed."
    assert "topic,partition,offset" in refused.value.hint
