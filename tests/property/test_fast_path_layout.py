"""Our fetch and produce layouts beside kafka-python's classes: the same bytes, both ways."""

import contextlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kafka.protocol.consumer import FetchRequest, FetchResponse
from kafka.protocol.producer import ProduceRequest, ProduceResponse

from kferry.names import PartitionId, TopicName, TopicPartition
from kferry.wire import fetch, produce
from kferry.wire.codec import Undecodable
from kferry.wire.fetch import FetchFrom, FetchQuestion, decode_fetch, encode_fetch
from kferry.wire.produce import Batch, decode_produce, encode_produce

names = st.text("abcäöü.-_", min_size=1, max_size=12).map(TopicName)
int32 = st.integers(-(2**31), 2**31 - 1)
offsets = st.integers(-1, 2**63 - 1)
partition_ids = st.integers(0, 5000).map(PartitionId)
partitions = st.builds(TopicPartition, names, partition_ids)


def versions(module: object) -> st.SearchStrategy[int]:
    return st.integers(module.OLDEST, module.NEWEST)  # type: ignore[attr-defined]


questions = st.builds(
    FetchQuestion,
    partitions=st.lists(
        st.builds(
            FetchFrom,
            partition=partitions,
            offset=offsets,
            max_bytes=int32,
            leader_epoch=int32,
        ),
        max_size=6,
        unique_by=lambda wanted: wanted.partition,
    ).map(lambda wanted: sorted(wanted, key=lambda one: one.partition)),
    max_wait_ms=int32,
    min_bytes=int32,
    max_bytes=int32,
    isolation=st.sampled_from([0, 1]),
    session=st.tuples(int32, int32),
    forgotten=st.lists(partitions, max_size=4, unique=True).map(sorted),
    rack=st.text(max_size=8),
)


@given(question=questions, version=versions(fetch))
def test_fetch_requests_read_back_as_what_was_asked(question: FetchQuestion, version: int) -> None:
    read = FetchRequest.decode(encode_fetch(question, version), version=version)
    assert (read.max_wait_ms, read.min_bytes, read.max_bytes) == (
        question.max_wait_ms,
        question.min_bytes,
        question.max_bytes,
    )
    seen = [
        (topic.topic, one.partition, one.fetch_offset, one.partition_max_bytes)
        for topic in read.topics
        for one in topic.partitions
    ]
    assert seen == [
        (*wanted.partition, wanted.offset, wanted.max_bytes) for wanted in question.partitions
    ]
    if version >= 4:
        assert read.isolation_level == question.isolation
    if version >= 7:
        assert (read.session_id, read.session_epoch) == question.session
        gone = [
            (topic.topic, one) for topic in read.forgotten_topics_data for one in topic.partitions
        ]
        assert gone == [tuple(one) for one in question.forgotten]
    if version >= 9:
        epochs = [one.current_leader_epoch for topic in read.topics for one in topic.partitions]
        assert epochs == [wanted.leader_epoch for wanted in question.partitions]
    if version >= 11:
        assert read.rack_id == question.rack


@st.composite
def fetch_answers(draw: st.DrawFn) -> tuple[bytes, int, list[dict[str, Any]]]:
    version = draw(versions(fetch))
    rows: list[dict[str, Any]] = draw(
        st.lists(
            st.fixed_dictionaries(
                {
                    "topic": names,
                    "partition_index": partition_ids,
                    "error_code": st.integers(-1, 120),
                    "high_watermark": offsets,
                    "last_stable_offset": offsets,
                    "log_start_offset": offsets,
                    "aborted": st.lists(st.tuples(offsets, offsets), max_size=3),
                    "preferred_read_replica": int32,
                    "records": st.binary(max_size=64),
                }
            ),
            max_size=5,
        )
    )
    topic, response = FetchResponse.FetchableTopicResponse, FetchResponse
    part = topic.PartitionData
    body = response(
        throttle_time_ms=draw(int32),
        error_code=0,
        session_id=draw(int32),
        responses=[
            topic(
                topic=row["topic"],
                partitions=[
                    part(
                        **{
                            key: value
                            for key, value in row.items()
                            if key not in {"topic", "aborted"}
                        },
                        aborted_transactions=[
                            part.AbortedTransaction(producer_id=a, first_offset=b)
                            for a, b in row["aborted"]
                        ],
                    )
                ],
            )
            for row in rows
        ],
    ).encode(version=version)
    return body, version, rows


