"""One pair of topics to be judged, and how a danger is said of it.

Owns the values that the judges share. Pure.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from kferry.admin.configs import Configs
from kferry.names import TopicName
from kferry.topics.pairing import TopicPair
from kferry.topics.record_times import RecordTime, TopicTimes
from kferry.topics.words import span
from kferry.wire import Topic


@dataclass(frozen=True, slots=True, kw_only=True)
class Hazard:
    """Something that would happen to records on one topic of the target."""

    topic: TopicName
    code: str
    message: str
    hint: str = ""
    forbids: bool
    """Whether the copy must not begin; else it is only said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """All that is known of one pair of topics; `ours` is None where the source does not tell."""

    pair: TopicPair
    topic: Topic
    theirs: Configs
    ours: Configs | None
    times: TopicTimes
    beyond: RecordTime | None
    """A record beyond the limit for new ones, where the newest cannot be asked for."""
    now_ms: int
    suspend_retention: bool

    def value(self, config: str) -> str:
        """Return the target's value; empty where it has none."""
        found = self.theirs.get(config)
        return "" if found is None or found.value is None else found.value

    def policies(self) -> set[str]:
        """Return the target's cleanup policies."""
        return {one.strip() for one in self.value("cleanup.policy").split(",")}

    def hazard(self, code: str, message: str, hint: str = "", *, forbids: bool) -> Hazard:
        """Say it of this topic."""
        return Hazard(
            topic=self.pair.target, code=code, message=message, hint=hint, forbids=forbids
        )

    def set_hint(self, config: str, value: str) -> str:
        """Say how to set a config with the official tool."""
        return (
            f"kafka-configs --alter --entity-type topics --entity-name {self.pair.target} "
            f"--add-config {config}={value}"
        )

    def age(self, record: RecordTime) -> str:
        """Say how old a record is, when that was, and where it is."""
        age = span(self.now_ms - record.timestamp)
        return f"{age} old ({moment(record.timestamp)}, in {record.partition})"


def moment(timestamp: int) -> str:
    """Say when: a timestamp in milliseconds since 1970."""
    try:
        return f"{datetime.fromtimestamp(timestamp / 1000, tz=UTC):%Y-%m-%d %H:%M} UTC"
    except (OverflowError, ValueError, OSError):
        return f"{timestamp} ms"  # a producer's slip, such as microseconds
