"""Where a copy begins, and times as people write them.

Owns the kinds of start and the reading of a time. Asks no cluster what stands at that time.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple, TypeAlias

from kferry.errors import ConfigError

_EARLIEST_MS = 10**11
"""3 March 1973: a smaller number is seconds, or a date without dashes, and not what is meant."""
_HINT = "write 2026-03-01T12:00:00Z (without a zone it is UTC), or milliseconds since 1970"


@dataclass(frozen=True, slots=True)
class Beginning:
    """From the first record that the source still has."""


@dataclass(frozen=True, slots=True)
class FromEnd:
    """From the ends as they stand when the copy begins."""


@dataclass(frozen=True, slots=True)
class Since:
    """From the first record at or after a time."""

    ms: int


@dataclass(frozen=True, slots=True)
class Unconsumed:
    """Per partition from the smallest committed offset of all groups."""


Start: TypeAlias = Beginning | FromEnd | Since | Unconsumed


class Moment(NamedTuple):
    """A time, and whether its zone had to be assumed."""

    ms: int
    assumed_utc: bool


def parse_time(text: str, *, where: str) -> Moment:
    """Read an ISO time or milliseconds since 1970."""
    stripped = text.strip()
    if re.fullmatch(r"[0-9]+", stripped):
        return Moment(_milliseconds(stripped, where), assumed_utc=False)
    try:
        moment = datetime.fromisoformat(stripped)
    except ValueError:
        raise ConfigError(f"{where}: `{text}` is not a time", hint=_HINT) from None
    assumed = moment.tzinfo is None
    if assumed:
        moment = moment.replace(tzinfo=UTC)
    ms = round(moment.timestamp() * 1000)
    if ms < 0:
        raise ConfigError(f"{where}: `{text}` is before 1970, as no record is", hint=_HINT)
    return Moment(ms, assumed_utc=assumed)


def _milliseconds(digits: str, where: str) -> int:
    # int() of a very long text is slow; no calendar has more than 18 digits of milliseconds.
    ms = int(digits) if len(digits) <= 18 else 0
    if ms < _EARLIEST_MS:
        raise ConfigError(
            f"{where}: {digits[:40]} is no time in milliseconds that a record could have",
            "Seconds since 1970 need three zeros more, a date its dashes.",
            hint=_HINT,
        )
    return ms
