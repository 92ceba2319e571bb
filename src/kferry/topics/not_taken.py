"""What an existing topic would refuse, or not take as it is.

Owns the judgement of partitions, timestamps, sizes and codecs. Pure.
"""

from collections.abc import Iterator

from kferry.admin.configs import Configs
from kferry.topics.during_copy import MESSAGE_BYTES, NO_LIMIT
from kferry.topics.hazard_case import Case, Hazard, moment
from kferry.topics.terms import AFTER_MAX, BEFORE_MAX, DIFFERENCE_MAX
from kferry.topics.words import span


def not_taken(case: Case) -> Iterator[Hazard]:
    """Say what would not arrive, or not as it is on the source."""
    yield from _partitions(case)
    yield from _appended_time(case)
    yield from _too_old(case)
    yield from _too_new(case)
    yield from _message_bytes(case)
    yield from _compression(case)


def after_limit(configs: Configs) -> int | None:
    """Return how far ahead of the broker records may be, in ms; None: as far as they like."""
    found = _limit(configs, AFTER_MAX)
    return None if found is None else found[1]


def _limit(configs: Configs, config: str) -> tuple[str, int] | None:
    """Return the config that limits the age of records, in either direction, and its value."""
    # Until 3.9 the old limit is in force where the new one was left at its default.
    for name in (config, DIFFERENCE_MAX):
        found = configs.get(name)
        if found is not None and found.value not in {None, NO_LIMIT}:
            return name, int(str(found.value))
    return None


def _partitions(case: Case) -> Iterator[Hazard]:
    ours, theirs = len(case.pair.source.partitions), len(case.topic.partitions)
    if theirs < ours:
        yield case.hazard(
            "fewer-partitions",
            f"it has {theirs} partitions and the source has {ours}: records keep their partition",
            f"kafka-topics --alter --topic {case.pair.target} --partitions {ours}",
            forbids=True,
        )
    elif theirs > ours:
        yield case.hazard(
            "more-partitions",
            f"it has {theirs} partitions and the source has {ours}: the others stay empty, and "
            "producers will find other partitions for the same keys there",
            forbids=False,
        )


def _appended_time(case: Case) -> Iterator[Hazard]:
    if case.value("message.timestamp.type") == "LogAppendTime":
        yield case.hazard(
            "timestamps-replaced",
            "message.timestamp.type=LogAppendTime: every record would get the time of the copy",
            case.set_hint("message.timestamp.type", "CreateTime"),
            forbids=True,
        )


def _too_old(case: Case) -> Iterator[Hazard]:
    found, oldest = _limit(case.theirs, BEFORE_MAX), case.times.oldest
    if found is None or oldest is None:
        return
    name, limit = found
    if oldest.timestamp < case.now_ms - limit:
        yield case.hazard(
            "old-records-refused",
            f"records older than {span(limit)} are refused, and the oldest is {case.age(oldest)}",
            case.set_hint(name, NO_LIMIT),
            forbids=True,
        )


def _too_new(case: Case) -> Iterator[Hazard]:
    found, newest = _limit(case.theirs, AFTER_MAX), case.times.newest or case.beyond
    if found is None or newest is None:
        return
    name, limit = found
    if newest.timestamp > case.now_ms + limit:
        ahead = span(newest.timestamp - case.now_ms)
        yield case.hazard(
            "future-records-refused",
            f"records more than {span(limit)} ahead of the broker's clock are refused, and one in "
            f"{newest.partition} is {ahead} ahead ({moment(newest.timestamp)})",
            case.set_hint(name, NO_LIMIT),
            forbids=True,
        )


def _message_bytes(case: Case) -> Iterator[Hazard]:
    found = None if case.ours is None else case.ours.get(MESSAGE_BYTES)
    theirs = case.value(MESSAGE_BYTES)
    if found is None or found.value is None or not theirs or int(theirs) >= int(found.value):
        return
    yield case.hazard(
        "message-bytes-smaller",
        f"{MESSAGE_BYTES} is {int(theirs):,} and the source's {int(found.value):,}: larger batches "
        "are split, and a larger single record stops its partition",
        case.set_hint(MESSAGE_BYTES, found.value),
        forbids=False,
    )


def _compression(case: Case) -> Iterator[Hazard]:
    codec = case.value("compression.type")
    if codec not in {"", "producer"}:
        yield case.hazard(
            "recompressed",
            f"compression.type={codec}: batches in another codec are re-encoded, which costs CPU",
            forbids=False,
        )
