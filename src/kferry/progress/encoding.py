"""Snapshots as JSON and back.

Owns the check of what comes back: it is read from a topic that others may write to, so every type,
range and length is looked at. Keys that are not known are left to newer versions.
"""

import dataclasses
import math
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeVar, get_args

from kferry.progress.snapshot import (
    Gap,
    Snapshot,
    State,
    Stopped,
    Throttled,
    TopicProgress,
    TopicState,
)

_LONGEST_TEXT = 4096
_MOST_ITEMS = 100_000
_LARGEST = 2**63 - 1  # offsets are int64

_T = TypeVar("_T")
_CHOICE = TypeVar("_CHOICE", bound=str)
_ABSENT: Any = object()


def to_json(snapshot: Snapshot) -> dict[str, Any]:
    """Put a snapshot as scripts and the ledger read it."""
    return dataclasses.asdict(snapshot)


def from_json(value: Mapping[str, Any]) -> Snapshot:
    """Read a snapshot; ValueError where it is none."""
    given = _Given(value, "snapshot")
    return Snapshot(
        migration=given.text("migration"),
        source_cluster=given.text("source_cluster"),
        target_cluster=given.text("target_cluster"),
        taken_at=given.moment("taken_at"),
        state=given.one_of("state", get_args(State)),
        owner=given.text("owner", ""),
        limited_by=given.text("limited_by", "nothing"),
        reason=given.text("reason", ""),
        topics=given.each("topics", _topic),
        stopped=given.each("stopped", _stopped),
        gaps=given.each("gaps", _gap),
        records=given.count("records", 0),
        bytes=given.count("bytes", 0),
        records_per_second=given.count("records_per_second", 0),
        bytes_per_second=given.count("bytes_per_second", 0),
        lag=given.count("lag", 0),
        copied=given.count("copied", 0),
        total=given.count("total", 0),
        remaining_seconds=given.optional("remaining_seconds", given.real),
        rate_limit=given.optional("rate_limit", given.count),
        throttled_ms=_throttled(given.inner("throttled_ms")),
        retention_suspended=given.each("retention_suspended", _name),
    )


class _Given:
    """A JSON object that nobody vouches for."""

    def __init__(self, value: object, where: str) -> None:
        if not isinstance(value, Mapping):
            raise ValueError(f"{where}: an object was expected")  # noqa: TRY004 callers catch one kind
        self._value = value
        self._where = where

    def text(self, key: str, default: str = _ABSENT) -> str:
        value = self._get(key, default)
        if not isinstance(value, str) or len(value) > _LONGEST_TEXT:
            raise self._wrong(key, f"a text of at most {_LONGEST_TEXT} characters")
        return value

    def moment(self, key: str) -> str:
        value = self.text(key)
        try:
            zoned = datetime.fromisoformat(value).tzinfo is not None
        except ValueError:
            zoned = False
        if not zoned:
            raise self._wrong(key, "a time with its zone")
        return value

    def one_of(self, key: str, choices: tuple[_CHOICE, ...]) -> _CHOICE:
        value = self._get(key)
        for choice in choices:
            if value == choice:
                return choice
        raise self._wrong(key, f"one of {', '.join(choices)}")

    def count(self, key: str, default: int = _ABSENT) -> int:
        value = self._get(key, default)
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _LARGEST:
            raise self._wrong(key, "a whole number, not negative")
        return value

    def real(self, key: str) -> float:
        value = self._get(key)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self._wrong(key, "a number")
        # Python's JSON reads NaN and Infinity, and whole numbers too large for a float.
        if not (isinstance(value, float) and math.isfinite(value)) and not (
            isinstance(value, int) and value <= _LARGEST
        ):
            raise self._wrong(key, "a finite number")
        if value < 0:
            raise self._wrong(key, "a number, not negative")
        return float(value)

    def optional(self, key: str, read: Callable[[str], _T]) -> _T | None:
        return None if self._get(key, None) is None else read(key)

    def each(self, key: str, read: Callable[[object, str], _T]) -> tuple[_T, ...]:
        value = self._get(key, ())
        if not isinstance(value, list | tuple) or len(value) > _MOST_ITEMS:
            raise self._wrong(key, f"a list of at most {_MOST_ITEMS}")
        return tuple(
            read(one, f"{self._where}.{key}[{number}]") for number, one in enumerate(value)
        )

    def inner(self, key: str) -> "_Given":
        return _Given(self._get(key, {}), f"{self._where}.{key}")

    def _get(self, key: str, default: Any = _ABSENT) -> Any:
        value = self._value.get(key, default)
        if value is _ABSENT:
            raise ValueError(f"{self._where}: `{key}` is missing")
        return value

    def _wrong(self, key: str, expected: str) -> ValueError:
        # What is there is not repeated: nobody knows what it is.
        return ValueError(f"{self._where}: `{key}` must be {expected}")


def _topic(value: object, where: str) -> TopicProgress:
    given = _Given(value, where)
    return TopicProgress(
        source=given.text("source"),
        target=given.text("target"),
        partitions=given.count("partitions"),
        copied=given.count("copied"),
        total=given.count("total"),
        lag=given.count("lag"),
        records=given.count("records"),
        bytes=given.count("bytes"),
        rate=given.real("rate"),
        state=given.one_of("state", get_args(TopicState)),
        reason=given.text("reason", ""),
    )


def _stopped(value: object, where: str) -> Stopped:
    given = _Given(value, where)
    return Stopped(
        topic=given.text("topic"),
        partition=given.count("partition"),
        offset=given.optional("offset", given.count),
        reason=given.text("reason"),
        code=given.text("code"),
    )


def _gap(value: object, where: str) -> Gap:
    given = _Given(value, where)
    return Gap(
        topic=given.text("topic"),
        partition=given.count("partition"),
        first=given.count("first"),
        last=given.count("last"),
        reason=given.text("reason"),
    )


def _throttled(given: _Given) -> Throttled:
    return Throttled(source=given.count("source", 0), target=given.count("target", 0))


def _name(value: object, where: str) -> str:
    return _Given({"name": value}, where).text("name")
