"""One fetch session (KIP-227): each request names only what changed since the last one.

Owns the bookkeeping between client and broker. With thousands of partitions it is what keeps a
request small; brokers before 1.1 do without and get everything each time.
"""

from collections.abc import Mapping

from kferry.names import TopicPartition
from kferry.wire.fetch import FetchAnswer, FetchFrom, FetchQuestion

_ANEW = (0, 0)
_NONE = (0, -1)
_EPOCHS = 1 << 31


class FetchSession:
    """What the broker remembers of us."""

    def __init__(self, *, incremental: bool) -> None:
        self._incremental = incremental
        self._id = 0
        self._epoch = 0
        self._known: dict[TopicPartition, FetchFrom] = {}
        self._moved: dict[TopicPartition, int] = {}

    def ask(
        self,
        wanted: Mapping[TopicPartition, FetchFrom],
        *,
        max_wait_ms: int,
        max_bytes: int,
        rack: str,
    ) -> FetchQuestion:
        """Make the next request."""
        session, changed = _NONE, self._in_turn(wanted)
        forgotten: list[TopicPartition] = []
        if self._incremental and self._id == 0:
            session = _ANEW
        elif self._incremental:
            session = (self._id, self._epoch)
            changed = [one for key, one in wanted.items() if self._known.get(key) is not one]
            forgotten = [key for key in self._known if key not in wanted]
        self._known = dict(wanted)
        return FetchQuestion(
            partitions=changed,
            max_wait_ms=max_wait_ms,
            min_bytes=1,
            max_bytes=max_bytes,
            session=session,
            forgotten=forgotten,
            rack=rack,
        )

    def _in_turn(self, wanted: Mapping[TopicPartition, FetchFrom]) -> list[FetchFrom]:
        """Put first what has moved least: an answer has room for the first ones only.

        In a session the broker itself sees to it that everybody gets a turn.
        """
        if self._incremental:
            return list(wanted.values())
        for key, one in wanted.items():
            if self._known.get(key, one).offset != one.offset:
                self._moved[key] = self._moved.get(key, 0) + 1
        return sorted(wanted.values(), key=lambda one: self._moved.get(one.partition, 0))

    def offset(self, partition: TopicPartition) -> int | None:
        """Return the offset that the last answer about a partition begins at."""
        known = self._known.get(partition)
        return None if known is None else known.offset

    def answered(self, answer: FetchAnswer) -> None:
        """Note what the broker made of it."""
        if answer.error_code:
            self.forget()
        elif self._incremental and self._id == 0:
            self._id, self._epoch = answer.session_id, 1  # 0: it has no room for another session
        elif self._id:
            self._epoch = self._epoch % (_EPOCHS - 1) + 1

    def forget(self) -> None:
        """Begin anew: the connection or the session was lost."""
        self._id, self._epoch = 0, 0
        self._known.clear()
