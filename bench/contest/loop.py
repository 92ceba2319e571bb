"""The loop that people write first: consume with confluent-kafka, produce with confluent-kafka.

    python -m bench.contest.loop --sandbox NAME --topic NAME --codec lz4

Owns a fair one: many records at a time, large batches, keys, headers, timestamps and partitions
kept. It ends at the source's end offsets as they stood when it began.
"""

import argparse

from kferry.sandbox import Sandbox
from kferry.sandbox.load.confluent import (
    Consumer,
    Message,
    Producer,
    TopicPartition,
    client_settings,
)

_AT_ONCE = 10_000
_LINGER_MS = 50
_BATCH = 1 << 20
_PATIENCE_S = 120.0


def loop(sandbox: Sandbox, topic: str, codec: str) -> int:
    """Copy what is there; return how many records."""
    consumer = Consumer(
        {
            **client_settings(sandbox.source),
            "group.id": "bench-loop",  # asked for, not used: partitions are assigned by hand
            "enable.auto.commit": False,
            "fetch.message.max.bytes": 8 << 20,
            "queued.max.messages.kbytes": 256 << 10,
            "check.crcs": False,
        }
    )
    producer = Producer(
        {
            **client_settings(sandbox.target),
            "acks": "all",
            "enable.idempotence": True,
            "linger.ms": _LINGER_MS,
            "batch.size": _BATCH,
            "batch.num.messages": 100_000,
            "queue.buffering.max.messages": 2_000_000,
            "queue.buffering.max.kbytes": 512 << 10,
            "compression.type": codec,
        }
    )
    partitions = consumer.list_topics(topic, timeout=_PATIENCE_S).topics[topic].partitions
    bounds = {
        number: consumer.get_watermark_offsets(TopicPartition(topic, number), timeout=_PATIENCE_S)
        for number in partitions
    }
    open_ = {number: high for number, (low, high) in bounds.items() if high > low}
    consumer.assign([TopicPartition(topic, number, bounds[number][0]) for number in open_])
    copied = 0
    while open_:
        for message in consumer.consume(_AT_ONCE, timeout=1.0):
            if message.error():
                raise RuntimeError(str(message.error()))
            _pass_on(producer, topic, message)
            copied += 1
        producer.poll(0)
        # By position, not by the last record: a compacted log may end in a hole.
        for at in consumer.position([TopicPartition(topic, number) for number in open_]):
            if at.offset >= open_[at.partition]:
                del open_[at.partition]
    if left := producer.flush(_PATIENCE_S):
        raise RuntimeError(f"{left} records did not arrive")
    consumer.close()
    return copied


def _pass_on(producer: Producer, topic: str, message: Message) -> None:
    while True:
        try:
            producer.produce(
                topic,
                value=message.value(),
                key=message.key(),
                partition=message.partition() or 0,
                timestamp=message.timestamp()[1],
                headers=message.headers() or [],
            )
        except BufferError:  # the queue is full: let some of it arrive
            producer.poll(0.1)
        else:
            return


def main() -> None:
    """Run as a process of its own."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--sandbox", required=True)
    parser.add_argument("--topic", required=True)
    parser.add_argument("--codec", default="none")
    wanted = parser.parse_args()
    print(loop(Sandbox.find(wanted.sandbox), wanted.topic, wanted.codec))


if __name__ == "__main__":
    main()
