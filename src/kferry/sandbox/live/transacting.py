"""A transactional producer of the live traffic: most transactions count, some are taken back.

Owns the transactional producer. A record is acknowledged when its transaction is committed; where
the answer to a commit is lost for good, its records are unknown.
"""

import time
from collections.abc import Callable
from functools import partial

from kferry.sandbox.live.job import TICK_S, Job, Numbers, Pace
from kferry.sandbox.live.journal import Place, now_us
from kferry.sandbox.live.producing import FLUSH_S, place_of, producer_settings
from kferry.sandbox.load.confluent import KafkaError, KafkaException, Message, Producer

_LASTS_S = 0.2
_ABORTED, _OF = 2, 5
"""The second of five is taken back."""
_TIMEOUT_MS = 300_000
_ANSWER_S = 5.0
_PAUSE_S = 0.5


def transact(job: Job) -> None:
    """Write transactions until told to stop; leave none open."""
    _Transactor(job).work()


class _Transactor:
    def __init__(self, job: Job) -> None:
        self._job = job
        self._numbers = Numbers(job)
        self._producer: Producer | None = None
        self._committed = 0
        self._count = 0
        self._tried: list[tuple[str, int]] = []
        self._written: list[tuple[str, int, Place]] = []
        self._failed = ""

    def work(self) -> None:
        while not self._job.reins.stopping:
            if self._job.reins.wishes.paused:
                self._tell("paused")
                time.sleep(TICK_S)
                continue
            try:
                self._one(self._ready())
            except KafkaException as error:
                self._give_up(error.args[0])
        self._tell("stopping")

    def _ready(self) -> Producer:
        if self._producer is None:
            producer = Producer(
                {
                    **producer_settings(self._job),
                    "transactional.id": f"{self._job.spec.prefix}-{self._job.run.client}",
                    "transaction.timeout.ms": _TIMEOUT_MS,
                }
            )
            self._retried(producer.init_transactions)
            self._producer = producer
        return self._producer

    def _one(self, producer: Producer) -> None:
        """Write one transaction, and stay in it as long as told to hang."""
        self._tried, self._written, self._failed = [], [], ""
        producer.begin_transaction()
        pace = Pace(self._job.spec.rate_each)
        since = time.monotonic()
        while time.monotonic() - since < _LASTS_S and not self._job.reins.stopping:
            self._send(producer, pace.due())
            producer.poll(TICK_S)
        if not self._tried:
            self._send(producer, 1)
        left = producer.flush(FLUSH_S)
        while self._job.reins.wishes.hanging and not self._job.reins.stopping:
            self._tell("hanging")
            producer.poll(TICK_S)
        self._count += 1
        if left or self._failed or self._count % _OF == _ABORTED:
            self._abort(producer)
        else:
            self._commit(producer)
        self._tell("working")

    def _send(self, producer: Producer, count: int) -> None:
        records = list(self._numbers.take(count))
        self._job.journal.tried(records)
        self._tried += records
        for key, number in records:
            producer.produce(
                self._numbers.topic(key),
                self._numbers.value(number),
                key.encode(),
                on_delivery=partial(self._delivered, key, number),
            )

    def _delivered(self, key: str, number: int, error: KafkaError | None, message: Message) -> None:
        if error is None:
            self._written.append((key, number, place_of(message)))
        else:
            self._failed = error.str()
            self._job.reins.tell(trouble=self._failed)

    def _commit(self, producer: Producer) -> None:
        self._retried(producer.commit_transaction)
        at = now_us()
        records = [(key, number, place._replace(at_us=at)) for key, number, place in self._written]
        self._job.journal.acknowledged(records)
        self._committed += len(records)

    def _abort(self, producer: Producer) -> None:
        self._retried(producer.abort_transaction)
        self._job.journal.aborted(self._tried)

    def _retried(self, call: Callable[[float], None]) -> None:
        """Call it again while the library says that this is safe."""
        while True:
            try:
                call(_ANSWER_S)
            except KafkaException as error:
                self._job.reins.tell(trouble=error.args[0].str())
                if not error.args[0].retriable():
                    raise
            else:
                return

    def _give_up(self, error: KafkaError) -> None:
        """Take the transaction back if that can be; else its records are unknown."""
        self._job.reins.tell(trouble=error.str())
        if self._producer is not None and error.txn_requires_abort():
            try:
                self._abort(self._producer)
            except KafkaException as second:
                error = second.args[0]
            else:
                return
        self._producer = None
        time.sleep(_PAUSE_S)

    def _tell(self, phase: str) -> None:
        self._job.reins.tell(phase=phase, records=self._committed)
