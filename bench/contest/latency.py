"""From a producer's send to a consumer's hands: both ends, as processes of their own.

    python -m bench.contest.latency receive --sandbox NAME --side target --topic T --count N
    python -m bench.contest.latency send --sandbox NAME --side source --topic T --count N

Every value begins with the monotonic clock's nanoseconds at its send, which all processes of a
machine share. The receiver begins at the end of the topic, says `ready`, and prints its
percentiles as JSON when it has them all. Owns both ends; knows nothing of who is in between.
"""

import argparse
import json
import struct
import time

from kferry.sandbox import Cluster, Sandbox
from kferry.sandbox.load.confluent import Consumer, Producer, TopicPartition, client_settings

_CLOCK = struct.Struct(">q")
_FILLING = bytes(92)
_PATIENCE_S = 30.0
_WARM_S = 5.0
"""What is sent in the first seconds does not count."""


def send(cluster: Cluster, topic: str, *, count: int, rate: int) -> None:
    """Send evenly, each record at once, to the partitions by turns."""
    producer = Producer({**client_settings(cluster), "acks": "all", "linger.ms": 0})
    partitions = len(producer.list_topics(topic, timeout=_PATIENCE_S).topics[topic].partitions)
    began = time.monotonic()
    for number in range(count):
        while (left := began + number / rate - time.monotonic()) > 0:
            time.sleep(left)
        value = _CLOCK.pack(time.monotonic_ns()) + _FILLING
        producer.produce(topic, value=value, partition=number % partitions)
        producer.poll(0)
    if left_over := producer.flush(_PATIENCE_S):
        raise RuntimeError(f"{left_over} records were not sent")


def receive(cluster: Cluster, topic: str, *, count: int) -> dict[str, float]:
    """Receive that many records from now on."""
    consumer = Consumer(
        {
            **client_settings(cluster),
            "group.id": "bench-latency",  # asked for, not used: partitions are assigned by hand
            "enable.auto.commit": False,
            "fetch.wait.max.ms": 500,
            "fetch.min.bytes": 1,
        }
    )
    found = consumer.list_topics(topic, timeout=_PATIENCE_S).topics[topic].partitions
    everything = [TopicPartition(topic, number) for number in found]
    consumer.assign(
        [
            TopicPartition(topic, at.partition, consumer.get_watermark_offsets(at, _PATIENCE_S)[1])
            for at in everything
        ]
    )
    print("ready", flush=True)
    times: list[tuple[int, int]] = []
    while len(times) < count:
        message = consumer.poll(_PATIENCE_S)
        now = time.monotonic_ns()
        if message is None:
            break
        if message.error():
            raise RuntimeError(str(message.error()))
        (sent,) = _CLOCK.unpack_from(message.value() or b"")
        times.append((sent, now - sent))
    consumer.close()
    return _percentiles(times)


def _percentiles(times: list[tuple[int, int]]) -> dict[str, float]:
    began = min(sent for sent, _ in times) + _WARM_S * 1e9
    took = sorted(took / 1e6 for sent, took in times if sent >= began)
    return {
        "received": len(times),
        "p50_ms": took[len(took) // 2],
        "p99_ms": took[len(took) * 99 // 100],
        "max_ms": took[-1],
    }


def main() -> None:
    """Run one end."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("end", choices=["send", "receive"])
    parser.add_argument("--sandbox", required=True)
    parser.add_argument("--side", choices=["source", "target"], default="source")
    parser.add_argument("--topic", required=True)
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--rate", type=int, default=1000)
    wanted = parser.parse_args()
    sandbox = Sandbox.find(wanted.sandbox)
    cluster = sandbox.source if wanted.side == "source" else sandbox.target
    if wanted.end == "send":
        send(cluster, wanted.topic, count=wanted.count, rate=wanted.rate)
    else:
        print(json.dumps(receive(cluster, wanted.topic, count=wanted.count)))


if __name__ == "__main__":
    main()
