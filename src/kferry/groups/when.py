"""Places and times in a log as `--time` names them: Kafka's words and numbers, ours, or a time.

Owns the words. Asks no cluster.
"""

import re
from dataclasses import dataclass

from kferry.admin.offsets import Place
from kferry.config import parse_time
from kferry.errors import ConfigError

_STABLE = "latest-stable"
_WORDS = {
    "latest": Place.END,
    "earliest": Place.START,
    "max-timestamp": Place.NEWEST_TIMESTAMP,
    "earliest-local": Place.LOCAL_START,
    "latest-tiered": Place.TIERED_END,
    "earliest-pending-upload": Place.PENDING_UPLOAD,
}
WORDS = (*_WORDS, _STABLE)


@dataclass(frozen=True, slots=True, kw_only=True)
class When:
    """A place, or a time in milliseconds since 1970."""

    at: Place | int
    committed: bool = False
    """Of the end: that of what is committed, the last stable offset."""
    assumed_utc: bool = False

    @property
    def is_time(self) -> bool:
        """Whether it is a time."""
        return not isinstance(self.at, Place)


def parse_when(text: str, *, where: str = "--time") -> When:
    """Read a word, one of Kafka's negative numbers, milliseconds, or an ISO time."""
    word = text.strip().lower()
    if word == _STABLE:
        return When(at=Place.END, committed=True)
    if word in _WORDS:
        return When(at=_WORDS[word])
    if re.fullmatch(r"-[0-9]{1,9}", word):
        try:
            return When(at=Place(int(word)))
        except ValueError:
            known = ", ".join(f"{place.value} ({name})" for name, place in _WORDS.items())
            raise ConfigError(
                f"{where}: {word} names no place", hint=f"known are {known}"
            ) from None
    try:
        moment = parse_time(text, where=where)
    except ConfigError as error:
        raise ConfigError(
            error.title, error.detail, hint=f"{error.hint}; or one of {', '.join(WORDS)}"
        ) from None
    return When(at=moment.ms, assumed_utc=moment.assumed_utc)