@given(answer=fetch_answers())
def test_fetch_responses_are_read_as_they_were_sent(
    answer: tuple[bytes, int, list[dict[str, Any]]],
) -> None:
    body, version, rows = answer
    read = decode_fetch(memoryview(body), version)
    assert [
        (*p.partition, p.error_code, p.high_watermark, bytes(p.records)) for p in read.partitions
    ] == [
        (r["topic"], r["partition_index"], r["error_code"], r["high_watermark"], r["records"])
        for r in rows
    ]
    if version >= 4:
        assert [[(a.producer_id, a.first_offset) for a in p.aborted] for p in read.partitions] == [
            r["aborted"] for r in rows
        ]
    if version >= 5:
        assert [p.log_start_offset for p in read.partitions] == [
            r["log_start_offset"] for r in rows
        ]
    if version >= 11:
        assert [p.preferred_replica for p in read.partitions] == [
            r["preferred_read_replica"] for r in rows
        ]


@given(answer=fetch_answers(), data=st.data())
def test_a_cut_fetch_response_is_refused_not_guessed(
    answer: tuple[bytes, int, list[dict[str, Any]]], data: st.DataObject
) -> None:
    body, version, _ = answer
    cut = data.draw(st.integers(0, len(body) - 1))
    with pytest.raises(Undecodable):
        decode_fetch(memoryview(body)[:cut], version)


@given(garbage=st.binary(max_size=200), version=versions(fetch))
@settings(max_examples=300)
def test_garbage_never_does_worse_than_undecodable(garbage: bytes, version: int) -> None:
    with contextlib.suppress(Undecodable):
        decode_fetch(memoryview(garbage), version)


@given(
    batches=st.lists(
        st.builds(
            Batch,
            partitions,
            st.lists(st.binary(max_size=20), min_size=1, max_size=3).map(tuple),
        ),
        max_size=5,
        unique_by=lambda batch: batch.partition,
    ).map(lambda batches: sorted(batches, key=lambda batch: batch.partition)),
    version=versions(produce),
    timeout_ms=int32,
    transactional_id=st.none() | st.text(max_size=8),
)
def test_produce_requests_read_back_as_what_was_sent(
    batches: list[Batch], version: int, timeout_ms: int, transactional_id: str | None
) -> None:
    pieces = encode_produce(batches, timeout_ms=timeout_ms, transactional_id=transactional_id)
    read = ProduceRequest.decode(b"".join(pieces), version=version)
    assert (read.acks, read.timeout_ms, read.transactional_id) == (-1, timeout_ms, transactional_id)
    seen = [
        (topic.name, one.index, bytes(one.records))
        for topic in read.topic_data
        for one in topic.partition_data
    ]
    assert seen == [(*batch.partition, b"".join(batch.pieces)) for batch in batches]


def test_produce_hands_on_the_very_buffers_it_was_given() -> None:
    record_bytes = memoryview(bytearray(b"x" * 100))
    batch = Batch(TopicPartition(TopicName("t"), PartitionId(0)), [record_bytes])
    assert any(piece is record_bytes for piece in encode_produce([batch], timeout_ms=1))


@st.composite
def produce_answers(draw: st.DrawFn) -> tuple[bytes, int, list[dict[str, Any]]]:
    version = draw(versions(produce))
    rows: list[dict[str, Any]] = draw(
        st.lists(
            st.fixed_dictionaries(
                {
                    "topic": names,
                    "index": partition_ids,
                    "error_code": st.integers(-1, 120),
                    "base_offset": offsets,
                    "log_append_time_ms": offsets,
                    "log_start_offset": offsets,
                    "error_message": st.none() | st.text(max_size=10),
                }
            ),
            max_size=5,
        )
    )
    topic = ProduceResponse.TopicProduceResponse
    part = topic.PartitionProduceResponse
    body = ProduceResponse(
        responses=[
            topic(
                name=row["topic"],
                partition_responses=[
                    part(**{key: value for key, value in row.items() if key != "topic"})
                ],
            )
            for row in rows
        ],
        throttle_time_ms=draw(int32),
    ).encode(version=version)
    return body, version, rows


@given(answer=produce_answers(), data=st.data())
def test_produce_responses_are_read_as_they_were_sent_and_refused_when_cut(
    answer: tuple[bytes, int, list[dict[str, Any]]], data: st.DataObject
) -> None:
    body, version, rows = answer
    read = decode_produce(memoryview(body), version)
    assert [(*p.partition, p.error_code, p.base_offset) for p in read.partitions] == [
        (r["topic"], r["index"], r["error_code"], r["base_offset"]) for r in rows
    ]
    if version >= 8:
        assert [p.error_message for p in read.partitions] == [
            r["error_message"] or None for r in rows
        ]
    with pytest.raises(Undecodable):
        decode_produce(memoryview(body)[: data.draw(st.integers(0, len(body) - 1))], version)
