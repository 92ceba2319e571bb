"""Writing records so that they land in the batches a shape wants.

Owns one producer. A batch ends where the shape says, never because a timer ran out: two loads have
the same batches. Knows nothing of what the records are for.
"""

import threading
from collections.abc import Iterable
from types import TracebackType
from typing import Self

from kferry.sandbox.load.confluent import (
    KafkaError,
    Message,
    Producer,
    Settings,
)
from kferry.sandbox.load.errors import LoadError, StoppedError
from kferry.sandbox.load.record import Record

_PATIENCE_S = 60.0
_NEVER_BY_TIME_MS = 50_000
_LARGEST = 8_000_000
SENDS_ONCE: Settings = {
    # Without idempotence a repeated request may be a repeated record: better none at all.
    "max.in.flight.requests.per.connection": 1,
    "retries": 0,
}


class Writer:
    """One producer; leaving the block sends what is left and insists that all of it arrived."""

    def __init__(
        self,
        settings: Settings,
        *,
        idempotent: bool,
        batch: int,
        stop: threading.Event,
        codec: str = "none",
    ) -> None:
        self.written = 0
        self._stop = stop
        self._failure: KafkaError | None = None
        self._producer = Producer(
            {
                **settings,
                "acks": "all",
                "linger.ms": _NEVER_BY_TIME_MS,
                "message.timeout.ms": int(_PATIENCE_S * 1000),
                "batch.num.messages": batch,
                "batch.size": _LARGEST,
                "message.max.bytes": _LARGEST,
                "compression.type": codec,
                **({"enable.idempotence": True} if idempotent else SENDS_ONCE),
            }
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error is None:
            self.flush()

    def write(self, topic: str, records: Iterable[Record]) -> None:
        """Hand over records; they are sent in full batches, and what is left at `flush`."""
        for record in records:
            if self._stop.is_set():
                raise StoppedError
            self._produce(topic, record)
            self.written += 1

    def write_batch(self, topic: str, records: Iterable[Record]) -> None:
        """Write records as one batch for each partition."""
        self.write(topic, records)
        self.flush()

    def flush(self) -> None:
        """Send what is there and wait until every replica has it."""
        left = self._producer.flush(_PATIENCE_S)
        if self._failure is not None:
            raise LoadError("a broker refused a record", self._failure.str())
        if left:
            raise LoadError(f"{left:,} records did not arrive within {_PATIENCE_S:.0f} s")

    def _produce(self, topic: str, record: Record) -> None:
        while True:
            try:
                self._producer.produce(
                    topic,
                    value=record.value,
                    key=record.key,
                    partition=record.partition,
                    timestamp=record.timestamp,
                    headers=list(record.headers),
                    on_delivery=self._delivered,
                )
            except BufferError:  # the queue is full: let some of it arrive
                self._producer.poll(0.1)
            else:
                self._producer.poll(0)
                return

    def _delivered(self, error: KafkaError | None, _message: Message) -> None:
        self._failure = self._failure or error


class TransactionalWriter(Writer):
    """A writer whose records belong to transactions. One left open stays open when we go."""

    def __init__(
        self,
        settings: Settings,
        *,
        transactional_id: str,
        batch: int,
        stop: threading.Event,
        timeout_ms: int,
    ) -> None:
        owner: Settings = {
            "transactional.id": transactional_id,
            "transaction.timeout.ms": timeout_ms,
        }
        super().__init__({**settings, **owner}, idempotent=True, batch=batch, stop=stop)
        self._producer.init_transactions(_PATIENCE_S)

    def begin(self) -> None:
        """Open a transaction."""
        self._producer.begin_transaction()

    def commit(self) -> None:
        """Make its records count."""
        self.flush()
        self._producer.commit_transaction(_PATIENCE_S)

    def abort(self) -> None:
        """Take its records back; they and a marker stay in the log."""
        self.flush()  # an abort drops what has not been sent yet
        self._producer.abort_transaction(_PATIENCE_S)
