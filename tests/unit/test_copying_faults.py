"""What may go wrong between the tasks of a copy: nothing stands still for ever, nothing ends it."""

import asyncio
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import pytest

from kferry.admin.producer_ids import ProducerIdentity
from kferry.copying import (
    BadDocument,
    Bucket,
    Budget,
    Clusters,
    Engine,
    Keeper,
    Lane,
    Lease,
    Phase,
    Rules,
    Settings,
    Slot,
    Trouble,
    read_position,
)
from kferry.copying import places as places_module
from kferry.copying import tail as tail_module
from kferry.copying.intake import take
from kferry.copying.item import Item
from kferry.copying.overseer import Overseer
from kferry.copying.places import Places
from kferry.copying.reader import Reader
from kferry.names import BrokerId, PartitionId, TopicName, TopicPartition
from kferry.records import Codec, Parcel, Record, Stamp, encode, read_header
from kferry.records.header import checksum
from kferry.wire import BrokerError
from kferry.wire.fetch import Fetched

IDENTITY = ProducerIdentity(id=1, epoch=1)
NOBODY = Stamp(-1, -1, -1)
DAY_MS = 24 * 3600 * 1000


def lane(number: int = 0, *, goal: int | None = 10, end: int = 10, flowing: bool = True) -> Lane:
    made = Lane(
        source=TopicPartition(TopicName("t"), PartitionId(number)),
        target=TopicPartition(TopicName("t"), PartitionId(number)),
        slot=0,
        rules=Rules(max_bytes=1 << 20),
        budget=Budget(1 << 20),
        begins=0,
        copied_to=0,
        next_target=0,
        goal=goal,
        end=end,
    )
    if flowing:
        made.settled(IDENTITY, next_target=0, copied_to=0)
    return made


class Writer:
    """A slot's writer that does what a test says."""

    def __init__(self) -> None:
        self.failing = False
        self.seconds = 0.0

    async def write(self, _: Any) -> None:
        await asyncio.sleep(self.seconds)
        if self.failing:
            raise BrokerError(5, "ledger")

    async def insist(self, *_: Any) -> None:
        """It is still ours."""


def slot(writer: Writer) -> Slot:
    return Slot(
        number=0,
        transactional_id="x",
        identity=IDENTITY,
        writer=writer,  # type: ignore[arg-type]
        owner={"id": "us"},
    )


def engine(writer: Writer, *, until_caught_up: bool = True) -> Engine:
    nothing: Any = None
    return Engine(
        clusters=Clusters(source=nothing, source_data=nothing, target=nothing, target_data=nothing),
        settings=Settings(until_caught_up=until_caught_up),
        document=lambda: None,
        slots=[slot(writer)],
    )


async def test_a_lease_that_runs_out_during_a_slow_write_wakes_the_settlers() -> None:
    writer, woken = Writer(), []
    lease = Lease(0.05)
    own = slot(writer)
    keeper = Keeper([own], lease, snapshot=lambda: None, regained=lambda: woken.append(True))
    await keeper.begin()
    writer.seconds = 0.1  # the lease is valid when it begins, and has run out when it ends
    await keeper.prove(own)
    assert woken, "lanes that were put in doubt meanwhile would wait for an hour"


async def test_lanes_taken_in_while_the_ledger_is_silent_flow_once_it_answers() -> None:
    writer = Writer()
    whole = engine(writer)
    added: list[Lane] = []
    whole.routes = SimpleNamespace(add=added.extend, wake_all=int)  # type: ignore[assignment]
    new = lane()
    writer.failing = True
    with pytest.raises(BrokerError):
        await whole.take_in([new])
    assert not added, "a record must not be written before its position is"
    writer.failing = False
    await whole._tell()
    assert added == [new]


async def test_a_copy_of_nothing_ends_when_it_is_to_end() -> None:
    assert engine(Writer())._finished()
    assert not engine(Writer(), until_caught_up=False)._finished()


def overseer(patience: int | None = None) -> tuple[Overseer, list[Lane]]:
    looked: list[Lane] = []
    return Overseer(Bucket(), patience=patience, look=looked.append), looked


def stopped_of(*lanes: Lane) -> list[Lane]:
    return [one for one in lanes if one.phase is Phase.STOPPED]


async def test_a_lane_whose_goal_cannot_be_told_is_not_borne_for_ever() -> None:
    watcher, _ = overseer(patience=5)
    lost = lane(goal=None, end=0)
    for _ in range(10):
        watcher.beat([lost], behind=0, paused=False)
    assert stopped_of(lost) == [lost]


async def test_thousands_that_wait_for_their_turn_are_neither_stopped_nor_all_looked_at() -> None:
    watcher, looked = overseer(patience=5)
    served, waiting = lane(), [lane(number) for number in range(1, 1000)]
    served.end = 1 << 40
    for beat in range(20):
        served.copied_to = served.fetched_to = beat
        watcher.beat([served, *waiting], behind=0, paused=False)
    assert not stopped_of(served, *waiting)
    assert len(looked) < 20 * 20
    for _ in range(10):  # nobody is served any more
        watcher.beat([served, *waiting], behind=0, paused=False)
    assert stopped_of(served, *waiting)


class Answers:
    """The source as `Places` and `_ahead` see it: a page without records, and where it is local."""

    def __init__(self, local: int | Exception) -> None:
        self.local = local

    async def is_local(self, _: Any, __: Any, offset: int) -> bool:
        if isinstance(self.local, Exception):
            raise self.local
        return self.local <= offset


