"""One record on its way to both sides, and the report of what became of it.

Owns what the application gets to see. The report stands where confluent-kafka gives a Message, and
answers to the same calls, for the primary; `primary` and `secondary` tell each side.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from kferry.dualwrite.client import Callback

if TYPE_CHECKING:
    from confluent_kafka import KafkaError, Message

_OVERHEAD = 300
"""What a waiting record needs besides its bytes, about."""


class State(StrEnum):
    """How far a record is on one side."""

    DELIVERED = "delivered"
    FAILED = "failed"
    WAITING = "waiting"
    """Not answered yet: the report did not wait for it."""
    NOT_SENT = "not-sent"
    """Never sent to this side."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a record on one side."""

    state: State
    topic: str
    partition: int | None = None
    offset: int | None = None
    timestamp: tuple[int, int] | None = None
    """As confluent-kafka tells it: its type, and milliseconds."""
    error: "KafkaError | None" = None
    reason: str = ""
    """Why it is not there, in words."""


class Record:
    """One record; small, for there may be many."""

    __slots__ = (
        "acknowledged_at",
        "callback",
        "headers",
        "key",
        "message",
        "octets",
        "partition",
        "primary_error",
        "primary_offset",
        "reason",
        "released",
        "second",
        "second_error",
        "second_state",
        "second_topic",
        "timestamp",
        "topic",
        "value",
    )

    def __init__(
        self,
        *,
        topic: str,
        value: str | bytes | None,
        key: str | bytes | None,
        timestamp: int,
        headers: Any,
        callback: Callback | None,
        second_topic: str,
    ) -> None:
        self.topic = topic
        self.value = value
        self.key = key
        self.timestamp = timestamp
        self.headers = headers
        self.callback = callback
        self.second_topic = second_topic
        self.octets = _OVERHEAD + len(value or b"") + len(key or b"") + _octets(headers)
        self.acknowledged_at = 0.0
        self.partition = -1
        self.primary_offset = -1
        self.message: Message | None = None
        self.primary_error: KafkaError | None = None
        self.second: Message | None = None
        self.second_error: KafkaError | None = None
        self.second_state = State.NOT_SENT
        self.reason = ""
        self.released = False


class DualReport:
    """What `on_delivery` gets as its message: the primary's, and what became of it on both sides.

    Given before the secondary has answered, `secondary` says so, and says more when asked later.
    """

    __slots__ = ("_record",)

    def __init__(self, record: Record) -> None:
        self._record = record

    @property
    def primary(self) -> Outcome:
        """What became of it on the primary."""
        record = self._record
        state = State.FAILED if record.primary_error else State.DELIVERED
        return _outcome(state, record.topic, record.message, record.primary_error, "")

    @property
    def secondary(self) -> Outcome:
        """What became of it on the secondary, as far as is known now."""
        record = self._record
        return _outcome(
            record.second_state,
            record.second_topic,
            record.second,
            record.second_error,
            record.reason,
        )

    def error(self) -> "KafkaError | None":
        """Return the primary's error."""
        return self._record.primary_error

    def __len__(self) -> int:
        return len(self._record.message or ())

    def __getattr__(self, name: str) -> Any:
        return getattr(self._record.message, name)

    def __repr__(self) -> str:
        return f"DualReport(primary={self.primary}, secondary={self.secondary})"


def _outcome(
    state: State, topic: str, message: "Message | None", error: "KafkaError | None", reason: str
) -> Outcome:
    if state is not State.DELIVERED or message is None:
        said = reason or ("" if error is None else error.str())
        return Outcome(state=state, topic=topic, error=error, reason=said)
    return Outcome(
        state=state,
        topic=topic,
        partition=message.partition(),
        offset=message.offset(),
        timestamp=message.timestamp(),
    )


def _octets(headers: Any) -> int:
    if not headers:
        return 0
    pairs = headers.items() if isinstance(headers, dict) else headers
    return sum(len(name) + len(value or b"") for name, value in pairs)
