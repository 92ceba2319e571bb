"""A producer of the live traffic: every replica must have a record before it counts.

Owns the ordinary producer. A number is never sent again by hand: the client repeats what it safely
can, and what it gives up on is either known not to be written or unknown.
"""

import time
from functools import partial

from kferry.sandbox.live.job import TICK_S, Job, Numbers, Pace
from kferry.sandbox.live.journal import Place, now_us
from kferry.sandbox.load.confluent import (
    KafkaError,
    KafkaException,
    Message,
    Producer,
    Settings,
)
from kferry.sandbox.load.shape import release_of
from kferry.sandbox.load.writer import SENDS_ONCE

FLUSH_S = 30.0
_GIVES_UP_MS = 300_000
_PAUSE_S = 0.5
_IDEMPOTENT_SINCE = (0, 11)
_NOT_WRITTEN = {
    KafkaError._PURGE_QUEUE,  # noqa: SLF001  # librdkafka names its own codes so
    KafkaError._UNKNOWN_TOPIC,  # noqa: SLF001  # as above
    KafkaError._UNKNOWN_PARTITION,  # noqa: SLF001  # as above
    KafkaError.CLUSTER_AUTHORIZATION_FAILED,
    KafkaError.INVALID_RECORD,
    KafkaError.MSG_SIZE_TOO_LARGE,
    KafkaError.TOPIC_AUTHORIZATION_FAILED,
    KafkaError.UNKNOWN_TOPIC_OR_PART,
}


def producer_settings(job: Job) -> Settings:
    """Return what ordinary and transactional producers have in common."""
    idempotent = release_of(job.version) >= _IDEMPOTENT_SINCE
    return {
        **job.settings,
        "acks": "all",
        "linger.ms": 5,
        "compression.type": job.spec.compression,
        "message.timeout.ms": _GIVES_UP_MS,
        **({"enable.idempotence": True} if idempotent else SENDS_ONCE),
    }


def produce(job: Job) -> None:
    """Send until told to stop, then see that all of it arrives."""
    _Sender(job).work()


class _Sender:
    def __init__(self, job: Job) -> None:
        self._job = job
        self._numbers = Numbers(job)
        self._producer = Producer(producer_settings(job))
        self._acknowledged = 0
        self._broken = ""
        self._refused = False

    def work(self) -> None:
        job, pace = self._job, Pace(self._job.spec.rate_each)
        while not job.reins.stopping:
            if job.reins.wishes.paused:
                pace.rest()
            else:
                self._send(pace.due())
            self._producer.poll(TICK_S)
            self._tell("paused" if job.reins.wishes.paused else "working")
            if self._broken:
                self._renew()
            if self._refused:
                self._refused = False
                self._producer.poll(_PAUSE_S)
                pace.rest()
        self._tell("stopping")
        self._let_go()

    def _send(self, count: int) -> None:
        records = list(self._numbers.take(count))
        self._job.journal.tried(records)
        for key, number in records:
            self._hand_over(key, number)

    def _hand_over(self, key: str, number: int) -> None:
        while True:
            try:
                self._producer.produce(
                    self._numbers.topic(key),
                    self._numbers.value(number),
                    key.encode(),
                    on_delivery=partial(self._delivered, key, number),
                )
            except BufferError:  # the queue is full: a broker is away, or slow
                self._producer.poll(TICK_S)
                self._tell("working")
                if not self._job.reins.stopping:
                    continue
                self._job.journal.failed(key, number, "not sent")
            except KafkaException as error:
                self._broken = str(error)
                self._job.journal.failed(key, number, "not sent")
            return

    def _delivered(self, key: str, number: int, error: KafkaError | None, message: Message) -> None:
        if error is None:
            self._acknowledged += 1
            self._job.journal.acknowledged([(key, number, place_of(message))])
            return
        self._refused = True
        if error.code() in _NOT_WRITTEN:
            self._job.journal.failed(key, number, error.name())
        if error.fatal():
            self._broken = error.str()
        self._job.reins.tell(trouble=error.str())

    def _renew(self) -> None:
        """Take a new producer: this one will never send again."""
        self._let_go(patience_s=0)
        self._job.reins.tell(trouble=self._broken)
        self._broken = ""
        time.sleep(_PAUSE_S)
        self._producer = Producer(producer_settings(self._job))

    def _let_go(self, patience_s: float = FLUSH_S) -> None:
        if self._producer.flush(patience_s):
            self._producer.purge()
            self._producer.flush(_PAUSE_S)
        self._tell("stopping")

    def _tell(self, phase: str) -> None:
        self._job.reins.tell(phase=phase, records=self._acknowledged)


def place_of(message: Message) -> Place:
    """Return where a message lies, and that it is known just now."""
    topic, partition, offset = message.topic(), message.partition(), message.offset()
    assert topic is not None  # noqa: S101  # what was written or read lies somewhere
    assert partition is not None  # noqa: S101  # as above
    assert offset is not None  # noqa: S101  # as above
    return Place(topic, partition, offset, now_us())