class EmptyLog:
    """A log whose pages are empty although it goes on."""

    def __init__(self, _: Any, __: Any, offset: int, **___: Any) -> None:
        self.offset = offset
        self.wait_ms = 0

    async def page(self) -> Any:
        return Fetched(
            partition=lane().source,
            error_code=0,
            high_watermark=100,
            last_stable_offset=100,
            log_start_offset=0,
            aborted=(),
            preferred_replica=-1,
            records=memoryview(b""),
        )


@pytest.mark.parametrize(("local", "stable"), [(0, 100), (50, None)])
async def test_an_empty_page_of_a_remote_log_is_no_hole(
    monkeypatch: pytest.MonkeyPatch, local: int, stable: int | None
) -> None:
    monkeypatch.setattr(places_module, "LogReader", EmptyLog)
    monkeypatch.setattr(places_module, "is_local", Answers(local).is_local)
    nothing: Any = None
    looker = Places(nothing, ids={}, record_gaps=False, looked=lambda _: None)
    assert await looker._nothing_until(lane(), 0, 100) == stable


async def test_a_lane_given_up_while_it_is_settled_stays_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one = lane(flowing=False)

    class Tail:
        following = 7

        def __init__(self, *_: Any) -> None:
            """Nothing to know."""

        async def batches(self) -> Any:
            one.stop(Trouble(code="topic-recreated", reason="another one"))
            return
            yield

    async def no_last(*_: Any) -> None:
        """Nothing was copied."""

    monkeypatch.setattr(tail_module, "_Tail", Tail)
    monkeypatch.setattr(tail_module, "_last_copied", no_last)
    nothing: Any = None
    await tail_module.settle_tail(nothing, nothing, one, IDENTITY)
    assert one.phase is Phase.STOPPED


def item(timestamp: int, *, at: int = 0) -> Item:
    batch = encode([Record(at, timestamp, b"k", b"v", ())], Codec.NONE, NOBODY)
    parcel = Parcel(batch=memoryview(batch), stretches=((at, 1),), count=1, max_timestamp=timestamp)
    return Item(parcel=parcel, source_end=at + 1, leader_epoch=0, header=None)


def test_one_at_a_time_behind_an_old_batch() -> None:
    now = 100 * DAY_MS
    one = lane()
    one.queue.extend([item(now - 30 * DAY_MS), item(now, at=1), item(now, at=2)])
    for taken in one.queue:
        one._hold(taken.size)
    one.next_item()
    one.arrived(0)
    one.next_item()
    # By the age of the first the broker may have forgotten us: it would take the third for any.
    assert not one.may_send(now, DAY_MS)
    one.arrived(1)
    assert one.may_send(now, DAY_MS)


def test_a_gap_found_again_after_a_doubt_is_one_gap() -> None:
    one = lane()
    one.leap(20, "gone")
    one.copied_to = 0  # as where the batch before it was in flight, and was lost
    one.doubt("lost")
    one.settled(IDENTITY, next_target=0, copied_to=0)
    one.leap(30, "gone")
    assert [(gap.first, gap.last) for gap in one.gaps] == [(0, 29)]


def with_codec(batch: bytearray, codec: int) -> memoryview:
    batch[22] = batch[22] & ~7 | codec
    batch[17:21] = checksum(memoryview(batch)).to_bytes(4, "big")
    return memoryview(batch)


def test_an_unknown_compression_is_a_bad_batch_and_not_the_end() -> None:
    sparse = encode([Record(0, 1, b"k", b"v", ())], Codec.NONE, NOBODY)
    sparse[23:27] = (5).to_bytes(4, "big")  # covers more offsets than it has records
    taken = take(with_codec(sparse, 6), position=0, rules=Rules(max_bytes=1 << 20))
    assert taken.bad is not None


def test_tiny_batches_that_cannot_be_merged_go_as_they_are() -> None:
    one = lane()
    for at in range(2):
        batch = encode([Record(at, 1, b"k" * 50, b"v", ())], Codec.NONE, NOBODY)
        batch[61:] = b"\xff" * (len(batch) - 61)
        batch[17:21] = checksum(memoryview(batch)).to_bytes(4, "big")
        parcel = Parcel(batch=memoryview(batch), stretches=((at, 1),), count=1, max_timestamp=1)
        one.queue.append(
            Item(parcel=parcel, source_end=at + 1, leader_epoch=0, header=read_header(parcel.batch))
        )
        one._hold(len(batch))
    assert one.next_item().source_end == 1


def test_lanes_in_doubt_are_no_reason_to_hurry() -> None:
    nothing: Any = None
    reader = Reader(
        broker=BrokerId(1),
        cluster=nothing,
        budget=Budget(1 << 20),
        bucket=Bucket(),
        paused=lambda: False,
        stale=lambda _: None,
        out_of_range=lambda _: None,
        given=lambda _: None,
        prefer=lambda _, __: None,
    )
    reader.lanes |= {lane(1), lane(2, flowing=False)}
    assert len(reader._open_lanes()) == 1
    assert not reader._withheld


@pytest.mark.parametrize(
    "hostile", [{"target": 1 << 80}, {"epoch": float("inf")}, {"epoch": []}, {"chunk": -1}]
)
def test_a_hostile_position_is_refused(hostile: Mapping[str, Any]) -> None:
    fine = {"begins": 0, "source": 1, "target": 1, "chunk": 0, "records": 1, "epoch": 0}
    read_position("partition/t/0", fine)
    with pytest.raises(BadDocument):
        read_position("partition/t/0", {**fine, **hostile})
