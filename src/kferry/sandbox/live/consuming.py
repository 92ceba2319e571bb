"""A member of a group of the live traffic: what it is given it journals first, and commits then.

Owns the consumer. A graceful stop commits exactly what was journalled, so that whoever takes over
reads on at the next record; a SIGKILL may leave journalled records uncommitted, and those are read
twice: at least once is what Kafka's consumers promise.
"""

import time
from collections.abc import Mapping, Sequence
from contextlib import suppress

from kferry.sandbox.live.job import Job
from kferry.sandbox.live.journal import Place
from kferry.sandbox.live.producing import place_of
from kferry.sandbox.load.confluent import (
    Consumer,
    KafkaError,
    KafkaException,
    Message,
    Settings,
    TopicPartition,
)

_POLL_S = 0.1
_AT_ONCE = 500
_GATHERS_S = 0.1
_PATIENCE_S = 20.0
_GIVING_UP_S = 5.0
_AGAIN_S = 0.1
_SESSION_MS, _STATIC_SESSION_MS = 10_000, 60_000
_HEARTBEAT_MS = 1_000
"""Often: on a busy machine a member that is thought dead has its records read twice."""
_HOPELESS = {
    KafkaError.ILLEGAL_GENERATION,
    KafkaError.UNKNOWN_MEMBER_ID,
    KafkaError.FENCED_INSTANCE_ID,
}
"""The group goes on without us, and from where we committed last."""
_NO_POSITION = -1001
"""OFFSET_INVALID: the group has committed nothing there."""
_Pending = list[tuple[str, int, Place]]


def consume(job: Job) -> None:
    """Read until told to stop, then commit and leave."""
    _Reader(job).work()


def _settings(job: Job) -> Settings:
    group_topics = job.spec.transactional_topics
    found: Settings = {
        **job.settings,
        "group.id": job.run.group,
        "enable.auto.commit": False,
        "auto.offset.reset": job.spec.reset,
        "isolation.level": (
            "read_committed" if job.run.topics == group_topics else "read_uncommitted"
        ),
        "session.timeout.ms": _STATIC_SESSION_MS if job.spec.static else _SESSION_MS,
        "heartbeat.interval.ms": _HEARTBEAT_MS,
        "check.crcs": True,
        "topic.metadata.refresh.interval.ms": 1_000,  # a topic that is just being made
    }
    if job.spec.static:
        found["group.instance.id"] = job.run.client
    return found


class _Reader:
    def __init__(self, job: Job) -> None:
        self._job = job
        self._consumer = Consumer(_settings(job))
        self._pending: _Pending = []
        self._uncommitted: dict[tuple[str, int], int] = {}
        self._held: set[tuple[str, int]] = set()
        self._joined = False
        self._paused = False
        self._seen = 0

    def work(self) -> None:
        self._consumer.subscribe(
            list(self._job.run.topics),
            on_assign=self._assigned,
            on_revoke=self._revoked,
            on_lost=self._lost,
        )
        while not self._job.reins.stopping:
            self._obey()
            self._gather()
            self._journal()
            self._commit()
            self._tell()
        self._job.reins.tell(phase="stopping")
        self._commit(patience_s=_PATIENCE_S)
        if self._uncommitted:
            self._fault(f"{len(self._uncommitted)} positions could not be committed at the end")
        self._consumer.close()

    def _obey(self) -> None:
        if self._paused != self._job.reins.wishes.paused:
            self._paused = not self._paused
            own = self._consumer.assignment()
            (self._consumer.pause if self._paused else self._consumer.resume)(own)

    def _gather(self) -> None:
        """Take what comes within a moment: a commit for each record would keep brokers busy."""
        self._take(self._consumer.poll(_POLL_S))
        until = time.monotonic() + _GATHERS_S
        while self._pending and len(self._pending) < _AT_ONCE:
            self._take(self._consumer.poll(max(0.0, until - time.monotonic())))
            if time.monotonic() >= until:
                break

    def _take(self, message: Message | None) -> None:
        if message is None:
            return
        error = message.error()
        if error is None:
            key, value = bytes(message.key() or b"?"), bytes(message.value() or b"-1")
            number = int(value.split(b" ", 1)[0])
            self._pending.append((key.decode(), number, place_of(message)))
        elif error.code() == KafkaError._AUTO_OFFSET_RESET:  # noqa: SLF001  # librdkafka's own
            self._fault(f"no position in {message.topic()}-{message.partition()}")
        else:
            self._job.reins.tell(trouble=error.str())

    def _journal(self) -> None:
        self._job.journal.seen(self._pending)
        for _, _, place in self._pending:
            self._uncommitted[place.topic, place.partition] = place.offset + 1
        self._seen += len(self._pending)
        self._pending = []

    def _commit(self, patience_s: float = 0.0) -> None:
        """Commit what was journalled; what fails is tried again with the next."""
        deadline = time.monotonic() + patience_s
        while self._uncommitted:
            wanted = [TopicPartition(*place, at) for place, at in self._uncommitted.items()]
            try:
                done = self._consumer.commit(offsets=wanted, asynchronous=False) or ()
            except KafkaException as error:
                self._job.reins.tell(trouble=f"commit: {error.args[0].str()}")
                if error.args[0].code() in _HOPELESS:
                    break
            else:
                for one in done:
                    if one.error is None:
                        self._uncommitted.pop((one.topic, one.partition), None)
            if not self._uncommitted or time.monotonic() > deadline:
                break
            time.sleep(_AGAIN_S)

    def _assigned(self, consumer: Consumer, partitions: Sequence[TopicPartition]) -> None:
        self._held = {(one.topic, one.partition) for one in partitions}
        self._joined = True
        if self._paused and partitions:
            consumer.assign(list(partitions))
            consumer.pause(list(partitions))
        if self._job.spec.reset == "error" and partitions:
            # Asked for here, so that whoever waits for us learns of it before we count as working.
            with suppress(KafkaException):
                for one in consumer.committed(list(partitions), timeout=_PATIENCE_S):
                    if one.offset == _NO_POSITION:
                        self._fault(f"no position in {one.topic}-{one.partition}")

    def _revoked(self, _consumer: Consumer, _partitions: Sequence[TopicPartition]) -> None:
        self._journal()
        self._commit(patience_s=_GIVING_UP_S)
        self._forget()

    def _lost(self, _consumer: Consumer, _partitions: Sequence[TopicPartition]) -> None:
        """Somebody else has them already: what was not journalled is theirs."""
        self._pending = []
        self._forget()

    def _forget(self) -> None:
        self._held, self._uncommitted, self._joined = set(), {}, False

    def _fault(self, what: str) -> None:
        if what not in self._job.reins.state.faults:
            self._job.journal.fault(what)
            self._job.reins.fault(what)

    def _tell(self) -> None:
        held: Mapping[str, None] = dict.fromkeys(f"{t}-{p}" for t, p in sorted(self._held))
        phase = "paused" if self._paused else "working" if self._joined else "joining"
        self._job.reins.tell(phase=phase, records=self._seen, partitions=tuple(held))
