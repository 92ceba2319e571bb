"""Sizing: what is added up, what follows from what, and what is not known staying so."""

from typing import Any

import pytest

from kferry.admin.quotas import Quota
from kferry.migration.sizing import (
    PRODUCE_QUOTA,
    Overtaken,
    TargetRoom,
    TopicLoad,
    quota_for,
    quotas_below,
    size_up,
)
from kferry.names import TopicName

DAY_MS = 86_400_000
ROOM = TargetRoom(brokers=3, replicas=300, free_bytes=10_000, offsets_kept_seconds=604_800)


def load(name: str = "t", **known: Any) -> TopicLoad:
    values: dict[str, Any] = {
        "partitions": 2,
        "replicas": 3,
        "bytes": 1000,
        "records": 100,
        "records_per_second": 0.0,
        **known,
    }
    return TopicLoad(name=TopicName(name), **values)


def test_three_replicas_take_three_times_the_space() -> None:
    sized = size_up([load("a"), load("b", bytes=2000, records=50)], ROOM, rate=10)
    assert (sized.bytes, sized.records, sized.disk_bytes, sized.fits) == (3000, 150, 9000, True)
    assert (sized.seconds, sized.limited_by) == (300, "rate")
    assert sized.replicas_per_broker == 104
    assert not sized.many_replicas
    assert size_up([load(bytes=4000)], ROOM, rate=None).fits is False


def test_what_is_not_known_is_not_guessed() -> None:
    sized = size_up([load("a", bytes=None), load("b")], ROOM, rate=None)
    assert (sized.unknown, sized.bytes, sized.seconds, sized.speed) == (("a",), 1000, None, None)
    nothing = size_up([load(bytes=None)], TargetRoom(brokers=1), rate=10)
    assert (nothing.bytes, nothing.disk_bytes, nothing.fits) == (None, None, None)
    assert (nothing.seconds, nothing.never, nothing.replicas_per_broker) == (None, False, None)


def test_what_is_written_meanwhile_makes_it_longer_or_endless() -> None:
    growing = load(records_per_second=0.5)  # of 10 bytes each
    assert size_up([growing], ROOM, rate=10).seconds == 200
    endless = size_up([growing], ROOM, rate=5)
    assert (endless.never, endless.seconds) == (True, None)


def test_a_quota_lower_than_the_rate_sets_the_pace() -> None:
    room = TargetRoom(brokers=2, quota=10)
    assert size_up([load()], room, rate=25).speed == 20
    assert size_up([load()], room, rate=None).limited_by == "quota"
    assert size_up([load()], room, rate=15).limited_by == "rate"


def test_retention_leaves_as_much_time_as_it_keeps_records() -> None:
    loads = [load("a", retention_ms=DAY_MS), load("b", retention_ms=2 * DAY_MS), load("c")]
    assert size_up(loads, ROOM, rate=None).allows_seconds == 86_400
    # 20 bytes a second, 2 partitions of 1,000 bytes: a record is there for 100 s.
    by_size = load(retention_bytes=1000, records_per_second=2)
    assert by_size.kept_seconds == 100
    assert load(retention_bytes=1000).kept_seconds is None  # nothing is written: nothing goes


def test_retention_overtakes_a_copy_that_takes_longer() -> None:
    fresh = load("fresh", retention_ms=100_000, age_ms=50_000)
    full = load("full", retention_ms=100_000, age_ms=None)
    slow = size_up([fresh, full], ROOM, rate=10)  # 200 s
    assert slow.seconds == 200
    full_at, fresh_at = slow.overtaken
    assert full_at == Overtaken(topic=TopicName("full"), after_seconds=0)
    assert fresh_at.after_seconds == pytest.approx(50 / 0.75)
    assert not size_up([fresh, full], ROOM, rate=20).overtaken
    empty = load(bytes=0, records=0, retention_ms=1)
    assert not size_up([fresh, empty], ROOM, rate=100).overtaken


def test_room_below_retention_by_size_is_time_won() -> None:
    # 10 bytes a second; 2 x 1,000 bytes are kept, 1,000 are there.
    topic = load(retention_bytes=1000, records_per_second=1)
    assert topic.kept_seconds == 200
    assert topic.overtaken_after(400) == pytest.approx(100 / 0.75)


def test_positions_that_expire_before_the_copy_is_there_are_named() -> None:
    room = TargetRoom(brokers=1, offsets_kept_seconds=60)
    assert size_up([load()], room, rate=10).positions_expire
    assert not size_up([load()], room, rate=100).positions_expire
    assert not size_up([load()], room, rate=None).positions_expire


def test_too_many_replicas_per_broker_are_named() -> None:
    assert size_up([load(partitions=4000)], ROOM, rate=None).many_replicas
    assert not size_up([load(partitions=3900)], ROOM, rate=None).many_replicas


def quota(limit: float, **entity: str | None) -> Quota:
    return Quota(
        entity={kind.replace("_", "-"): name for kind, name in entity.items()},
        limits={PRODUCE_QUOTA: limit},
    )


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (["user client", "user default-client", "user"], 1),
        (["user default-client", "user", "default-user client"], 2),
        (["user", "default-user client", "client"], 3),
        (["default-user client", "default-user default-client"], 4),
        (["default-user default-client", "default-user"], 5),
        (["default-user", "client"], 6),
        (["client", "default-client"], 7),
        (["default-client"], 8),
        ([], None),
    ],
)
def test_the_most_specific_quota_counts(given: list[str], expected: float | None) -> None:
    every = {
        "user client": quota(1, user="u", client_id="kferry"),
        "user default-client": quota(2, user="u", client_id=None),
        "user": quota(3, user="u"),
        "default-user client": quota(4, user=None, client_id="kferry"),
        "default-user default-client": quota(5, user=None, client_id=None),
        "default-user": quota(6, user=None),
        "client": quota(7, client_id="kferry"),
        "default-client": quota(8, client_id=None),
    }
    others = [quota(99, user="x"), quota(99, client_id="x"), quota(99, ip="127.0.0.1")]
    quotas = [*others, *(every[one] for one in given)]
    assert quota_for(quotas, user="u", client_id="kferry") == expected


def test_quotas_that_could_not_take_the_present_load_are_named() -> None:
    small, large = quota(10, user="a"), quota(100, user="b")
    assert quotas_below([small, large], 50, brokers=2) == ((small, 20),)
